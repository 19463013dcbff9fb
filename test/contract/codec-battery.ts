/** What every codec must do: one battery, run over each by test/contract/codecs.test.ts. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { fileURLToPath } from "node:url";
import { seededRandom } from "../../src/base/clock.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import { dumpBatch } from "../support/batch-equal.ts";
import { randomBatch } from "../support/random-batch.ts";
import type { RandomBatchOptions } from "../support/random-batch.ts";

/** What says which span is meant. */
interface Named {
  readonly traceId: string;
  readonly spanId: string;
}

/** A codec as the battery sees it. */
export interface Codec {
  readonly name: string;
  /** Folder under test/fixtures, and how its files of bytes end. */
  readonly fixtures: string;
  readonly extension: string;
  readonly decode: (bytes: Uint8Array, builder: BatchBuilder) => SpanBatch;
  /** Undefined for a format that is only read, and that no test has a writer of. */
  readonly encode: ((batch: SpanBatch) => Uint8Array) | undefined;
  /** What the format can carry; each thing left out is left out for good reason. */
  readonly carries: RandomBatchOptions;
  /** What of a batch the format is to keep, where it cannot keep all; all of it by default. */
  readonly dump?: (batch: SpanBatch) => Named[];
}

const FIXTURES = fileURLToPath(new URL("../fixtures/", import.meta.url));
const RANDOM_BATCHES = 60;
const MUTATIONS = 500;
/** Cutting at every byte is quadratic in the size of what is cut. */
const CUT_BYTES = 6000;

/** Bytes of every fixture of a codec, by case. */
export function codecFixtures(
  codec: Pick<Codec, "fixtures" | "extension">,
): Map<string, Uint8Array> {
  const folder = `${FIXTURES}${codec.fixtures}/`;
  const names = readdirSync(folder).filter((name) => name.endsWith(codec.extension));
  return new Map(names.map((name) => [name, Uint8Array.from(readFileSync(folder + name))]));
}

/** Registers the battery's tests for a codec. The seed of a failure is in its message. */
export function codecBattery(codec: Codec, seed: number): void {
  const builder = new BatchBuilder();
  const dump: (batch: SpanBatch) => Named[] = codec.dump ?? dumpBatch;
  const { encode } = codec;
  if (encode !== undefined) roundTrips(codec, encode, seed);

  test(`${codec.name}: cut at every byte, it is an error with a code or fewer spans`, () => {
    const inputs = [...codecFixtures(codec).values()];
    assert.ok(inputs.length > 0);
    if (encode !== undefined)
      inputs.push(encode(randomBatch(seed, { ...codec.carries, spans: 6 })));
    for (const bytes of inputs) {
      const whole = codec.decode(bytes, builder).spanCount;
      assert.ok(whole > 0);
      const step = Math.max(1, Math.floor(bytes.length / CUT_BYTES));
      for (let length = 0; length < bytes.length; length += step) {
        const batch = decodeOrError(codec, bytes.slice(0, length), builder);
        if (batch !== undefined) assert.ok(batch.spanCount < whole, `cut at ${length}`);
      }
    }
  });

  test(`${codec.name}: changed bytes give an error with a code or a batch that can be read`, () => {
    const random = seededRandom(seed);
    const inputs = [...codecFixtures(codec).values()];
    if (encode !== undefined) {
      inputs.push(encode(randomBatch(seed, { ...codec.carries, spans: 10 })));
    }
    for (let n = 0; n < MUTATIONS; n++) {
      const bytes = inputs[n % inputs.length]!.slice();
      for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      }
      const batch = decodeOrError(codec, bytes, builder);
      if (batch === undefined) continue;
      const shown = unordered(dump(batch));
      if (encode === undefined) continue;
      const again = codec.decode(encode(batch), builder);
      // A changed byte may have put spans of one process between those of another: encoding
      // groups them.
      assert.deepEqual(unordered(dump(again)), shown, `seed ${seed}, change ${n}`);
    }
  });
}

/** The spans as texts, whatever order they came in. */
function unordered(spans: readonly Named[]): string[] {
  return spans.map((span) => inspect(span, { depth: null })).toSorted();
}

function roundTrips(codec: Codec, encode: (batch: SpanBatch) => Uint8Array, seed: number): void {
  const builder = new BatchBuilder();
  const dump: (batch: SpanBatch) => Named[] = codec.dump ?? dumpBatch;

  test(`${codec.name}: there are fixtures, and each survives decode, encode, decode`, () => {
    const fixtures = codecFixtures(codec);
    assert.ok(fixtures.size > 0);
    for (const [name, bytes] of fixtures) {
      const batch = codec.decode(bytes, builder);
      assert.ok(batch.spanCount > 0, name);
      assert.deepEqual(dump(codec.decode(encode(batch), builder)), dump(batch), name);
    }
  });

  test(`${codec.name}: random batches survive encode, decode`, () => {
    for (let n = 0; n < RANDOM_BATCHES; n++) {
      const batch = randomBatch(seed + n, { ...codec.carries, grouped: true });
      const again = codec.decode(encode(batch), builder);
      assert.deepEqual(dump(again), dump(batch), `seed ${seed + n}`);
    }
  });

  test(`${codec.name}: spans in any order all arrive`, () => {
    const batch = randomBatch(seed, { ...codec.carries, grouped: false, spans: 60 });
    const again = dump(codec.decode(encode(batch), builder));
    const byId = (a: Named, b: Named): number =>
      a.traceId + a.spanId < b.traceId + b.spanId ? -1 : 1;
    assert.deepEqual(again.sort(byId), dump(batch).sort(byId), `seed ${seed}`);
  });
}

/** The batch, or undefined when decoding says the bytes are bad; any other error is a failure. */
function decodeOrError(
  codec: Codec,
  bytes: Uint8Array,
  builder: BatchBuilder,
): SpanBatch | undefined {
  try {
    return codec.decode(bytes, builder);
  } catch (error) {
    if (isSpoorError(error, "malformed") || isSpoorError(error, "too-large")) return undefined;
    throw error;
  }
}
