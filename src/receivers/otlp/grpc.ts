/** OTLP over gRPC: TraceService/Export, answered as the specification says. */

import { SpoorError } from "../../core/errors.ts";
import { Intake } from "../../core/intake.ts";
import type { DecodeRequest, IntakeOptions } from "../../core/intake.ts";
import { LIMITS } from "../../core/limits.ts";
import { startGrpcServer } from "../../net/grpc-server.ts";
import { GRPC_STATUS, grpcFailureOf } from "../../net/grpc-status.ts";
import type { GrpcFailure, GrpcMethod } from "../../net/grpc-status.ts";
import { ALWAYS_SERVING, withWellKnown } from "../../net/grpc-well-known.ts";
import type { Serving } from "../../net/grpc-well-known.ts";
import type { HttpServer } from "../../net/http-server.ts";
import type { TlsOptions } from "../../net/tls.ts";
import { decodeOtlpProto } from "../../wire/otlp-proto-decode.ts";
import { encodeOtlpResponse, encodeStatus } from "../../wire/otlp-response.ts";
import { TRACE_SERVICE_PROTO } from "./protos.ts";

/** The service's name, for health checks and reflection. */
export const OTLP_TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService";

export interface OtlpGrpcOptions extends IntakeOptions {
  readonly host: string;
  /** 4317 by custom; 0 lets the system choose. */
  readonly port: number;
  readonly tls?: TlsOptions;
  /** Defaults: LIMITS.grpcMessageBytes, requestReceiveMs. */
  readonly messageBytes?: number;
  readonly receiveMs?: number;
  readonly maxAgeMs?: number;
  readonly ageGraceMs?: number;
  /** What its health service tells. Default: always serving. */
  readonly state?: Serving;
  /** Told of errors that are our own bugs. */
  readonly onFault?: (error: unknown) => void;
}

/** Starts the receiver; rejects with SpoorError `in-use` or `config` when it cannot listen. */
export function startOtlpGrpc(options: OtlpGrpcOptions): Promise<HttpServer> {
  const { host, port, counters, sink, rejections, ...settings } = options;
  const own = otlpGrpcMethods({ counters, sink, rejections });
  const methods = withWellKnown(own, options.state ?? ALWAYS_SERVING, [TRACE_SERVICE_PROTO]);
  const flag = "collector.otlp.grpc.host-port";
  return startGrpcServer({ ...settings, host, port, flag, name: "otlp-grpc", counters, methods });
}

/** The method alone, for a server that has others too. */
export function otlpGrpcMethods(options: IntakeOptions): ReadonlyMap<string, GrpcMethod> {
  const intake = new Intake(options, { format: "otlp", transport: "grpc" });
  const decode: DecodeRequest = (bytes, builder) => decodeOtlpProto(bytes, builder);
  const exportTraces: GrpcMethod = {
    async handle(request) {
      const { rejected, message } = await intake.take(request, decode);
      return encodeOtlpResponse(rejected, message);
    },
    failure(thrown) {
      intake.count(thrown instanceof SpoorError ? thrown.code : "fault");
      return otlpFailure(thrown);
    },
  };
  return new Map([[`/${OTLP_TRACE_SERVICE}/Export`, exportTraces]]);
}

/** Overload carries a RetryInfo: without it OTLP clients may give up. */
function otlpFailure(thrown: unknown): GrpcFailure {
  const failure = grpcFailureOf(thrown);
  const retryable = failure.code === GRPC_STATUS.UNAVAILABLE && thrown instanceof SpoorError;
  if (!retryable) return failure;
  const delayMs = thrown.retryAfterMs ?? LIMITS.retryAfterMs;
  return { ...failure, details: encodeStatus(failure.code, failure.message, delayMs) };
}
