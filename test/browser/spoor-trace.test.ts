/** `<spoor-trace>` in a bare page of another origin: a page of Spoor, and anybody's JSON. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, afterEach, describe, it } from "node:test";
import type { Browser, FrameLocator, Page } from "playwright-core";
import { axeViolations, launchBrowser, openPage, withoutChromium } from "./browser.ts";
import type { WatchedPage } from "./browser.ts";
import { SHOP_TRACE, shopBatch } from "./trace-fixtures.ts";
import { startUi } from "./ui-server.ts";
import type { UiServer } from "./ui-server.ts";

const TAKEN_OVER =
  "p { color: red !important } .tl-row, iframe, header { display: none !important }";

describe("<spoor-trace>", { skip: withoutChromium() }, () => {
  let browser: Browser;
  let ui: UiServer;
  let host: Server;
  let json = "";
  let element = "";
  let watched: WatchedPage;
  let page: Page;

  before(async () => {
    [browser, ui] = await Promise.all([launchBrowser(), startUi({ basePath: "/some/base" })]);
    await ui.store.write(shopBatch());
    await ui.store.settle();
    json = await (await fetch(`${ui.url}/api/traces/${SHOP_TRACE}`)).text();
    const spoor = new URL(ui.url).origin;
    host = createServer((request, response) => {
      if (request.url === "/trace.json") {
        response.writeHead(200, { "content-type": "application/json" });
        return response.end(json);
      }
      if (request.url === "/host.css") {
        response.writeHead(200, { "content-type": "text/css" });
        return response.end(TAKEN_OVER);
      }
      if (request.url !== "/") return response.writeHead(404).end();
      response.writeHead(200, {
        "content-type": "text/html",
        // As strict as can be: Spoor's script and frames, this origin's style and data.
        "content-security-policy":
          `default-src 'none'; script-src ${spoor}; frame-src ${spoor}; ` +
          `style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'`,
      });
      return response.end(
        `<!doctype html><html lang="en"><title>A page</title><link rel="stylesheet" href="host.css">
         <main><h1>A page</h1>${element}</main>
         <script src="${ui.url}/static/spoor-trace.js"></script></html>`,
      );
    });
    await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    await browser?.close();
    host?.close();
    host?.closeAllConnections();
    await ui?.close();
  });
  beforeEach(async () => {
    watched = await openPage(browser);
    ({ page } = watched);
  });
  afterEach(() => watched.close());

  /** Opens the bare page with this element; the frame within it. */
  const show = async (markup: string): Promise<FrameLocator> => {
    element = markup;
    // Another origin than Spoor's: the port and the name differ.
    await page.goto(`http://localhost:${(host.address() as AddressInfo).port}/`);
    return page.locator("spoor-trace").frameLocator("iframe");
  };
  const names = (frame: FrameLocator) => frame.locator(".tl-rows .tl-name");
  /** Until all twenty spans are rows. */
  const whole = (frame: FrameLocator): Promise<void> =>
    frame.locator('[role=treegrid][aria-rowcount="21"] .tl-name').first().waitFor();

  it("a trace's page of Spoor, in the theme asked for, without what is around it", async () => {
    const frame = await show(
      `<spoor-trace src="${ui.url}/trace/${SHOP_TRACE}" theme="dark"></spoor-trace>`,
    );
    await whole(frame);
    await frame.locator("html[data-theme=dark]").waitFor();
    assert.equal(await frame.locator(".top-bar").count(), 0);
    const box = (await page.locator("spoor-trace").boundingBox())!;
    assert.equal(Math.round(box.height), 600);
    await page.locator("spoor-trace").evaluate((one) => one.setAttribute("theme", "light"));
    await frame.locator("html[data-theme=light]").waitFor();
    await whole(frame);
    assert.deepEqual(watched.errors, []);
    assert.deepEqual(await axeViolations(page), []);
  });

  it("Jaeger's JSON of any address that the page may read, whole and usable", async () => {
    let fetches = 0;
    page.on("request", (request) => (fetches += request.url().endsWith("/trace.json") ? 1 : 0));
    const frame = await show('<spoor-trace src="trace.json" theme="dark"></spoor-trace>');
    await whole(frame);
    assert.equal(fetches, 1, "fetched once, though the element was there before the script");
    assert.equal(await names(frame).first().textContent(), "POST /checkout");
    await frame
      .locator('.tl-row[data-row="3"]')
      .click({ position: { x: 200, y: 12 }, force: true });
    await frame.locator(".detail .kv").first().waitFor();
    assert.deepEqual(watched.errors, []);
    // Nothing of it went to Spoor, nor into the page around.
    assert.equal(await page.evaluate(() => document.querySelectorAll(".tl-row").length), 0);
    assert.equal(await page.evaluate(() => location.search + location.hash), "");
  });

  it("what cannot be shown is said, and another src is shown instead", async () => {
    for (const [src, text] of [
      ["missing.json", /the server answered 404/],
      ["javascript:alert(1)", /cannot show javascript:/],
      ["https://[", /https:\/\/\[ is no address/],
      ["https://elsewhere.example/trace.json", /cannot be shown/],
    ] as const) {
      await show(`<spoor-trace src="${src}"></spoor-trace>`);
      const alert = page.locator("spoor-trace").getByRole("alert");
      await alert.filter({ hasText: text }).waitFor();
    }
    await page.locator("spoor-trace").evaluate((one) => one.setAttribute("src", "trace.json"));
    await whole(page.locator("spoor-trace").frameLocator("iframe"));
  });

  it("hostile JSON stays text; the frame takes nothing but bytes of its parent", async () => {
    const honest = json;
    json = json.replaceAll("POST /checkout", "<img src=x onerror=alert(1)>");
    const frame = await show('<spoor-trace src="trace.json"></spoor-trace>');
    await names(frame).filter({ hasText: "<img src=x onerror=alert(1)>" }).waitFor();
    assert.equal(await frame.locator(".tl-rows img").count(), 0);
    json = "{ not json";
    const broken = await show('<spoor-trace src="trace.json"></spoor-trace>');
    await broken.getByRole("heading", { name: "There is no trace to show" }).waitFor();
    json = honest;
    await page.goto(`${ui.url}/embed`);
    await page.getByText("This page shows what the page around it hands over").waitFor();
    await page.evaluate(() => postMessage({ spoorTrace: "text" }, "*"));
    await page.evaluate(() => postMessage({ spoorTrace: { length: 3 } }, "*"));
    await page.getByRole("heading", { name: "There is no trace to show" }).waitFor();
    assert.deepEqual(await axeViolations(page), []);
  });
});
