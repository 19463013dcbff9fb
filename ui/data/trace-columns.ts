/** TraceColumns: what the trace page knows of every span of a trace, as typed arrays by row. */

import type { CriticalPath as Path } from "../../src/core/trace/critical-path.ts";
import { SKELETON_FLAG } from "../../src/core/trace/skeleton.ts";
import type { LoadingSkeleton } from "../../src/wire/skeleton-decode.ts";

/** Bits of `TraceColumns.flags`. */
export const SPAN_FLAG = SKELETON_FLAG;

/**
 * A trace in display order: a row's subtree are the rows `row ..< end[row]`, siblings ascend by
 * start, then span id. While a trace is loading, rows below `loaded` are final and the others
 * zero; `names` grows with them; `spanCount` and the arrays' lengths are final from the
 * beginning. Read-only for everyone but the decoder that fills it. The columns are described in
 * core/trace/skeleton.ts.
 */
export type TraceColumns = LoadingSkeleton;

/** Stretch i: the span of `row[i]` from `fromNs[i]` to `toNs[i]`, ns from the trace's start. */
export type CriticalPath = Path;
