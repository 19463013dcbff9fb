/** Our UI's build before the API of a real Jaeger 1.76: behind a proxy, and served by Jaeger. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { startJaeger, withoutJaeger } from "../support/running-jaeger.ts";
import type { RunningJaeger } from "../support/running-jaeger.ts";
import { axeViolations, launchBrowser, openPage, withoutChromium } from "./browser.ts";
import { whole } from "./trace-measure.ts";
import { press, rowAt, rowNames, untilQuery } from "./trace-open.ts";
import { buildUi, otlpRequest, spanIdHex } from "./ui-server.ts";
import type { TraceFixture } from "./ui-server.ts";

const BUILD = fileURLToPath(new URL("../../dist/ui", import.meta.url));
const TYPES: { readonly [extension: string]: string } = {
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};
const SLOW = "5a0b000000000000000000000000000a";
const TRACES: readonly TraceFixture[] = [
  {
    traceIdHex: SLOW,
    spans: [
      { service: "shop", name: "GET /slow", durationMs: 900, tags: { "user.id": 42 } },
      { service: "cart", name: "SELECT item", parent: 0, startMs: 5, durationMs: 850, error: true },
      { service: "cart", name: "render", parent: 0, startMs: 860, durationMs: 20 },
    ],
  },
  {
    traceIdHex: "5a0b000000000000000000000000000b",
    spans: [{ service: "shop", name: "GET /quick", durationMs: 3 }],
  },
];

/** The files of the build, and everything below /api from Jaeger, as an operator's proxy does. */
function startProxy(jaeger: RunningJaeger, base: string): Promise<Server> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? "").slice(base.length);
    if (path.startsWith("/api/")) {
      const { status, headers, body } = await fetch(`${jaeger.query}${path}`);
      response.writeHead(status, { "content-type": headers.get("content-type") ?? "" });
      response.end(new Uint8Array(await new Response(body).arrayBuffer()));
    } else if (path.startsWith("/static/")) {
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "" });
      response.end(await readFile(join(BUILD, path)));
    } else {
      const page = await readFile(join(BUILD, "index.html"), "utf8");
      response.writeHead(200, { "content-type": "text/html" });
      response.end(page.replace('<base href="/"', `<base href="${base}/"`));
    }
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

describe("our UI before a real Jaeger 1.76", { skip: withoutChromium() || withoutJaeger() }, () => {
  let browser: Browser;
  let jaeger: RunningJaeger;

  const send = async (to: RunningJaeger): Promise<void> => {
    for (const trace of TRACES) {
      const body = JSON.stringify(otlpRequest([trace]));
      const headers = { "content-type": "application/json" };
      assert.ok((await fetch(to.otlp, { method: "POST", headers, body })).ok);
      await to.spans(trace.traceIdHex, trace.spans.length);
    }
  };

  before(async () => {
    buildUi();
    browser = await launchBrowser();
    jaeger = await startJaeger();
    await send(jaeger);
  });
  after(async () => {
    await browser?.close();
    await jaeger?.stop();
  });

  for (const base of ["", "/some/base"]) {
    it(`behind a proxy ${base === "" ? "at the root" : `at ${base}`}`, async (t) => {
      const proxy = await startProxy(jaeger, base);
      t.after(() => {
        proxy.close();
        proxy.closeAllConnections();
      });
      await walk(browser, `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${base}`);
    });
  }

  it("served by Jaeger itself below its base path, as its own UI is", async (t) => {
    const serving = await startJaeger({ basePath: "/jaeger", staticFiles: BUILD });
    t.after(() => serving.stop());
    await send(serving);
    await walk(browser, serving.query);
  });
});

/** A newcomer's way: search, the slow trace, what it waited for, find, JSON, a link, a file. */
async function walk(browser: Browser, url: string): Promise<void> {
  const { page, errors, close } = await openPage(browser);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await search(page, url);
  await page
    .getByRole("link", { name: /GET \/slow/ })
    .first()
    .click();
  await whole(page);
  assert.deepEqual(await rowNames(page), ["GET /slow", "SELECT item", "render"]);
  await page.locator(".waited", { hasText: "cart SELECT item" }).waitFor();
  await page.locator(".totals", { hasText: /Services\s*2/ }).waitFor();
  await rowAt(page, 0).click({ position: { x: 300, y: 12 }, force: true });
  await page.locator(".detail td", { hasText: /^42$/ }).waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await page.getByLabel("Find in trace").fill("select");
  await page.locator(".find-count", { hasText: /1 of 1|^1$/ }).waitFor();
  await untilQuery(page, "uiFind", "select");
  await page.getByRole("button", { name: "Copy link to this view" }).click();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(link.searchParams.get("sel"), spanIdHex(0));
  await page.goto(link.href);
  await whole(page);
  await page.locator(".tl-row.is-selected", { hasText: "GET /slow" }).waitFor();
  await press(page, "g", "j");
  const json = page.getByRole("region", { name: "JSON", exact: true });
  await json.filter({ hasText: `"traceID": "${SLOW}"` }).waitFor();
  // Jaeger's capabilities and Spoor's own API are not there: nothing that needs them is offered.
  assert.equal(await page.getByRole("button", { name: "Archive the trace" }).count(), 0);
  await page.goto(`${url}/trace/${"0".repeat(29)}bad`);
  await page.getByRole("heading", { name: "This trace is not here" }).waitFor();
  await upload(page, url);
  // The trace that is not there is Jaeger's 404.
  assert.deepEqual(
    errors.filter((text) => !/status of 404/.test(text)),
    [],
  );
  await close();
}

async function search(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/search`);
  const service = page.getByRole("combobox", { name: "Service" });
  await service.fill("shop");
  await service.press("Enter");
  await page.getByRole("button", { name: "Find Traces" }).click();
  await page.locator("h1.count", { hasText: /^2 traces/ }).waitFor();
  await page.getByLabel("Min Duration").fill("100ms");
  await page.getByRole("button", { name: "Find Traces" }).click();
  await page.locator("h1.count", { hasText: /^1 trace\b/ }).waitFor();
  const found = new URL(page.url()).searchParams;
  assert.equal(found.get("service"), "shop");
  assert.equal(found.get("minDuration"), "100ms");
}

async function upload(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/search`);
  await page.getByRole("tab", { name: "Upload" }).click();
  const spans = [{ service: "from-a-file", name: "uploaded op", durationMs: 20 }];
  const buffer = Buffer.from(JSON.stringify(otlpRequest([{ traceIdHex: "c".repeat(32), spans }])));
  const file = { name: "a.json", mimeType: "application/json", buffer };
  await page.getByLabel("Trace files").setInputFiles([file]);
  await page.getByText("Uploaded", { exact: true }).waitFor();
  await page
    .getByRole("link", { name: /uploaded op/ })
    .first()
    .click();
  await whole(page);
  assert.deepEqual(await rowNames(page), ["uploaded op"]);
}
