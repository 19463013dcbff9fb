/** Corrects clocks that differ between hosts, by fitting children into their parents. */

import { toHex } from "../../base/bytes.ts";
import { formatGoDuration } from "./duration-text.ts";
import { hostOf } from "./host-key.ts";
import { treeOf } from "./tree.ts";
import type { SpanIdIndex, TraceTree } from "./tree.ts";
import { addWarning } from "./view.ts";
import type { TraceView } from "./view.ts";

/**
 * Shifts spans (and their events) whose host differs from their parent's, or is not known, so
 * that they lie within the parent. A shift larger than `maxNs` (0: every shift) is not made;
 * the span gets a warning that says what it would have been. The index is that of the span ids.
 * Returns the trace's tree, which no shift changes.
 */
export function adjustClockSkew(view: TraceView, maxNs: number, index: SpanIdIndex): TraceTree {
  const n = view.spanCount;
  const tree = treeOf(view.spanIds.subarray(0, n * 2), view.parentIds.subarray(0, n * 2), index);
  warnAboutIds(view, tree);
  const host = hostNumbers(view);
  const outside = outsiders(view, tree, host);
  if (outside === undefined) return tree;
  const delta = new Float64Array(n);
  for (const v of tree.order) {
    const parent = tree.parent[v]!;
    // A span that fits into its parent as stored, which did not move, stays as well.
    if (parent === -1 || (outside[v] === 0 && delta[parent] === 0)) continue;
    if (tree.duplicate[v] === 1) continue;
    const inherits = host[v] !== 0 && host[v] === host[parent];
    delta[v] = inherits ? delta[parent]! : skew(view, v, parent);
    if (delta[v] !== 0) shift(view, v, delta[v]!, maxNs);
  }
  return tree;
}

/**
 * 1 for spans that do not fit into their parents as stored, which is where corrections begin;
 * undefined when all fit. Goes through memory in its order: of a million spans depth first takes
 * five times as long.
 */
function outsiders(view: TraceView, tree: TraceTree, host: Uint32Array): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (let v = 0; v < view.spanCount; v++) {
    const parent = tree.parent[v]!;
    if (parent === -1 || (host[v] !== 0 && host[v] === host[parent])) continue;
    if (skew(view, v, parent) === 0) continue;
    found ??= new Uint8Array(view.spanCount);
    found[v] = 1;
  }
  return found;
}

function warnAboutIds(view: TraceView, tree: TraceTree): void {
  for (let v = 0; v < view.spanCount; v++) {
    if (tree.duplicate[v] === 1) {
      addWarning(view, v, "duplicate span IDs; skipping clock skew adjustment");
    } else if (tree.orphan[v] === 1) {
      const words = view.parentIds.subarray(v * 2, v * 2 + 2);
      const id = toHex(new Uint8Array(words.buffer, words.byteOffset, 8));
      addWarning(view, v, `invalid parent span IDs=${id}; skipping clock skew adjustment`);
    }
  }
}

/** A number for each span's host, 0 for unknown. */
function hostNumbers(view: TraceView): Uint32Array {
  const numbers = new Map<string, number>([["", 0]]);
  const ofResource = view.parts.map((batch) => {
    const row = new Uint32Array(batch.resourceCount);
    for (let r = 0; r < batch.resourceCount; r++) {
      const name = hostOf(batch, r);
      if (!numbers.has(name)) numbers.set(name, numbers.size);
      row[r] = numbers.get(name)!;
    }
    return row;
  });
  const host = new Uint32Array(view.spanCount);
  for (let v = 0; v < view.spanCount; v++) {
    const p = view.part[v]!;
    host[v] = ofResource[p]![view.parts[p]!.resourceRow[view.row[v]!]!]!;
  }
  return host;
}

/** How far the child must move to fit into its (already moved) parent, ns. */
function skew(view: TraceView, child: number, parent: number): number {
  const childBatch = view.parts[view.part[child]!]!;
  const parentBatch = view.parts[view.part[parent]!]!;
  const c = view.row[child]!;
  const p = view.row[parent]!;
  const childNs = childBatch.durationNs[c]!;
  const parentNs = parentBatch.durationNs[p]!;
  const startsAfterNs =
    (childBatch.startUs[c]! - parentBatch.startUs[p]!) * 1000 +
    (childBatch.startNs[c]! - parentBatch.startNs[p]!) -
    (view.shiftNs === undefined ? 0 : view.shiftNs[parent]!);
  // A child that outlasts its parent was asynchronous, or the parent gave up waiting.
  if (childNs > parentNs) return startsAfterNs < 0 ? -startsAfterNs : 0;
  if (startsAfterNs >= 0 && startsAfterNs + childNs <= parentNs) return 0;
  // The time on the network is taken to be the same there and back.
  return Math.trunc((parentNs - childNs) / 2) - startsAfterNs;
}

function shift(view: TraceView, v: number, deltaNs: number, maxNs: number): void {
  const text = formatGoDuration(deltaNs);
  if (Math.abs(deltaNs) <= maxNs) {
    view.shiftNs ??= new Float64Array(view.part.length);
    view.shiftNs[v] = deltaNs;
    addWarning(view, v, `This span's timestamps were adjusted by ${text}`);
  } else if (maxNs === 0) {
    const off = "clock skew adjustment disabled; not applying calculated delta of";
    addWarning(view, v, `${off} ${text}`);
  } else {
    const max = `max clock skew adjustment delta of ${formatGoDuration(maxNs)} exceeded`;
    addWarning(view, v, `${max}; not applying calculated delta of ${text}`);
  }
}
