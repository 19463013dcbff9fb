/** Starts the receivers of a role from its settings: every way spans come in over TCP. */

import type { Rejections, Sink } from "../core/flow.ts";
import type { SamplingSource } from "../core/sampling.ts";
import type { RoleParts } from "./role.ts";
import { grpcSettings, httpTimeouts } from "./server-settings.ts";

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
  await serveZipkin(parts, intake);
  if (parts.config["collector.otlp.enabled"]) await serveOtlp(parts, intake);
}

async function serveJaegerHttp(
  parts: RoleParts,
  intake: Intake,
  source: SamplingSource,
): Promise<void> {
  const { config, counters, onFault } = parts;
  const place = config["collector.http-server.host-port"];
  await parts.serveSecurely("jaegerHttp", "collector.http", place, async (at) => {
    const [api, durations, { startHttpServer }, { jaegerHttpRoutes }] = await Promise.all([
      import("../api/sampling.ts"),
      import("../net/http-durations.ts"),
      import("../net/http-server.ts"),
      import("../receivers/jaeger-http/routes.ts"),
    ]);
    const duration = "jaeger_collector_http_request_duration";
    const sampling = { source, counters, program: "jaeger_collector" as const };
    return startHttpServer({
      ...at,
      ...httpTimeouts(config, "collector.http-server"),
      name: "jaeger-http",
      flag: "collector.http-server.host-port",
      routes: [
        ...jaegerHttpRoutes({ ...intake, counters }),
        api.samplingRoute("/api/sampling", "names", sampling),
      ],
      counters,
      observe: durations.requestDurations(counters, duration),
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
  const place = config["collector.grpc-server.host-port"];
  await parts.serveSecurely("jaegerGrpc", "collector.grpc", place, async (at) => {
    const [api, protos, server, wellKnown, receiver, receiverProtos] = await Promise.all([
      import("../api/sampling.ts"),
      import("../api/sampling-proto.ts"),
      import("../net/grpc-server.ts"),
      import("../net/grpc-well-known.ts"),
      import("../receivers/jaeger-grpc/methods.ts"),
      import("../receivers/jaeger-grpc/protos.ts"),
    ]);
    const own = new Map([
      ...receiver.jaegerGrpcMethods({ ...intake, counters }),
      ...api.samplingMethods(source),
    ]);
    const files = [receiverProtos.COLLECTOR_PROTO, protos.SAMPLING_PROTO];
    return server.startGrpcServer({
      ...at,
      name: "jaeger-grpc",
      flag: "collector.grpc-server.host-port",
      methods: wellKnown.withWellKnown(own, health, files),
      counters,
      ...grpcSettings(config, "collector.grpc-server"),
      onFault,
    });
  });
}

async function serveZipkin(parts: RoleParts, intake: Intake): Promise<void> {
  const { config, counters, onFault } = parts;
  const cors = {
    origins: config["collector.zipkin.cors.allowed-origins"],
    headers: config["collector.zipkin.cors.allowed-headers"],
  };
  const keepAlive = config["collector.zipkin.keep-alive"];
  const place = config["collector.zipkin.host-port"];
  await parts.serveSecurely("zipkin", "collector.zipkin", place, async (at) => {
    const { startZipkin } = await import("../receivers/zipkin/server.ts");
    return startZipkin({ ...at, ...intake, counters, cors, keepAlive, onFault });
  });
}

async function serveOtlp(parts: RoleParts, intake: Intake): Promise<void> {
  const { config, counters, health, onFault } = parts;
  const shared = { ...intake, counters, onFault };
  const cors = {
    origins: config["collector.otlp.http.cors.allowed-origins"],
    headers: config["collector.otlp.http.cors.allowed-headers"],
  };
  const httpPlace = config["collector.otlp.http.host-port"];
  await parts.serveSecurely("otlpHttp", "collector.otlp.http", httpPlace, async (at) => {
    const { startOtlpHttp } = await import("../receivers/otlp/http.ts");
    const timeouts = httpTimeouts(config, "collector.otlp.http");
    return startOtlpHttp({ ...at, ...shared, ...timeouts, cors });
  });
  const grpcPlace = config["collector.otlp.grpc.host-port"];
  await parts.serveSecurely("otlpGrpc", "collector.otlp.grpc", grpcPlace, async (at) => {
    const { startOtlpGrpc } = await import("../receivers/otlp/grpc.ts");
    const settings = grpcSettings(config, "collector.otlp.grpc");
    return startOtlpGrpc({ ...at, ...shared, ...settings, state: health });
  });
}
