/**
 * The whole collector by protocol: the same spans as OTLP, PostSpans and Thrift over HTTP into the
 * embedded store, CPU a million spans until settled. `node bench/doors.ts --spans N --rounds N`.
 */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { BatchBuilder } from "../src/core/builder.ts";
import { encodeJaegerPostSpans } from "../src/wire/jaeger-proto-encode.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { encodeJaegerThrift } from "../test/support/jaeger-thrift-encode.ts";
import { openDataset, prepareDataset, readBodies } from "./dataset-file.ts";
import type { PreparedDataset } from "./dataset-file.ts";
import { ingestFresh } from "./ingest.ts";
import type { Protocol } from "./ingest.ts";
import { median } from "./latency.ts";
import { builds } from "./servers.ts";
import type { Build } from "./servers.ts";

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "300000" },
    rounds: { type: "string", default: "3" },
    server: { type: "string", default: "spoor" },
  },
});

const root = path.join(import.meta.dirname, "..");
const mostBytes = 2 ** 30;

type Encode = (otlp: Buffer) => Uint8Array;

const builder = new BatchBuilder();

/** How a request of OTLP is said in the other protocols. Its spans are of one resource. */
const encodings: readonly (readonly [Protocol, Encode | undefined])[] = [
  ["http", undefined],
  ["grpc", undefined],
  [
    "jaeger-grpc",
    (otlp) => encodeJaegerPostSpans(decodeOtlpProto(otlp, builder).batch, mostBytes)[0]!,
  ],
  [
    "jaeger-http",
    (otlp) => encodeJaegerThrift(decodeOtlpProto(otlp, builder).batch, "binary", false),
  ],
];

/** The dataset in another format, in a folder of its own beside it; made when absent. */
function translated(dataset: PreparedDataset, name: string, encode: Encode): PreparedDataset {
  const folder = path.join(os.tmpdir(), "spoor-bench", `${name}-${path.basename(dataset.folder)}`);
  if (fs.existsSync(folder)) return openDataset(folder);
  const part = `${folder}.part-${process.pid}`;
  fs.mkdirSync(part, { recursive: true });
  const bodies = readBodies(dataset, 0, dataset.counts.length).map(encode);
  fs.writeFileSync(path.join(part, "bodies.bin"), Buffer.concat(bodies));
  const sizes = bodies.map(({ length }) => length);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  fs.writeFileSync(
    path.join(part, "index.json"),
    JSON.stringify({ ...dataset, folder, sizes, bytes }),
  );
  fs.renameSync(part, folder);
  return openDataset(folder);
}

const spans = Number(values.spans);
const original = prepareDataset(spans, Math.floor(Date.now() / 1000));
const datasets = encodings.map(
  ([protocol, encode]) =>
    [protocol, encode === undefined ? original : translated(original, protocol, encode)] as const,
);
const build = builds[values.server] as Build;
const costs = new Map<Protocol, number[]>();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [protocol, dataset] of datasets) {
    const result = await ingestFresh(build, root, { dataset, spans, protocol });
    const { load } = result;
    if (load.refused > 0) throw new Error(`${protocol}: ${load.firstRefusal}`);
    const cost = result.cpuSecondsPerMillion;
    costs.set(protocol, [...(costs.get(protocol) ?? []), cost]);
    const rate = Math.round(load.spansPerSecond);
    const size = Math.round(dataset.bytes / spans);
    console.log(`${protocol}: ${cost.toFixed(2)} CPU-s a million, ${rate}/s, ${size} B a span`);
  }
}
for (const [protocol, all] of costs) {
  const cost = median(all);
  console.log(
    `${protocol.padEnd(12)} median ${cost.toFixed(2)} CPU-s a million = ` +
      `${Math.round(1e6 / cost)} spans a CPU-second (n = ${all.length}, ${spans} spans each)`,
  );
}
