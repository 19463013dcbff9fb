/** The registry of stores: a name of SPAN_STORAGE_TYPE to what opens it. Loaded when chosen. */

import type { Clock } from "../base/clock.ts";
import type { CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import type { SpanStore } from "../core/store.ts";
import type { Config } from "./config.ts";
import type { Log } from "./logging.ts";

/** What opening a store needs. */
export interface StoreContext {
  readonly config: Config;
  readonly counters: CounterTable;
  readonly clock: Clock;
  readonly log: Log;
}

/** An open store, and what to tell the operator about it. */
export interface OpenedStore {
  readonly store: SpanStore;
  /** Where spans are kept, for the banner. */
  readonly place: string;
  /** What health should mention. */
  readonly notes: () => readonly string[];
}

const STORES: { readonly [type: string]: (context: StoreContext) => Promise<OpenedStore> } = {
  memory: openMemory,
  blackhole: openBlackhole,
};

/** Every value of `span-storage.type`. */
export const STORE_TYPES: readonly string[] = Object.keys(STORES);

/** Opens the store that `span-storage.type` names; rejects with a readable SpoorError. */
export function openStore(context: StoreContext): Promise<OpenedStore> {
  const type = context.config["span-storage.type"];
  const open = STORES[type];
  if (open === undefined) {
    const known = Object.keys(STORES).join(", ");
    const text = `SPAN_STORAGE_TYPE "${type}" is not in this version of Spoor; there are ${known}`;
    throw new SpoorError("config", text);
  }
  return open(context);
}

async function openMemory({ config, counters }: StoreContext): Promise<OpenedStore> {
  const { openMemoryStore } = await import("../storage/memory/store.ts");
  const maxTraces = config["memory.max-traces"];
  const kept = maxTraces === 0 ? "all traces" : `the newest ${maxTraces} traces`;
  return {
    store: openMemoryStore({ maxTraces, counters }),
    place: `in memory, ${kept}, until the stop`,
    notes: () => [],
  };
}

async function openBlackhole(): Promise<OpenedStore> {
  const { openBlackholeStore } = await import("../storage/blackhole/store.ts");
  const note = "spans are taken and not kept (SPAN_STORAGE_TYPE=blackhole)";
  return { store: openBlackholeStore(), place: "nowhere (blackhole)", notes: () => [note] };
}
