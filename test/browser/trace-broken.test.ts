/** A trace that breaks off on its way: what came stays, and the rest is fetched around it. */

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { axeViolations, launchBrowser, openPage, withoutChromium } from "./browser.ts";
import type { WatchedPage } from "./browser.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import type { CuttingProxy } from "./cutting-proxy.ts";
import { bigBatch, bigTraceHex } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { press, rowAt, rowNames, untilQuery } from "./trace-open.ts";
import { startUi } from "./ui-server.ts";
import type { UiServer } from "./ui-server.ts";

const skip = withoutChromium();
/** The first part of a skeleton has 4,096 rows: the rest is a part of its own. */
const TRACE = bigTraceHex("mixed", 5000);

/** Colours in the minimap: two or three when no span is in it. */
function minimapColors(page: Page): Promise<number> {
  return page.locator(".minimap canvas").evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set<string>();
    for (let i = 0; i < data.length; i += 4) colors.add(data.slice(i, i + 3).join());
    return colors.size;
  });
}

describe("a trace that breaks off", { skip }, () => {
  let browser: Browser;
  let ui: UiServer;
  let proxy: CuttingProxy;
  let watched: WatchedPage;
  let page: Page;

  before(async () => {
    [browser, ui] = await Promise.all([launchBrowser(), startUi()]);
    proxy = await startCuttingProxy(ui);
    await ui.store.write(bigBatch("mixed", 5000));
    await ui.store.settle();
  });
  after(async () => {
    await browser?.close();
    await proxy?.close();
    await ui?.close();
  });
  beforeEach(async () => {
    watched = await openPage(browser);
    ({ page } = watched);
  });
  afterEach(() => watched.close());

  const notice = () => page.locator(".notice");
  const again = () => notice().getByRole("button", { name: "Try again" });
  const open = async (query: string, share: number): Promise<void> => {
    proxy.share = share;
    await page.goto(`${proxy.url}/trace/${TRACE}${query}`);
    if (share < 1) await cutOff();
  };
  /** Cuts once what came is painted: an error makes a browser forget what nobody has read. */
  const cutOff = async (): Promise<void> => {
    await page.locator(".tl-row").first().waitFor();
    await frames(page, 2);
    proxy.cut();
  };
  const scriptErrors = (): string[] =>
    watched.errors.filter((text) => !/Failed to load resource|net::ERR/.test(text));
  /** Id of a span among the last, as the whole trace has them. */
  const lastSpan = async (): Promise<string> => {
    await open("", 1);
    await page.locator(".tl-row").first().waitFor();
    await press(page, "End", " ");
    await untilQuery(page, "sel", /./);
    return new URL(page.url()).searchParams.get("sel")!;
  };

  it("what came stays, says how much it is, and can be used; the rest joins it", async () => {
    await open("", 0.9);
    await notice()
      .filter({ hasText: /Only 4,096 of 5,000 spans are shown/ })
      .waitFor();
    assert.match(await notice().innerText(), /connection ended/);
    assert.equal(await page.locator(".trace > .progress").count(), 0);
    assert.ok((await rowNames(page)).length > 20);
    assert.deepEqual(await axeViolations(page), []);
    assert.ok((await minimapColors(page)) > 5, "the minimap has what came");
    await page.locator(".tl-pill").first().waitFor();
    // Folds, selects and opens a span; its attributes come by another connection.
    await press(page, "3", "j", "j", "j", " ");
    await page.locator(".tl-detail .kv").first().waitFor();
    const selected = await page.locator(".tl-row.is-selected").getAttribute("data-row");
    const names = await rowNames(page);
    const broken = page.waitForEvent("requestfailed");
    const answered = page.waitForResponse(/skeleton/);
    await again().click();
    await notice().getByRole("button", { name: "Loading again…" }).waitFor();
    assert.deepEqual(await rowNames(page), names);
    await answered;
    proxy.cut();
    await broken;
    await again().waitFor();
    assert.match(await notice().innerText(), /Only 4,096 of 5,000/);
    proxy.share = 1;
    await again().click();
    await notice().waitFor({ state: "detached" });
    await page.locator(".totals", { hasText: /Spans\s*5,000/ }).waitFor();
    assert.equal(await page.locator(".tl-row.is-selected").getAttribute("data-row"), selected);
    // Without the line above there is room for more rows.
    assert.deepEqual((await rowNames(page)).slice(0, names.length), names);
    await page.locator(".tl-detail .kv").first().waitFor();
    await untilQuery(page, "c", "2.");
    await untilQuery(page, "sel", /./);
    assert.deepEqual(scriptErrors(), []);
  });

  it("what the link shows of the missing part is shown once it is there", async () => {
    const sel = await lastSpan();
    await open(`?sel=${sel}&dense=1`, 0.9);
    await notice().waitFor();
    await frames(page, 2);
    assert.equal(await page.locator(".tl-row.is-selected").count(), 0);
    // What is done meanwhile is kept with it; the address is not touched yet.
    await press(page, "c");
    await untilQuery(page, "sel", sel);
    proxy.share = 1;
    await again().click();
    await page.locator(".tl-row.is-selected").waitFor();
    await untilQuery(page, "cp", "0");
    await untilQuery(page, "sel", sel);
    await untilQuery(page, "dense", "1");
    assert.equal((await rowAt(page, 4999).boundingBox())?.height, 18);
    assert.deepEqual(scriptErrors(), []);
  });

  it("find works in what is there; a server that is gone is told beside it", async () => {
    await open("?uiFind=lookup", 0.9);
    await notice().waitFor();
    await page.locator(".find-count", { hasText: /of \d|^\d/ }).waitFor();
    proxy.share = 0;
    await again().click();
    await notice()
      .filter({ hasText: /4,096 of 5,000 spans are shown.*cannot be reached/ })
      .waitFor();
    assert.ok((await rowNames(page)).length > 20);
    assert.deepEqual(scriptErrors(), []);
  });

  it("broken off before any span: nothing to keep, and trying again shows the trace", async () => {
    proxy.share = 0.0001;
    const answered = page.waitForResponse(/skeleton/);
    await page.goto(`${proxy.url}/trace/${TRACE}`);
    await answered;
    proxy.cut();
    await page.getByRole("heading", { name: "The trace broke off" }).waitFor();
    proxy.share = 1;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".totals", { hasText: /Spans\s*5,000/ }).waitFor();
    assert.deepEqual(scriptErrors(), []);
  });

  it("is coloured by an attribute as far as it came", async () => {
    await open("?color=a.http.method", 0.9);
    await notice().waitFor();
    await page.locator(".legend-group", { hasText: "GET" }).waitFor();
    assert.deepEqual(scriptErrors(), []);
  });
});
