/** `node bench/profile.ts`: which files and functions an ingested span's microseconds go to. */

import * as path from "node:path";
import { parseArgs } from "node:util";
import { prepareDataset } from "./dataset-file.ts";
import { takeMachine } from "./machine.ts";
import type { StageTime } from "./profile-stages.ts";
import { profileIngest } from "./profiled.ts";
import { builds } from "./servers.ts";

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "1000000" },
    server: { type: "string", default: "spoor" },
    protocol: { type: "string", default: "http" },
    checkout: { type: "string", default: path.join(import.meta.dirname, "..") },
  },
});
const build = builds[values.server];
if (build === undefined) throw new Error(`no server ${values.server}`);
takeMachine();
const spans = Number(values.spans);
const costs = await profileIngest(build, {
  checkout: values.checkout,
  dataset: prepareDataset(Math.max(spans, 300_000), Math.floor(Date.now() / 1000)),
  spans,
  protocol: values.protocol === "grpc" ? "grpc" : "http",
});
const show = (rows: readonly StageTime[]): void => {
  for (const { thread, stage, microseconds } of rows.slice(0, 30)) {
    console.log(`${microseconds.toFixed(3).padStart(8)}  ${thread.padEnd(6)}  ${stage}`);
  }
};
console.log(`${costs.cpuMicrosecondsPerSpan.toFixed(2)} CPU µs a span over ${costs.spans} spans`);
console.log("\nby file (µs a span)");
show(costs.files);
console.log("\nby function (µs a span)");
show(costs.functions);
