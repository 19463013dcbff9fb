/** Opens an embedded store: lock, recovery, then its parts, ready for writes at once. */

import { systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import { CounterTable } from "../../base/counters.ts";
import { nodeFiles } from "../../base/node/file-layer.ts";
import type { FileLayer } from "../../base/node/file-layer.ts";
import { viewBatch } from "../../core/batch.ts";
import type { SpoorError } from "../../core/errors.ts";
import { Archive } from "./archive.ts";
import { openCatalog } from "./catalog.ts";
import type { Catalog, OpenedCatalog } from "./catalog.ts";
import { leaveCleanStop, takeCleanStop } from "./clean-stop.ts";
import type { CleanStop } from "./clean-stop.ts";
import { fileError } from "./file-error.ts";
import { Head } from "./head.ts";
import { Heads } from "./heads.ts";
import type { HeadEvents } from "./heads.ts";
import { Intake } from "./intake.ts";
import type { Job, JobResult } from "./jobs.ts";
import { lockDirectory } from "./lock.ts";
import type { DirectoryLock } from "./lock.ts";
import { storeMeters } from "./meters.ts";
import { replayLogs } from "./recovery.ts";
import type { Damage, Replay, ReplayedLog } from "./recovery.ts";
import { RequestKeys, newRequestKey, requestKeyInto } from "./request-keys.ts";
import { damagedPlace } from "./segment-files.ts";
import { SearchSide } from "./search-side.ts";
import { Status } from "./status.ts";
import { Store } from "./store-contract.ts";
import type { StoreParts } from "./store-contract.ts";
import { DEFAULTS } from "./store-options.ts";
import type { EmbeddedStore, EmbeddedStoreOptions } from "./store-options.ts";
import { workerThreads } from "./threads.ts";
import type { Threads } from "./threads.ts";
import { Tombstones } from "./tombstones.ts";
import { Upkeep } from "./upkeep.ts";
import type { Retention, UpkeepParts } from "./upkeep.ts";
import { FileViews } from "./views.ts";
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
  /** Whether the last stop was told of, so that nothing was left half-way. */
  readonly isClean: boolean;
  /** Packed: of footers, and of the last stop. */
  readonly requestKeys: readonly Uint8Array[];
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
  const stop = takeCleanStop(files, directory);
  const segments = openCatalog(files, `${directory}/segments`, stop?.segments);
  const archived = openCatalog(files, `${directory}/archive`, stop?.archived);
  const tombstoneDamage: Damage[] = [];
  const tombstones = Tombstones.open(files, directory, tombstoneDamage);
  const sealed = sealedEpochs(segments.catalog);
  let last = 0;
  for (const epoch of sealed) last = Math.max(last, epoch);
  for (const tombstone of tombstones.all()) last = Math.max(last, tombstone.epoch);
  const replay = replayLogs(files, `${directory}/wal`, (epoch) => sealed.has(epoch), last);
  const damage = [...segments.damage, ...archived.damage, ...tombstoneDamage, ...replay.damage];
  const requestKeys = [...segments.requestKeys];
  if (stop !== undefined) requestKeys.push(stop.requestKeys);
  const isClean = stop !== undefined;
  return { segments, archived, tombstones, replay, damage, isClean, requestKeys };
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
  const fsync = options.fsync ?? "durable";
  const status = new Status(report, meters, fsync);
  const headSizes = { ...DEFAULTS.headSizes, ...options.headSizes };
  const { tombstones, replay } = found;
  const { catalog } = found.segments;
  const archiveCatalog = found.archived.catalog;
  const setAside = (error: SpoorError): Promise<boolean> => setAsideNamed(error, found, parts);
  const search = new SearchSide({
    setAside,
    failed: (message) => status.searchFailed(message),
    works: () => status.searchWorks(),
  });
  const threads =
    options.inline === true ? await inlineThreads(files) : workerThreads(clock, meters, report);
  const run = (job: Job): Promise<JobResult> => threads.run(job);
  const wals = new WalFiles(files, `${options.directory}/wal`, headSizes, {
    notMade: (error) => status.logFileNotMade(error.message),
    made: () => status.logFileMade(),
  });
  await takeOverFiles(wals, found);
  const kept = { catalog, tombstones, heads: () => heads, search, run, clock, meters };
  const upkeep: Upkeep = upkeepOf(options, kept, status, setAside);
  const firstEpoch = replay.lastEpoch + EPOCHS_SKIPPED;
  const events = headEvents(search, upkeep, status);
  const heads = new Heads(wals, headSizes, fsync, firstEpoch, clock, meters, events);
  const keys = new RequestKeys();
  const blockedBy = (): SpoorError | undefined => upkeep.failure;
  const { roomWaitMs = DEFAULTS.roomWaitMs } = options;
  const { rows } = headSizes;
  const parts: Parts = {
    heads,
    keys,
    catalog,
    archiveCatalog,
    tombstones,
    search,
    upkeep,
    status,
    intake: new Intake({ heads, keys, clock, meters, rows, roomWaitMs, blockedBy }),
    archive: new Archive({ catalog: archiveCatalog, tombstones, search, run, clock }),
    views: new FileViews({ files, directory: `${options.directory}/views`, clock }),
  };
  recall(found, keys, clock.nowMs());
  showFound(found, parts);
  registerGauges(options, parts);
  const stopTimers = startTimers(parts, clock, wals, options.headAgeMs);
  threads.start(search);
  wals.prepare();
  upkeep.kick();
  const notes = (): readonly string[] => status.notes(upkeep.failure);
  const release = async (): Promise<void> => {
    stopTimers();
    await search.close();
    await threads.close();
    await heads.close();
    tombstones.close();
    leaveCleanStop(files, options.directory, whatIsKnown(parts));
    await lock.release();
  };
  return new Store({ ...parts, setAside, notes, release });
}

