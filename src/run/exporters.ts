/** The registry of exporters: a value of reporter.type to what opens it. Loaded when chosen. */

import { SpoorError } from "../core/errors.ts";
import type { GrpcExporter, GrpcExporterOptions } from "../net/grpc-exporter.ts";

type Open = (options: GrpcExporterOptions) => GrpcExporter;

const EXPORTERS: { readonly [type: string]: () => Promise<Open> } = {
  grpc: async () => (await import("../exporters/jaeger-grpc/exporter.ts")).openJaegerExporter,
  otlp: async () => (await import("../exporters/otlp/exporter.ts")).openOtlpExporter,
};

/** Opens the exporter of a type. */
export async function openExporter(
  type: string,
  options: GrpcExporterOptions,
): Promise<GrpcExporter> {
  const load = EXPORTERS[type];
  if (load === undefined) throw new SpoorError("config", `no reporter of type "${type}"`);
  return (await load())(options);
}
