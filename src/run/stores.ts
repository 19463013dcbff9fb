/** The registry of stores: a name of SPAN_STORAGE_TYPE to what opens it. Loaded when chosen. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import { formatGoDuration } from "../core/trace/duration-text.ts";
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
  /** Closes the store, and what was made for it. */
  readonly close: () => Promise<void>;
}

const STORES: { readonly [type: string]: (context: StoreContext) => Promise<OpenedStore> } = {
  embedded: openEmbedded,
  memory: openMemory,
  badger: openBadger,
  blackhole: openBlackhole,
};

const DAY_MS = 86_400_000;
const NS_PER_MS = 1_000_000;

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

function openEmbedded(context: StoreContext): Promise<OpenedStore> {
  const directory = resolve(context.config["embedded.directory"]);
  return openDirectory(context, directory, context.config["embedded.retention"]);
}

/** An installation that used badger keeps its flags; its old spans stay in badger's files. */
async function openBadger(context: StoreContext): Promise<OpenedStore> {
  const { config, log } = context;
  const ephemeral = config["badger.ephemeral"];
  const directory = ephemeral
    ? await mkdtemp(join(tmpdir(), "spoor-ephemeral-"))
    : resolve(config["badger.directory-key"]);
  const note = "SPAN_STORAGE_TYPE=badger runs the embedded store; badger's own files are not read";
  log.warn({ directory }, note);
  const opened = await openDirectory(context, directory, config["badger.span-store-ttl"]);
  const notes = (): readonly string[] => [note, ...opened.notes()];
  if (!ephemeral) return { ...opened, notes };
  const close = async (): Promise<void> => {
    await opened.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { ...opened, notes, close, place: `${opened.place}, until the stop` };
}

async function openDirectory(
  { config, counters, clock, log }: StoreContext,
  directory: string,
  retentionMs: number,
): Promise<OpenedStore> {
  const { openEmbeddedStore } = await import("../storage/embedded/store.ts");
  const fsync = config["embedded.fsync"] === "relaxed" ? "relaxed" : "durable";
  const maxSizeBytes = config["embedded.max-size-bytes"];
  const store = await openEmbeddedStore({
    directory,
    counters,
    clock,
    fsync,
    retentionMs,
    maxSizeBytes,
    report: ({ level, message }) => log[level]({ directory }, message),
  });
  const kept = retentionMs === 0 ? "kept for good" : `kept ${durationText(retentionMs)}`;
  const bound = maxSizeBytes === 0 ? "" : `, at most ${maxSizeBytes} bytes`;
  return {
    store,
    place: `${directory} (${fsync}, ${kept}${bound})`,
    notes: () => store.notes(),
    close: () => store.close(),
  };
}

function durationText(ms: number): string {
  return ms % DAY_MS === 0 ? `${ms / DAY_MS} days` : formatGoDuration(ms * NS_PER_MS);
}

async function openMemory({ config, counters }: StoreContext): Promise<OpenedStore> {
  const { openMemoryStore } = await import("../storage/memory/store.ts");
  const maxTraces = config["memory.max-traces"];
  const store = openMemoryStore({ maxTraces, counters });
  const kept = maxTraces === 0 ? "all traces" : `the newest ${maxTraces} traces`;
  return {
    store,
    place: `in memory, ${kept}, until the stop`,
    notes: () => [],
    close: () => store.close(),
  };
}

async function openBlackhole(): Promise<OpenedStore> {
  const { openBlackholeStore } = await import("../storage/blackhole/store.ts");
  const store = openBlackholeStore();
  const note = "spans are taken and not kept (SPAN_STORAGE_TYPE=blackhole)";
  return {
    store,
    place: "nowhere (blackhole)",
    notes: () => [note],
    close: () => store.close(),
  };
}
