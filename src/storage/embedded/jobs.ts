/** The slow work on segments: sealing, merging, bundling. Runs in the seal worker, or inline. */

import type { FileLayer } from "../../base/node/file-layer.ts";
import { toHex } from "../../base/bytes.ts";
import { viewBatch } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { sameSpan } from "../../core/trace/span-content.ts";
import { factsOf } from "./catalog.ts";
import type { SegmentFacts } from "./catalog.ts";
import { FrameCache } from "./frame-cache.ts";
import { segmentBatches } from "./segment-copy.ts";
import { bundleChunks, writeDurably } from "./segment-files.ts";
import type { SegmentPlace } from "./segment-files.ts";
import { footerIn } from "./segment-footer.ts";
import { openSegment } from "./segment-reader.ts";
import { encodeSegment } from "./segment-writer.ts";
import type { SealInput, SealOptions } from "./segment-writer.ts";
import type { Tombstone } from "./tombstones.ts";
import { WAL, WalView, walkRecords } from "./wal-format.ts";

/** A merge decodes its inputs whole, one after the other: few frames are worth keeping. */
const MERGE_CACHE_BYTES = 4 * 1024 * 1024;
/** WAL epochs a merged segment remembers; older files were emptied long ago. */
const EPOCHS_KEPT = 64;

/** Where a job's file goes. */
interface Target {
  readonly directory: string;
  readonly name: string;
}

/** Turns a full head into a segment. */
export interface SealJob extends Target {
  readonly kind: "seal";
  readonly memory: SharedArrayBuffer;
  readonly end: number;
  readonly epoch: number;
  readonly requestKeys: Uint8Array;
  readonly tombstones: readonly Tombstone[];
}

/** A segment to merge, and the tombstones that hide rows of it. */
export interface MergeInput {
  readonly place: SegmentPlace;
  readonly tombstones: readonly Tombstone[];
}

/** Makes one segment of several by decoding their rows. */
export interface MergeJob extends Target {
  readonly kind: "merge";
  readonly inputs: readonly MergeInput[];
  readonly replaces: readonly string[];
}

/** Makes one file of several by copying their bytes. */
export interface BundleJob extends Target {
  readonly kind: "bundle";
  readonly places: readonly SegmentPlace[];
  readonly replaces: readonly string[];
}

/** Makes a segment of batches given as images (a trace to be archived). */
export interface KeepJob extends Target {
  readonly kind: "keep";
  readonly images: readonly Uint8Array[];
  readonly arrivalMs: number;
}

export type Job = SealJob | MergeJob | BundleJob | KeepJob;

/** What a job wrote: `sizeBytes` 0 when no row was left, and then there is no file. */
export interface JobResult {
  readonly sizeBytes: number;
  /** Rows left out as exact duplicates. */
  readonly deduplicated: number;
  /** Facts of the segment written (none for a bundle: its parts keep theirs). */
  readonly facts: SegmentFacts | undefined;
}

const NOTHING: JobResult = { sizeBytes: 0, deduplicated: 0, facts: undefined };

/** Does a job; the file is durable when it returns. Throws `disk-full`, `io` or `corrupt`. */
export function runJob(files: FileLayer, job: Job): JobResult {
  switch (job.kind) {
    case "seal":
      return seal(files, job);
    case "merge":
      return merge(files, job);
    case "bundle":
      return bundle(files, job);
    case "keep":
      return keep(files, job);
  }
}

function seal(files: FileLayer, job: SealJob): JobResult {
  const inputs: SealInput[] = [];
  const offsets: number[] = [];
  const view = new WalView(new Uint8Array(job.memory));
  walkRecords(view, WAL.fileHeaderBytes, job.end, (record) => {
    if (record.magic !== WAL.batchMagic) return;
    inputs.push({ batch: viewBatch(record.payload), arrivalMs: record.arrivalMs });
    offsets.push(record.at);
  });
  const hiding = job.tombstones.filter((tombstone) => tombstone.epoch >= job.epoch);
  const skip = skipper(
    hiding,
    inputs,
    (tombstone, input) => tombstone.epoch > job.epoch || offsets[input]! < tombstone.offset,
  );
  const { requestKeys, epoch } = job;
  return encode(files, job, inputs, { epochs: [epoch], requestKeys, skip, sameContent: sameSpan });
}

