/** Sends spans to collectors as OTLP over gRPC. */

import { openGrpcExporter } from "../../net/grpc-exporter.ts";
import type { ExportProtocol, GrpcExporter, GrpcExporterOptions } from "../../net/grpc-exporter.ts";
import { GRPC_STATUS } from "../../net/grpc-status.ts";
import { encodeOtlpProto } from "../../wire/otlp-proto-encode.ts";
import { decodeOtlpRejected } from "../../wire/otlp-response.ts";

/** Opens the exporter. Its spans go to the collectors of the channel. */
export function openOtlpExporter(options: GrpcExporterOptions): GrpcExporter {
  return openGrpcExporter(options, OTLP);
}

const OTLP: ExportProtocol = {
  path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  // What OTLP calls retryable, and RESOURCE_EXHAUSTED, which busy collectors answer as well.
  retryCodes: new Set([
    GRPC_STATUS.CANCELLED,
    GRPC_STATUS.DEADLINE_EXCEEDED,
    GRPC_STATUS.RESOURCE_EXHAUSTED,
    GRPC_STATUS.ABORTED,
    GRPC_STATUS.OUT_OF_RANGE,
    GRPC_STATUS.UNAVAILABLE,
    GRPC_STATUS.DATA_LOSS,
  ]),
  encode(batch, format) {
    // Its own memory: the encoder's is as large as the largest guess.
    const bytes = encodeOtlpProto(batch).slice();
    const spans = batch.spanCount;
    return [{ bytes, spans, format, group: "", strangerBytes: bytes.length }];
  },
  // A request is one repeated field: requests behind each other are one request.
  join: (parcels) => {
    const [first] = parcels;
    if (parcels.length === 1 && first !== undefined) return first.bytes;
    return Buffer.concat(parcels.map(({ bytes }) => bytes));
  },
  rejectedBy: decodeOtlpRejected,
};
