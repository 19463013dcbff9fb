/** The data directory as its users meet it: kept over a kill, owned by one process, refused. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { tempFolder } from "../support/temp-folder.ts";
import {
  jsonOf,
  metricOf,
  oneSpan,
  operationsOf,
  runSpoor,
  sendJson,
  startSpoor,
} from "./spoor-process.ts";
import type { SpoorProcess } from "./spoor-process.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

function folderFor(): string {
  const folder = tempFolder("e2e");
  return folder;
}

async function started(t: TestContext, args: readonly string[]): Promise<SpoorProcess> {
  const server = await startSpoor({ args });
  t.after(() => server.stop("SIGKILL"));
  return server;
}

function healthNotes(server: SpoorProcess): Promise<{ readonly notes?: readonly string[] }> {
  return jsonOf(server.admin);
}

test("what was acknowledged is there after SIGKILL, and its retry is not kept twice", async (t) => {
  const args = [`--embedded.directory=${join(folderFor(), "data")}`];
  const body = oneSpan("shop", "buy", TRACE);
  const first = await started(t, args);
  assert.equal(await sendJson(first, body), 200);
  await first.stop("SIGKILL");
  const second = await started(t, args);
  assert.equal(await sendJson(second, body), 200);
  assert.deepEqual(await operationsOf(second, TRACE), ["buy"]);
  const deduplicated = 'spoor_ledger_spans_total{state="deduplicated",reason=""}';
  assert.equal(await metricOf(second, deduplicated), 1);
  assert.equal((await second.stop("SIGINT")).code, 0);
});

test("what a collector has kept, an all-in-one shows later", async (t) => {
  const args = [`--embedded.directory=${join(folderFor(), "data")}`];
  const collector = await startSpoor({ role: "collector", args });
  t.after(() => collector.stop("SIGKILL"));
  assert.match(collector.banner, /Jaeger\/HTTP .*\/api\/traces/);
  assert.doesNotMatch(collector.banner, /UI and API|Zipkin/);
  assert.equal(await sendJson(collector, oneSpan("shop", "buy", TRACE)), 200);
  assert.equal((await collector.stop("SIGTERM")).code, 0);
  const server = await started(t, args);
  assert.deepEqual(await operationsOf(server, TRACE), ["buy"]);
});

test("a collector knows its own flags, and says whose another one is", async () => {
  const foreign = await runSpoor(["collector", "--query.base-path=/x"]);
  assert.equal(foreign.code, 2);
  assert.match(
    foreign.stderr,
    /--query\.base-path is no flag of spoor collector, but of all-in-one/,
  );
  const unknown = await runSpoor(["collector", "--collector.queue-sizes=1"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /did you mean collector\.queue-size\?/);
  const help = await runSpoor(["collector", "--help"]);
  assert.match(help.stdout, /a collector is an archive/);
  assert.doesNotMatch(help.stdout, /--query\./);
});

test("a directory another process owns is one readable line and exit code 1", async (t) => {
  const folder = folderFor();
  await started(t, [`--embedded.directory=${folder}`]);
  const ports = ["admin.http", "collector.otlp.http", "collector.otlp.grpc", "query.http-server"];
  const args = ports.map((name) => `--${name}.host-port=:0`);
  const { code, stderr } = await runSpoor([
    "all-in-one",
    ...args,
    `--embedded.directory=${folder}`,
  ]);
  assert.equal(code, 1);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
  assert(stderr.startsWith("spoor: ") && stderr.includes(folder), stderr);
});

test("a directory that cannot be made is one readable line and exit code 1", async () => {
  const file = join(folderFor(), "file");
  writeFileSync(file, "");
  const args = ["all-in-one", "--admin.http.host-port=:0", `--embedded.directory=${file}/data`];
  const { code, stderr } = await runSpoor(args);
  assert.equal(code, 1);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
  assert(stderr.startsWith("spoor: ") && stderr.includes(`${file}/data`), stderr);
});

test("where nothing can be made, as in /proc, it says so and ends", async () => {
  const { code, stderr } = await runSpoor([
    "all-in-one",
    "--admin.http.host-port=:0",
    "--embedded.directory=/proc/foo/bar",
  ]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^spoor: .*\/proc\/foo/);
});

test("relaxed fsync is told by health, and health is still good", async (t) => {
  const folder = folderFor();
  const server = await started(t, [`--embedded.directory=${folder}`, "--embedded.fsync=relaxed"]);
  const { notes = [] } = await healthNotes(server);
  assert.equal(notes.length, 1);
  assert.match(notes[0] ?? "", /fsync|power/);
});

test("badger's flags start the embedded store in badger's directory, with a warning", async (t) => {
  const folder = folderFor();
  const args = [
    "--span-storage.type=badger",
    "--badger.ephemeral=false",
    `--badger.directory-key=${folder}`,
  ];
  const server = await started(t, args);
  assert.equal(await sendJson(server, oneSpan("shop", "buy", TRACE)), 200);
  assert.match(server.banner, new RegExp(`Spans +${folder} .*kept 3 days`));
  const { notes = [] } = await healthNotes(server);
  assert.match(notes.join("\n"), /badger's own files are not read/);
  const { stderr } = await server.stop("SIGTERM");
  assert.match(stderr, /"level":"warn".*badger's own files are not read/);
});
