/** The REST family of a group: which rows have rare things, and those things as a batch. */

import type { SpanBatch } from "../../core/batch.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { ByteSink } from "./byte-sink.ts";
import type { GroupRange } from "./segment-core.ts";
import { SPILLED } from "./segment-gather.ts";
import type { Gathered } from "./segment-gather.ts";
import type { RowOrder } from "./segment-order.ts";
import type { ColumnPlan } from "./segment-plan.ts";
import { copyId, copyRest, copyValue, eventBase } from "./segment-rest.ts";
import type { PlainRows } from "./segment-rows.ts";

/** What the family is made from. */
export interface RestSource {
  readonly batches: readonly SpanBatch[];
  readonly order: RowOrder;
  readonly sourceOf: Uint32Array;
  readonly plain: PlainRows;
  readonly gathered: Gathered;
  readonly plan: ColumnPlan;
}

/** Encodes REST of groups: count, rows (u32, within the group), padding, batch image. */
export class RestEncoder {
  readonly #source: RestSource;
  readonly #builder = new BatchBuilder();
  readonly #sink = new ByteSink(16 * 1024);
  readonly #keys = new Map<string, readonly ["event" | "link", string, number]>();
  /** By shape of the plan: 1 when it has a spilled attribute. */
  readonly #spills: Uint8Array;

  constructor(source: RestSource) {
    this.#source = source;
    const { shapes } = source.plan;
    this.#spills = new Uint8Array(shapes.count);
    for (let s = 0; s < shapes.count; s++) {
      const columns = shapes.columns.subarray(shapes.offsets[s]!, shapes.offsets[s + 1]!);
      if (columns.includes(SPILLED)) this.#spills[s] = 1;
    }
  }

  /** Keys seen on events and links so far. */
  keys(): (readonly ["event" | "link", string, number])[] {
    return [...this.#keys.values()];
  }

  /** The family's bytes, empty when no row has anything; valid until the next call. */
  encode(range: GroupRange): Uint8Array {
    const { sourceOf, plain, gathered, plan, order, batches } = this.#source;
    const builder = this.#builder;
    builder.reset();
    const rows: number[] = [];
    for (let p = range.from; p < range.to; p++) {
      const g = sourceOf[p]!;
      const spills = this.#spills[plan.shapeOf[gathered.shapeOf[g]!]!] === 1;
      if (plain.rest[g] === 0 && !spills) continue;
      rows.push(p - range.from);
      const batch = batches[order.batchOf[p]!]!;
      const row = order.rowOf[p]!;
      const made = builder.addSpan(0, 0);
      if (spills) this.#spilled(batch, row, g);
      copyRest(builder, made, batch, row, eventBase(batch.startUs[row]!));
    }
    this.#sink.reset();
    if (rows.length === 0) return this.#sink.written();
    const image = builder.finish();
    this.#collectKeys(image);
    this.#sink.u32(rows.length);
    for (const row of rows) this.#sink.u32(row);
    this.#sink.align();
    this.#sink.raw(image.image);
    return this.#sink.written();
  }

  #spilled(batch: SpanBatch, row: number, g: number): void {
    const builder = this.#builder;
    const { gathered, plan } = this.#source;
    const table = batch.spanAttributes;
    const { shapes } = plan;
    let k = shapes.offsets[plan.shapeOf[gathered.shapeOf[g]!]!]!;
    for (let a = table.offsets[row]!; a < table.offsets[row + 1]!; a++, k++) {
      if (shapes.columns[k] !== SPILLED) continue;
      const type = batch.keyType[table.key[a]!]!;
      const name = copyId(builder, batch, batch.keyNameId[table.key[a]!]!);
      const value = copyValue(builder, batch, type, table.value[a]!);
      builder.spanAttributes.add(builder.key(name, type), value);
    }
  }

  #collectKeys(image: SpanBatch): void {
    for (const level of ["event", "link"] as const) {
      const table = level === "event" ? image.eventAttributes : image.linkAttributes;
      for (const key of new Set(table.key)) {
        const id = image.keyNameId[key]!;
        const name = image.dictBytes.subarray(image.dictOffsets[id]!, image.dictOffsets[id + 1]!);
        const text = Buffer.from(name).toString("base64");
        const type = image.keyType[key]!;
        this.#keys.set(`${level}${type}${text}`, [level, text, type]);
      }
    }
  }
}
