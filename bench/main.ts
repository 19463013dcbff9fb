/** `npm run bench`: measures Spoor, and with --peers real Jaeger beside it, on the same bytes. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { prepareDataset } from "./dataset-file.ts";
import { median } from "./latency.ts";
import { commitOf, takeMachine } from "./machine.ts";
import { Measurement } from "./measure.ts";
import { buildPeers } from "./peers.ts";
import { profileIngest } from "./profiled.ts";
import { renderReport } from "./report.ts";
import type { Results } from "./results.ts";
import { writeSection } from "./page.ts";
import { builds } from "./servers.ts";
import type { Build } from "./servers.ts";

const usage = `npm run bench -- [options]
  --peers            also run Jaeger all-in-one 1.76, memory and badger (needs go, builds it once)
  --spans N          spans in the dataset (default 3000000)
  --rounds N         alternating rounds of ingest (default 3)
  --peer-spans N     spans for Jaeger's memory storage (default 1000000)
  --badger-spans N   spans for Jaeger's badger storage (default 300000)
  --server NAME      what is measured as Spoor: ${Object.keys(builds).join(", ")}
  --write            write BENCHMARKS.md from this run
  --report FILE      measure nothing: write BENCHMARKS.md from the results kept in FILE
`;

const root = path.join(import.meta.dirname, "..");

const { values } = parseArgs({
  options: {
    peers: { type: "boolean", default: false },
    spans: { type: "string", default: "3000000" },
    rounds: { type: "string", default: "3" },
    "peer-spans": { type: "string", default: "1000000" },
    "badger-spans": { type: "string", default: "300000" },
    server: { type: "string", default: "spoor" },
    write: { type: "boolean", default: false },
    report: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

async function measure(): Promise<Results> {
  const given = process.argv.slice(2);
  const spans = Number(values.spans);
  const machine = takeMachine();
  const dataset = prepareDataset(spans, Math.floor(Date.now() / 1000));
  const results: Results = {
    date: `${new Date().toISOString().slice(0, 16)}Z`,
    commit: commitOf(root),
    command: ["npm run bench", ...(given.length > 0 ? ["--", ...given] : [])].join(" "),
    machine,
    dataset: { spans, bytes: dataset.bytes, requests: dataset.counts.length },
    ingest: [],
    queries: [],
    starts: [],
    notes: ["The only peer this bench runs is Jaeger: VictoriaTraces and Tempo are not measured."],
  };
  const peers = [
    { name: "jaeger-memory", spans: Math.min(spans, Number(values["peer-spans"])) },
    { name: "jaeger-badger", spans: Math.min(spans, Number(values["badger-spans"])) },
  ];
  const refusal = values.peers ? buildPeers() : "peers are run with --peers only.";
  if (refusal !== undefined) results.notes.push(`Jaeger: ${refusal}`);
  const measurement = new Measurement(
    dataset,
    {
      checkout: root,
      product: values.server,
      rounds: Number(values.rounds),
      spans,
      smallSpans: Math.min(spans, 300_000),
      grpcSpans: spans,
      peers: refusal === undefined ? peers : [],
      queryCount: 200,
      say: (line) => console.log(line),
    },
    results,
  );
  await measurement.ingestRounds();
  await measurement.growth();
  const build = builds[values.server] as Build;
  const costs = results.ingest[0]?.rounds.map((result) => result.cpuSecondsPerMillion) ?? [];
  results.stages = await profileIngest(build, {
    checkout: root,
    dataset,
    spans: Math.min(spans, 1_000_000),
    ...(costs.length > 0 ? { cpuMicrosecondsPerSpan: median(costs) } : {}),
  });
  return results;
}

if (values.help) {
  process.stdout.write(usage);
} else if (values.report !== undefined) {
  const kept = JSON.parse(fs.readFileSync(values.report, "utf8")) as Results;
  writeSection("store", renderReport(kept));
} else {
  const results = await measure();
  const file = path.join(os.tmpdir(), "spoor-bench", `results-${Date.now()}.json`);
  fs.writeFileSync(file, JSON.stringify(results));
  const report = renderReport(results);
  console.log(`\n${report}\nresults kept in ${file}`);
  if (values.write) writeSection("store", report);
}
