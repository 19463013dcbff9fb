/** The all-in-one as its users meet it: start, send, find, ask, stop. */

import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { tempFolder } from "../support/temp-folder.ts";
import {
  LAUNCHER,
  jsonOf,
  metricOf,
  oneSpan,
  operationsOf,
  runSpoor,
  sendJson,
  startSpoor,
} from "./spoor-process.ts";
import type { SpoorProcess, StartOptions } from "./spoor-process.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const MEMORY = { SPAN_STORAGE_TYPE: "memory" };

async function started(t: TestContext, options: StartOptions): Promise<SpoorProcess> {
  const server = await startSpoor(options);
  t.after(() => server.stop("SIGKILL"));
  return server;
}

function folderFor(): string {
  const folder = tempFolder("e2e");
  return folder;
}

test("a span sent is found, counted in the ledger, and Ctrl-C ends with 0", async (t) => {
  const server = await started(t, { env: MEMORY });
  assert.equal(await sendJson(server, oneSpan("shop", "buy", TRACE)), 200);
  assert.deepEqual(await operationsOf(server, TRACE), ["buy"]);
  const services = await jsonOf<{ data: string[] }>(`${server.ui}/api/services`);
  assert.deepEqual(services.data, ["shop"]);
  const ledger = (state: string): Promise<number> =>
    metricOf(server, `spoor_ledger_spans_total{state="${state}",reason=""}`);
  assert.equal(await ledger("received"), 1);
  assert.equal(await ledger("stored"), 1);
  assert.equal(await metricOf(server, "spoor_ledger_in_flight_spans"), 0);
  const { code, stdout } = await server.stop("SIGINT");
  assert.equal(code, 0);
  assert.match(stdout, /Stopping/);
});

test("the admin port tells health, version and build as Jaeger's does", async (t) => {
  const server = await started(t, { env: MEMORY });
  const health = await fetch(server.admin);
  assert.equal(health.status, 200);
  assert.equal(health.headers.get("content-type"), "application/json");
  const body: { status: string; upSince: string; uptime: string } = JSON.parse(await health.text());
  assert.equal(body.status, "Server available");
  assert.match(body.upSince, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.match(body.uptime, /s$/);
  const version = await jsonOf<object>(`${server.admin}/version`);
  assert.deepEqual(Object.keys(version), ["gitCommit", "gitVersion", "buildDate"]);
});

test("settings come from the environment and a file, and SIGTERM drains too", async (t) => {
  const server = await started(t, {
    env: { ...MEMORY, METRICS_HTTP_ROUTE: "/numbers", MEMORY_MAX_TRACES: "7" },
  });
  assert.match(server.banner, /the newest 7 traces/);
  assert.equal((await fetch(`${server.admin}/numbers`)).status, 200);
  assert.equal((await server.stop("SIGTERM")).code, 0);
});

test("the launcher works through a symlink, from another folder", async () => {
  const folder = folderFor();
  symlinkSync(LAUNCHER, join(folder, "tracer"));
  const version = await runSpoor(["version"], { launcher: "./tracer", cwd: folder });
  assert.equal(version.code, 0, version.stderr);
  assert.match(version.stdout, /"gitVersion": "\d+\.\d+\.\d+"/);
});

test("a port in use is one readable line and exit code 1", async () => {
  const busy = createServer();
  await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
  const address = busy.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const args = [
    "all-in-one",
    "--admin.http.host-port=:0",
    `--query.http-server.host-port=:${port}`,
  ];
  const { code, stderr } = await runSpoor(args, { env: MEMORY });
  busy.close();
  assert.equal(code, 1);
  const said = stderr.trim().split("\n");
  assert.equal(said.length, 1, stderr);
  assert.match(
    stderr,
    new RegExp(`^spoor: port ${port} .*in use.*query\\.http-server\\.host-port`),
  );
});

test("a wrong flag, command or store name is one line and exit code 2", async () => {
  const cases: [readonly string[], { [name: string]: string }, RegExp][] = [
    [["all-in-one", "--memory.max-trace=1"], {}, /unknown flag.*did you mean memory\.max-traces/],
    [["all-in-won"], {}, /unknown command "all-in-won"; did you mean all-in-one/],
    [["all-in-one"], { SPAN_STORAGE_TYPE: "cassandra" }, /"cassandra" is not in this version/],
  ];
  for (const [args, env, text] of cases) {
    const { code, stderr } = await runSpoor([...args], { env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, text);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
});

test("--help lists commands, and a command's flags with their environment", async () => {
  const commands = await runSpoor(["--help"]);
  assert.equal(commands.code, 0);
  assert.match(commands.stdout, /all-in-one +Everything in one process/);
  const flags = await runSpoor(["all-in-one", "--help"]);
  assert.equal(flags.code, 0);
  assert.match(
    flags.stdout,
    /--collector\.otlp\.http\.host-port .*\n.*COLLECTOR_OTLP_HTTP_HOST_PORT/,
  );
});
