/** Links to views that the server keeps: what no address holds is shown to whoever opens them. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { axeViolations, openPage, withoutChromium } from "./browser.ts";
import type { WatchedPage } from "./browser.ts";
import { bigBatch, bigTraceHex, shopBatch, SHOP_TRACE } from "./trace-fixtures.ts";
import { frames, whole } from "./trace-measure.ts";
import { openTrace, press, rowNames, untilQuery } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
const BIG = bigTraceHex("mixed", 5000);
const VIEWS = "**/api/spoor/v1/views";

describe("stored views", { skip }, () => {
  const suite = uiSuite(
    async (ui) => {
      await ui.store.write(bigBatch("mixed", 5000));
      await ui.store.write(shopBatch());
    },
    { basePath: "/some/base" },
  );
  let watched: WatchedPage;
  let page: Page;
  beforeEach(async () => {
    watched = await openTrace(suite.browser, suite.ui, {
      traceIdHex: BIG,
      query: "?uiFind=lookup",
    });
    ({ page } = watched);
  });
  afterEach(() => watched.close());

  /** Folds all but the ways to some thousand matches: far more than an address holds. */
  const foldMuch = async (): Promise<void> => {
    await page.locator(".find-count", { hasText: /\d of \d/ }).waitFor();
    await page.getByRole("button", { name: "Show only the way to the matches" }).click();
    await frames(page, 2);
  };
  const copied = async (toast: RegExp): Promise<string> => {
    await page.getByRole("button", { name: "Copy link to this view" }).click();
    await page.locator(".toast", { hasText: toast }).last().waitFor();
    return await page.evaluate(() => navigator.clipboard.readText());
  };
  const rowCount = (of: Page): Promise<string | null> =>
    of.getByRole("treegrid", { name: "Spans" }).getAttribute("aria-rowcount");

  it("a view of another trace folds nothing of this one", async () => {
    await foldMuch();
    const link = await copied(/the server keeps/);
    const other = await openPage(suite.browser);
    await other.page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}?more=${link.split("/").at(-1)}`);
    await whole(other.page);
    await untilQuery(other.page, "more", null);
    assert.equal(await rowCount(other.page), "21");
    assert.equal(new URL(other.page.url()).search, "");
    await other.close();
  });

  it("a view of any size is a short link, which shows the same, also after a reload", async () => {
    await foldMuch();
    await press(page, "c");
    const [names, rows] = [await rowNames(page), await rowCount(page)];
    const link = await copied(/the server keeps/);
    assert.match(link, new RegExp(`^${suite.ui.url}/v/[\\w-]{22}$`));
    const other = await openPage(suite.browser);
    await other.page.goto(link);
    await other.page.waitForURL(/\/trace\/.*more=/);
    await whole(other.page);
    assert.deepEqual(await rowNames(other.page), names);
    assert.equal(await rowCount(other.page), rows);
    assert.ok(other.page.url().length < 400, other.page.url());
    await other.page.reload();
    await whole(other.page);
    assert.equal(await rowCount(other.page), rows);
    // Zooming leaves what is folded to the view; folding does not.
    await press(other.page, "ArrowUp");
    await untilQuery(other.page, "t", /./);
    assert.match(other.page.url(), /more=/);
    // All opened is an address without either: back leads to the view all the same.
    await press(other.page, "[");
    await untilQuery(other.page, "more", null);
    await other.page.goBack();
    await untilQuery(other.page, "more", /./);
    await frames(other.page, 2);
    assert.equal(await rowCount(other.page), rows);
    await press(other.page, "]");
    await untilQuery(other.page, "c", "0.");
    await untilQuery(other.page, "more", null);
    assert.deepEqual(other.errors, []);
    await other.close();
    assert.deepEqual(watched.errors, []);
  });

  it("where no view is kept, the link has what an address can hold, and says so", async () => {
    await foldMuch();
    for (const status of [501, 404, 500]) {
      await page.route(VIEWS, (route) =>
        route.fulfill({ status, json: { error: { code: "unsupported", message: "no views" } } }),
      );
      assert.equal(await copied(/cannot hold all that is folded/), page.url());
      await page.unroute(VIEWS);
    }
  });

  it("a short view stays an address: nobody is asked", async () => {
    await page.route(VIEWS, () => assert.fail("asked"));
    await press(page, "2");
    assert.match(await copied(/^Link copied$/), /c=1\./);
  });

  it("a view that is gone says what to do; one that goes on elsewhere is told", async () => {
    await page.goto(`${suite.ui.url}/v/${"a".repeat(22)}`);
    await page.getByRole("heading", { name: "This view is not here" }).waitFor();
    assert.deepEqual(await axeViolations(page), []);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "This view is not here" }).waitFor();
    await page.goto(`${suite.ui.url}/v/%3Cimg%20src=x%3E`);
    await page.getByRole("heading", { name: "This view is not here" }).waitFor();
    await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}?more=${"a".repeat(22)}&dense=1`);
    await page.locator(".toast", { hasText: /folded or hidden could not be loaded/ }).waitFor();
    await whole(page);
    assert.equal((await rowNames(page)).length, 20);
  });

  it("a hostile view is text, and leads to no other page", async () => {
    const query = "uiFind=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&c=*3!!!!&x=%00&go=..%2F..&t=a";
    const answer = await fetch(`${suite.ui.url}/api/spoor/v1/views`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ path: `/trace/${SHOP_TRACE}`, query }),
    });
    const { id } = (await answer.json()) as { id: string };
    await page.goto(`${suite.ui.url}/v/${id}`);
    await whole(page);
    assert.equal(
      await page.getByLabel("Find in trace").inputValue(),
      "<img src=x onerror=alert(1)>",
    );
    assert.equal((await rowNames(page)).length, 20);
    assert.deepEqual(watched.errors, []);
    for (const path of ["//evil.example/trace/1", "javascript:alert(1)", "/trace/../search"]) {
      const forged = { path, query: "" };
      await page.route("**/api/spoor/v1/views/*", (route) => route.fulfill({ json: forged }));
      await page.goto(`${suite.ui.url}/v/${"b".repeat(22)}`);
      await page.getByRole("heading", { name: "The view could not be loaded" }).waitFor();
      await page.unroute("**/api/spoor/v1/views/*");
    }
  });
});
