/** Jaeger's gRPC: CollectorService/PostSpans. */

import { SpoorError } from "../../core/errors.ts";
import { Intake } from "../../core/intake.ts";
import type { DecodeRequest, IntakeOptions } from "../../core/intake.ts";
import { GRPC_STATUS, grpcFailureOf } from "../../net/grpc-status.ts";
import type { GrpcFailure, GrpcMethod } from "../../net/grpc-status.ts";
import { decodeJaegerPostSpans } from "../../wire/jaeger-proto-decode.ts";

const COLLECTOR_SERVICE = "jaeger.api_v2.CollectorService";
const EMPTY = new Uint8Array(0);

/** The methods of the receiver, for a server that has others too. */
export function jaegerGrpcMethods(options: IntakeOptions): ReadonlyMap<string, GrpcMethod> {
  const intake = new Intake(options, { format: "proto", transport: "grpc" });
  const decode: DecodeRequest = (bytes, builder) => decodeJaegerPostSpans(bytes, { builder });
  const postSpans: GrpcMethod = {
    async handle(request) {
      await intake.take(request, decode);
      return EMPTY;
    },
    failure(thrown) {
      intake.count(thrown instanceof SpoorError ? thrown.code : "fault");
      return postSpansFailure(thrown);
    },
  };
  return new Map([[`/${COLLECTOR_SERVICE}/PostSpans`, postSpans]]);
}

/** Jaeger's agents send again on RESOURCE_EXHAUSTED and UNAVAILABLE. */
function postSpansFailure(thrown: unknown): GrpcFailure {
  const failure = grpcFailureOf(thrown);
  if (!(thrown instanceof SpoorError) || thrown.code !== "overloaded") return failure;
  return { code: GRPC_STATUS.RESOURCE_EXHAUSTED, message: "server busy" };
}
