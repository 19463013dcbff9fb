/** A batch as Jaeger's JSON shows it, for comparing codecs of Jaeger's model with each other. */

import { toHex } from "../../src/base/bytes.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { exactDurationNs, exactEventNs, exactStartNs } from "../../src/core/read.ts";
import { viewsByTrace } from "../../src/core/trace/view.ts";
import { encodeJaegerTrace } from "../../src/wire/jaeger-json.ts";
import { JsonWriter } from "../../src/wire/json-writer.ts";

/** A span as shown, its process in place of the process's number, and its times to the ns. */
export interface ShownSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly startNs: string;
  readonly durationNs: string;
  readonly logNs: readonly string[];
  readonly shown: Readonly<Record<string, unknown>>;
}

interface ShownTrace {
  readonly spans: readonly Record<string, unknown>[];
  readonly processes: Readonly<Record<string, { serviceName: string; tags: object[] }>>;
}

/** The spans of all traces, as stored. Tags have no order in Jaeger's model and are sorted. */
export function dumpJaeger(batch: SpanBatch): ShownSpan[] {
  return viewsByTrace([batch]).flatMap((view) => {
    const writer = new JsonWriter();
    for (const _ of encodeJaegerTrace(writer, view)) continue;
    const trace = JSON.parse(Buffer.concat(writer.take()).toString()) as ShownTrace;
    return trace.spans.map((span, v) => shown(batch, view.row[v]!, span, trace));
  });
}

function shown(
  batch: SpanBatch,
  i: number,
  span: Record<string, unknown>,
  trace: ShownTrace,
): ShownSpan {
  const { serviceName, tags } = trace.processes[span["processID"] as string]!;
  const first = batch.eventOffsets[i]!;
  const events = Array.from({ length: batch.eventOffsets[i + 1]! - first }, (_, e) => first + e);
  return {
    traceId: toHex(batch.traceId, i * 16, 16),
    spanId: toHex(batch.spanId, i * 8, 8),
    startNs: String(exactStartNs(batch, i)),
    durationNs: String(exactDurationNs(batch, i)),
    logNs: events.map((e) => String(exactEventNs(batch, e))),
    shown: {
      ...span,
      tags: sorted(span["tags"] as object[]),
      process: { serviceName, tags: sorted(tags) },
      processID: undefined,
    },
  };
}

function sorted(tags: readonly object[]): string[] {
  return tags.map((tag) => JSON.stringify(tag)).sort();
}
