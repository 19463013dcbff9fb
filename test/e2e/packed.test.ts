/** What is published, installed in an empty folder: it starts, takes a span, finds it again. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { tempFolder } from "../support/temp-folder.ts";
import { oneSpan, operationsOf, sendJson, startSpoor } from "./spoor-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const folder = tempFolder("packed");
const tarballs = join(folder, "tarballs");
const launcher = join(folder, "node_modules", ".bin", "spoor");

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, [...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", 2] });
}

before(() => {
  run(process.execPath, ["scripts/release.ts", "--to", tarballs], ROOT);
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const names = readdirSync(tarballs).filter((file) => file.endsWith(".tgz"));
  const files = names.map((file) => join(tarballs, file));
  assert.equal(files.length, 2, files.join(" "));
  // What the checkout installed is in npm's cache: the network is asked only when it is not.
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  run("npm", ["install", ...options, ...files], folder);
});

test("the installed server keeps spans over a SIGKILL, its workers included", async () => {
  const data = join(folder, "data");
  const args = [`--embedded.directory=${data}`];
  const first = await startSpoor({ launcher, args, cwd: folder });
  assert.equal(await sendJson(first, oneSpan("shop", "buy", TRACE)), 200);
  assert.deepEqual(await operationsOf(first, TRACE), ["buy"]);
  await first.stop("SIGKILL");

  const second = await startSpoor({ launcher, args, cwd: folder });
  assert.deepEqual(await operationsOf(second, TRACE), ["buy"]);
  const page = await (await fetch(`${second.ui}/search`)).text();
  const script = /src="(static\/main-[^"]+\.js)"/.exec(page)?.[1] ?? "";
  assert.equal((await fetch(`${second.ui}/${script}`)).status, 200, page);
  assert.equal((await second.stop("SIGTERM")).code, 0);
});

test("every entry of the client's package works as ES module and as CommonJS", () => {
  const path = join(folder, "node_modules", "spoor-client", "package.json");
  const manifest: { exports: { [entry: string]: object } } = JSON.parse(readFileSync(path, "utf8"));
  const node = process.execPath;
  for (const entry of Object.keys(manifest.exports)) {
    if (entry === "./package.json") continue;
    const name = `spoor-client${entry.slice(1)}`;
    const names = "Object.keys(c).filter((name) => !/^(default|__esModule)$/.test(name))";
    const said = `process.stdout.write(${names}.sort().join())`;
    const commonJs = `const c = require("${name}"); ${said}`;
    const esm = `import * as c from "${name}"; ${said}`;
    const required = run(node, ["--input-type=commonjs", "-e", commonJs], folder);
    assert.equal(run(node, ["--input-type=module", "-e", esm], folder), required, name);
    assert.notEqual(required, "", name);
    if (entry === ".") assert.match(required, /\binitTracer,initTracerFromEnv\b/);
  }
});

test("a strict TypeScript program compiles against the client's types, both ways", () => {
  const use = 'import { initTracer } from "spoor-client";\ninitTracer({ serviceName: "x" });\n';
  writeFileSync(join(folder, "use.mts"), use);
  writeFileSync(join(folder, "use.cts"), use);
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules", "@types")];
  const settings = ["--noEmit", "--strict", "--module", "nodenext", ...types];
  run(tsc, [...settings, "use.mts", "use.cts"], folder);
});

test("the installed packages hold no sources, tests or paths of this checkout", () => {
  const files = readdirSync(join(folder, "node_modules", "spoor"), { recursive: true });
  const names = files.map(String);
  assert.deepEqual(
    names.filter((name) => /(?<!\.d)\.ts$|\.test\.js$/.test(name)),
    [],
  );
  for (const name of names.filter((file) => file.endsWith(".js"))) {
    const text = readFileSync(join(folder, "node_modules", "spoor", name), "utf8");
    assert(!text.includes(ROOT), name);
  }
});
