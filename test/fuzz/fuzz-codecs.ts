/** Throws damaged packets at every decoder and watches errors, time and memory. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { seededRandom } from "../../src/base/clock.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import { encodeJaegerPostSpans } from "../../src/wire/jaeger-proto-encode.ts";
import { encodeOtlpProto } from "../../src/wire/otlp-proto-encode.ts";
import { dumpJaeger } from "../support/jaeger-dump.ts";
import { randomBatch } from "../support/random-batch.ts";
import { encodeJaegerThrift } from "../support/jaeger-thrift-encode.ts";
import { spanFormats } from "../support/span-formats.ts";
import type { SpanFormat } from "../support/span-formats.ts";
import { mutate } from "./mutate.ts";

export interface FuzzOptions {
  readonly seed: number;
  /** How long it runs, in time or in packets. */
  readonly seconds?: number;
  readonly packets?: number;
  /** Only this packet, for looking at a finding. */
  readonly packet?: number;
  /** One line now and then, for people. */
  readonly say?: (line: string) => void;
}

export interface FuzzReport {
  readonly packets: number;
  readonly decoded: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** What was found wrong, with the packet's number and bytes; empty when nothing was. */
  readonly findings: readonly string[];
}

/** A packet of at most 128 kB takes a millisecond; other people's load may take the rest. */
const MOST_MS = 250;
/** A batch has at most this many bytes a byte of its packet (an empty event is 2 bytes). */
const MOST_GROWTH = 64;
const SMALL_BYTES = 64 * 1024;
/** Memory outside the heap that decoding one packet may take: builders double their columns. */
const MOST_EXTERNAL_BYTES = 96 * 1024 * 1024;
const MOST_FINDINGS = 20;
/** A builder keeps the memory of its largest batch; a new one shows what is kept elsewhere. */
const PACKETS_A_BUILDER = 20_000;
/** One good batch in so many is also encoded again. */
const ENCODE_EVERY = 16;
const MEMORY_SLACK_BYTES = 48 * 1024 * 1024;

interface Target {
  readonly name: string;
  readonly format: SpanFormat;
  readonly packets: readonly Uint8Array[];
}

/** Fixtures of every format, and for the formats we can encode everything a batch can hold. */
function targets(): Target[] {
  const folder = fileURLToPath(new URL("../fixtures/", import.meta.url));
  const extra = new Map<string, Uint8Array>();
  const rich = randomBatch(7, { spans: 6, resources: 1 });
  extra.set("otlp-proto", encodeOtlpProto(rich));
  extra.set("jaeger-proto", Uint8Array.from(Buffer.concat(encodeJaegerPostSpans(rich, 2 ** 20))));
  extra.set("jaeger-thrift-http", encodeJaegerThrift(rich, "binary", false));
  extra.set("jaeger-thrift-udp-binary", encodeJaegerThrift(rich, "binary", true));
  extra.set("jaeger-thrift-udp-compact", encodeJaegerThrift(rich, "compact", true));
  return Object.entries(spanFormats).map(([name, format]) => {
    const files = readdirSync(folder + name).filter(
      (file) => file.endsWith(format.extension) && !file.endsWith(".spans.json"),
    );
    const packets = files.map((file) => Uint8Array.from(readFileSync(`${folder}${name}/${file}`)));
    const more = extra.get(name);
    return { name, format, packets: more === undefined ? packets : [...packets, more] };
  });
}

/** Runs for the seconds or packets given, or one packet. The same seed gives the same packets. */
export function fuzzCodecs(options: FuzzOptions): FuzzReport {
  const run = new FuzzRun(options);
  if (options.packet !== undefined) run.packet(options.packet);
  else run.loop();
  return run.report();
}

class FuzzRun {
  readonly #options: FuzzOptions;
  readonly #targets = targets();
  #builder = new BatchBuilder();
  #packets = 0;
  #decoded = 0;
  readonly #rejected: Record<string, number> = {};
  #slowestMs = 0;
  readonly #findings: string[] = [];

  constructor(options: FuzzOptions) {
    this.#options = options;
  }

