/** Zipkin over HTTP: POST /api/v1/spans and /api/v2/spans, as Zipkin's servers answer them. */

import type { CorsOptions } from "../../net/cors.ts";
import { Intake } from "../../core/intake.ts";
import type { DecodedRequest, IntakeOptions } from "../../core/intake.ts";
import type { HttpAnswer, HttpFailure, HttpRequest, HttpRoute } from "../../net/http-message.ts";
import { retryAfter } from "../../net/http-message.ts";
import { startHttpServer } from "../../net/http-server.ts";
import type { HttpServer } from "../../net/http-server.ts";
import type { TlsOptions } from "../../net/tls.ts";
import { decodeZipkinV1Json, decodeZipkinV2Json } from "../../wire/zipkin-json-decode.ts";
import { decodeZipkinProto } from "../../wire/zipkin-proto-decode.ts";
import type { ZipkinDecodeOptions } from "../../wire/zipkin-rows.ts";
import { decodeZipkinThrift } from "../../wire/zipkin-thrift-decode.ts";

export interface ZipkinOptions extends IntakeOptions {
  readonly host: string;
  /** 9411 by custom; 0 lets the system choose. */
  readonly port: number;
  readonly cors?: CorsOptions;
  readonly tls?: TlsOptions;
  /** False closes every connection after its answer. Default true. */
  readonly keepAlive?: boolean;
  /** Told of errors that are our own bugs. */
  readonly onFault?: (error: unknown) => void;
}

type Decode = (bytes: Uint8Array, options: ZipkinDecodeOptions) => DecodedRequest;

const TEXT = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
const V1 = "/api/v1/spans";
const V2 = "/api/v2/spans";

/** Starts the receiver; rejects with SpoorError `in-use` or `config` when it cannot listen. */
export function startZipkin(options: ZipkinOptions): Promise<HttpServer> {
  const { host, port, counters, sink, rejections, ...settings } = options;
  const intake = new Intake(
    { counters, sink, rejections },
    { format: "zipkin", transport: "http" },
  );
  // Senders are told of a path by their operators, and some leave it away: Jaeger takes all.
  const routes = [V1, V2, "/*"].map((path): HttpRoute => ({
    method: "POST",
    path,
    handle: (request) => takeSpans(intake, request),
    failure: (failure) => refuseSpans(intake, failure),
  }));
  const flag = "collector.zipkin.host-port";
  return startHttpServer({ ...settings, host, port, flag, name: "zipkin", counters, routes });
}

async function takeSpans(intake: Intake, request: HttpRequest): Promise<HttpAnswer> {
  const decode = decoderOf(request);
  const debug = request.headers["x-b3-flags"] === "1";
  const { message } = await intake.take(request.body, (bytes, builder) =>
    decode(bytes, { builder, debug }),
  );
  return message === "" ? { status: 202 } : { status: 202, headers: TEXT, body: `${message}\n` };
}

/** By path and content type; what is neither Thrift nor protobuf is taken for JSON. */
function decoderOf({ contentType, path }: HttpRequest): Decode {
  if (path === V1) {
    const isThrift = contentType === "application/x-thrift";
    return isThrift
      ? (bytes, options) => decodeZipkinThrift(bytes, "binary", options)
      : decodeZipkinV1Json;
  }
  return contentType === "application/x-protobuf" ? decodeZipkinProto : decodeZipkinV2Json;
}

function refuseSpans(intake: Intake, failure: HttpFailure): HttpAnswer {
  const { error, status } = failure;
  intake.count(status === 500 ? "fault" : error.code);
  const headers = { ...TEXT, ...retryAfter(failure) };
  const what = status < 500 ? "Unable to process request body" : "Cannot submit Zipkin batch";
  return { status, headers, body: `${what}: ${error.message}\n` };
}
