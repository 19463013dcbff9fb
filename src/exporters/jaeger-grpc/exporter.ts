/** Sends spans to collectors as Jaeger's PostSpans over gRPC. Bench: bench/agent.ts. */

import { LIMITS } from "../../core/limits.ts";
import { openGrpcExporter } from "../../net/grpc-exporter.ts";
import type { ExportProtocol, GrpcExporter, GrpcExporterOptions } from "../../net/grpc-exporter.ts";
import { GRPC_STATUS } from "../../net/grpc-status.ts";
import { encodeJaegerPostSpans } from "../../wire/jaeger-proto-encode.ts";
import { joinPostSpans, partsOf, processOf, strangerBytes } from "./post-spans.ts";

/** Opens the exporter. Its spans go to the collectors of the channel. */
export function openJaegerExporter(options: GrpcExporterOptions): GrpcExporter {
  return openGrpcExporter(options, POST_SPANS);
}

const POST_SPANS: ExportProtocol = {
  path: "/jaeger.api_v2.CollectorService/PostSpans",
  // What Jaeger's agent sends again.
  retryCodes: new Set([GRPC_STATUS.RESOURCE_EXHAUSTED, GRPC_STATUS.UNAVAILABLE]),
  encode: (batch, format) =>
    encodeJaegerPostSpans(batch, LIMITS.deliveryCallBytes).map((bytes) => {
      const parts = partsOf(bytes);
      return {
        bytes,
        spans: parts.spanCount,
        format,
        group: processOf(parts),
        strangerBytes: strangerBytes(parts),
      };
    }),
  join: (parcels) => joinPostSpans(parcels.map(({ bytes }) => bytes)),
  rejectedBy: () => 0,
};