function headEvents(search: SearchSide, upkeep: Upkeep, status: Status): HeadEvents {
  return {
    added: (head) => search.addHead(head),
    ready: (head) => upkeep.seal(head),
    failed: (message, lossy) => status.logFailed(message, lossy),
    recovered: () => status.logWorks(),
  };
}

/** Loaded for who wants it: a server's main thread neither seals nor searches. */
async function inlineThreads(files: FileLayer): Promise<Threads> {
  const threads = await import("./inline-threads.ts");
  return threads.inlineThreads(files);
}

type Events = "corrupt" | "failed" | "works";

function upkeepOf(
  options: EmbeddedStoreOptions,
  parts: Omit<UpkeepParts, Events>,
  status: Status,
  corrupt: UpkeepParts["corrupt"],
): Upkeep {
  const failed = (message: string): void => status.upkeepFailed(message);
  return new Upkeep(
    { ...parts, corrupt, failed, works: () => status.upkeepWorks() },
    { ...DEFAULTS.upkeepSizes, ...options.upkeepSizes },
    retentionOf(options),
  );
}

function retentionOf(options: EmbeddedStoreOptions): Retention {
  const { retentionMs = DEFAULTS.retentionMs, maxSizeBytes = 0 } = options;
  return { retentionMs, maxSizeBytes };
}

/** The parts that functions of this file share. */
type Parts = Omit<StoreParts, "setAside" | "notes" | "release"> & { readonly status: Status };

/** Takes out the corrupt segment that the error's text names; false when it is none of ours. */
async function setAsideNamed(error: SpoorError, found: Found, parts: Parts): Promise<boolean> {
  const { search, status } = parts;
  const damaged = damagedPlace(error.message);
  for (const { catalog } of [found.segments, found.archived]) {
    const file = catalog.list.find((one) => one.name === damaged?.name);
    const part = file?.parts.find(({ place }) => place.offset === damaged?.offset);
    if (file === undefined || part === undefined) continue;
    const kept = catalog.setPartAside(file, part.place.offset);
    status.corrupt(`${catalog.directory}/${file.name}`, error.message);
    if (kept !== undefined) await search.keepParts(file, kept, part);
    else if (catalog === parts.archiveCatalog) await search.changeArchived([], [file]);
    else await search.change({ added: [], removed: [file], removedHeads: [] });
    return true;
  }
  return false;
}

