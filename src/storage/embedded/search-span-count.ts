/** How many spans traces may have, told from ids alone: what the order by span count looks at. */

import { equalBytes, toHex } from "../../base/bytes.ts";
import type { Sources } from "./search-sources.ts";

/** Bounds of a trace's distinct spans. Rows that are the same span twice make them differ. */
export interface SpanCounts {
  /** At least: those of one segment, whose rows are distinct. */
  least: number;
  /** At most: all rows. */
  most: number;
}

/** One trace as it is counted. */
interface Counting extends SpanCounts {
  /** Segment counted last, and rows of it. */
  segment: number;
  inSegment: number;
}

/** Bounds of the traces that are wanted, by hex id. Awaits `pause` between groups. */
export async function countSpans(
  sources: Sources,
  isWanted: (traceHex: string) => boolean,
  pause: () => Promise<void>,
): Promise<Map<string, SpanCounts>> {
  const counts = new Map<string, Counting>();
  const add = (traceHex: string, rows: number, segment: number): void => {
    let count = counts.get(traceHex);
    if (count === undefined) {
      count = { least: 1, most: 0, segment, inSegment: 0 };
      counts.set(traceHex, count);
    }
    count.most += rows;
    // Rows of heads (segment -1) may repeat.
    if (segment < 0) return;
    count.inSegment = count.segment === segment ? count.inSegment + rows : rows;
    count.segment = segment;
    count.least = Math.max(count.least, count.inSegment);
  };
  let number = 0;
  for (const segment of sources.segments()) {
    const place = number++;
    for (let group = 0; group < segment.footer.groups.length; group++) {
      await pause();
      const { traceId } = segment.ids(group);
      const { runStart } = segment.core(group);
      for (let run = 0; run + 1 < runStart.length; run++) {
        const traceHex = toHex(traceId, run * 16, 16);
        if (!isWanted(traceHex) || sources.isHidden(traceHex, segment)) continue;
        add(traceHex, runStart[run + 1]! - runStart[run]!, place);
      }
    }
  }
  for (const head of sources.heads()) {
    for (const { batch, at } of head.batches()) {
      await pause();
      for (let row = 0; row < batch.spanCount;) {
        const from = row++;
        while (row < batch.spanCount && isSame(batch.traceId, from, row)) row++;
        const traceHex = toHex(batch.traceId, from * 16, 16);
        if (!isWanted(traceHex) || sources.isDeleted(traceHex, head.epoch, at)) continue;
        add(traceHex, row - from, -1);
      }
    }
  }
  return counts;
}

function isSame(ids: Uint8Array, a: number, b: number): boolean {
  return equalBytes(ids, a * 16, ids, b * 16, 16);
}
