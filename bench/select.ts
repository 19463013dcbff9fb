/** Copying rows of several batches into one (selectRows): CPU time a span, by kind of trace. */

import type { SpanBatch } from "../src/core/batch.ts";
import { BatchBuilder } from "../src/core/builder.ts";
import { selectRows } from "../src/core/trace/select.ts";
import { rowsOf, summarize } from "../src/core/trace/summary.ts";
import type { RowRef } from "../src/core/trace/span-content.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { Dataset } from "./dataset.ts";

const SPANS = Number(process.env["SPANS"] ?? 50_000);
const ROUNDS = Number(process.env["ROUNDS"] ?? 7);

function makeBatches(): SpanBatch[] {
  const dataset = new Dataset({
    spans: SPANS,
    seed: 1,
    endSeconds: 1_750_000_000,
    seconds: 3600,
    sampleEvery: 1_000_000,
  });
  const builder = new BatchBuilder();
  const batches: SpanBatch[] = [];
  for (const request of dataset.requests()) {
    const decoded = decodeOtlpProto(Uint8Array.from(request.body), builder);
    if (decoded.batch !== undefined) batches.push(decoded.batch);
  }
  return batches;
}

/** Rows of each trace, spread over the batches as they came. */
function traces(batches: readonly SpanBatch[]): RowRef[][] {
  const byTrace = new Map<string, RowRef[]>();
  for (const at of rowsOf(batches)) {
    const id = String(at.batch.traceId.subarray(at.row * 16, at.row * 16 + 16));
    const rows = byTrace.get(id);
    if (rows === undefined) byTrace.set(id, [at]);
    else rows.push(at);
  }
  return [...byTrace.values()];
}

function measure(
  name: string,
  groups: readonly (readonly RowRef[])[],
  run: (rows: readonly RowRef[]) => unknown,
): void {
  const spans = groups.reduce((sum, rows) => sum + rows.length, 0);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (const rows of groups) run(rows);
    const used = process.cpuUsage(before);
    times.push((used.user + used.system) / spans);
  }
  times.sort((a, b) => a - b);
  const [best, median] = [times[0]!, times[times.length >> 1]!];
  const each = (spans / groups.length).toFixed(0);
  console.log(
    `${name}: best ${best.toFixed(2)}, median ${median.toFixed(2)} µs/span CPU, ` +
      `${groups.length} groups of ${each} spans, n=${ROUNDS}`,
  );
}

const batches = makeBatches();
const groups = traces(batches);
measure("selectRows, a trace", groups, selectRows);
measure(
  "selectRows, a batch",
  batches.map((batch) => rowsOf([batch])),
  selectRows,
);
measure("selectRows, all", [rowsOf(batches)], selectRows);
measure("summarize, a trace", groups, (rows) => summarize(rows, rows[0]!));
measure("summarize, all as one", [rowsOf(batches)], (rows) => summarize(rows, rows[0]!));
