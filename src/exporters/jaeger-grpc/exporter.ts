/** Sends spans to collectors as Jaeger's PostSpans over gRPC. Bench: bench/agent.ts. */

import { openGrpcExporter } from "../../net/grpc-exporter.ts";
import type { ExportProtocol, GrpcExporter, GrpcExporterOptions } from "../../net/grpc-exporter.ts";
import { GRPC_STATUS } from "../../net/grpc-status.ts";
import { encodeJaegerPostSpans } from "../../wire/jaeger-proto-encode.ts";
import { joinPostSpans, processOf, spansOf } from "./post-spans.ts";

/** A request beyond this is split: a quarter of what Jaeger's collectors take. */
const REQUEST_BYTES = 1024 * 1024;

/** Opens the exporter. Its spans go to the collectors of the channel. */
export function openJaegerExporter(options: GrpcExporterOptions): GrpcExporter {
  return openGrpcExporter(options, POST_SPANS);
}

const POST_SPANS: ExportProtocol = {
  path: "/jaeger.api_v2.CollectorService/PostSpans",
  // What Jaeger's agent sends again.
  retryCodes: new Set([GRPC_STATUS.RESOURCE_EXHAUSTED, GRPC_STATUS.UNAVAILABLE]),
  encode(batch, format) {
    const messages = encodeJaegerPostSpans(batch, REQUEST_BYTES);
    const only = messages.length === 1;
    return messages.map((bytes) => ({
      bytes,
      spans: only ? batch.spanCount : spansOf(bytes),
      format,
      // A request is of one process: spans of the same one may share it.
      group: processOf(bytes),
    }));
  },
  join: (parcels) => joinPostSpans(parcels.map(({ bytes }) => bytes)),
  rejectedBy: () => 0,
};
