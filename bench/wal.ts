/** Writing to the embedded store: CPU a span on the network thread and in all, rates, latency. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { viewBatch } from "../src/core/batch.ts";
import type { SpanBatch } from "../src/core/batch.ts";
import { BatchBuilder } from "../src/core/builder.ts";
import { isSpoorError } from "../src/core/errors.ts";
import { openEmbeddedStore } from "../src/storage/embedded/store.ts";
import type { EmbeddedStore } from "../src/storage/embedded/store-options.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { Dataset } from "./dataset.ts";

const SPANS = Number(process.env["SPANS"] ?? 2_000_000);
const WRITERS = Number(process.env["WRITERS"] ?? 32);
/** Spans decoded once and written again and again with other ids. */
const DISTINCT = 100_000;

function decoded(): SpanBatch[] {
  const dataset = new Dataset({
    spans: DISTINCT,
    seed: 1,
    endSeconds: 1_750_000_000,
    seconds: 60,
    sampleEvery: 1_000_000,
  });
  const builder = new BatchBuilder();
  const batches: SpanBatch[] = [];
  for (const request of dataset.requests()) {
    batches.push(decodeOtlpProto(Uint8Array.from(request.body), builder).batch);
  }
  return batches;
}

/** The batch with trace and span ids of another round. */
function another(batch: SpanBatch, round: number): SpanBatch {
  const copy = viewBatch(batch.image.slice());
  for (let i = 0; i < copy.spanCount; i++) {
    copy.traceId[i * 16]! ^= round;
    copy.spanId[i * 8]! ^= round;
  }
  return copy;
}

interface Writing {
  readonly spans: number;
  readonly refused: number;
  readonly acknowledgedMs: number[];
}

async function write(store: EmbeddedStore, batches: Iterator<SpanBatch>): Promise<Writing> {
  let spans = 0;
  let refused = 0;
  const acknowledgedMs: number[] = [];
  const writer = async (): Promise<void> => {
    for (let next = batches.next(); next.done !== true; next = batches.next()) {
      const started = performance.now();
      for (;;) {
        try {
          const { stored } = await store.write(next.value);
          spans += stored;
          break;
        } catch (error) {
          if (!isSpoorError(error, "overloaded")) throw error;
          refused++;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      acknowledgedMs.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return { spans, refused, acknowledgedMs: acknowledgedMs.sort((a, b) => a - b) };
}

function* rounds(batches: readonly SpanBatch[], spans: number): Generator<SpanBatch> {
  let made = 0;
  for (let round = 1; made < spans; round++) {
    for (const batch of batches) {
      if (made >= spans) return;
      made += batch.spanCount;
      yield another(batch, round);
    }
  }
}

const micros = (usage: NodeJS.CpuUsage): number => usage.user + usage.system;

async function measure(
  name: string,
  store: EmbeddedStore,
  batches: Iterator<SpanBatch>,
): Promise<void> {
  const started = performance.now();
  const process0 = process.cpuUsage();
  const thread0 = process.threadCpuUsage();
  const { spans, refused, acknowledgedMs } = await write(store, batches);
  const thread = micros(process.threadCpuUsage(thread0)) / spans;
  const wallMs = performance.now() - started;
  await store.settle();
  const settledMs = performance.now() - started;
  const all = micros(process.cpuUsage(process0)) / spans;
  const at = (share: number): string =>
    acknowledgedMs[Math.floor((acknowledgedMs.length - 1) * share)]!.toFixed(1);
  console.log(
    `${name}: n ${spans}, ` +
      `main thread ${thread.toFixed(3)} µs/span, all ${all.toFixed(2)} µs/span, ` +
      `acknowledged ${(spans / wallMs / 1000).toFixed(3)} M/s, ` +
      `settled ${(spans / settledMs / 1000).toFixed(3)} M/s, refused ${refused}, ` +
      `ack p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms, ` +
      `rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB, ` +
      `peak ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB`,
  );
}

const batches = decoded();
const spans = batches.reduce((sum, batch) => sum + batch.spanCount, 0);
const bytes = batches.reduce((sum, batch) => sum + batch.image.length, 0);
console.log(`${batches.length} batches, ${spans} spans, ${(bytes / spans).toFixed(0)} B/span`);
const directory = mkdtempSync(join(tmpdir(), "spoor-wal-"));
const store = await openEmbeddedStore({ directory });
await measure("one head, nothing sealed", store, batches[Symbol.iterator]());
const copies = [...rounds(batches, 100_000)];
await measure("again, first seal", store, copies[Symbol.iterator]());
copies.length = 0;
await measure("sustained, with copying", store, rounds(batches, SPANS));
const closing = performance.now();
await store.close();
console.log(`close ${(performance.now() - closing).toFixed(0)} ms`);
const opening = performance.now();
const again = await openEmbeddedStore({ directory });
console.log(`open ${(performance.now() - opening).toFixed(0)} ms`);
const asking = performance.now();
const { length } = await again.services();
console.log(`first answer ${(performance.now() - asking).toFixed(0)} ms (${length} services)`);
await again.close();
rmSync(directory, { recursive: true });
