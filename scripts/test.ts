/** Runs every *.test.ts of the repository, or those under the paths given, and lists the skips. */

import { globSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";

const ROOMS = ["src", "test", "ui", "scripts"];
const NOT_HERE = /node_modules|^test\/soak\//;

/** A skipped test and why. */
interface Skip {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

/** The test files under the paths (folders, files), or under all rooms. */
function testFiles(paths: readonly string[]): string[] {
  const places = paths.length === 0 ? ROOMS : paths;
  const patterns = places.map((place) =>
    statSync(place, { throwIfNoEntry: false })?.isFile() === true ? place : `${place}/**/*.test.ts`,
  );
  return globSync(patterns)
    .filter((file) => !NOT_HERE.test(file))
    .toSorted();
}

/** Runs the files; resolves to the skips once the report is written, and sets the exit code. */
async function runTests(files: readonly string[], pattern: string | undefined): Promise<Skip[]> {
  const skips: Skip[] = [];
  const events = run({
    files: [...files],
    concurrency: Math.min(availableParallelism(), 4),
    execArgv: ["--import", new URL("test-watchdog.ts", import.meta.url).href],
    ...(pattern === undefined ? {} : { testNamePatterns: pattern }),
  });
  const note = (event: { name: string; file?: string; skip?: string | boolean }): void => {
    if (event.skip === undefined || event.skip === false) return;
    const reason = typeof event.skip === "string" ? event.skip : "no reason given";
    skips.push({ file: event.file ?? "", name: event.name, reason });
  };
  events.on("test:fail", () => {
    process.exitCode = 1;
  });
  events.on("test:pass", note);
  const report = events.compose(new spec());
  for await (const chunk of report) process.stdout.write(String(chunk));
  return skips;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "test-name-pattern": { type: "string" } },
});
const files = testFiles(positionals);
if (files.length === 0) {
  process.stderr.write(`no test files under ${positionals.join(" ")}\n`);
  process.exit(1);
}
const skips = await runTests(files, values["test-name-pattern"]);
if (skips.length > 0) {
  process.stdout.write(`\nSkipped, ${skips.length} in all:\n`);
  for (const { file, name, reason } of skips) {
    process.stdout.write(`  ${name} (${file}): ${reason}\n`);
  }
  if (process.env["SPOOR_TEST_REQUIRE"] === "all") {
    process.stdout.write("SPOOR_TEST_REQUIRE=all: a skipped test is a failure\n");
    process.exitCode = 1;
  }
}
