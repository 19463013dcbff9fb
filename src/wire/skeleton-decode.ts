/** Reads a trace's skeleton as its bytes arrive, filling columns frame by frame. Bench: ui-data. */

import { utf8 } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";
import { NO_CRITICAL_PATH } from "../core/trace/critical-path.ts";
import type { CriticalPath } from "../core/trace/critical-path.ts";
import type { SkeletonColumns } from "../core/trace/skeleton.ts";
import { FRAME, SKELETON_MAGIC } from "./skeleton-encode.ts";
import { PLANE, PlaneReader } from "./skeleton-planes.ts";

/** A skeleton of which the rows below `loaded` are final and the others zero. */
export interface LoadingSkeleton extends SkeletonColumns {
  loaded: number;
  /** Empty until it is known. */
  criticalPath: CriticalPath;
}

/** Spans and events one trace may have: what a browser's memory and one typed array hold. */
const MOST_SPANS = 50_000_000;
const FRAME_HEAD_BYTES = 5;
/** A frame is at most this: 50,000 rows with names of 16 KiB each. */
const MOST_FRAME_BYTES = 1 << 30;

/** Takes the bytes of one stream, in pieces of any size. Throws `malformed`. */
export class SkeletonDecoder {
  /** Undefined until the head has arrived. */
  columns: LoadingSkeleton | undefined;
  /** Whether the stream came to its end. */
  complete = false;
  #rows: RowsDecoder | undefined;
  /** What is being collected: magic, head of a frame, or payload. */
  #pending: Uint8Array = new Uint8Array(SKELETON_MAGIC.length);
  #filled = 0;
  #state: "magic" | "head" | "payload" = "magic";
  #type = 0;

  /** Takes the next bytes. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.complete) throw malformed("bytes after the end");
      const wanted = this.#pending.length - this.#filled;
      const taken = Math.min(wanted, bytes.length - at);
      // A frame that is whole within what arrived is read where it lies.
      if (this.#filled === 0 && taken === this.#pending.length) {
        this.#take(bytes.subarray(at, at + taken));
      } else {
        this.#pending.set(bytes.subarray(at, at + taken), this.#filled);
        this.#filled += taken;
        if (taken === wanted) this.#take(this.#pending);
      }
      at += taken;
    }
  }

  #take(bytes: Uint8Array): void {
    if (this.#state === "magic") {
      if (SKELETON_MAGIC.some((byte, i) => byte !== bytes[i])) throw malformed("other magic");
      this.#expect("head", FRAME_HEAD_BYTES);
    } else if (this.#state === "head") {
      this.#type = bytes[0]!;
      const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEAD_BYTES);
      const length = view.getUint32(1, true);
      if (length > MOST_FRAME_BYTES) throw malformed("a frame is too large");
      if (length === 0) this.#frame(new Uint8Array(0));
      else this.#expect("payload", length);
    } else {
      this.#frame(bytes);
    }
  }

  #expect(state: "head" | "payload", length: number): void {
    this.#state = state;
    this.#filled = 0;
    if (this.#pending.length !== length) this.#pending = new Uint8Array(length);
  }

  #frame(payload: Uint8Array): void {
    if (this.#type === FRAME.HEAD) this.#head(payload);
    else if (this.#type === FRAME.ROWS) {
      if (this.#rows === undefined) throw malformed("rows before the head");
      this.#rows.frame(payload);
    } else if (this.#type === FRAME.CRITICAL_PATH && this.columns !== undefined) {
      this.columns.criticalPath = readPath(payload, this.columns);
    } else if (this.#type === FRAME.END) {
      if (this.columns?.loaded !== this.columns?.spanCount) throw malformed("rows are missing");
      this.complete = true;
    }
    this.#expect("head", FRAME_HEAD_BYTES);
  }

  #head(payload: Uint8Array): void {
    if (this.columns !== undefined) throw malformed("two heads");
    const decoder = new RowsDecoder(parseHead(utf8(payload)));
    this.#rows = decoder;
    this.columns = decoder.columns;
  }
}

interface Head {
  readonly traceId: string;
  readonly spanCount: number;
  readonly eventCount: number;
  readonly startUs: number;
  readonly startNs: number;
  readonly durationNs: number;
  readonly services: readonly string[];
  readonly token: string;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SpoorError("malformed", "not a skeleton: JSON expected", { cause });
  }
}

function parseHead(text: string): Head {
  const head = parseJson(text) as Head;
  if (typeof head !== "object" || head === null) throw malformed("its head is no object");
  const count = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_SPANS;
  const fits =
    typeof head.traceId === "string" &&
    typeof head.token === "string" &&
    count(head.spanCount) &&
    count(head.eventCount) &&
    [head.startUs, head.startNs, head.durationNs].every(Number.isFinite) &&
    Array.isArray(head.services) &&
    head.services.every((name) => typeof name === "string");
  if (!fits) throw malformed("its head lacks a member");
  return head;
}

/** Fills the columns, rows ascending. */
class RowsDecoder {
  readonly columns: LoadingSkeleton;
  readonly #names: string[] = [];
  /** The rows on the way from a root to the row read last. */
  readonly #path: Uint32Array;
  #level = -1;

