/** Opens an embedded store: lock, recovery, then its parts, ready for writes at once. */

import { systemClock } from "../../base/clock.ts";
import { CounterTable } from "../../base/counters.ts";
import { nodeFiles } from "../../base/node/file-layer.ts";
import type { FileLayer } from "../../base/node/file-layer.ts";
import { viewBatch } from "../../core/batch.ts";
import { SpoorError } from "../../core/errors.ts";
import { Archive } from "./archive.ts";
import { openCatalog } from "./catalog.ts";
import type { Catalog, OpenedCatalog } from "./catalog.ts";
import { fileError } from "./file-error.ts";
import { Head } from "./head.ts";
import { Heads } from "./heads.ts";
import { Intake } from "./intake.ts";
import { lockDirectory } from "./lock.ts";
import type { DirectoryLock } from "./lock.ts";
import { storeMeters } from "./meters.ts";
import { replayLogs } from "./recovery.ts";
import type { Damage, Replay, ReplayedLog } from "./recovery.ts";
import { RequestKeys, newRequestKey, requestKeyInto } from "./request-keys.ts";
import { SearchSide } from "./search-side.ts";
import { Status } from "./status.ts";
import { Store } from "./store-contract.ts";
import { DEFAULTS } from "./store-options.ts";
import type { EmbeddedStore, EmbeddedStoreOptions } from "./store-options.ts";
import { inlineThreads, workerThreads } from "./threads.ts";
import { Tombstones } from "./tombstones.ts";
import { Upkeep } from "./upkeep.ts";
import { WAL, walkRecords } from "./wal-format.ts";
import { WalFiles } from "./wal-files.ts";

/**
 * Epochs left out at every start: those a crash may have kept from ever becoming durable, whose
 * stale records must not be taken for new ones.
 */
const EPOCHS_SKIPPED = 1024;

/** What was on disk. */
interface Found {
  readonly segments: OpenedCatalog;
  readonly archived: OpenedCatalog;
  readonly tombstones: Tombstones;
  readonly replay: Replay;
  readonly damage: readonly Damage[];
}

/**
 * Opens the store in a directory, made when absent. Resolves when it takes writes and reads;
 * recovered heads are sealed behind that. Rejects with a readable `in-use`, `io`, `disk-full`,
 * `unsupported` (files of a later version) or `corrupt` (a log of a later version).
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const files = options.files ?? nodeFiles;
  const { directory } = options;
  try {
    for (const name of ["", "/wal", "/segments", "/archive"]) {
      files.makeDirectory(directory + name);
    }
    files.syncDirectory(directory);
  } catch (error) {
    throw fileError(error, `cannot use ${directory} as data directory`);
  }
  const lock = await (options.lock ?? lockDirectory)(directory);
  try {
    return await build(options, files, find(files, directory), lock);
  } catch (error) {
    await lock.release();
    throw fileError(error, `cannot open the store in ${directory}`);
  }
}

function find(files: FileLayer, directory: string): Found {
  const segments = openCatalog(files, `${directory}/segments`);
  const archived = openCatalog(files, `${directory}/archive`);
  const tombstoneDamage: Damage[] = [];
  const tombstones = Tombstones.open(files, directory, tombstoneDamage);
  const sealed = sealedEpochs(segments.catalog);
  let last = 0;
  for (const epoch of sealed) last = Math.max(last, epoch);
  for (const tombstone of tombstones.all()) last = Math.max(last, tombstone.epoch);
  const replay = replayLogs(files, `${directory}/wal`, (epoch) => sealed.has(epoch), last);
  const damage = [...segments.damage, ...archived.damage, ...tombstoneDamage, ...replay.damage];
  return { segments, archived, tombstones, replay, damage };
}

function sealedEpochs(catalog: Catalog): Set<number> {
  const epochs = new Set<number>();
  for (const file of catalog.list) {
    for (const part of file.parts) for (const epoch of part.epochs) epochs.add(epoch);
  }
  return epochs;
}

async function build(
  options: EmbeddedStoreOptions,
  files: FileLayer,
  found: Found,
  lock: DirectoryLock,
): Promise<EmbeddedStore> {
  const clock = options.clock ?? systemClock;
  const meters = storeMeters(options.counters ?? new CounterTable());
  const report = options.report ?? ((): void => undefined);
  const status = new Status(report, meters, options.fsync ?? "durable");
  const headSizes = { ...DEFAULTS.headSizes, ...options.headSizes };
  const search = new SearchSide((error) => setAside(error));
  const threads =
    options.inline === true ? inlineThreads(files, report) : workerThreads(clock, meters, report);
  const { catalog } = found.segments;
  const archiveCatalog = found.archived.catalog;
  const { tombstones, replay } = found;
  const keys = new RequestKeys();
  const wals = new WalFiles(files, `${options.directory}/wal`, headSizes.arenaBytes);
  await takeOverFiles(wals, replay);
  const setAside = async (error: SpoorError): Promise<boolean> => {
    const name = /^([^/:]+): /.exec(error.message)?.[1] ?? "";
    for (const owner of [catalog, archiveCatalog]) {
      const file = owner.list.find((one) => one.name === name);
      if (file === undefined) continue;
      owner.setAside(name);
      status.corrupt(`${owner.directory}/${name}`, error.message);
      if (owner === catalog) await search.change({ added: [], removed: [file], removedHeads: [] });
      else await search.changeArchived([], [file]);
      return true;
    }
    return false;
  };
  const run = threads.run;
  const upkeep: Upkeep = new Upkeep(
    { catalog, tombstones, heads: () => heads, search, run, clock, meters, corrupt: setAside },
    { ...DEFAULTS.upkeepSizes, ...options.upkeepSizes },
    {
      retentionMs: options.retentionMs ?? DEFAULTS.retentionMs,
      maxSizeBytes: options.maxSizeBytes ?? 0,
    },
  );
  const firstEpoch = replay.lastEpoch + EPOCHS_SKIPPED;
  const mode = options.fsync ?? "durable";
  const heads: Heads = new Heads(wals, headSizes, mode, firstEpoch, clock, meters, {
    added: (head) => search.addHead(head),
    ready: (head) => upkeep.seal(head),
    failed: (message, lossy) => status.logFailed(message, lossy),
    recovered: () => status.logWorks(),
  });
  const nowMs = (): number => clock.nowMs();
  const archive = new Archive({ catalog: archiveCatalog, tombstones, search, run, nowMs });
  const intake = new Intake({
    heads,
    keys,
    clock,
    meters,
    rows: headSizes.rows,
    roomWaitMs: options.roomWaitMs ?? DEFAULTS.roomWaitMs,
    blockedBy: () => upkeep.failure,
  });
  status.found(found.damage, replay.logs);
  recall(found, keys, clock.nowMs());
  void search.change({ added: catalog.list, removed: [], removedHeads: [] });
  void search.changeArchived(archiveCatalog.list, []);
  void search.setTombstones(tombstones.all());
  for (const log of replay.logs) heads.adopt(headOf(log));
  registerGauges(options, { catalog, archiveCatalog, heads, upkeep });
  const stopTicking = tick(clock, () => {
    const filling = heads.filling;
    const ageMs = clock.nowMs() - (filling?.createdMs ?? 0);
    if (filling !== undefined && ageMs >= (options.headAgeMs ?? DEFAULTS.headAgeMs)) heads.rotate();
    upkeep.kick();
  });
  threads.start(search);
  wals.prepare().catch(() => undefined);
  upkeep.kick();
  return new Store({
    clock,
    heads,
    intake,
    keys,
    catalog,
    archiveCatalog,
    archive,
    tombstones,
    search,
    upkeep,
    setAside,
    notes: () => status.notes(upkeep.failure),
    async release() {
      stopTicking();
      await search.close();
      await threads.close();
      heads.close();
      tombstones.close();
      await lock.release();
    },
  });
}

/** Makes log files without rows ready to be written again. */
async function takeOverFiles(wals: WalFiles, replay: Replay): Promise<void> {
  for (const { name } of replay.logs) wals.noteName(name);
  for (const { name, file } of replay.free) {
    wals.noteName(name);
    await wals.giveBack({ path: file.path, file, trusted: true });
  }
}

