/** The sanitize stage: negative durations become 1 ns and say so, as Jaeger's collector does. */

import { utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import type { Sink, Stage } from "../core/flow.ts";
import { exactStartNs } from "../core/read.ts";
import { rebuildBatch } from "./rebuild.ts";

const KEY = "InvalidNegativeDuration";
const TEXT = utf8Bytes("Duration can't be negative, so it is changed to default value");

/** A stage that repairs; batches without negative durations pass as they are. */
export function sanitizeStage(): Stage {
  return (next: Sink): Sink => ({
    push(batch, origin, signal) {
      return next.push(hasNegative(batch) ? repaired(batch) : batch, origin, signal);
    },
  });
}

function hasNegative(batch: SpanBatch): boolean {
  const { durationNs, spanCount } = batch;
  for (let i = 0; i < spanCount; i++) if (durationNs[i]! < 0) return true;
  return false;
}

function repaired(batch: SpanBatch): SpanBatch {
  return rebuildBatch(batch, {
    span(builder, row, i) {
      if (batch.durationNs[i]! < 0) repair(builder, row, batch, i);
    },
  });
}

function repair(builder: BatchBuilder, row: number, batch: SpanBatch, i: number): void {
  const rare = batch.rare[i]!;
  if (rare !== 0 && batch.rareExact[rare - 1] === 1) {
    builder.setExactTimes(row, exactStartNs(batch, i), 1n);
  } else builder.durationNs[row] = 1;
  const key = builder.key(builder.text(KEY), ATTRIBUTE_TYPE.BYTES);
  builder.spanAttributes.add(key, builder.bytes(TEXT));
}