/** For the next start. */
function whatIsKnown({ archiveCatalog, catalog, keys }: Parts): CleanStop {
  return { segments: catalog.list, archived: archiveCatalog.list, requestKeys: keys.pack() };
}

/** Lets readers see what was found; heads that were recovered are sealed from now on. */
function showFound(found: Found, parts: Parts): void {
  const { archiveCatalog, catalog, heads, search, status, tombstones } = parts;
  search.begin(catalog.list, archiveCatalog.list, tombstones.all());
  status.found(found.damage, found.replay.logs);
  for (const log of found.replay.logs) heads.adopt(headOf(log));
}

/** Seals a head that is old, and looks what has expired. */
function everyMinute({ heads, upkeep }: Parts, clock: Clock, headAgeMs: number | undefined): void {
  const { filling } = heads;
  const ageMs = clock.nowMs() - (filling?.createdMs ?? 0);
  if (filling !== undefined && ageMs >= (headAgeMs ?? DEFAULTS.headAgeMs)) heads.rotate();
  upkeep.kick();
}

/** Makes log files without rows ready to be written again; a clean stop left them so. */
async function takeOverFiles(wals: WalFiles, { replay, isClean }: Found): Promise<void> {
  for (const { name } of replay.logs) wals.noteName(name);
  for (const { name, file, blank } of replay.free) {
    wals.noteName(name);
    const wal = { path: file.path, file, trusted: true, isClosed: false };
    if (blank && isClean) wals.adopt(wal);
    else await wals.giveBack(wal);
  }
}

function headOf(log: ReplayedLog): Head {
  const head = new Head(log.arena, log.createdMs);
  head.wal = { path: log.file.path, file: log.file, trusted: true, isClosed: false };
  head.writtenEnd = log.arena.end;
  head.full = true;
  return head;
}

/** Fills the table of request keys from what was kept of them and from log records. */
function recall(found: Found, keys: RequestKeys, nowMs: number): void {
  for (const packed of found.requestKeys) keys.addPacked(packed, nowMs);
  for (const { arena } of found.replay.logs) {
    walkRecords(arena.view, WAL.fileHeaderBytes, arena.end, (record) => {
      if (record.magic !== WAL.batchMagic) return;
      const key = newRequestKey();
      requestKeyInto(key, viewBatch(record.payload), record.payloadCrc, record.arrivalMs);
      if (keys.find(key, nowMs) === -1) keys.add(key);
    });
  }
}

function registerGauges(options: EmbeddedStoreOptions, parts: Parts): void {
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

/**
 * What is done about a store that nobody writes to: a head worth a segment is sealed, which
 * makes reads faster and the store smaller, and then log files kept for reuse are given up.
 */
function whenIdle(heads: Heads, wals: WalFiles): () => void {
  let before = -1;
  return () => {
    const { filling, written } = heads;
    const idle = written === before;
    before = written;
    if (!idle) return;
    if (filling !== undefined && filling.arena.spans >= DEFAULTS.idleRows) heads.rotate();
    else if (filling === undefined && heads.spans === 0) wals.discardFree();
  };
}

function startTimers(parts: Parts, clock: Clock, wals: WalFiles, headAgeMs?: number): () => void {
  const stopTicking = tick(clock, DEFAULTS.tickMs, () => {
    everyMinute(parts, clock, headAgeMs);
    wals.prepareAgain();
  });
  const stopIdling = tick(clock, DEFAULTS.idleMs, whenIdle(parts.heads, wals));
  return () => {
    stopTicking();
    stopIdling();
  };
}

/** Runs `run` every so often until the returned function is called. */
function tick(clock: Clock, everyMs: number, run: () => void): () => void {
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = clock.after(everyMs, () => {
      run();
      next();
    });
  };
  next();
  return () => cancel();
}
