/** Arbitrary span batches from a seed: everything a batch can hold, the absurd included. */

import { seededRandom } from "../../src/base/clock.ts";
import type { Random } from "../../src/base/clock.ts";
import { utf8Bytes } from "../../src/base/bytes.ts";
import type { AttributeTableBuilder } from "../../src/core/attribute-table.ts";
import { ATTRIBUTE_TYPE } from "../../src/core/batch.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import { ProtobufWriter } from "../../src/wire/protobuf-writer.ts";

/** What a format cannot carry is left out by turning it off here. */
export interface RandomBatchOptions {
  /** Spans; by default 0 to 40. */
  readonly spans?: number;
  /** Texts that are not UTF-8. Default true. */
  readonly rawTexts?: boolean;
  /** NaN with other bits than JavaScript's own. Default true. */
  readonly oddNaN?: boolean;
  /** `i63`, `u64`: 0 ≤ start, end < 2^63 or 2^64 ns. `any`: before 1970 too. Default `any`. */
  readonly times?: "i63" | "u64" | "any";
  /** Spans of a resource and scope follow each other. Default false. */
  readonly grouped?: boolean;
  /** Resources at most; by default 1 to 3. */
  readonly resources?: number;
  /** Trace and span ids of zeros. Default false. */
  readonly zeroIds?: boolean;
}

