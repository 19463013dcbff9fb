/** Starts the doors of an agent: UDP for spans, and HTTP where clients ask for configuration. */

import { readFileSync } from "node:fs";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { SamplingSource } from "../core/sampling.ts";
import type { BaggageRestrictions } from "../api/baggage.ts";
import type { JaegerUdpOptions, UdpProcessor } from "../receivers/jaeger-udp/receiver.ts";
import type { RoleParts } from "./role.ts";
import type { Intake } from "./serve-receivers.ts";

/** Processors and the names of their servers. */
const PROCESSORS = [
  ["jaeger-compact", "jaegerCompact"],
  ["jaeger-binary", "jaegerBinary"],
  ["zipkin-compact", "zipkinCompact"],
] as const satisfies readonly (readonly [UdpProcessor, string])[];

/** Starts every UDP processor that is on. */
export async function serveUdp(
  parts: RoleParts,
  intake: Intake & Pick<JaegerUdpOptions, "sinkLetsGo">,
): Promise<void> {
  const { clock, closers, config, counters, onFault } = parts;
  const on = PROCESSORS.filter(([name]) => config[`processor.${name}.server-host-port`]);
  if (on.length === 0) return;
  const [{ startJaegerUdp }, { ClientStatsMeter }] = await Promise.all([
    import("../receivers/jaeger-udp/receiver.ts"),
    import("../receivers/jaeger-udp/client-stats.ts"),
  ]);
  const clients = new ClientStatsMeter(counters, clock);
  closers.add(() => {
    clients.close();
    return Promise.resolve();
  });
  for (const [processor, server] of on) {
    const flag = `processor.${processor}` as const;
    const asked = config[`${flag}.server-socket-buffer-size`];
    await parts.serve(server, config[`${flag}.server-host-port`], (at) =>
      startJaegerUdp({
        ...at,
        ...intake,
        processor,
        maxPacketBytes: config[`${flag}.server-max-packet-size`],
        queuePackets: config[`${flag}.server-queue-size`],
        receiveBufferBytes: asked === 0 ? LIMITS.udpReceiveBufferBytes : asked,
        clients,
        counters,
        clock,
        onFault,
      }),
    );
  }
}

/** Starts the HTTP port where clients ask how to sample, and what baggage they may carry. */
export async function serveClientConfig(parts: RoleParts, source: SamplingSource): Promise<void> {
  const { config, counters, onFault } = parts;
  await parts.serve("clientConfig", config["http-server.host-port"], async (at) => {
    const [{ startClientConfig }, restrictions] = await Promise.all([
      import("../api/client-config-server.ts"),
      baggageOf(config["http-server.baggage-restrictions-file"]),
    ]);
    return startClientConfig({ ...at, source, restrictions, counters, onFault });
  });
}

async function baggageOf(path: string): Promise<BaggageRestrictions | undefined> {
  if (path === "") return undefined;
  const { parseBaggageRestrictions } = await import("../api/baggage.ts");
  const place = `--http-server.baggage-restrictions-file ${path}`;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SpoorError("config", `${place}: ${reason}`, { cause });
  }
  if (text.length > LIMITS.baggageFileBytes) {
    const text = `${place}: larger than ${LIMITS.baggageFileBytes} bytes`;
    throw new SpoorError("config", text);
  }
  return parseBaggageRestrictions(text, place);
}
