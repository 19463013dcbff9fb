/** The packed client in Chromium: spans of a page come back from the all-in-one's API. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { after, before, describe, it } from "node:test";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { installPackedClient } from "../support/packed-client.ts";
import { portOf, runAllInOne, texts, tracesOf } from "../support/running-roles.ts";
import type { RunningRole } from "../../src/run/role.ts";
import { launchBrowser, openPage, withoutChromium } from "./browser.ts";

const skip = withoutChromium();
let folder = "";
let browser: Browser;

/** Bundles a page's script as applications do, out of the installed tarball. */
async function bundle(script: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text;
}

interface Site {
  readonly url: string;
  /** Headers of what the page asked of `/data`. */
  readonly asked: Record<string, unknown>[];
}

/** The page's own server: its script, some data, and a way to the collector as proxies have it. */
async function startSite(t: TestContext, script: string, role: RunningRole): Promise<Site> {
  const asked: Record<string, unknown>[] = [];
  const server = createServer((incoming, response) => {
    const path = incoming.url ?? "/";
    if (path === "/api/traces") {
      const { method, headers } = incoming;
      const port = portOf(role, "jaegerHttp");
      const options = { port, host: "127.0.0.1", path, method, headers };
      const forward = request(options, (answer) => {
        response.writeHead(answer.statusCode ?? 502);
        answer.pipe(response);
      });
      incoming.pipe(forward);
      return;
    }
    if (path.startsWith("/data")) asked.push(incoming.headers);
    const status = path.includes("broken") ? 503 : 200;
    const type = path === "/app.js" ? "text/javascript" : "text/html";
    response.writeHead(status, { "content-type": type });
    response.end(path === "/app.js" ? script : '<!doctype html><script src="/app.js"></script>');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** What every page does: a parent with tags and a log, a traced call, and one that fails. */
const WORK = `
  const page = tracer.startSpan('page', { tags: { text: 'schön 🧀', int: 42, yes: true } });
  page.log({ event: 'shown' });
  window.work = tracer.withSpan(page, async () => {
    const calls = [fetch('/data?secret=1'), fetch('/data/broken')];
    await Promise.all(calls);
    page.finish();
    await new Promise((resolve) => tracer.close(resolve));
    return globalThis.fetch === undefined;
  });
`;

describe("the client in Chromium", { skip }, () => {
  before(async () => {
    folder = installPackedClient();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("reports OTLP across origins, and carries the trace on to its own", async (t) => {
    const role = await runAllInOne(t, ["--collector.otlp.http.cors.allowed-origins=*"]);
    const endpoint = `http://127.0.0.1:${portOf(role, "otlpHttp")}/v1/traces`;
    const script = await bundle(`
      import * as opentracing from 'opentracing';
      import { initTracer } from 'spoor-client';
      import { instrumentFetch } from 'spoor-client/fetch';
      const tracer = initTracer({
        serviceName: 'page-otlp',
        sampler: { type: 'const', param: 1 },
        reporter: { collectorEndpoint: ${JSON.stringify(endpoint)} },
        propagation: 'w3c,jaeger',
      }, { tags: { build: 'b7' } });
      instrumentFetch(tracer);
      ${WORK}
      // OpenTracing's own functions take these spans, though they are not its classes in a page.
      opentracing.initGlobalTracer(tracer);
      const global = opentracing.globalTracer();
      const child = global.startSpan('child', { childOf: page });
      const headers = {};
      global.inject(child, opentracing.FORMAT_HTTP_HEADERS, headers);
      const context = global.extract(opentracing.FORMAT_HTTP_HEADERS, headers);
      const references = [opentracing.followsFrom(context), opentracing.childOf(child)];
      global.startSpan('grandchild', { references }).finish();
      child.finish();`);
    const site = await startSite(t, script, role);
    const { page, errors, close } = await openPage(browser);
    await page.goto(site.url);
    await page.evaluate(() => (globalThis as unknown as { work: Promise<boolean> }).work);
    const [trace, ...more] = await tracesOf(role, "page-otlp", 5);
    assert.equal(more.length, 0);
    const idOf = (name: string): string =>
      trace!.spans.find(({ operationName }) => operationName === name)!.spanID;
    const parents = Object.fromEntries(
      trace!.spans.map(({ operationName, references }) => [
        operationName,
        references.map((each) => ("spanID" in each ? each.spanID : "")),
      ]),
    );
    assert.deepEqual(parents["child"], [idOf("page")]);
    assert.equal(parents["grandchild"]![0], idOf("child"));
    const [first, failed] = ["/data", "/data/broken"].map((path) =>
      trace!.spans.find(({ tags }) => tags.some(({ value }) => value === site.url + path)),
    );
    const root = trace!.spans.find(({ operationName }) => operationName === "page")!;
    for (const tag of ['text string "schön 🧀"', "int int64 42", "yes bool true"]) {
      assert.ok(texts(root.tags).includes(tag), tag);
    }
    assert.deepEqual(texts(root.logs[0]!.fields), ['event string "shown"']);
    assert.equal(first!.operationName, "HTTP GET");
    assert.ok(texts(failed!.tags).includes("http.status_code int64 503"));
    assert.ok(texts(failed!.tags).includes("error bool true"));
    const sent = `00-${trace!.traceID}-${first!.spanID}-01`;
    assert.equal(site.asked[0]!["traceparent"], sent);
    // Jaeger's header leaves leading zeros out.
    const parent = root.spanID.replace(/^0+/, "");
    assert.match(String(site.asked[0]!["uber-trace-id"]), new RegExp(`:${parent}:1$`));
    const process = Object.values(trace!.processes)[0]!;
    assert.ok(texts(process.tags).includes('build string "b7"'));
    // Chromium writes a failed call to its console; nothing else may be there.
    assert.deepEqual(
      errors.filter((text) => !text.includes("503")),
      [],
    );
    await close();
  });

  it("reports Thrift to a collector behind the page's own origin", async (t) => {
    const role = await runAllInOne(t);
    const script = await bundle(`
      import { HTTPSender, RemoteReporter, initTracer } from 'spoor-client';
      import { tracedFetch } from 'spoor-client/fetch';
      const reporter = new RemoteReporter(new HTTPSender({ endpoint: '/api/traces' }));
      const sampler = { type: 'const', param: 1 };
      const tracer = initTracer({ serviceName: 'page-thrift', sampler }, { reporter });
      const fetch = tracedFetch(tracer, globalThis.fetch);
      ${WORK}`);
    const site = await startSite(t, script, role);
    const { page, close } = await openPage(browser);
    await page.goto(site.url);
    await page.evaluate(() => (globalThis as unknown as { work: Promise<boolean> }).work);
    const [trace] = await tracesOf(role, "page-thrift", 3);
    const root = trace!.spans.find(({ operationName }) => operationName === "page")!;
    for (const tag of ['text string "schön 🧀"', "int int64 42", "yes bool true"]) {
      assert.ok(texts(root.tags).includes(tag), tag);
    }
    assert.equal(site.asked.length, 2);
    await close();
  });

  it("sends what waits when the page goes away, and bears a collector that is gone", async (t) => {
    const role = await runAllInOne(t, ["--collector.otlp.http.cors.allowed-origins=*"]);
    const endpoint = `http://127.0.0.1:${portOf(role, "otlpHttp")}/v1/traces`;
    const script = await bundle(`
      import { initTracer } from 'spoor-client';
      const sampler = { type: 'const', param: 1 };
      const to = (collectorEndpoint) => ({ collectorEndpoint, flushIntervalMs: 3600000 });
      const reporter = to(${JSON.stringify(endpoint)});
      initTracer({ serviceName: 'leaving', sampler, reporter }).startSpan('last').finish();
      const gone = to('http://127.0.0.1:1/v1/traces');
      const lost = initTracer({ serviceName: 'gone', sampler, reporter: gone });
      lost.startSpan('lost').finish();
      window.work = new Promise((resolve) => lost.close(() => resolve(true)));`);
    const site = await startSite(t, script, role);
    // A page of its own: requests that the test's routes hold up end with their page.
    const context = await browser.newContext();
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(site.url);
    await page.evaluate(() => (globalThis as unknown as { work: Promise<boolean> }).work);
    await page.goto("about:blank");
    const [trace] = await tracesOf(role, "leaving", 1);
    assert.equal(trace!.spans[0]!.operationName, "last");
    assert.deepEqual(errors, []);
    await context.close();
  });
});
