/** What the all-in-one and the collector share: a store, the stages before it, the receivers. */

import type { SamplingSource } from "../core/sampling.ts";
import { Ledger } from "../pipeline/ledger.ts";
import { storeSink } from "../pipeline/stages.ts";
import { openStrategies } from "./open-strategies.ts";
import { collectorPipeline } from "./pipeline.ts";
import type { Composed, RoleParts } from "./role.ts";
import { serveReceivers } from "./serve-receivers.ts";
import type { Intake } from "./serve-receivers.ts";
import { openStore } from "./stores.ts";
import type { OpenedStore } from "./stores.ts";

/** Opens the store of the settings, closes it at the stop, and has health tell its notes. */
export async function openRoleStore(parts: RoleParts): Promise<OpenedStore> {
  const { clock, closers, config, context, counters, health } = parts;
  const opened = await openStore({ config, counters, clock, log: context.log });
  closers.add(opened.close);
  health.addNotes(opened.notes);
  return opened;
}

/** Doors that a role has besides those of every collector. */
type MoreDoors = (intake: Intake, strategies: SamplingSource) => Promise<void>;

/** Opens the doors for spans, and has what comes in written to the store. */
export async function keepSpans(
  parts: RoleParts,
  opened: OpenedStore,
  more?: MoreDoors,
): Promise<Composed> {
  const ledger = new Ledger(parts.counters);
  const sink = collectorPipeline(parts, ledger, storeSink(opened.store));
  const strategies = await openStrategies(parts);
  const intake = { sink, rejections: ledger };
  await serveReceivers(parts, intake, strategies);
  await more?.(intake, strategies);
  return {
    rows: [["Spans", opened.place]],
    facts: { store: opened.store.can.name },
    stopped: () => ({ inFlight: ledger.inFlight }),
  };
}
