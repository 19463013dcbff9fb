/** `node bench/compare.ts REF [OTHER]`: two commits measured in turn, or one and the files here. */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { prepareDataset } from "./dataset-file.ts";
import type { PreparedDataset } from "./dataset-file.ts";
import { ingestFresh } from "./ingest.ts";
import type { IngestResult } from "./ingest.ts";
import { median } from "./latency.ts";
import { commitOf, takeMachine } from "./machine.ts";
import { measureQueries } from "./queries.ts";
import type { QueryTimes } from "./queries.ts";
import { builds } from "./servers.ts";
import type { Build } from "./servers.ts";

interface Side {
  readonly label: string;
  readonly checkout: string;
  readonly rounds: IngestResult[];
  readonly queries: QueryTimes[][];
}

const root = path.join(import.meta.dirname, "..");

function git(...args: string[]): void {
  const { status, stderr } = spawnSync("git", ["-C", root, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr.trim()}`);
}

/** Checks a commit out beside the repository, with the packages that are installed here. */
function checkOut(reference: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "spoor-compare-"));
  git("worktree", "add", "--detach", "--force", folder, reference);
  fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

function remove(folder: string): void {
  fs.rmSync(path.join(folder, "node_modules"), { force: true });
  git("worktree", "remove", "--force", folder);
}

async function round(
  side: Side,
  build: Build,
  plan: { dataset: PreparedDataset; spans: number; protocol: "http" | "grpc" },
): Promise<void> {
  const result = await ingestFresh(build, side.checkout, plan, async (server) => {
    const options = { dataset: plan.dataset, spans: plan.spans, count: 100, secondsPerKind: 5 };
    side.queries.push(await measureQueries(server.plan.doors, options));
  });
  side.rounds.push(result);
  console.log(
    `${side.label}: ${Math.round(result.settledPerSecond)} spans/s settled, ` +
      `${result.cpuSecondsPerMillion.toFixed(2)} CPU-s a million`,
  );
}

function show(name: string, sides: readonly Side[], of: (side: Side) => number): void {
  const [before, after] = sides.map(of) as [number, number];
  const change = before === 0 ? "" : `${((after / before - 1) * 100).toFixed(1)} %`;
  const cells = [before.toFixed(2), after.toFixed(2), change].map((cell) => cell.padStart(12));
  console.log(`${name.padEnd(36)}${cells.join("")}`);
}

function report(sides: readonly Side[]): void {
  const middle = (of: (result: IngestResult) => number) => (side: Side) =>
    median(side.rounds.map(of));
  console.log(`\n${"".padEnd(36)}${sides.map(({ label }) => label.padStart(12)).join("")}`);
  show(
    "CPU-s a million spans, settled",
    sides,
    middle((r) => r.cpuSecondsPerMillion),
  );
  show(
    "spans/s settled",
    sides,
    middle((r) => r.settledPerSecond),
  );
  show(
    "ack p99 ms",
    sides,
    middle((r) => r.load.ackMs.p99),
  );
  show(
    "disk bytes a span",
    sides,
    middle((r) => r.bytesPerSpan),
  );
  show(
    "peak RSS MiB",
    sides,
    middle((r) => r.settled.peakRssBytes / 2 ** 20),
  );
  for (const { kind } of sides[0]?.queries[0] ?? []) {
    show(`${kind}, p50 ms`, sides, (side) =>
      median(
        side.queries.map((times) => times.find((each) => each.kind === kind)?.ms.p50 ?? Number.NaN),
      ),
    );
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    spans: { type: "string", default: "600000" },
    rounds: { type: "string", default: "3" },
    server: { type: "string", default: "spoor" },
    protocol: { type: "string", default: "http" },
  },
});
const [reference, other] = positionals;
const build = builds[values.server];
if (reference === undefined || build === undefined) {
  console.error(
    "usage: node bench/compare.ts REF [OTHER] [--spans N] [--rounds N] [--server NAME]",
  );
  process.exit(2);
}
takeMachine();
const dataset = prepareDataset(Number(values.spans), Math.floor(Date.now() / 1000));
const checkouts = [checkOut(reference), other === undefined ? root : checkOut(other)];
const sides = checkouts.map((checkout): Side => ({
  label: commitOf(checkout).replace(" and changes", "+"),
  checkout,
  rounds: [],
  queries: [],
}));
try {
  const protocol = values.protocol === "grpc" ? "grpc" : "http";
  const plan = { dataset, spans: dataset.spans, protocol } as const;
  for (let i = 0; i < Number(values.rounds); i++) {
    for (const side of sides) await round(side, build, plan);
  }
  report(sides);
} finally {
  for (const checkout of checkouts) if (checkout !== root) remove(checkout);
}
