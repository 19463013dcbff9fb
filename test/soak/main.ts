/**
 * `npm run soak`: kills the product at random moments under load, 50 times unless told else.
 * `npm run soak -- fuzz`: damaged packets for every decoder, an hour unless told else.
 */

import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { newDataFolder } from "../../bench/ingest.ts";
import { builds } from "../../bench/servers.ts";
import { fuzzCodecs } from "../fuzz/fuzz-codecs.ts";
import { checkout, crashRepeatedly } from "./crash.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cycles: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    server: { type: "string", default: "spoor" },
    requests: { type: "string", default: "200" },
    connections: { type: "string", default: "8" },
    keep: { type: "boolean", default: false },
    seconds: { type: "string", default: "3600" },
    packet: { type: "string" },
  },
});
if (positionals[0] === "fuzz") {
  process.stdout.write(`fuzz: seed ${values.seed}\n`);
  const report = fuzzCodecs({
    seed: Number(values.seed),
    seconds: Number(values.seconds),
    ...(values.packet === undefined ? {} : { packet: Number(values.packet) }),
    say: (line) => void process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exit(report.findings.length > 0 ? 1 : 0);
}
const build = builds[values.server];
if (build === undefined) {
  process.stderr.write(`no server ${values.server}: ${Object.keys(builds).join(", ")}\n`);
  process.exit(2);
}
const folder = newDataFolder();
process.stdout.write(`soak: seed ${values.seed}, ${values.cycles} cycles\n`);
const report = await crashRepeatedly(await build(folder, checkout), {
  seed: Number(values.seed),
  cycles: Number(values.cycles),
  mostRequests: Number(values.requests),
  connections: Number(values.connections),
  say: (line) => void process.stdout.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
if (values.keep) process.stdout.write(`data kept in ${folder}\n`);
else fs.rmSync(folder, { recursive: true, force: true });
process.exitCode = report.faults.length > 0 ? 1 : 0;
