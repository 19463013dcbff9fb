/** Makes TraceColumns for tests: random trees, chains and flat families, from a seed. */

import { seededRandom } from "../../src/base/clock.ts";
import type { TraceColumns } from "../../ui/data/trace-columns.ts";
import type { RowRules } from "../../ui/layout/visible-rows.ts";

export interface TreeShape {
  readonly spans: number;
  readonly seed: number;
  /** mixed: short chains and families; deep: one chain; flat: one root, all its children. */
  readonly shape: "mixed" | "deep" | "flat";
  readonly services?: number;
}

/** Depths in display order: each at most one more than the one before. */
function depthsOf(shape: TreeShape, random: () => number): Uint32Array {
  const depth = new Uint32Array(shape.spans);
  for (let row = 1; row < shape.spans; row++) {
    if (shape.shape === "deep") depth[row] = row;
    else if (shape.shape === "flat") depth[row] = 1;
    else depth[row] = 1 + Math.floor(random() * Math.min(8, depth[row - 1]! + 1));
  }
  return depth;
}

/** Columns of a trace of that shape; every span lies within its parent. */
export function treeColumns(shape: TreeShape): TraceColumns {
  const random = seededRandom(shape.seed);
  const { spans } = shape;
  const serviceCount = shape.services ?? 7;
  const depth = depthsOf(shape, random);
  const parent = new Int32Array(spans).fill(-1);
  const end = new Uint32Array(spans);
  const startOffsetNs = new Float64Array(spans);
  const spanDurationNs = new Float64Array(spans);
  const service = new Uint16Array(spans);
  const name = new Uint32Array(spans);
  const flags = new Uint8Array(spans);
  const spanId = new Uint8Array(spans * 8);
  const open: number[] = [];
  const durationNs = 5e9;
  for (let row = 0; row < spans; row++) {
    while (open.length > depth[row]!) end[open.pop()!] = row;
    const above = open.at(-1) ?? -1;
    parent[row] = above;
    open.push(row);
    const length = above < 0 ? durationNs : spanDurationNs[above]!;
    const part = shape.shape === "deep" ? 0.9999 : 0.1 + 0.8 * random();
    spanDurationNs[row] = above < 0 ? durationNs : Math.floor(length * part);
    const from = above < 0 ? 0 : startOffsetNs[above]!;
    startOffsetNs[row] = from + Math.floor((length - spanDurationNs[row]!) * random());
    service[row] = Math.floor(random() * serviceCount);
    name[row] = Math.floor(random() * 5);
    flags[row] = random() < 0.05 ? 1 : 0;
    new DataView(spanId.buffer).setUint32(row * 8 + 4, row + 1);
  }
  for (const row of open) end[row] = spans;
  return {
    traceIdHex: "0af7651916cd43dd8448eb211c80319c",
    spanCount: spans,
    loaded: spans,
    startUs: 1_700_000_000_000_000,
    startNs: 0,
    durationNs,
    parent,
    depth,
    end,
    startOffsetNs,
    spanDurationNs,
    service,
    name,
    kind: new Uint8Array(spans).fill(1),
    flags,
    spanId,
    eventOffsets: new Uint32Array(spans + 1),
    eventNs: new Float64Array(0),
    services: Array.from({ length: serviceCount }, (_, i) => `service-${i}`),
    names: ["GET /", "SELECT", "PUT /cart", "lookup", "publish"],
    token: "test",
    criticalPath: {
      row: new Uint32Array(0),
      fromNs: new Float64Array(0),
      toNs: new Float64Array(0),
    },
  };
}

/**
 * The trace with `extra` leaves more, anywhere below its root; the old spans keep ids and
 * parents. Also gives the rows that the old rows have become.
 */
export function grownColumns(
  old: TraceColumns,
  extra: number,
  seed: number,
): { readonly columns: TraceColumns; readonly rowOf: Uint32Array } {
  const random = seededRandom(seed);
  const added = new Uint32Array(old.spanCount + 1);
  for (let i = 0; i < extra; i++) added[1 + Math.floor(random() * old.spanCount)]!++;
  const spans = old.spanCount + extra;
  const columns = treeColumns({ spans, seed, shape: "flat" });
  const rowOf = new Uint32Array(old.spanCount);
  const { depth, parent, end, spanId, kind } = columns;
  let row = 0;
  for (let before = 0; before <= old.spanCount; before++) {
    for (let i = 0; i < added[before]!; i++, row++) {
      // As deep as the span it comes before, so that it takes nobody's children.
      depth[row] = Math.max(1, before < old.spanCount ? old.depth[before]! : 1);
      spanId.fill(255, row * 8, row * 8 + 4);
    }
    if (before === old.spanCount) break;
    depth[row] = old.depth[before]!;
    kind[row] = old.kind[before]!;
    spanId.set(old.spanId.subarray(before * 8, before * 8 + 8), row * 8);
    rowOf[before] = row++;
  }
  const open: number[] = [];
  for (row = 0; row < spans; row++) {
    while (open.length > depth[row]!) end[open.pop()!] = row;
    parent[row] = open.at(-1) ?? -1;
    open.push(row);
  }
  for (const last of open) end[last] = spans;
  return { columns, rowOf };
}

/** Rules under which every row is shown, but for the changes. */
export function rulesFor(columns: TraceColumns, changes: Partial<RowRules> = {}): RowRules {
  return {
    collapsed: new Uint8Array((columns.spanCount + 7) >> 3),
    hiddenServices: new Uint8Array(columns.services.length),
    skipped: new Set(),
    within: -1,
    kept: undefined,
    grouped: false,
    ungrouped: new Set(),
    chained: false,
    unchained: new Set(),
    ...changes,
  };
}
