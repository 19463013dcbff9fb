/** Replay: reads log files after a stop of any kind, keeps what is whole, names what is not. */

import type { FileLayer, OpenFile } from "../../base/node/file-layer.ts";
import { readCounts } from "../../core/batch.ts";
import { SpoorError } from "../../core/errors.ts";
import { Arena } from "./arena.ts";
import { SUFFIX } from "./segment-files.ts";
import {
  WAL,
  WalView,
  epochTag,
  payloadIsWhole,
  readFileHeader,
  readU64,
  recordSizeAt,
  writeRecordHeader,
} from "./wal-format.ts";

/** Epochs below the newest known one that a file with a damaged header may have. */
const EPOCHS_TRIED = 100_000;

/** Something found wrong on disk; the text names the file and what is lost. */
export interface Damage {
  readonly file: string;
  readonly message: string;
  readonly lostBytes: number;
}

/** A log file with rows that no segment holds. */
export interface ReplayedLog {
  readonly name: string;
  readonly file: OpenFile;
  readonly arena: Arena;
  readonly createdMs: number;
}

/** A log file whose rows, if it has any, are in segments; `blank`: its header says so itself. */
export interface FreeLog {
  readonly name: string;
  readonly file: OpenFile;
  readonly blank: boolean;
}

/** What replay found. */
export interface Replay {
  readonly logs: ReplayedLog[];
  /** Files without rows of their own, to be written again. */
  readonly free: FreeLog[];
  readonly damage: Damage[];
  /** Highest epoch seen in any file; 0 when none. */
  readonly lastEpoch: number;
}

/** A scanned file before the abort records of all files are known. */
interface ScannedLog {
  readonly name: string;
  readonly file: OpenFile;
  readonly view: WalView;
  readonly memory: SharedArrayBuffer;
  readonly epoch: number;
  readonly createdMs: number;
  /** End of the last good record. */
  end: number;
  readonly aborts: { readonly epoch: number; readonly end: number }[];
}

/**
 * Replays the `*.wal` files of a directory. Files whose epoch `isCovered` (a segment holds its
 * rows) are free. Damaged records are left out and named; whole ones after them are kept.
 * `corrupt` when a file is of a newer format: then nothing was changed.
 */
export function replayLogs(
  files: FileLayer,
  directory: string,
  isCovered: (epoch: number) => boolean,
  lastSealedEpoch: number,
): Replay {
  const damage: Damage[] = [];
  const free: Replay["free"] = [];
  const scanned: ScannedLog[] = [];
  let lastEpoch = lastSealedEpoch;
  for (const name of files.list(directory)) {
    if (name.endsWith(SUFFIX.temporary)) files.unlink(`${directory}/${name}`);
    if (!name.endsWith(".wal")) continue;
    const file = files.open(`${directory}/${name}`, "write");
    const log = scanLog(name, file, isCovered, lastSealedEpoch, damage);
    if (log === undefined) free.push({ name, file, blank: false });
    else if (log === "blank") free.push({ name, file, blank: true });
    else scanned.push(log);
    if (typeof log === "object") lastEpoch = Math.max(lastEpoch, log.epoch);
  }
  applyAborts(scanned);
  const logs: ReplayedLog[] = [];
  for (const log of scanned.toSorted((a, b) => a.epoch - b.epoch)) {
    const spans = countSpans(log.view, log.end);
    if (spans === 0) {
      free.push({ name: log.name, file: log.file, blank: false });
      continue;
    }
    const arena = new Arena(log.memory.byteLength, log.memory);
    arena.adopt(log.epoch, log.end, spans);
    logs.push({ name: log.name, file: log.file, arena, createdMs: log.createdMs });
  }
  return { logs, free, damage, lastEpoch };
}

/** Reads one file; undefined when it has no rows that still count, "blank" when none at all. */
function scanLog(
  name: string,
  file: OpenFile,
  isCovered: (epoch: number) => boolean,
  lastSealedEpoch: number,
  damage: Damage[],
): ScannedLog | "blank" | undefined {
  const sizeBytes = file.sizeBytes();
  const head = new WalView(new Uint8Array(WAL.fileHeaderBytes));
  file.readAt(head.bytes, 0);
  if (sizeBytes < WAL.fileHeaderBytes) {
    damage.push({ file: file.path, message: "cut off before its header", lostBytes: 0 });
    return undefined;
  }
  if (head.words.every((word) => word === 0)) return "blank";
  const header = readFileHeader(head);
  if (header !== undefined && header.version > WAL.version) {
    const text = `${file.path} is of format ${header.version}, made by a later Spoor`;
    throw new SpoorError("corrupt", text);
  }
  if (header !== undefined && isCovered(header.epoch)) return undefined;
  const memory = new SharedArrayBuffer((sizeBytes + 7) & ~7);
  const view = new WalView(new Uint8Array(memory));
  file.readAt(view.bytes, 0);
  const epoch = header?.epoch ?? guessEpoch(view, lastSealedEpoch, isCovered);
  if (header === undefined) {
    const message = epoch === undefined ? "header damaged, no records found" : "header damaged";
    damage.push({ file: file.path, message, lostBytes: epoch === undefined ? sizeBytes : 0 });
    if (epoch === undefined) return undefined;
  }
  if (header !== undefined && sizeBytes < header.capacityBytes) {
    const lostBytes = header.capacityBytes - sizeBytes;
    damage.push({ file: file.path, message: `cut off at ${sizeBytes} bytes`, lostBytes });
  }
  const createdMs = header?.createdMs ?? 0;
  const log = { name, file, view, memory, epoch: epoch!, createdMs, end: 0, aborts: [] };
  scanRecords(log, damage);
  return log;
}

