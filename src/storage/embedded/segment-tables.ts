/** The tables of a segment: its operations, resources and scopes, as one small batch. */

import { SPAN_KIND } from "../../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../../core/batch.ts";
import { BatchBuilder } from "../../core/builder.ts";
import type { AttributeTableBuilder } from "../../core/attribute-table.ts";
import { dictText } from "../../core/read.ts";
import { copyValue } from "./segment-rest.ts";

/** Codes of all rows in the tables, row `g` as in Gathered. */
export interface TableCodes {
  /** Operation (name, kind, flags, scope) of each row: span rows of the tables' batch. */
  readonly operationOf: Uint32Array;
  readonly resourceOf: Uint32Array;
  readonly tables: SpanBatch;
  /** Distinct (service, name, kind). */
  readonly operations: readonly (readonly [string, string, number])[];
}

/** Makes the tables of `batches`, whose first rows are `base`. */
export function makeTables(batches: readonly SpanBatch[], base: Uint32Array): TableCodes {
  const maker = new TableMaker(base.at(-1)!);
  batches.forEach((batch, b) => maker.add(batch, base[b]!));
  const tables = maker.builder.finish();
  const { operationOf, resourceOf } = maker;
  const operations = listOperations(tables, operationOf, resourceOf);
  return { operationOf, resourceOf, tables, operations };
}

class TableMaker {
  readonly builder = new BatchBuilder();
  readonly operationOf: Uint32Array;
  readonly resourceOf: Uint32Array;
  readonly #rows = new Map<string, number>();

  constructor(rows: number) {
    this.operationOf = new Uint32Array(rows);
    this.resourceOf = new Uint32Array(rows);
  }

  add(batch: SpanBatch, base: number): void {
    const resources = new Uint32Array(batch.resourceCount);
    for (let r = 0; r < resources.length; r++) resources[r] = this.#resource(batch, r);
    const scopes = new Uint32Array(batch.scopeCount);
    for (let s = 0; s < scopes.length; s++) scopes[s] = this.#scope(batch, s);
    const { nameId, kind, flags, resourceRow, scopeRow } = batch;
    // The last operation seen for a name, so that most rows cost four compares.
    const last = new Int32Array(batch.dictCount).fill(-1);
    for (let r = 0; r < batch.spanCount; r++) {
      this.resourceOf[base + r] = resources[resourceRow[r]!]!;
      const name = nameId[r]!;
      const scope = scopes[scopeRow[r]!]!;
      let code = last[name]!;
      const b = this.builder;
      const same =
        code >= 0 &&
        b.kind[code] === kind[r] &&
        b.flags[code] === flags[r] &&
        b.scopeRow[code] === scope;
      if (!same) {
        code = this.#operation(batch, r, scope);
        last[name] = code;
      }
      this.operationOf[base + r] = code;
    }
  }

  #operation(batch: SpanBatch, row: number, scope: number): number {
    const name = intern(this.builder, batch, batch.nameId[row]!);
    const signature = `o${name},${batch.kind[row]!},${batch.flags[row]!},${scope}`;
    return this.#known(signature, () => {
      const made = this.builder.addSpan(0, scope);
      this.builder.nameId[made] = name;
      this.builder.kind[made] = batch.kind[row]!;
      this.builder.flags[made] = batch.flags[row]!;
      return made;
    });
  }

  #resource(batch: SpanBatch, row: number): number {
    const builder = this.builder;
    const entries = copyEntries(builder, batch, batch.resourceAttributes, row);
    const dropped = batch.resourceDropped[row]!;
    const schema = intern(builder, batch, batch.resourceSchemaUrlId[row]!);
    return this.#known(`r${dropped},${schema},${entries.join()}`, () => {
      const made = builder.addResource();
      addEntries(builder.resourceAttributes, entries);
      builder.resourceDropped[made] = dropped;
      builder.resourceSchemaUrlId[made] = schema;
      return made;
    });
  }

  #scope(batch: SpanBatch, row: number): number {
    const builder = this.builder;
    const entries = copyEntries(builder, batch, batch.scopeAttributes, row);
    const name = intern(builder, batch, batch.scopeNameId[row]!);
    const version = intern(builder, batch, batch.scopeVersionId[row]!);
    const schema = intern(builder, batch, batch.scopeSchemaUrlId[row]!);
    const dropped = batch.scopeDropped[row]!;
    return this.#known(`s${name},${version},${schema},${dropped},${entries.join()}`, () => {
      const made = builder.addScope();
      addEntries(builder.scopeAttributes, entries);
      builder.scopeNameId[made] = name;
      builder.scopeVersionId[made] = version;
      builder.scopeSchemaUrlId[made] = schema;
      builder.scopeDropped[made] = dropped;
      return made;
    });
  }

  #known(signature: string, make: () => number): number {
    let row = this.#rows.get(signature);
    if (row === undefined) {
      row = make();
      this.#rows.set(signature, row);
    }
    return row;
  }
}

function intern(builder: BatchBuilder, batch: SpanBatch, id: number): number {
  const offsets = batch.dictOffsets;
  return builder.dictionary.intern(batch.dictBytes, offsets[id]!, offsets[id + 1]!);
}

/** Key and value ids, alternating, of an owner's attributes in the builder's terms. */
function copyEntries(
  builder: BatchBuilder,
  batch: SpanBatch,
  table: AttributeTable,
  owner: number,
): number[] {
  const entries: number[] = [];
  for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
    const key = table.key[a]!;
    const type = batch.keyType[key]!;
    entries.push(builder.key(intern(builder, batch, batch.keyNameId[key]!), type));
    entries.push(copyValue(builder, batch, type, table.value[a]!));
  }
  return entries;
}

function addEntries(table: AttributeTableBuilder, entries: readonly number[]): void {
  for (let i = 0; i < entries.length; i += 2) table.add(entries[i]!, entries[i + 1]!);
}

function listOperations(
  tables: SpanBatch,
  operationOf: Uint32Array,
  resourceOf: Uint32Array,
): (readonly [string, string, number])[] {
  const seen = new Uint8Array(tables.spanCount * tables.resourceCount);
  const found = new Map<string, readonly [string, string, number]>();
  for (let g = 0; g < operationOf.length; g++) {
    const cell = operationOf[g]! * tables.resourceCount + resourceOf[g]!;
    if (seen[cell] === 1) continue;
    seen[cell] = 1;
    const operation = operationOf[g]!;
    const service = dictText(tables, tables.resourceServiceId[resourceOf[g]!]!);
    const name = dictText(tables, tables.nameId[operation]!);
    const kind = tables.kind[operation] ?? SPAN_KIND.UNSPECIFIED;
    found.set(JSON.stringify([service, name, kind]), [service, name, kind]);
  }
  return [...found.values()];
}
