/** OTLP over HTTP: POST /v1/traces in protobuf and JSON, answered as the specification says. */

import { Intake } from "../../core/intake.ts";
import type { IntakeOptions } from "../../core/intake.ts";
import type { CorsOptions } from "../../net/cors.ts";
import type { HttpAnswer, HttpFailure, HttpRequest, HttpRoute } from "../../net/http-message.ts";
import { statusCodeOfHttp } from "../../net/grpc-status.ts";
import { plainFailure, retryAfter } from "../../net/http-message.ts";
import { startHttpServer } from "../../net/http-server.ts";
import type { HttpServer } from "../../net/http-server.ts";
import type { TlsOptions } from "../../net/tls.ts";
import { encodingOf, OTLP_CONTENT_TYPES } from "./encodings.ts";

export interface OtlpHttpOptions extends IntakeOptions {
  readonly host: string;
  /** 4318 by custom; 0 lets the system choose. */
  readonly port: number;
  readonly cors?: CorsOptions;
  readonly tls?: TlsOptions;
  /** Defaults: LIMITS.requestBytes, inflatedBytes, requestReceiveMs. */
  readonly bodyBytes?: number;
  readonly inflatedBytes?: number;
  readonly receiveMs?: number;
  readonly headersMs?: number;
  readonly idleMs?: number;
  /** Told of errors that are our own bugs. */
  readonly onFault?: (error: unknown) => void;
}

/** Starts the receiver; rejects with SpoorError `in-use` or `config` when it cannot listen. */
export function startOtlpHttp(options: OtlpHttpOptions): Promise<HttpServer> {
  const { host, port, counters, sink, rejections, ...settings } = options;
  const routes = otlpHttpRoutes({ counters, sink, rejections });
  const flag = "collector.otlp.http.host-port";
  return startHttpServer({ ...settings, host, port, flag, name: "otlp-http", counters, routes });
}

/** The routes alone, for a server that has others too. */
export function otlpHttpRoutes(options: IntakeOptions): readonly HttpRoute[] {
  const intake = new Intake(options, { format: "otlp", transport: "http" });
  return [
    {
      method: "POST",
      path: "/v1/traces",
      contentTypes: OTLP_CONTENT_TYPES,
      handle: (request) => takeTraces(intake, request),
      failure: (failure, request) => refuseTraces(intake, failure, request),
    },
  ];
}

async function takeTraces(intake: Intake, request: HttpRequest): Promise<HttpAnswer> {
  const encoding = encodingOf(request.contentType);
  const { rejected, message } = await intake.take(request.body, encoding.decode);
  return {
    status: 200,
    headers: encoding.headers,
    body: encoding.response(rejected, message),
  };
}

/** A google.rpc.Status in the request's encoding; only overload asks for another attempt. */
function refuseTraces(intake: Intake, failure: HttpFailure, request: HttpRequest): HttpAnswer {
  intake.count(failure.status === 500 ? "fault" : failure.error.code);
  if (failure.status === 415) return plainFailure(failure);
  const encoding = encodingOf(request.contentType);
  return {
    status: failure.status,
    headers: { ...encoding.headers, ...retryAfter(failure) },
    body: encoding.status(statusCodeOfHttp(failure.status), failure.error.message),
  };
}
