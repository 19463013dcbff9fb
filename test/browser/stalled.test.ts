/** Connections that stall without closing: whoever waits is told, and can ask again or stop. */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { axeViolations, openPage, withoutChromium } from "./browser.ts";
import type { WatchedPage } from "./browser.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import type { CuttingProxy } from "./cutting-proxy.ts";
import { bigBatch, bigTraceHex, SHOP_TRACE, shopBatch } from "./trace-fixtures.ts";
import { frames, whole } from "./trace-measure.ts";
import { press, rowNames } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const TRACE = bigTraceHex("mixed", 5000);
/** Longer than a page waits before it says so. */
const LATER_MS = 6_000;

describe("a connection that stalls", { skip: withoutChromium() }, () => {
  const suite = uiSuite(async (ui) => {
    await ui.store.write(bigBatch("mixed", 5000));
    await ui.store.write(shopBatch());
    await ui.write(
      Array.from({ length: 30 }, (_, i) => ({
        traceIdHex: (i + 1).toString(16).padStart(32, "0"),
        spans: [{ service: "many", name: `GET /${i}` }],
      })),
    );
  });
  let proxy: CuttingProxy;
  let watched: WatchedPage;
  let page: Page;
  before(async () => {
    if (withoutChromium() === false) proxy = await startCuttingProxy(suite.ui);
  });
  after(() => proxy?.close());
  beforeEach(async () => {
    watched = await openPage(suite.browser, { isUnwatched: true });
    ({ page } = watched);
    await page.clock.install();
  });
  afterEach(async () => {
    assert.deepEqual(
      watched.errors.filter((text) => !/Failed to load resource|net::ERR/.test(text)),
      [],
    );
    await watched.close();
  });

  const notice = () => page.locator(".notice");
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const later = (): Promise<void> => page.clock.fastForward(LATER_MS);
  /** Requests that match get no answer; those that follow the function's call do. */
  const stall = async (url: string): Promise<() => void> => {
    let stalls = true;
    // Without the route playwright would let go what it holds.
    await page.route(url, (route) => (stalls ? undefined : route.fallback()));
    return () => {
      stalls = false;
    };
  };

  it("within a trace: what came is told and stays; the rest is loaded beside it", async () => {
    proxy.share = 0.9;
    await page.goto(`${proxy.url}/trace/${TRACE}`);
    await page.locator(".tl-row").first().waitFor();
    await frames(page, 2);
    await later();
    await notice()
      .filter({ hasText: /Only 4,096 of 5,000 spans are shown. Nothing has come/ })
      .waitFor();
    assert.deepEqual(await axeViolations(page), []);
    const names = await rowNames(page);
    await button("Try again").click();
    await later();
    await button("Stop loading").click();
    await notice().filter({ hasText: "Loading was stopped" }).waitFor();
    await page.locator(".trace > .progress").waitFor({ state: "detached" });
    assert.deepEqual((await rowNames(page)).slice(0, 10), names.slice(0, 10));
    proxy.share = 1;
    await button("Try again").click();
    await notice().waitFor({ state: "detached" });
    await whole(page);
  });

  it("before anything of a trace came: it is asked for again, or given up", async () => {
    const goOn = await stall("**/skeleton?**");
    await page.goto(`${suite.ui.url}/trace/${TRACE}`);
    await page.locator(".trace > .progress").waitFor();
    await later();
    await notice().filter({ hasText: "Nothing has come for five seconds" }).waitFor();
    assert.deepEqual(await axeViolations(page), []);
    await button("Stop loading").click();
    await page.getByText("Loading was stopped.").waitFor();
    await button("Try again").click();
    await page.locator(".trace > .progress").waitFor();
    await later();
    await notice().waitFor();
    goOn();
    await button("Try again").click();
    await whole(page);
    assert.equal(await notice().count(), 0);
  });

  it("as a trace that grew is loaded: it stays as it was", async () => {
    await page.route("**/late?**", (route) => route.fulfill({ json: { late: 37 } }));
    await page.goto(`${suite.ui.url}/trace/${TRACE}`);
    await whole(page);
    await page.clock.fastForward(11_000);
    const goOn = await stall("**/skeleton?**");
    await button("37 late spans — apply").click();
    await later();
    await button("Stop loading").click();
    await page.locator(".toast", { hasText: "stays as it was: Loading was stopped" }).waitFor();
    assert.equal(await notice().count(), 0);
    assert.ok((await rowNames(page)).length > 20);
    goOn();
  });

  it("details, find and colours of a trace", async () => {
    let goOn = await stall("**/rows");
    await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}`);
    await whole(page);
    await press(page, "j", " ");
    await page.locator(".detail .progress").waitFor();
    await later();
    await page.locator(".detail .notice").waitFor();
    assert.deepEqual(await axeViolations(page), []);
    goOn();
    await page.locator(".detail").getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: /^Resource/ }).waitFor();

    goOn = await stall("**/find");
    const find = page.getByRole("searchbox", { name: "Find in trace" });
    const asked = page.waitForRequest("**/find");
    await find.fill("SELECT");
    await asked;
    await later();
    await page.locator(".find-count", { hasText: "No answer: Enter asks again" }).waitFor();
    goOn();
    await find.press("Enter");
    await page.locator(".find-count", { hasText: /^\d+/ }).waitFor();

    goOn = await stall("**/values");
    await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}?color=a.http.request.method`);
    await whole(page);
    await later();
    await page.getByText("has not answered for five seconds").waitFor();
    goOn();
    await button("Try again").click();
    await page.locator(".legend-group", { hasText: "GET" }).waitFor();
  });

  it("its JSON, and a view that was stored", async () => {
    let goOn = await stall(`**/api/traces/${SHOP_TRACE}`);
    await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}?v=json`);
    await page.locator(".progress[aria-label='Loading the JSON']").waitFor();
    await later();
    goOn();
    await notice().getByRole("button", { name: "Try again" }).click();
    await page.getByRole("region", { name: "JSON", exact: true }).waitFor();
    await page.route(`**/api/traces/${SHOP_TRACE}`, (route) => route.abort());
    await page.reload();
    await notice().filter({ hasText: "The JSON could not be loaded" }).waitFor();
    assert.deepEqual(await axeViolations(page), []);
    await page.unroute(`**/api/traces/${SHOP_TRACE}`);
    await button("Try again").click();
    await page.getByRole("region", { name: "JSON", exact: true }).waitFor();

    goOn = await stall("**/views/*");
    await page.goto(`${suite.ui.url}/v/${"a".repeat(22)}`);
    await page.locator(".progress").waitFor();
    await later();
    goOn();
    await button("Try again").click();
    await page.getByRole("heading", { name: "This view is not here" }).waitFor();
  });

  it("the next page of results: asked for again when it does not come", async () => {
    await page.goto(`${suite.ui.url}/search?service=many&limit=20&lookback=1h`);
    await button("Load more").waitFor();
    const goOn = await stall("**/find");
    const rows = page.locator(".results-table");
    await button("Load more").click();
    await later();
    await page.getByRole("alert").filter({ hasText: "Nothing has come" }).waitFor();
    goOn();
    await button("Try again").click();
    await page.locator("h1.count", { hasText: /^30 traces/ }).waitFor();
    assert.equal(await rows.getAttribute("aria-rowcount"), "31");
  });
});
