/**
 * The whole collector by protocol: the same spans as OTLP, PostSpans and Thrift over HTTP into the
 * embedded store, CPU a million spans until settled; and the codecs beside protobufjs and thrift.
 * `node bench/doors.ts --spans N --rounds N --peers --write`.
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
import { measureCodecs } from "./jaeger-decode.ts";
import { median } from "./latency.ts";
import { commitOf } from "./machine.ts";
import { writeSection } from "./page.ts";
import { builds } from "./servers.ts";

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "300000" },
    rounds: { type: "string", default: "3" },
    server: { type: "string", default: "spoor" },
    peers: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
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

const NAMES: Readonly<Record<Protocol, string>> = {
  http: "OTLP over HTTP",
  grpc: "OTLP over gRPC",
  "jaeger-grpc": "Jaeger PostSpans",
  "jaeger-http": "Jaeger Thrift over HTTP",
};

const load = os.loadavg()[0]!.toFixed(2);
const spans = Number(values.spans);
const original = prepareDataset(spans, Math.floor(Date.now() / 1000));
const datasets = encodings.map(
  ([protocol, encode]) =>
    [protocol, encode === undefined ? original : translated(original, protocol, encode)] as const,
);
const servers = values.peers ? [values.server, "jaeger-memory"] : [values.server];
/** CPU seconds a million by server and protocol, a number a round. */
const costs = new Map<string, number[]>();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [protocol, dataset] of datasets) {
    for (const server of servers) {
      const build = builds[server];
      if (build === undefined) throw new Error(`no server ${server}`);
      const result = await ingestFresh(build, root, { dataset, spans, protocol });
      if (result.load.refused > 0) throw new Error(`${protocol}: ${result.load.firstRefusal}`);
      const cost = result.cpuSecondsPerMillion;
      const key = `${server} ${protocol}`;
      costs.set(key, [...(costs.get(key) ?? []), cost]);
      const rate = Math.round(result.load.spansPerSecond);
      console.log(`${server}, ${NAMES[protocol]}: ${cost.toFixed(2)} CPU-s a million, ${rate}/s`);
    }
  }
}

function cell(server: string, protocol: Protocol): string {
  const cost = median(costs.get(`${server} ${protocol}`) ?? []);
  const rate = Math.round(1e6 / cost).toLocaleString("en-US");
  return `${cost.toFixed(2)} CPU-s/M, ${rate} spans/s a core`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = [
  line(["protocol", "bytes a span", ...servers]),
  line(["---", "---", ...servers.map(() => "---")]),
  ...datasets.map(([protocol, dataset]) =>
    line([
      NAMES[protocol],
      String(Math.round(dataset.bytes / spans)),
      ...servers.map((server) => cell(server, protocol)),
    ]),
  ),
].join("\n");
console.log(table);
const codecs = measureCodecs((text) => console.log(text)).map((cost) =>
  line([
    cost.name,
    cost.best.toFixed(2),
    cost.median.toFixed(2),
    String(Math.round(cost.bytesPerSpan)),
    String(cost.rounds),
  ]),
);
if (values.write) {
  const given = ["node bench/doors.ts", ...process.argv.slice(2)].join(" ");
  writeSection(
    "doors",
    `## The ways in

Written by \`${given}\` at ${new Date().toISOString().slice(0, 16)}Z, commit
${commitOf(root)}, Node ${process.versions.node}; load average before the run ${load}, and
whatever else ran meanwhile is in the medians. The same ${spans.toLocaleString("en-US")} spans by
every protocol, the server pinned to one core: CPU of the whole process until it has settled,
median of ${values.rounds} rounds.

${table}

### Codecs
CPU µs a span of the same spans in memory. The packages make objects and stop there; ours make the
batch that the store takes.

| codec | best µs | median µs | bytes a span | rounds |
| --- | --- | --- | --- | --- |
${codecs.join("\n")}
`,
  );
}
