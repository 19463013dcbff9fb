/** The UI's page and files as a browser gets them: base path, injection, policy, caching. */

import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { CounterTable } from "../base/counters.ts";
import { systemClock } from "../base/clock.ts";
import { isSpoorError } from "../core/errors.ts";
import { startHttpServer } from "../net/http-server.ts";
import type { HttpServer } from "../net/http-server.ts";
import { uiRoutes } from "./ui-files.ts";
import type { UiFilesOptions } from "./ui-files.ts";

const TEMPLATE = `<base href="/" data-inject-target="BASE_URL"/>
<script>
  // JAEGER_CONFIG_JS
  // the next line
</script>
<script>
JAEGER_CONFIG = DEFAULT_CONFIG;
JAEGER_VERSION = DEFAULT_VERSION;
JAEGER_BACKEND_CAPABILITIES = DEFAULT_BACKEND_CAPABILITIES;
JAEGER_STORAGE_CAPABILITIES = DEFAULT_STORAGE_CAPABILITIES;
SPOOR_SERVER = DEFAULT_SPOOR_SERVER;
</script>
<script type="module" src="static/main-ABCDEFGH.js"></script>`;
const SCRIPT = `console.log("${"x".repeat(2000)}");`;

let folder = "";
let nowMs = 0;
let server: HttpServer | undefined;

beforeEach(() => {
  folder = tempFolder("ui");
  mkdirSync(join(folder, "static"));
  writeFileSync(join(folder, "index.html"), TEMPLATE);
  writeFileSync(join(folder, "static", "main-ABCDEFGH.js"), SCRIPT);
  writeFileSync(join(folder, "static", "plain.txt"), "plain");
  writeFileSync(join(folder, "secret.txt"), "secret");
});

afterEach(async () => {
  await server?.close(0);
  server = undefined;
});

/** Serves the folder; the function asks for a path. */
async function serve(
  settings: Partial<UiFilesOptions> = {},
  basePath = "",
): Promise<(path: string, headers?: Record<string, string>) => Promise<Response>> {
  const options: UiFilesOptions = {
    folder,
    foreign: false,
    configPath: "",
    version: { version: "1.2.3", commit: "abc", buildDate: "today" },
    archiveStorage: () => true,
    server: () => ({ api: 1, store: "</script><b>", receivers: [] }),
    additionalHeaders: {},
    clock: { ...systemClock, monotonicMs: () => nowMs },
    ...settings,
  };
  const routes = (await uiRoutes(options, basePath)).map((route) => ({
    ...route,
    path: basePath + route.path,
  }));
  const place = { host: "127.0.0.1", port: 0, flag: "x", name: "ui" };
  const started = await startHttpServer({ ...place, routes, counters: new CounterTable() });
  server = started;
  return (path, headers = {}) =>
    fetch(`http://127.0.0.1:${started.port}${basePath}${path}`, { headers });
}

