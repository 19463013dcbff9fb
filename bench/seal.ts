/** Sealing batches into a segment: CPU time a span, bytes a span, memory. */

import { BatchBuilder } from "../src/core/builder.ts";
import { sameSpan } from "../src/core/trace/span-content.ts";
import { encodeSegment } from "../src/storage/embedded/segment-writer.ts";
import type { SealInput } from "../src/storage/embedded/segment-writer.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { Dataset } from "./dataset.ts";

const HEAD_ROWS = 131_072;
const SPANS = Number(process.env["SPANS"] ?? 6 * HEAD_ROWS);

function* heads(): Generator<SealInput[]> {
  const dataset = new Dataset({
    spans: SPANS,
    seed: 1,
    endSeconds: 1_750_000_000,
    seconds: Math.ceil(1800 * (SPANS / 3_000_000)),
    sampleEvery: 1_000_000,
  });
  const builder = new BatchBuilder();
  let inputs: SealInput[] = [];
  let rows = 0;
  for (const request of dataset.requests()) {
    const { batch } = decodeOtlpProto(Uint8Array.from(request.body), builder);
    inputs.push({ batch, arrivalMs: 0 });
    rows += batch.spanCount;
    if (rows < HEAD_ROWS) continue;
    yield inputs;
    inputs = [];
    rows = 0;
  }
}

let segment = 0;
for (const inputs of heads()) {
  const rows = inputs.reduce((sum, input) => sum + input.batch.spanCount, 0);
  const images = inputs.reduce((sum, input) => sum + input.batch.image.length, 0);
  const before = process.cpuUsage();
  const started = performance.now();
  const sealed = encodeSegment(inputs, { epochs: [segment], sameContent: sameSpan });
  const used = process.cpuUsage(before);
  const { footer } = sealed;
  const families = [0, 1, 2, 3, 4].map((family) =>
    (footer.groups.reduce((sum, g) => sum + g.families[family]![1], 0) / rows).toFixed(1),
  );
  const blocks = [footer.tables, footer.shapes, footer.traceIndex, footer.filter];
  const dictionaries = footer.dictionaries.reduce((sum, place) => sum + place[1], 0);
  console.log(
    `segment ${segment++}: ${rows} rows, ${footer.traces} traces, ` +
      `${footer.groups.length} groups, image ${(images / rows).toFixed(0)} B/span, ` +
      `sealed ${(sealed.sizeBytes / rows).toFixed(1)}, ` +
      `cpu ${((used.user + used.system) / rows).toFixed(2)} µs/span, ` +
      `wall ${(performance.now() - started).toFixed(0)} ms; families ${families.join(" ")}, ` +
      `tables/shapes/index/filter ${blocks.map((b) => (b[1] / rows).toFixed(2)).join(" ")}, ` +
      `dictionaries ${(dictionaries / rows).toFixed(2)}; ` +
      `rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  );
  if (process.env["COLUMNS"] === undefined) continue;
  for (const column of footer.columns) {
    const key = Buffer.from(column.key, "base64").toString();
    console.log(`  ${key} ${column.type} ${column.kind} ${column.uses} ${column.distinct}`);
  }
}
