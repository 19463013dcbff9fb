/** The stages every received span goes through, in order, from a role's settings. */

import { hostname } from "node:os";
import type { Sink, Stage } from "../core/flow.ts";
import { LIMITS } from "../core/limits.ts";
import { countStage } from "../pipeline/count.ts";
import { enrichStage } from "../pipeline/enrich.ts";
import type { Ledger } from "../pipeline/ledger.ts";
import { queueStage } from "../pipeline/queue.ts";
import { sampleStage } from "../pipeline/sample.ts";
import { sanitizeStage } from "../pipeline/sanitize.ts";
import { throughStages } from "../pipeline/stages.ts";
import { tagsOf } from "./pair-texts.ts";
import type { RoleParts } from "./role.ts";

const MIB = 2 ** 20;

/** The collector's stages in front of `end`. */
export function collectorPipeline(parts: RoleParts, ledger: Ledger, end: Sink): Sink {
  const { clock, config, context, counters } = parts;
  const memoryMib = config["collector.queue-size-memory"];
  const stages: Stage[] = [
    countStage({ counters, ledger, host: hostname() }),
    enrichStage(tagsOf("collector.tags", config["collector.tags"], context.env)),
    sanitizeStage(),
    sampleStage({
      ratio: config["downsampling.ratio"],
      salt: config["downsampling.hashsalt"],
      ledger,
    }),
    queueStage({
      counters,
      clock,
      queueSpans: config["collector.queue-size"],
      queueBytes: memoryMib === 0 ? LIMITS.queueBytes : memoryMib * MIB,
      workers: Math.max(1, config["collector.num-workers"]),
      sizeMetrics: config["collector.enable-span-size-metrics"],
      host: hostname(),
    }),
  ];
  return throughStages(stages, end);
}