test("the page carries base path, version, capabilities and a nonce of its own", async () => {
  const ask = await serve({}, "/jaeger");
  const first = await ask("/search?service=a");
  const page = await first.text();
  assert.equal(first.status, 200);
  assert.match(page, /<base href="\/jaeger\/"/);
  assert.match(page, /JAEGER_VERSION = \{"gitCommit":"abc","gitVersion":"1.2.3"/);
  assert.match(page, /JAEGER_BACKEND_CAPABILITIES = \{"archiveStorage":true,"metricsStorage":f/);
  assert.match(page, /JAEGER_STORAGE_CAPABILITIES = \{"archiveStorage":true,/);
  assert.match(page, /JAEGER_CONFIG = DEFAULT_CONFIG;/);
  assert.match(page, /"store":"\\u003c\/script>\\u003cb>"/);
  const nonces = [...page.matchAll(/<script nonce="([^"]+)"/g)].map((match) => match[1]);
  assert.equal(nonces.length, 3);
  const policy = first.headers.get("content-security-policy") ?? "";
  assert.ok(policy.includes(`'nonce-${nonces[0]}'`), policy);
  assert.doesNotMatch(policy, /unsafe/);
  const second = await (await ask("/trace/1")).text();
  assert.ok(!second.includes(nonces[0] ?? "?"), "the nonce is a new one");
});

test("files are immutable, compressed and validated; nothing outside static/ is sent", async () => {
  const ask = await serve();
  const packed = await ask("/static/main-ABCDEFGH.js");
  assert.equal(packed.headers.get("content-encoding"), "gzip");
  assert.equal(packed.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.match(packed.headers.get("cache-control") ?? "", /immutable/);
  assert.equal(await packed.text(), SCRIPT);
  const etag = packed.headers.get("etag") ?? "";
  const again = await ask("/static/main-ABCDEFGH.js", { "if-none-match": etag });
  assert.equal(again.status, 304);
  const plain = await ask("/static/main-ABCDEFGH.js", { "accept-encoding": "identity" });
  assert.equal(plain.headers.get("content-encoding"), null);
  assert.equal(await plain.text(), SCRIPT);
  const unhashed = await ask("/static/plain.txt");
  assert.equal(unhashed.headers.get("cache-control"), "no-cache");
  for (const path of ["/static/..%2fsecret.txt", "/static/no.js", "/static/%2e%2e/index.html"]) {
    const refused = await ask(path);
    const text = await refused.text();
    assert.ok(refused.status === 404 || !text.includes("secret"), path);
    assert.ok(!text.includes("secret"), path);
  }
});

test("a JSON configuration cannot leave its script and is read again when it is old", async () => {
  const configPath = join(folder, "ui.json");
  writeFileSync(configPath, '{ "menu": [{ "label": "</script><script>alert(1)</script>" }] }');
  const faults: unknown[] = [];
  const ask = await serve({ configPath, onFault: (error) => faults.push(error) });
  const page = await (await ask("/")).text();
  assert.match(page, /JAEGER_CONFIG = \{"menu":\[\{"label":"\\u003c\/script>/);
  writeFileSync(configPath, '{ "archiveEnabled": false }');
  assert.match(await (await ask("/")).text(), /JAEGER_CONFIG = \{"menu"/);
  nowMs += 10_001;
  assert.match(await (await ask("/")).text(), /JAEGER_CONFIG = \{"archiveEnabled":false\};/);
  writeFileSync(configPath, "{ broken");
  nowMs += 10_001;
  assert.match(await (await ask("/")).text(), /JAEGER_CONFIG = \{"archiveEnabled":false\};/);
  assert.equal(faults.length, 1);
});

test("a script configuration stands where Jaeger puts it", async () => {
  const configPath = join(folder, "ui.js");
  const text = 'function UIConfig() { return { x: "</script>$&" }; }';
  writeFileSync(configPath, text);
  const ask = await serve({ configPath });
  const page = await (await ask("/")).text();
  assert.ok(page.includes('function UIConfig() { return { x: "<\\/script>$&" }; }'), page);
  assert.doesNotMatch(page, /JAEGER_CONFIG_JS|the next line/);
});

test("a configuration that cannot be used stops the start and says why", async () => {
  const cases: [string, string, RegExp][] = [
    ["ui.json", "{", /is not JSON/],
    ["ui.js", "const x = 1;", /must define a function UIConfig/],
    ["ui.yaml", "a: 1", /must end in \.json or \.js/],
  ];
  for (const [name, text, reason] of cases) {
    const configPath = join(folder, name);
    writeFileSync(configPath, text);
    await assert.rejects(serve({ configPath }), (error) => {
      assert.ok(isSpoorError(error, "config"));
      assert.match(error.message, reason);
      return true;
    });
  }
  const absent = join(folder, "absent.json");
  await assert.rejects(serve({ configPath: absent }), /cannot be read/);
});

test("additional headers win; a foreign build gets no policy of ours", async () => {
  const additionalHeaders = { "Content-Security-Policy": "frame-ancestors 'none'", "X-Own": "1" };
  let ask = await serve({ additionalHeaders });
  const own = await ask("/");
  assert.equal(own.headers.get("content-security-policy"), "frame-ancestors 'none'");
  assert.equal((await ask("/static/plain.txt")).headers.get("x-own"), "1");
  await server?.close(0);
  ask = await serve({ foreign: true });
  assert.equal((await ask("/")).headers.get("content-security-policy"), null);
});

test("an UI that is not built says how to build it, and a new build is seen", async () => {
  rmSync(join(folder, "index.html"));
  const ask = await serve();
  const missing = await ask("/");
  assert.equal(missing.status, 503);
  assert.match(await missing.text(), /npm start/);
  writeFileSync(join(folder, "index.html"), "<p>built</p>");
  assert.equal(await (await ask("/")).text(), "<p>built</p>");
});
