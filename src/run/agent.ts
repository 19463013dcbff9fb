/** The agent role: takes spans by UDP beside applications and hands them to collectors. */

import type { CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import type { Rejections } from "../core/flow.ts";
import { GrpcChannel } from "../net/grpc-channel.ts";
import { parseTarget } from "../net/grpc-targets.ts";
import { enrichStage } from "../pipeline/enrich.ts";
import { throughStages } from "../pipeline/stages.ts";
import { clientTls } from "./client-tls.ts";
import type { Config } from "./config.ts";
import { openExporter } from "./exporters.ts";
import { tagsOf } from "./pair-texts.ts";
import { startRole } from "./role.ts";
import type { RoleContext, RoleParts, RunningRole } from "./role.ts";
import { serveAdmin } from "./serve-admin.ts";
import { serveClientConfig, serveUdp } from "./serve-agent-doors.ts";

const GRPC_FLAG = "reporter.grpc.host-port";
const OTLP_FLAG = "reporter.otlp.host-port";

/** Starts admin port, reporter and doors for spans, in this order. */
export function startAgent(config: Config, context: RoleContext): Promise<RunningRole> {
  return startRole(config, context, async (parts) => {
    const otlp = config["reporter.type"] === "otlp";
    const flag = otlp ? OTLP_FLAG : GRPC_FLAG;
    if (config[flag].length === 0) throw missing(flag);
    await serveAdmin(parts);
    const reporting = openChannel(parts, flag);
    // Strategies come from Jaeger's gRPC port, whatever the spans go over.
    const asking = otlp ? openChannel(parts, GRPC_FLAG) : reporting;
    const exporter = await openExporter(config["reporter.type"], {
      channel: reporting,
      bufferBytes: config["reporter.buffer-bytes"],
      bufferSpans: config["reporter.buffer-spans"],
      retries: config["reporter.grpc.retry.max"],
      counters: parts.counters,
      clock: parts.clock,
      random: Math.random,
    });
    parts.closers.add(() => exporter.close(config["shutdown-timeout"]));
    const stage = enrichStage(tagsOf("agent.tags", config["agent.tags"], context.env));
    const sink = throughStages([stage], exporter);
    const { SamplingProxy } = await import("../api/sampling-proxy.ts");
    const { clock, counters } = parts;
    await serveClientConfig(parts, new SamplingProxy({ caller: asking, counters, clock }));
    // Exporters encode what they take at once.
    await serveUdp(parts, { sink, sinkLetsGo: true, rejections: rejectionsOf(counters) });
    const collectors = `${config[flag].join(", ")} (${otlp ? "OTLP" : "Jaeger"} over gRPC)`;
    return {
      rows: [["Spans", `to ${collectors}`]],
      facts: { collectors: config[flag], reporter: config["reporter.type"] },
      stopped: () => ({ dropped: counters.value(SPANS, ["dropped", "shutdown"]) }),
    };
  });
}

const SPANS = "spoor_reporter_spans_total";

function missing(flag: string): SpoorError {
  const text = `--${flag}: name at least one collector, such as collector.example:14250`;
  return new SpoorError("config", text);
}

/** A channel to the collectors of a flag; without any, one whose calls all fail. */
function openChannel(
  { clock, closers, config, context, health }: RoleParts,
  flag: typeof GRPC_FLAG | typeof OTLP_FLAG,
): GrpcChannel {
  const tls = clientTls(config);
  const channel = new GrpcChannel({
    targets: config[flag].map((text) => parseTarget(text, flag)),
    peers: Math.max(1, config["reporter.grpc.discovery.min-peers"]),
    clock,
    random: Math.random,
    ...(tls === undefined ? {} : { tls }),
    report: (line) => context.log.info({ flag }, line),
  });
  closers.add(() => {
    channel.close();
    return Promise.resolve();
  });
  health.addNotes(() =>
    channel.openPeers > 0 ? [] : [`no collector of --${flag}: ${channel.lastFailure}`],
  );
  return channel;
}

/** Spans that never became part of a batch. */
function rejectionsOf(counters: CounterTable): Rejections {
  const help = "Spans of messages that could not be decoded, as far as they could be counted.";
  return {
    rejected(reason, spanCount, { format, transport }) {
      const labels = ["format", "transport", "reason"];
      const values = [format, transport, reason];
      const name = "spoor_agent_rejected_spans_total";
      counters.counter(name, help, labels, values).value += spanCount;
    },
  };
}
