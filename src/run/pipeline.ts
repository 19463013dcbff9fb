/** The stages every received span goes through, in order, from a role's settings. */

import { hostname } from "node:os";
import type { Sink, Stage } from "../core/flow.ts";
import { countStage } from "../pipeline/count.ts";
import { enrichStage } from "../pipeline/enrich.ts";
import type { Ledger } from "../pipeline/ledger.ts";
import { queueStage } from "../pipeline/queue.ts";
import { sampleStage } from "../pipeline/sample.ts";
import { sanitizeStage } from "../pipeline/sanitize.ts";
import { throughStages } from "../pipeline/stages.ts";
import { tagsOf } from "./pair-texts.ts";
import type { RoleParts } from "./role.ts";

/** The collector's stages in front of `end`. */
export function collectorPipeline(parts: RoleParts, ledger: Ledger, end: Sink): Sink {
  const { clock, config, context, counters } = parts;
  const stages: Stage[] = [
    countStage({ counters, ledger, clock }),
    enrichStage(tagsOf("collector.tags", config["collector.tags"], context.env)),
    sanitizeStage(),
    sampleStage({
      ratio: config["downsampling.ratio"],
      salt: config["downsampling.hashsalt"],
      ledger,
    }),
    queueStage({ counters, host: hostname() }),
  ];
  return throughStages(stages, end);
}
