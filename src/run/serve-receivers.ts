/** Starts the receivers of a role from its settings: every way spans come in over TCP. */

import type { Rejections, Sink } from "../core/flow.ts";
import type { RoleParts } from "./role.ts";

/** Where received spans go, and who is told of those that cannot. */
export interface Intake {
  readonly sink: Sink;
  readonly rejections: Rejections;
}

/** Starts every receiver that is on. */
export async function serveReceivers(parts: RoleParts, intake: Intake): Promise<void> {
  if (parts.config["collector.otlp.enabled"]) await serveOtlp(parts, intake);
}

async function serveOtlp(parts: RoleParts, intake: Intake): Promise<void> {
  const { config, counters, onFault } = parts;
  const shared = { ...intake, counters, onFault };
  const cors = {
    origins: config["collector.otlp.http.cors.allowed-origins"],
    headers: config["collector.otlp.http.cors.allowed-headers"],
  };
  await parts.serve("otlpHttp", config["collector.otlp.http.host-port"], async (at) => {
    const { startOtlpHttp } = await import("../receivers/otlp/http.ts");
    return startOtlpHttp({ ...at, ...shared, cors });
  });
  const messageBytes = config["collector.otlp.grpc.max-message-size"];
  await parts.serve("otlpGrpc", config["collector.otlp.grpc.host-port"], async (at) => {
    const { startOtlpGrpc } = await import("../receivers/otlp/grpc.ts");
    return startOtlpGrpc({ ...at, ...shared, messageBytes });
  });
}