function headOf(log: ReplayedLog): Head {
  const head = new Head(log.arena, log.createdMs);
  head.wal = { path: log.file.path, file: log.file, trusted: true };
  head.writtenEnd = log.arena.end;
  head.full = true;
  return head;
}

/** Fills the table of request keys from footers and log records. */
function recall(found: Found, keys: RequestKeys, nowMs: number): void {
  for (const packed of found.segments.requestKeys) keys.addPacked(packed, nowMs);
  for (const { arena } of found.replay.logs) {
    walkRecords(arena.view, WAL.fileHeaderBytes, arena.end, (record) => {
      if (record.magic !== WAL.batchMagic) return;
      const key = newRequestKey();
      requestKeyInto(key, viewBatch(record.payload), record.payloadCrc, record.arrivalMs);
      if (keys.find(key, nowMs) === -1) keys.add(key);
    });
  }
}

function registerGauges(
  options: EmbeddedStoreOptions,
  parts: {
    readonly catalog: Catalog;
    readonly archiveCatalog: Catalog;
    readonly heads: Heads;
    readonly upkeep: Upkeep;
  },
): void {
  const { catalog, archiveCatalog, heads, upkeep } = parts;
  const gauge = (name: string, help: string, read: () => number): void =>
    options.counters?.gauge(`spoor_embedded_${name}`, help, read);
  gauge("unsettled_rows", "Rows that wait to be sealed; 0 is settled.", () => upkeep.unsettledRows);
  gauge("head_rows", "Rows that are not in a segment yet.", () => heads.spans);
  gauge("segment_files", "Files of segments.", () => catalog.list.length);
  gauge("segment_rows", "Rows in segments.", () => catalog.rows);
  gauge("segment_bytes", "Bytes of segments.", () => catalog.sizeBytes);
  gauge("archive_bytes", "Bytes of archived segments.", () => archiveCatalog.sizeBytes);
}

/** Runs `run` every so often until the returned function is called. */
function tick(clock: EmbeddedClock, run: () => void): () => void {
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = clock.after(DEFAULTS.tickMs, () => {
      run();
      next();
    });
  };
  next();
  return () => cancel();
}

type EmbeddedClock = NonNullable<EmbeddedStoreOptions["clock"]>;
