/** The sanitize stage: what Jaeger's collector repairs, negative durations and malformed texts. */

import { equalBytes, utf8Bytes } from "../base/bytes.ts";
import type { AttributeTableBuilder } from "../core/attribute-table.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import type { Sink, Stage } from "../core/flow.ts";
import { attributeValue, dictEntry, exactStartNs, valueText } from "../core/read.ts";
import { badTextsOf } from "./bad-text.ts";
import type { BadTexts } from "./bad-text.ts";
import { rebuildBatch } from "./rebuild.ts";
import type { BatchChange } from "./rebuild.ts";

const DURATION_KEY = "InvalidNegativeDuration";
const DURATION_TEXT = utf8Bytes("Duration can't be negative, so it is changed to default value");
const NAME_KEY = "InvalidOperationName";
const SERVICE_KEY = "InvalidServiceName";
const ATTRIBUTE_KEY = "InvalidTagKey";
const EVENT_KEY = "event";
const SERVICE_NAME = utf8Bytes("service.name");
const COLON = 0x3a;

/** A stage that repairs; batches with nothing to repair pass as they are. */
export function sanitizeStage(): Stage {
  return (next: Sink): Sink => ({
    push(batch, origin, signal) {
      const bad = badTextsOf(batch);
      const fine = bad === undefined && !hasNegative(batch);
      return next.push(fine ? batch : repaired(batch, bad), origin, signal);
    },
  });
}

function hasNegative(batch: SpanBatch): boolean {
  const { durationNs, spanCount } = batch;
  for (let i = 0; i < spanCount; i++) if (durationNs[i]! < 0) return true;
  return false;
}

function repaired(batch: SpanBatch, bad: BadTexts | undefined): SpanBatch {
  const texts = bad === undefined ? undefined : new TextRepair(batch, bad);
  const change: BatchChange = {
    span(builder, row, i) {
      if (batch.durationNs[i]! < 0) repairDuration(builder, row, batch, i);
      texts?.span(builder, row, i);
    },
  };
  if (texts === undefined) return rebuildBatch(batch, change);
  return rebuildBatch(batch, {
    ...change,
    attribute: (builder, to, from, a) => texts.attribute(builder, to, from, a),
    event: (builder, row, e) => texts.event(builder, row, e),
  });
}

function repairDuration(builder: BatchBuilder, row: number, batch: SpanBatch, i: number): void {
  const rare = batch.rare[i]!;
  if (rare !== 0 && batch.rareExact[rare - 1] === 1) {
    builder.setExactTimes(row, exactStartNs(batch, i), 1n);
  } else builder.durationNs[row] = 1;
  addBytes(builder, builder.spanAttributes, DURATION_KEY, DURATION_TEXT);
}

function addBytes(
  builder: BatchBuilder,
  table: AttributeTableBuilder,
  key: string,
  bytes: Uint8Array,
): void {
  table.add(builder.key(builder.text(key), ATTRIBUTE_TYPE.BYTES), builder.bytes(bytes));
}

/** Puts malformed texts where bytes may stand, and a word that tells of it where they stood. */
class TextRepair {
  readonly #batch: SpanBatch;
  readonly #bad: BadTexts;

  constructor(batch: SpanBatch, bad: BadTexts) {
    this.#batch = batch;
    this.#bad = bad;
  }

  span(builder: BatchBuilder, row: number, i: number): void {
    const batch = this.#batch;
    const name = batch.nameId[i]!;
    if (this.#bad.has(name)) {
      builder.nameId[row] = builder.text(NAME_KEY);
      addBytes(builder, builder.spanAttributes, NAME_KEY, dictEntry(batch, name));
    }
    const service = batch.resourceServiceId[batch.resourceRow[i]!]!;
    if (this.#bad.has(service)) {
      addBytes(builder, builder.spanAttributes, SERVICE_KEY, dictEntry(batch, service));
    }
  }

  event(builder: BatchBuilder, row: number, e: number): void {
    const name = this.#batch.eventNameId[e]!;
    if (!this.#bad.has(name)) return;
    builder.eventNameId[row] = 0;
    addBytes(builder, builder.eventAttributes, EVENT_KEY, dictEntry(this.#batch, name));
  }

  /** Whether the attribute was added in another form. */
  attribute(
    builder: BatchBuilder,
    to: AttributeTableBuilder,
    from: AttributeTable,
    a: number,
  ): boolean {
    const batch = this.#batch;
    const key = from.key[a]!;
    const type = batch.keyType[key]!;
    const nameId = batch.keyNameId[key]!;
    const name = dictEntry(batch, nameId);
    if (this.#bad.has(nameId)) {
      const isText = type === ATTRIBUTE_TYPE.STRING;
      const text = isText
        ? dictEntry(batch, from.value[a]!)
        : utf8Bytes(valueText(type, attributeValue(batch, from, a)));
      addBytes(builder, to, ATTRIBUTE_KEY, joined(name, text));
      return true;
    }
    const value = from.value[a]!;
    if (type !== ATTRIBUTE_TYPE.STRING || !this.#bad.has(value)) return false;
    const id = builder.bytes(name);
    if (from === batch.resourceAttributes && isServiceName(name)) {
      to.add(builder.key(id, ATTRIBUTE_TYPE.STRING), builder.text(SERVICE_KEY));
    } else {
      to.add(builder.key(id, ATTRIBUTE_TYPE.BYTES), builder.bytes(dictEntry(batch, value)));
    }
    return true;
  }
}

/** `name:text`. */
function joined(name: Uint8Array, text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(name.length + 1 + text.length);
  bytes.set(name);
  bytes[name.length] = COLON;
  bytes.set(text, name.length + 1);
  return bytes;
}

function isServiceName(name: Uint8Array): boolean {
  const length = SERVICE_NAME.length;
  return name.length === length && equalBytes(name, 0, SERVICE_NAME, 0, length);
}