/** Finds the good records, puts gap records over damaged ranges, and collects aborts. */
function scanRecords(log: ScannedLog, damage: Damage[]): void {
  const { view } = log;
  const tag = epochTag(log.epoch);
  const sizeBytes = view.bytes.length;
  let at: number = WAL.fileHeaderBytes;
  log.end = at;
  for (;;) {
    const size = goodRecordAt(view, at, sizeBytes, tag);
    if (size > 0) {
      noteAbort(log, at);
      at += size;
      log.end = at;
      continue;
    }
    const next = findRecord(view, at + 8, sizeBytes, tag);
    const began = looksBegun(view, at, tag);
    if (next === -1) {
      if (began) {
        const lostBytes = tornBytes(view, at, sizeBytes, tag);
        const message = `torn record at byte ${at}, cut there`;
        damage.push({ file: log.file.path, message, lostBytes });
      }
      return;
    }
    const message = `damaged from byte ${at} to ${next}; what follows was kept`;
    damage.push({ file: log.file.path, message, lostBytes: next - at });
    coverGap(view, at, next, tag);
    at = next;
  }
}

function goodRecordAt(view: WalView, at: number, end: number, tag: number): number {
  const size = recordSizeAt(view, at, end, tag);
  if (size === 0 || !payloadIsWhole(view, at)) return 0;
  if (view.words[at >> 2] === WAL.abortMagic) return size;
  try {
    const start = at + WAL.recordHeaderBytes;
    const counts = readCounts(view.bytes.subarray(start, at + size));
    return counts.spans === view.words[(at >> 2) + 3] ? size : 0;
  } catch {
    return 0;
  }
}

/** Offset of the next whole record of this epoch at or after `from`, or -1. */
function findRecord(view: WalView, from: number, end: number, tag: number): number {
  const { words } = view;
  for (let w = from >> 2; w * 4 + WAL.recordHeaderBytes <= end; w += 2) {
    if (words[w + 1] !== tag) continue;
    if (goodRecordAt(view, w * 4, end, tag) > 0) return w * 4;
  }
  return -1;
}

/** Whether a record of this epoch was begun here, as far as its first words tell. */
function looksBegun(view: WalView, at: number, tag: number): boolean {
  if (at + 8 > view.bytes.length) return false;
  const magic = view.words[at >> 2]!;
  if (view.words[(at >> 2) + 1] === tag) return true;
  if (magic !== WAL.batchMagic && magic !== WAL.abortMagic) return false;
  // A whole record of another epoch is what an earlier round left: the normal end.
  const other = view.words[(at >> 2) + 1]!;
  return recordSizeAt(view, at, view.bytes.length, other) === 0;
}

function tornBytes(view: WalView, at: number, end: number, tag: number): number {
  const size = recordSizeAt(view, at, end, tag);
  return size === 0 ? Math.min(WAL.recordHeaderBytes, end - at) : size;
}

function coverGap(view: WalView, at: number, next: number, tag: number): void {
  // Records are at least a header long, and so is what lies between two of them.
  const payloadBytes = next - at - WAL.recordHeaderBytes;
  const magic = WAL.gapMagic;
  const header = { magic, epochTag: tag, payloadBytes, spans: 0, arrivalMs: 0, payloadCrc: 0 };
  writeRecordHeader(view, at, header);
}

function noteAbort(log: ScannedLog, at: number): void {
  const { words } = log.view;
  if (words[at >> 2] !== WAL.abortMagic) return;
  const payload = (at + WAL.recordHeaderBytes) >> 2;
  log.aborts.push({ epoch: readU64(words, payload), end: readU64(words, payload + 2) });
}

/** Cuts logs where a later file says that a sync of them failed. */
function applyAborts(logs: readonly ScannedLog[]): void {
  for (const { aborts } of logs) {
    for (const abort of aborts) {
      const target = logs.find((log) => log.epoch === abort.epoch);
      if (target === undefined) continue;
      target.end = Math.min(target.end, Math.max(abort.end, WAL.fileHeaderBytes));
    }
  }
}

function countSpans(view: WalView, end: number): number {
  let spans = 0;
  for (let at: number = WAL.fileHeaderBytes; at < end;) {
    spans += view.words[(at >> 2) + 3]!;
    at += WAL.recordHeaderBytes + view.words[(at >> 2) + 2]!;
  }
  return spans;
}

/** The uncovered epoch whose tag the file's first whole record has, or undefined. */
function guessEpoch(
  view: WalView,
  lastSealedEpoch: number,
  isCovered: (epoch: number) => boolean,
): number | undefined {
  const lastWord = (view.bytes.length - WAL.recordHeaderBytes) >> 2;
  for (let w = WAL.fileHeaderBytes >> 2; w <= lastWord; w += 2) {
    if (view.words[w] !== WAL.batchMagic) continue;
    const tag = view.words[w + 1]!;
    if (goodRecordAt(view, w << 2, view.bytes.length, tag) === 0) continue;
    const newest = lastSealedEpoch + EPOCHS_TRIED;
    for (let epoch = lastSealedEpoch + 1; epoch < newest; epoch++) {
      if (epochTag(epoch) === tag) return epoch;
    }
    const oldest = Math.max(0, lastSealedEpoch - EPOCHS_TRIED);
    for (let epoch = lastSealedEpoch; epoch >= oldest; epoch--) {
      if (epochTag(epoch) === tag && !isCovered(epoch)) return epoch;
    }
    return undefined;
  }
  return undefined;
}