  loop(): void {
    const { seconds = Infinity, packets = Infinity, say } = this.#options;
    const end = performance.now() + seconds * 1000;
    let nextLine = performance.now() + 60_000;
    let atStart = 0;
    for (let n = 0; n < packets && performance.now() < end; n++) {
      if (this.#findings.length === MOST_FINDINGS) break;
      if (n % PACKETS_A_BUILDER === 0) {
        this.#builder = new BatchBuilder();
        // What the first packets load and compile is no leak.
        if (n === PACKETS_A_BUILDER) atStart = settledBytes();
      }
      this.packet(n);
      if (performance.now() < nextLine) continue;
      nextLine += 60_000;
      say?.(`${this.#packets} packets, ${this.#decoded} decoded, slowest ${this.#slowestMs} ms`);
    }
    if (atStart === 0) return;
    this.#builder = new BatchBuilder();
    const grown = settledBytes() - atStart;
    if (grown > MEMORY_SLACK_BYTES) this.#findings.push(`memory grew by ${grown} bytes`);
  }

  /** Makes and decodes packet `n` of the seed. */
  packet(n: number): void {
    const random = seededRandom(
      Math.imul(this.#options.seed, 0x9e3779b1) ^ Math.imul(n, 0x85ebca6b),
    );
    const target = this.#targets[Math.floor(random() * this.#targets.length)]!;
    const golden = target.packets[Math.floor(random() * target.packets.length)]!;
    const bytes = mutate(golden, target.format.encoding, random);
    this.#packets++;
    const before = getHeapStatistics().external_memory;
    const start = performance.now();
    let batch: SpanBatch | undefined;
    try {
      batch = target.format.decode(bytes, this.#builder);
      this.#decoded++;
    } catch (error) {
      if (!isSpoorError(error, "malformed") && !isSpoorError(error, "too-large")) {
        this.#found(n, target, bytes, `threw ${String(error)}`);
      } else this.#count(`${target.name} ${error.code}`);
    }
    const tookMs = performance.now() - start;
    if (tookMs > MOST_MS && this.#fastest(target, bytes) > MOST_MS) {
      this.#found(n, target, bytes, `took ${tookMs.toFixed(0)} ms`);
    }
    this.#slowestMs = Math.max(this.#slowestMs, Math.round(tookMs));
    const external = getHeapStatistics().external_memory - before;
    if (external > MOST_EXTERNAL_BYTES) this.#found(n, target, bytes, `took ${external} bytes`);
    if (batch !== undefined) this.#check(n, target, bytes, batch);
  }

  #check(n: number, target: Target, bytes: Uint8Array, batch: SpanBatch): void {
    if (batch.image.length > SMALL_BYTES + bytes.length * MOST_GROWTH) {
      this.#found(n, target, bytes, `became ${batch.image.length} bytes`);
    }
    if (this.#decoded % ENCODE_EVERY !== 0) return;
    try {
      const again = spanFormats["otlp-proto"]!.decode(encodeOtlpProto(batch), new BatchBuilder());
      if (again.spanCount !== batch.spanCount) this.#found(n, target, bytes, "lost spans as OTLP");
      encodeJaegerPostSpans(batch, 4096);
      dumpJaeger(batch);
    } catch (error) {
      this.#found(n, target, bytes, `cannot be written: ${String(error)}`);
    }
  }

  /** CPU time, the best of three more runs: a machine with other work is no finding. */
  #fastest(target: Target, bytes: Uint8Array): number {
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = process.threadCpuUsage();
      try {
        target.format.decode(bytes, this.#builder);
      } catch {
        // Whether it is the right error was checked before.
      }
      const { user, system } = process.threadCpuUsage(start);
      best = Math.min(best, (user + system) / 1000);
    }
    return best;
  }

  #count(reason: string): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
  }

  #found(n: number, target: Target, bytes: Uint8Array, what: string): void {
    const shown = Buffer.from(bytes.subarray(0, 600)).toString("base64");
    const line = `${target.name}, seed ${this.#options.seed}, packet ${n}: ${what}; ${shown}`;
    this.#findings.push(line);
    this.#options.say?.(line);
  }

  report(): FuzzReport {
    return {
      packets: this.#packets,
      decoded: this.#decoded,
      rejected: this.#rejected,
      slowestMs: this.#slowestMs,
      findings: this.#findings,
    };
  }
}

/** V8's collector, which is callable only in contexts made while its flag is set. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** Memory in use once garbage is gone. */
function settledBytes(): number {
  const collect = garbageCollector();
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
