/** Keeps a generated dataset in a temporary file, so that sending costs no making. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Dataset, datasetVersion } from "./dataset.ts";
import type { Sample } from "./dataset.ts";

export interface PreparedDataset {
  readonly folder: string;
  readonly spans: number;
  readonly bytes: number;
  /** Size in bytes and span count of every request, in order. */
  readonly sizes: readonly number[];
  readonly counts: readonly number[];
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly samples: readonly Sample[];
  /** Duration quantiles in µs, by name (`p50`, `p99`, `p999` …). */
  readonly durationsUs: Readonly<Record<string, number>>;
}

const root = path.join(os.tmpdir(), "spoor-bench");
/** A kept dataset is used again while its newest span is younger than this. */
const freshSeconds = 6 * 3600;
const spanRatePerSecond = 3_000_000 / 1800;

function quantiles(values: readonly number[]): Record<string, number> {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), p9999: at(0.9999) };
}

function readIndex(folder: string): PreparedDataset | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, "index.json"), "utf8")) as PreparedDataset;
  } catch {
    return undefined;
  }
}

function kept(prefix: string, nowSeconds: number): PreparedDataset | undefined {
  if (!fs.existsSync(root)) return undefined;
  for (const name of fs.readdirSync(root)) {
    if (!name.startsWith(prefix) || name.includes(".part-")) continue;
    const index = readIndex(path.join(root, name));
    if (index !== undefined && nowSeconds - index.endSeconds < freshSeconds) return index;
    fs.rmSync(path.join(root, name), { recursive: true, force: true });
  }
  return undefined;
}

/** The seed of the dataset everything is measured with, and of more spans to send on top of it. */
export const seeds = { main: 20_240_607, more: 20_240_608 };

/** The dataset of that many spans, its last trace starting now; made when not kept. */
export function prepareDataset(
  spans: number,
  nowSeconds: number,
  seed: number = seeds.main,
): PreparedDataset {
  const prefix = `dataset-v${datasetVersion}-${seed}-${spans}-`;
  const found = kept(prefix, nowSeconds);
  if (found !== undefined) return found;
  const folder = path.join(root, `${prefix}${nowSeconds}`);
  // Others may look for the same dataset meanwhile: it gets its name once it is whole.
  const part = `${folder}.part-${process.pid}`;
  fs.mkdirSync(part, { recursive: true });
  const dataset = new Dataset({
    spans,
    seed,
    endSeconds: nowSeconds,
    seconds: Math.max(1, Math.round(spans / spanRatePerSecond)),
    sampleEvery: Math.max(1, Math.floor(spans / 4000)),
  });
  const sizes: number[] = [];
  const counts: number[] = [];
  let bytes = 0;
  const file = fs.openSync(path.join(part, "bodies.bin"), "w");
  for (const request of dataset.requests()) {
    fs.writeSync(file, request.body);
    sizes.push(request.body.length);
    counts.push(request.spans);
    bytes += request.body.length;
  }
  fs.closeSync(file);
  const prepared: PreparedDataset = {
    folder,
    spans,
    bytes,
    sizes,
    counts,
    startSeconds: dataset.startSeconds,
    endSeconds: nowSeconds,
    samples: dataset.samples,
    durationsUs: quantiles(dataset.durationsUs),
  };
  fs.writeFileSync(path.join(part, "index.json"), JSON.stringify(prepared));
  fs.renameSync(part, folder);
  return prepared;
}

/** The dataset in that folder; throws when it was never finished. */
export function openDataset(folder: string): PreparedDataset {
  const index = readIndex(folder);
  if (index === undefined) throw new Error(`no dataset in ${folder}`);
  return index;
}

/** The number of requests, from request `from` on, that hold about `spans` spans. */
export function requestsFor(dataset: PreparedDataset, spans: number, from = 0): number {
  let total = 0;
  let count = 0;
  for (let i = from; i < dataset.counts.length && total < spans; i++) {
    total += dataset.counts[i] as number;
    count += 1;
  }
  return count;
}

/** The bodies of requests `from` to `to` (exclusive), read into memory. */
export function readBodies(dataset: PreparedDataset, from: number, to: number): Buffer[] {
  const file = fs.openSync(path.join(dataset.folder, "bodies.bin"), "r");
  let position = 0;
  for (let i = 0; i < from; i++) position += dataset.sizes[i] as number;
  const bodies: Buffer[] = [];
  for (let i = from; i < to; i++) {
    const size = dataset.sizes[i] as number;
    const body = Buffer.allocUnsafeSlow(size);
    if (fs.readSync(file, body, 0, size, position) !== size) throw new Error("dataset cut short");
    bodies.push(body);
    position += size;
  }
  fs.closeSync(file);
  return bodies;
}
