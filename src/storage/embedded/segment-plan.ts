/** Decides how each column of a segment is kept, and renumbers shapes and values for that. */

import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import { ByteSink } from "./byte-sink.ts";
import { NEVER_RAW, ShapeTable, SPILLED } from "./segment-gather.ts";
import type { Gathered } from "./segment-gather.ts";
import { MAX_COLUMNS, MAX_DICTIONARY, MAX_SHAPES, SMALL_DICTIONARY } from "./segment-format.ts";

/** How a column of span attributes is kept. */
export interface PlannedColumn {
  readonly nameId: number;
  readonly type: number;
  readonly kind: "dict" | "raw" | "spilled";
  /** As gathered: source row from which on values are ids of the row's own batch. */
  readonly rawFrom: number;
  readonly uses: number;
  readonly distinct: number;
  /** dict: the values (as PairTable has them) in order of code. */
  readonly values: Uint32Array;
  /** dict: uses of each code in the segment, at most 255. */
  readonly valueUses: Uint8Array;
  /** Bytes of a code: 1 or 2. */
  readonly width: number;
}

/** The plan of a segment. Column numbers are those of `columns` (spilled ones included). */
export interface ColumnPlan {
  readonly columns: readonly PlannedColumn[];
  /** Column as gathered → column of the plan. */
  readonly columnOf: Uint32Array;
  /** By pair: its code, when its column has a dictionary. Two bytes: it is read at random. */
  readonly codeOf: Uint16Array;
  /** Shape as gathered → shape of the plan. */
  readonly shapeOf: Uint32Array;
  /** Shapes over the plan's columns; SPILLED stands for an attribute kept with the rest. */
  readonly shapes: ShapeTable;
  readonly anySpilled: boolean;
}

/** Decides the columns of what was gathered. */
export function planColumns(gathered: Gathered): ColumnPlan {
  const { pairs, columns } = gathered;
  const uses = Uint32Array.from(columns, (column) => column.uses + column.rawUses);
  const distinct = Uint32Array.from(columns, (column) => column.distinct + column.rawUses);
  // Keys of other levels (resources, events) are gathered too, but no span uses them.
  const used = Uint32Array.from(columns.keys()).filter((column) => uses[column]! > 0);
  const byUses = used.sort((a, b) => uses[b]! - uses[a]! || a - b);
  const columnOf = new Uint32Array(columns.length);
  byUses.forEach((column, rank) => {
    columnOf[column] = rank;
  });
  const planned = Array.from(byUses, (column, rank): PlannedColumn => {
    const spilled = rank >= MAX_COLUMNS;
    const { rawFrom } = columns[column]!;
    const dictionary = rawFrom === NEVER_RAW && repeats(uses[column]!, distinct[column]!);
    const kind = spilled ? "spilled" : dictionary ? "dict" : "raw";
    return {
      nameId: columns[column]!.nameId,
      type: columns[column]!.type,
      kind,
      rawFrom,
      uses: uses[column]!,
      distinct: distinct[column]!,
      values: new Uint32Array(kind === "dict" ? distinct[column]! : 0),
      valueUses: new Uint8Array(kind === "dict" ? distinct[column]! : 0),
      width: distinct[column]! <= 256 ? 1 : 2,
    };
  });
  const codeOf = new Uint16Array(pairs.count);
  const next = new Uint32Array(planned.length);
  for (let pair = 0; pair < pairs.count; pair++) {
    const column = columnOf[pairs.column[pair]!]!;
    if (planned[column]!.kind !== "dict") continue;
    const code = next[column]!++;
    planned[column]!.values[code] = pairs.value[pair]!;
    planned[column]!.valueUses[code] = Math.min(pairs.uses[pair]!, 255);
    codeOf[pair] = code;
  }
  const { shapes, shapeOf } = planShapes(gathered.shapes, columnOf);
  const anySpilled = planned.length > MAX_COLUMNS || gathered.shapes.count > MAX_SHAPES;
  return { columns: planned, columnOf, codeOf, shapes, shapeOf, anySpilled };
}

/** A dictionary pays when values repeat: three uses each, or few of them. */
function repeats(uses: number, distinct: number): boolean {
  if (distinct <= SMALL_DICTIONARY) return true;
  return distinct <= MAX_DICTIONARY && distinct * 3 <= uses;
}

function planShapes(
  gathered: ShapeTable,
  columnOf: Uint32Array,
): { shapes: ShapeTable; shapeOf: Uint32Array } {
  const shapes = new ShapeTable();
  const shapeOf = new Uint32Array(gathered.count);
  for (let s = 0; s < gathered.count; s++) {
    const from = gathered.offsets[s]!;
    const length = gathered.offsets[s + 1]! - from;
    const at = shapes.reserve(length);
    const all = shapes.count >= MAX_SHAPES;
    let hash = length;
    for (let i = 0; i < length; i++) {
      const column = columnOf[gathered.columns[from + i]!]!;
      const kept = all || column >= MAX_COLUMNS ? SPILLED : column;
      shapes.columns[at + i] = kept;
      hash = Math.imul(hash ^ kept, 0x9e3779b1) ^ (hash >>> 15);
    }
    shapeOf[s] = shapes.find(length, hash >>> 0);
  }
  return { shapes, shapeOf };
}

/** The shapes block: count, then lengths and columns as planes (0xffff for SPILLED). */
export function encodeShapes(shapes: ShapeTable): Uint8Array {
  const sink = new ByteSink(shapes.count * 16 + 64);
  const lengths = new Uint32Array(shapes.count);
  for (let s = 0; s < shapes.count; s++) lengths[s] = shapes.offsets[s + 1]! - shapes.offsets[s]!;
  const total = shapes.offsets[shapes.count]!;
  sink.u32(shapes.count);
  sink.u32(total);
  sink.planes(lengths, shapes.count, 2);
  sink.planes(shapes.columns, total, 2);
  return sink.written().slice();
}

/** Whether values of the type are 8-byte numbers in a dictionary. */
export function isNumeric(type: number): boolean {
  return type === ATTRIBUTE_TYPE.INT || type === ATTRIBUTE_TYPE.DOUBLE;
}

/** Whether values of the type are 0 or 1 themselves, without a dictionary entry. */
export function isLiteral(type: number): boolean {
  return type === ATTRIBUTE_TYPE.BOOL || type === ATTRIBUTE_TYPE.EMPTY;
}
