/** Precedence, kinds and errors of the settings. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { isSpoorError } from "../core/errors.ts";
import { flagsOf, readConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { envOf } from "./flag.ts";
import { FLAGS } from "./flags.ts";

function configOf(args: readonly string[], env: { [name: string]: string } = {}): Promise<Config> {
  return readConfig({ args, env });
}

function fileWith(content: string): string {
  const folder = tempFolder("config");
  const path = join(folder, "spoor.yaml");
  writeFileSync(path, content);
  return path;
}

function refused(
  args: readonly string[],
  env: { [name: string]: string },
  text: RegExp,
): Promise<void> {
  return assert.rejects(
    () => configOf(args, env),
    (error) => isSpoorError(error, "config") && text.test(error.message),
  );
}

test("without anything given, every flag has its default", async () => {
  const config = await configOf([]);
  assert.deepEqual(config["query.http-server.host-port"], { host: "", port: 16686 });
  assert.equal(config["embedded.retention"], 7 * 86_400_000);
  assert.equal(config["embedded.directory"], "./spoor-data");
  assert.equal(config["collector.otlp.enabled"], true);
  assert.equal(config["collector.otlp.grpc.max-message-size"], 64 * 2 ** 20);
  assert.deepEqual(config["query.additional-headers"], []);
  assert.equal(Object.keys(config).length, FLAGS.length);
});

test("a flag wins over the environment, that over the file, that over the default", async () => {
  const path = fileWith("memory:\n  max-traces: 1\nlog-level: warn\nquery.base-path: /file\n");
  const env = { MEMORY_MAX_TRACES: "2", LOG_LEVEL: "error", CONFIG_FILE: path };
  const config = await configOf(["--memory.max-traces=3"], env);
  assert.equal(config["memory.max-traces"], 3);
  assert.equal(config["log-level"], "error");
  assert.equal(config["query.base-path"], "/file");
  assert.equal(config["span-storage.type"], "embedded");
});

test("flags take their value after = or a space, booleans none", async () => {
  const config = await configOf(["--host", "0.0.0.0", "--collector.otlp.enabled=false"]);
  assert.equal(config.host, "0.0.0.0");
  assert.equal(config["collector.otlp.enabled"], false);
  assert.equal((await configOf(["--collector.otlp.enabled"]))["collector.otlp.enabled"], true);
});

test("each kind reads what users of Jaeger write", async () => {
  const config = await configOf([
    "--query.max-clock-skew-adjustment=1h30m0.5s",
    "--embedded.max-size-bytes=1.5GiB",
    "--admin.http.host-port=[::1]:0",
    "--query.additional-headers=A: b, C: d",
  ]);
  assert.equal(config["query.max-clock-skew-adjustment"], 5_400_500);
  assert.equal(config["embedded.max-size-bytes"], 1.5 * 2 ** 30);
  assert.deepEqual(config["admin.http.host-port"], { host: "::1", port: 0 });
  assert.deepEqual(config["query.additional-headers"], ["A: b", "C: d"]);
  const off = await configOf(["--admin.http.host-port="]);
  assert.equal(off["admin.http.host-port"], undefined);
});

test("an unknown flag or key names the nearest", async () => {
  await refused(
    ["--memory.max-trace=3"],
    {},
    /unknown flag --memory\.max-trace;.*memory\.max-traces\?/,
  );
  await refused(["--nothing-like-it-at-all"], {}, /see --help/);
  const path = fileWith("embeded: { directory: /x }\n");
  await refused(["--config-file", path], {}, /key embeded\.directory in .*embedded\.directory\?/);
});

test("a role knows its own flags, and takes its own keys of a file for several", async () => {
  const path = fileWith("query.base-path: /x\ncollector.tags: a=b\n");
  const env = { CONFIG_FILE: path, QUERY_BASE_PATH: "/y" };
  const config = await readConfig({ args: [], env, role: "collector" });
  assert.equal(config["query.base-path"], "/");
  assert.deepEqual(config["collector.tags"], ["a=b"]);
  assert.equal(config.host, "");
  assert.equal((await configOf([])).host, "127.0.0.1");
  const agent = await readConfig({ args: [], env: {}, role: "agent" });
  assert.deepEqual(agent["admin.http.host-port"], { host: "", port: 14271 });
  const foreign = readConfig({ args: ["--query.base-path=/z"], env: {}, role: "collector" });
  await assert.rejects(foreign, /--query\.base-path is no flag of spoor collector, but of all-in/);
  assert(flagsOf("collector").every((row) => row.group !== "query"));
});

test("a value of no sense is refused with what is expected and where it stood", async () => {
  await refused([], { EMBEDDED_RETENTION: "a week" }, /EMBEDDED_RETENTION: "a week".*7d/);
  await refused(["--log-level=loud"], {}, /--log-level: "loud" is not debug, info/);
  await refused(["--host"], {}, /--host needs a value/);
  await refused(["--admin.http.host-port=:99999"], {}, /host:port/);
  await refused(["start"], {}, /unexpected argument "start"/);
});

test("a setting of Jaeger that is not in this version takes its default only", async () => {
  assert.equal((await configOf(["--multi-tenancy.enabled=false"]))["multi-tenancy.enabled"], false);
  await refused(["--multi-tenancy.enabled"], {}, /--multi-tenancy\.enabled is not in this version/);
});

test("a file that is absent or no map is refused by name", async () => {
  await refused(["--config-file=/nowhere/spoor.yaml"], {}, /\/nowhere\/spoor\.yaml/);
  await refused(["--config-file", fileWith("just text")], {}, /expected keys with values/);
});

test("no two flags share a name or an environment variable, and every default is valid", () => {
  assert.equal(new Set(FLAGS.map((row) => row.name)).size, FLAGS.length);
  assert.equal(new Set(FLAGS.map(envOf)).size, FLAGS.length);
});
