/** Arena: a head's rows in shared memory, byte for byte what its log file holds. Bench: wal. */

import { crc32 } from "node:zlib";
import { assert } from "../../base/assert.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { WAL, WalView, epochTag, writeFileHeader, writeRecordHeader } from "./wal-format.ts";

/** Slots of the control block that other threads read with Atomics. */
export const CONTROL = {
  /** Bytes of the arena that are durable, and so visible to readers. */
  durableEnd: 0,
  /** Slots in all. */
  slots: 4,
} as const;

/** Where a batch went. */
export interface Placed {
  readonly at: number;
  readonly end: number;
}

/**
 * One head's memory: a file header, then records. `append` fills it on the network thread; the
 * commit loop writes it out and publishes what is durable; workers read up to that.
 */
export class Arena {
  readonly memory: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly view: WalView;
  readonly #control: Int32Array;
  #epoch = 0;
  #tag = 0;
  /** First free byte. */
  end = 0;
  /** Spans of the records up to `end`. */
  spans = 0;

  constructor(sizeBytes: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(sizeBytes);
    this.control = new SharedArrayBuffer(CONTROL.slots * 4);
    this.#control = new Int32Array(this.control);
    this.view = new WalView(new Uint8Array(this.memory));
  }

  get sizeBytes(): number {
    return this.memory.byteLength;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Bytes that are durable. */
  get durableEnd(): number {
    return Atomics.load(this.#control, CONTROL.durableEnd);
  }

  /** Makes the arena the empty mirror of a log file of this epoch. */
  begin(epoch: number, nowMs: number): void {
    this.#start(epoch);
    const capacityBytes = this.sizeBytes;
    writeFileHeader(this.view, { version: WAL.version, epoch, capacityBytes, createdMs: nowMs });
    this.end = WAL.fileHeaderBytes;
    this.spans = 0;
  }

  /** Takes over records that recovery has read into the memory and verified. */
  adopt(epoch: number, end: number, spans: number): void {
    this.#start(epoch);
    this.end = end;
    this.spans = spans;
    this.publish(end);
  }

  /** Whether a payload of this size still fits. */
  fits(payloadBytes: number): boolean {
    return this.end + WAL.recordHeaderBytes + payloadBytes <= this.sizeBytes;
  }

  /** Copies a batch's image in as the next record. It must fit. */
  append(batch: SpanBatch, arrivalMs: number, imageCrc: number): Placed {
    const placed = this.#append(WAL.batchMagic, batch.image, batch.spanCount, arrivalMs, imageCrc);
    this.spans += batch.spanCount;
    return placed;
  }

  /** Notes that another log's file is good only up to `end`. */
  appendAbort(epoch: number, end: number, arrivalMs: number): Placed {
    const payload = new Uint8Array(16);
    const fields = new DataView(payload.buffer);
    fields.setBigUint64(0, BigInt(epoch), true);
    fields.setBigUint64(8, BigInt(end), true);
    return this.#append(WAL.abortMagic, payload, 0, arrivalMs, crc32(payload));
  }

  /** Lets readers see everything before `end`. */
  publish(end: number): void {
    Atomics.store(this.#control, CONTROL.durableEnd, end);
  }

  /** Forgets the records from `end` on, which hold `spans` spans. */
  cut(end: number, spans: number): void {
    assert(end >= this.durableEnd, "durable records are not cut");
    this.end = end;
    this.spans -= spans;
  }

  #start(epoch: number): void {
    Atomics.store(this.#control, CONTROL.durableEnd, 0);
    this.#epoch = epoch;
    this.#tag = epochTag(epoch);
  }

  #append(
    magic: number,
    payload: Uint8Array,
    spans: number,
    arrivalMs: number,
    payloadCrc: number,
  ): Placed {
    assert((payload.length & 7) === 0, "payloads are multiples of 8 bytes");
    assert(this.fits(payload.length), "the record fits");
    const at = this.end;
    const start = at + WAL.recordHeaderBytes;
    this.view.bytes.set(payload, start);
    const payloadBytes = payload.length;
    const header = { magic, epochTag: this.#tag, payloadBytes, spans, arrivalMs, payloadCrc };
    writeRecordHeader(this.view, at, header);
    this.end = start + payloadBytes;
    return { at, end: this.end };
  }
}