  constructor(head: Head) {
    const n = head.spanCount;
    this.#path = new Uint32Array(n);
    this.columns = {
      traceIdHex: head.traceId,
      spanCount: n,
      loaded: 0,
      startUs: head.startUs,
      startNs: head.startNs,
      durationNs: head.durationNs,
      parent: new Int32Array(n),
      depth: new Uint32Array(n),
      end: new Uint32Array(n),
      startOffsetNs: new Float64Array(n),
      spanDurationNs: new Float64Array(n),
      service: new Uint16Array(n),
      name: new Uint32Array(n),
      kind: new Uint8Array(n),
      flags: new Uint8Array(n),
      spanId: new Uint8Array(n * 8),
      eventOffsets: new Uint32Array(n + 1),
      eventNs: new Float64Array(head.eventCount),
      services: head.services,
      names: this.#names,
      token: head.token,
      criticalPath: NO_CRITICAL_PATH,
    };
  }

  frame(payload: Uint8Array): void {
    const reader = new PlaneReader(payload);
    const c = this.columns;
    const row = reader.u32();
    const count = reader.u32();
    const events = reader.u32();
    const firstEvent = c.eventOffsets[row]!;
    const fits = row === c.loaded && row + count <= c.spanCount;
    if (!fits || firstEvent + events > c.eventNs.length) throw malformed("rows out of place");
    this.#addNames(reader.plane());
    reader.numbersInto(c.end, row, count);
    const level = this.#level;
    this.#tree(row, count);
    reader.numbersInto(c.startOffsetNs, row, count);
    if (reader.encoding !== PLANE.F64) this.#starts(row, count, level);
    reader.numbersInto(c.spanDurationNs, row, count);
    reader.numbersInto(c.service, row, count);
    reader.numbersInto(c.name, row, count);
    reader.bytesInto(c.kind, row, count);
    reader.bytesInto(c.flags, row, count);
    reader.bytesInto(c.spanId, row * 8, count * 8);
    this.#events(reader, row, count, events);
    this.#checkTexts(row, count);
    c.loaded = row + count;
  }

  #addNames(plane: Uint8Array): void {
    const names = parseJson(utf8(plane));
    if (!Array.isArray(names)) throw malformed("names are no list");
    for (const name of names) this.#names.push(String(name));
  }

  /** Ends, parents and depths from the sizes that were read into `end`. */
  #tree(row: number, count: number): void {
    const { end, parent, depth, spanCount } = this.columns;
    const path = this.#path;
    let level = this.#level;
    for (let r = row; r < row + count; r++) {
      const ends = end[r]! + r + 1;
      end[r] = ends;
      while (level >= 0 && end[path[level]!]! <= r) level--;
      const above = level >= 0 ? path[level]! : -1;
      if (ends > (above === -1 ? spanCount : end[above]!)) throw malformed("subtrees overlap");
      parent[r] = above;
      level++;
      depth[r] = level;
      path[level] = r;
    }
    this.#level = level;
  }

  /** Starts from the differences that were read into them. */
  #starts(row: number, count: number, levelBefore: number): void {
    const { parent, depth, startOffsetNs } = this.columns;
    let before = levelBefore;
    for (let r = row; r < row + count; r++) {
      const level = depth[r]!;
      if (level > before) {
        const p = parent[r]!;
        if (p !== -1) startOffsetNs[r]! += startOffsetNs[p]!;
      } else {
        let sibling = r - 1;
        while (depth[sibling]! > level) sibling = parent[sibling]!;
        startOffsetNs[r]! += startOffsetNs[sibling]!;
      }
      before = level;
    }
  }

  #events(reader: PlaneReader, row: number, count: number, events: number): void {
    const { eventOffsets, eventNs, startOffsetNs } = this.columns;
    const first = eventOffsets[row]!;
    reader.numbersInto(eventOffsets, row + 1, count);
    for (let r = row; r < row + count; r++) eventOffsets[r + 1]! += eventOffsets[r]!;
    if (eventOffsets[row + count] !== first + events) throw malformed("events out of place");
    reader.numbersInto(eventNs, first, events);
    if (reader.encoding === PLANE.F64 || events === 0) return;
    for (let r = row; r < row + count; r++) {
      for (let e = eventOffsets[r]!; e < eventOffsets[r + 1]!; e++)
        eventNs[e]! += startOffsetNs[r]!;
    }
  }

  #checkTexts(row: number, count: number): void {
    const { name, names, service, services } = this.columns;
    for (let r = row; r < row + count; r++) {
      if (name[r]! >= names.length || service[r]! >= services.length) {
        throw malformed("a row has an unknown name or service");
      }
    }
  }
}

function readPath(payload: Uint8Array, columns: SkeletonColumns): CriticalPath {
  const reader = new PlaneReader(payload);
  const n = reader.u32();
  if (n > payload.length * 4) throw malformed("a critical path longer than its bytes");
  const rows = new Float64Array(n);
  const fromNs = new Float64Array(n);
  const toNs = new Float64Array(n);
  reader.numbersInto(rows, 0, n);
  reader.numbersInto(fromNs, 0, n);
  const differences = reader.encoding !== PLANE.F64;
  reader.numbersInto(toNs, 0, n);
  const row = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    row[i] = rows[i]! + (i === 0 ? 0 : row[i - 1]!);
    if (row[i]! >= columns.spanCount) throw malformed("a critical path through no row");
    if (differences && i > 0) fromNs[i]! += toNs[i - 1]!;
    toNs[i]! += fromNs[i]!;
  }
  return { row, fromNs, toNs };
}

function malformed(message: string): SpoorError {
  return new SpoorError("malformed", `not a skeleton: ${message}`);
}