function merge(files: FileLayer, job: MergeJob): JobResult {
  const cache = new FrameCache(MERGE_CACHE_BYTES);
  const inputs: SealInput[] = [];
  const hidingOf: (readonly Tombstone[])[] = [];
  const epochs = new Set<number>();
  const keys: Uint8Array[] = [];
  for (const { place, tombstones } of job.inputs) {
    const footer = footerIn(files, place);
    const segment = openSegment(files, place, cache);
    try {
      for (const epoch of footer.epochs) epochs.add(epoch);
      keys.push(Buffer.from(footer.requestKeys, "base64"));
      for (const batch of segmentBatches(segment)) {
        inputs.push({ batch, arrivalMs: footer.maxArrivalMs });
        hidingOf.push(tombstones);
      }
    } finally {
      segment.close();
    }
  }
  const all = [...new Set(hidingOf)].flat();
  const skip = skipper(all, inputs, (tombstone, input) => hidingOf[input]!.includes(tombstone));
  return encode(files, job, inputs, {
    epochs: [...epochs].toSorted((a, b) => a - b).slice(-EPOCHS_KEPT),
    replaces: job.replaces,
    requestKeys: Buffer.concat(keys),
    skip,
    sameContent: sameSpan,
  });
}

function bundle(files: FileLayer, job: BundleJob): JobResult {
  const chunks = bundleChunks(files, job.places, job.replaces);
  const sizeBytes = writeDurably(files, job.directory, job.name, chunks);
  return { sizeBytes, deduplicated: 0, facts: undefined };
}

function keep(files: FileLayer, job: KeepJob): JobResult {
  const { arrivalMs } = job;
  const inputs = job.images.map((image) => ({ batch: viewBatch(image), arrivalMs }));
  return encode(files, job, inputs, { epochs: [], skip: undefined, sameContent: sameSpan });
}

type Skip = NonNullable<SealOptions["skip"]>;

function encode(
  files: FileLayer,
  target: Target,
  inputs: readonly SealInput[],
  options: Omit<SealOptions, "skip"> & { readonly skip: Skip | undefined },
): JobResult {
  const { skip, ...rest } = options;
  if (!hasRow(inputs, skip)) return NOTHING;
  let deleted = 0;
  const counted: Skip = (input, row) => {
    const hidden = skip !== undefined && skip(input, row);
    if (hidden) deleted++;
    return hidden;
  };
  const sealed = encodeSegment(inputs, skip === undefined ? rest : { ...rest, skip: counted });
  const sizeBytes = writeDurably(files, target.directory, target.name, sealed.chunks);
  const deduplicated = sealed.footer.deduplicated - deleted;
  return { sizeBytes, deduplicated, facts: factsOf(sealed.footer) };
}

function hasRow(inputs: readonly SealInput[], skip: Skip | undefined): boolean {
  return inputs.some(({ batch }, input) => {
    if (skip === undefined) return batch.spanCount > 0;
    for (let row = 0; row < batch.spanCount; row++) if (!skip(input, row)) return true;
    return false;
  });
}

/** What says which rows the tombstones hide; undefined when there are none. */
function skipper(
  tombstones: readonly Tombstone[],
  inputs: readonly { readonly batch: SpanBatch }[],
  hides: (tombstone: Tombstone, input: number) => boolean,
): Skip | undefined {
  if (tombstones.length === 0) return undefined;
  const byTrace = new Map<string, Tombstone[]>();
  const lastWords = new Set<number>();
  for (const tombstone of tombstones) {
    const hex = toHex(tombstone.traceId);
    const known = byTrace.get(hex);
    if (known === undefined) byTrace.set(hex, [tombstone]);
    else known.push(tombstone);
    lastWords.add(lastWord(tombstone.traceId, 0));
  }
  return (input, row) => {
    const ids = inputs[input]!.batch.traceId;
    if (!lastWords.has(lastWord(ids, row * 16))) return false;
    const found = byTrace.get(toHex(ids, row * 16, 16));
    return found !== undefined && found.some((tombstone) => hides(tombstone, input));
  };
}

/** The last four bytes of the trace id at `at`: random in all kinds of ids. */
function lastWord(ids: Uint8Array, at: number): number {
  return ids[at + 12]! | (ids[at + 13]! << 8) | (ids[at + 14]! << 16) | (ids[at + 15]! << 24);
}