const TEXTS = ["", "a", "GET /api/users/{id}", "häßlich ☃ 𝄞", '\u0000\u001f"\\<&>\u2028', "GET"];
const KEYS = ["", "http.method", "http.status_code", "ключ", "a.b", "net.peer.port", "error", "x"];
const RAW = [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0x80, 0x80, 0x00]];
const INTS = [0n, 1n, -1n, 200n, 2n ** 53n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const DOUBLES = [0, -0, 0.1, NaN, Infinity, -Infinity, 5e-324, 1.7976931348623157e308, 1e21, 42];
const START_NS = 1_700_000_000_123_456_789n;

/** A batch that only depends on the seed and the options. */
export function randomBatch(seed: number, options: RandomBatchOptions = {}): SpanBatch {
  return new RandomBatch(seededRandom(seed), options).make();
}

class RandomBatch {
  readonly #random: Random;
  readonly #options: RandomBatchOptions;
  readonly #builder = new BatchBuilder();

  constructor(random: Random, options: RandomBatchOptions) {
    this.#random = random;
    this.#options = options;
  }

  make(): SpanBatch {
    const spans = this.#options.spans ?? this.#below(41);
    const resources = Math.min(1 + this.#below(3), this.#options.resources ?? 3);
    const scopes = 1 + this.#below(3);
    for (let r = 0; r < resources; r++) this.#resource();
    for (let s = 0; s < resources * scopes; s++) this.#scope();
    const places = Array.from({ length: spans }, () => {
      const resource = this.#below(resources);
      return { resource, scope: resource * scopes + this.#below(scopes) };
    });
    if (this.#options.grouped === true) {
      places.sort((a, b) => a.resource - b.resource || a.scope - b.scope);
    }
    for (const { resource, scope } of places) this.#span(resource, scope);
    return this.#builder.finish();
  }

  #resource(): void {
    const builder = this.#builder;
    const r = builder.addResource();
    if (!this.#chance(0.2)) {
      const key = builder.key(builder.text("service.name"), ATTRIBUTE_TYPE.STRING);
      builder.resourceAttributes.add(key, this.#text());
    }
    this.#attributes(builder.resourceAttributes);
    builder.resourceDropped[r] = this.#droppedCount();
    builder.resourceSchemaUrlId[r] = this.#chance(0.5) ? this.#text() : 0;
  }

  #scope(): void {
    const builder = this.#builder;
    const s = builder.addScope();
    builder.scopeNameId[s] = this.#text();
    builder.scopeVersionId[s] = this.#text();
    builder.scopeDropped[s] = this.#droppedCount();
    builder.scopeSchemaUrlId[s] = this.#chance(0.3) ? this.#text() : 0;
    this.#attributes(builder.scopeAttributes);
  }

  #span(resource: number, scope: number): void {
    const builder = this.#builder;
    const i = builder.addSpan(resource, scope);
    const zero = this.#options.zeroIds === true;
    this.#id(builder.traceId, i * 16, 16, zero);
    this.#id(builder.spanId, i * 8, 8, zero);
    if (this.#chance(0.7)) this.#id(builder.parentSpanId, i * 8, 8, true);
    builder.nameId[i] = this.#text();
    builder.kind[i] = this.#below(6);
    builder.status[i] = this.#below(3);
    builder.statusMessageId[i] = this.#chance(0.2) ? this.#text() : 0;
    builder.traceStateId[i] = this.#chance(0.2) ? this.#text() : 0;
    builder.flags[i] = this.#chance(0.1) ? 0xffff_ffff : this.#below(4) * 0x100 + this.#below(2);
    this.#times(i);
    this.#attributes(builder.spanAttributes);
    for (let e = this.#few(); e > 0; e--) this.#event();
    for (let l = this.#few(); l > 0; l--) this.#link();
    if (this.#chance(0.1)) {
      builder.setDropped(i, this.#droppedCount(), this.#droppedCount(), this.#droppedCount());
    }
  }

  #times(i: number): void {
    const builder = this.#builder;
    if (!this.#chance(0.3)) {
      builder.startUs[i] = 1_700_000_000_000_000 + this.#below(1e9);
      builder.startNs[i] = this.#below(1000);
      builder.durationNs[i] = this.#chance(0.1) ? 0 : this.#below(1e12);
      return;
    }
    const start = this.#time();
    builder.setExactTimes(i, start, this.#time() - start);
  }

  #time(): bigint {
    const times = [0n, 1n, 999n, 1000n, START_NS, 2n ** 53n, 2n ** 63n - 1n];
    times.push(2n ** 53n * 1000n - 1n, 2n ** 53n * 1000n);
    const range = this.#options.times ?? "any";
    if (range !== "i63") times.push(2n ** 63n, 2n ** 64n - 1n);
    if (range === "any") times.push(-1n, -1000n, -1001n, -START_NS, -(2n ** 63n), 2n ** 64n);
    return times[this.#below(times.length)]!;
  }

  #event(): void {
    const builder = this.#builder;
    const ns = this.#chance(0.2) ? this.#time() : START_NS + BigInt(this.#below(1e9));
    const rest = ((ns % 1000n) + 1000n) % 1000n;
    const us = (ns - rest) / 1000n;
    const e = builder.addEvent(Number(us), Number(rest), this.#text());
    if (us >= 2n ** 53n || us <= -(2n ** 53n)) builder.setExactEventUs(e, us);
    builder.eventDropped[e] = this.#droppedCount();
    this.#attributes(builder.eventAttributes);
  }

  #link(): void {
    const builder = this.#builder;
    const l = builder.addLink();
    this.#id(builder.linkTraceId, l * 16, 16, true);
    this.#id(builder.linkSpanId, l * 8, 8, true);
    builder.linkTraceStateId[l] = this.#chance(0.3) ? this.#text() : 0;
    builder.linkFlags[l] = this.#below(0x400);
    builder.linkDropped[l] = this.#droppedCount();
    this.#attributes(builder.linkAttributes);
  }

  #attributes(table: AttributeTableBuilder): void {
    const builder = this.#builder;
    const count = this.#chance(0.05) ? 60 : this.#below(8);
    for (let n = 0; n < count; n++) {
      const nameId = builder.text(
        this.#chance(0.9) ? KEYS[this.#below(KEYS.length)]! : `key-${this.#below(50)}`,
      );
      const type = 1 + this.#below(8);
      table.add(builder.key(nameId, type), this.#value(type));
    }
  }

  #value(type: number): number {
    const builder = this.#builder;
    switch (type) {
      case ATTRIBUTE_TYPE.STRING:
        return this.#text();
      case ATTRIBUTE_TYPE.BOOL:
        return this.#below(2);
      case ATTRIBUTE_TYPE.INT:
        return builder.int(this.#chance(0.5) ? BigInt(this.#below(1e6)) : this.#pick(INTS));
      case ATTRIBUTE_TYPE.DOUBLE:
        return this.#double();
      case ATTRIBUTE_TYPE.BYTES:
        return builder.bytes(this.#bytes());
      case ATTRIBUTE_TYPE.EMPTY:
        return 0;
      default: {
        const writer = new ProtobufWriter(new Uint8Array(256), 1 << 24);
        this.#elements(writer, type === ATTRIBUTE_TYPE.MAP, 0);
        return builder.bytes(writer.bytes.subarray(0, writer.position));
      }
    }
  }

  #double(): number {
    if (this.#options.oddNaN !== false && this.#chance(0.1)) {
      return this.#builder.bytes(Uint8Array.of(1, 2, 3, 0, 0, 0, 0xf8, 0xff));
    }
    return this.#builder.double(this.#chance(0.3) ? this.#random() : this.#pick(DOUBLES));
  }

  /** The content of an ArrayValue or KeyValueList, in the shortest form protobuf has. */
  #elements(writer: ProtobufWriter, keyed: boolean, depth: number): void {
    for (let n = this.#below(4); n > 0; n--) {
      const element = writer.begin(0x0a);
      if (keyed) {
        const key = this.#pick(KEYS);
        if (key !== "") writer.fieldString(0x0a, key);
        const value = writer.begin(0x12);
        this.#anyValue(writer, depth);
        writer.end(value);
      } else this.#anyValue(writer, depth);
      writer.end(element);
    }
  }

  #anyValue(writer: ProtobufWriter, depth: number): void {
    const kind = this.#below(depth < 4 ? 8 : 6);
    if (kind === 0) writer.fieldString(0x0a, this.#pick(TEXTS));
    else if (kind === 1) writer.fieldVarint(0x10, this.#below(2));
    else if (kind === 2) writer.fieldVarint64(0x18, this.#below(2) - 1, this.#below(1e6));
    else if (kind === 3) writer.fieldDouble(0x21, this.#pick(DOUBLES));
    else if (kind === 4) writer.fieldBytes(0x3a, this.#bytes());
    else if (kind > 5) {
      const inner = writer.begin(kind === 6 ? 0x2a : 0x32);
      this.#elements(writer, kind === 7, depth + 1);
      writer.end(inner);
    }
  }

  #text(): number {
    const kind = this.#random();
    if (kind < 0.05 && this.#options.rawTexts !== false) {
      return this.#builder.bytes(Uint8Array.from(this.#pick(RAW)));
    }
    if (kind < 0.1) return this.#builder.text("long ".repeat(this.#below(200)));
    if (kind < 0.4) return this.#builder.text(`value-${this.#below(1000)}`);
    return this.#builder.bytes(utf8Bytes(this.#pick(TEXTS)));
  }

  #bytes(): Uint8Array {
    return Uint8Array.from({ length: this.#below(20) }, () => this.#below(256));
  }

  #id(out: Uint8Array, at: number, length: number, zero: boolean): void {
    if (zero && this.#chance(0.1)) return;
    for (let i = 0; i < length; i++) out[at + i] = this.#below(256);
    out[at] = out[at]! | 1;
  }

  #droppedCount(): number {
    return this.#chance(0.9) ? 0 : this.#pick([1, 7, 0xffff_ffff]);
  }

  #few(): number {
    return this.#chance(0.7) ? 0 : this.#below(4);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)]!;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }
}
