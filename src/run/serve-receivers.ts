/** Starts the receivers of a role from its settings: every way spans come in over TCP. */

import type { Rejections, Sink } from "../core/flow.ts";
import type { SamplingSource } from "../core/sampling.ts";
import type { RoleParts } from "./role.ts";

/** Where received spans go, and who is told of those that cannot. */
export interface Intake {
  readonly sink: Sink;
  readonly rejections: Rejections;
}

/** Starts every receiver that is on, with the sampling strategies that Jaeger's ports serve. */
export async function serveReceivers(
  parts: RoleParts,
  intake: Intake,
  strategies: SamplingSource,
): Promise<void> {
  await serveJaegerHttp(parts, intake, strategies);
  await serveJaegerGrpc(parts, intake, strategies);
  if (parts.config["collector.otlp.enabled"]) await serveOtlp(parts, intake);
}

async function serveJaegerHttp(
  parts: RoleParts,
  intake: Intake,
  source: SamplingSource,
): Promise<void> {
  const { config, counters, onFault } = parts;
  await parts.serve("jaegerHttp", config["collector.http-server.host-port"], async (at) => {
    const [{ samplingRoute }, { startHttpServer }, { jaegerHttpRoutes }] = await Promise.all([
      import("../api/sampling.ts"),
      import("../net/http-server.ts"),
      import("../receivers/jaeger-http/routes.ts"),
    ]);
    const sampling = { source, counters, program: "jaeger_collector" as const };
    return startHttpServer({
      ...at,
      name: "jaeger-http",
      flag: "collector.http-server.host-port",
      routes: [
        ...jaegerHttpRoutes({ ...intake, counters }),
        samplingRoute("/api/sampling", "names", sampling),
      ],
      counters,
      onFault,
    });
  });
}

async function serveJaegerGrpc(
  parts: RoleParts,
  intake: Intake,
  source: SamplingSource,
): Promise<void> {
  const { config, counters, health, onFault } = parts;
  await parts.serve("jaegerGrpc", config["collector.grpc-server.host-port"], async (at) => {
    const [{ samplingMethods }, { startGrpcServer }, { withWellKnown }, { jaegerGrpcMethods }] =
      await Promise.all([
        import("../api/sampling.ts"),
        import("../net/grpc-server.ts"),
        import("../net/grpc-well-known.ts"),
        import("../receivers/jaeger-grpc/methods.ts"),
      ]);
    const posted = jaegerGrpcMethods({ ...intake, counters });
    const methods = new Map([...posted, ...samplingMethods(source)]);
    return startGrpcServer({
      ...at,
      name: "jaeger-grpc",
      flag: "collector.grpc-server.host-port",
      methods: withWellKnown(methods, health),
      counters,
      messageBytes: config["collector.grpc-server.max-message-size"],
      onFault,
    });
  });
}

async function serveOtlp(parts: RoleParts, intake: Intake): Promise<void> {
  const { config, counters, health, onFault } = parts;
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
    return startOtlpGrpc({ ...at, ...shared, messageBytes, state: health });
  });
}
