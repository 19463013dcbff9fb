/** Parity of the search form, a test a field: formats, addresses, completion, memory. */

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openPage, withoutChromium } from "./browser.ts";
import type { WatchedPage } from "./browser.ts";
import { startUi } from "./ui-server.ts";
import type { TraceFixture, UiServer } from "./ui-server.ts";

const skip = withoutChromium();

/** Thirty traces of three services, the later the newer; every tenth fails. */
function thirtyTraces(): TraceFixture[] {
  const now = Date.now();
  return Array.from({ length: 30 }, (_, i) => ({
    traceIdHex: (i + 1).toString(16).padStart(32, "0"),
    startMs: now - (30 - i) * 10_000,
    spans: [
      {
        service: ["shop", "cart", "db"][i % 3] ?? "",
        name: i % 2 === 0 ? "GET /" : "POST /order",
        durationMs: 10 * (i + 1),
        error: i % 10 === 9,
        tags: { "http.status_code": i % 10 === 9 ? 500 : 200, "user.name": `user ${i % 4}` },
      },
      { service: "db", name: "query", startMs: 1, durationMs: 2, parent: 0 },
    ],
  }));
}

describe("search form", { skip }, () => {
  let browser: Browser;
  let ui: UiServer;
  let watched: WatchedPage;
  let page: Page;

  before(async () => {
    [browser, ui] = await Promise.all([launchBrowser(), startUi()]);
    await ui.write(thirtyTraces());
  });
  after(async () => {
    await browser?.close();
    await ui?.close();
  });
  beforeEach(async () => {
    watched = await openPage(browser);
    ({ page } = watched);
  });
  afterEach(async () => {
    assert.deepEqual(watched.errors, []);
    await watched.close();
  });

  const service = () => page.getByRole("combobox", { name: "Service" });
  const name = () => page.getByRole("combobox", { name: "Span name" });
  const attributes = () => page.getByRole("combobox", { name: /^Attributes/ });
  const listed = () => page.locator(".popup [role=option]");
  const find = () => page.getByRole("button", { name: "Find Traces" });
  const count = () => page.locator("h1.count");
  const query = () => new URL(page.url()).searchParams;
  const open = async (path = "/search"): Promise<void> => {
    await page.goto(ui.url + path);
    await count().waitFor();
  };

  it("service: lists all with their number, narrows by typing, takes the chosen one", async () => {
    await open();
    await service().click();
    assert.deepEqual(await listed().allTextContents(), ["All Services", "cart", "db", "shop"]);
    await service().fill("sh");
    assert.deepEqual(await listed().allTextContents(), ["shop"]);
    await service().press("Enter");
    assert.equal(await service().inputValue(), "shop");
    await find().click();
    await page.waitForURL(/service=shop/);
    await count().filter({ hasText: "10 traces" }).waitFor();
    assert.match(await page.locator(".field label").first().innerText(), /\(3\)/);
  });

  it("all services: the sentinel of Jaeger's addresses", async () => {
    await open("/search?service=__all_services__&lookback=1h&limit=100");
    await count().filter({ hasText: "30 traces" }).waitFor();
    assert.equal(await service().inputValue(), "All Services");
  });

  it("span name: those of the service, free text too, reset with the service", async () => {
    await open("/search?service=shop&lookback=1h");
    await name().click();
    await listed().filter({ hasText: "POST /order" }).waitFor();
    assert.deepEqual(await listed().allTextContents(), ["All Span Names", "GET /", "POST /order"]);
    await name().fill("no such name");
    await name().press("Enter");
    await find().click();
    await page.waitForURL(/operation=no\+such\+name/);
    await page.getByRole("heading", { name: "No trace results" }).waitFor();
    await service().click();
    await page.getByRole("option", { name: "db" }).click();
    assert.equal(await name().inputValue(), "All Span Names");
  });

  it("attributes: logfmt becomes a JSON object of texts in the address, and finds", async () => {
    await open();
    await attributes().fill('http.status_code=500 user.name="user 1" error=true');
    await attributes().press("Escape");
    await find().click();
    await page.waitForURL(/tags=/);
    assert.deepEqual(JSON.parse(query().get("tags") ?? ""), {
      "http.status_code": "500",
      "user.name": "user 1",
      error: "true",
    });
    await count()
      .filter({ hasText: /^2 traces/ })
      .waitFor();
    await attributes().fill('"open');
    await page.getByText("Not logfmt: a quote is not closed").waitFor();
    assert.equal(await find().isDisabled(), true);
  });

  it("attributes: keys and values are completed from what is stored", async () => {
    await open();
    await attributes().pressSequentially("http.s");
    await page.getByRole("option", { name: "http.status_code" }).waitFor();
    await attributes().press("ArrowDown");
    await attributes().press("Enter");
    assert.equal(await attributes().inputValue(), "http.status_code=");
    await page.getByRole("option", { name: "500" }).click();
    assert.equal(await attributes().inputValue(), "http.status_code=500 ");
    await attributes().pressSequentially("user.name=");
    await page.getByRole("option", { name: "user 1" }).click();
    assert.equal(await attributes().inputValue(), 'http.status_code=500 user.name="user 1" ');
  });

  it("lookback: Jaeger's choices; a custom range with date and time to the minute", async () => {
    await open();
    const lookback = page.getByLabel("Lookback");
    const options = await lookback.locator("option").allTextContents();
    assert.equal(options[0], "Last 5 Minutes");
    assert.deepEqual(options.slice(-2), ["Last 2 Days", "Custom Time Range"]);
    await lookback.selectOption("custom");
    await page.getByText("Times are UTC.").waitFor();
    await page.getByLabel("Start date", { exact: true }).fill("2020-01-02");
    await page.getByLabel("Start time", { exact: true }).fill("03:04");
    await page.getByLabel("End date", { exact: true }).fill("2020-01-02");
    await page.getByLabel("End time", { exact: true }).fill("03:00");
    await page.getByText("The end must be after the start").waitFor();
    assert.equal(await find().isDisabled(), true);
    await page.getByLabel("End time", { exact: true }).fill("05:00");
    await find().click();
    await page.waitForURL(/lookback=custom/);
    assert.equal(query().get("start"), String(Date.UTC(2020, 0, 2, 3, 4) * 1000));
    assert.equal(query().get("end"), String(Date.UTC(2020, 0, 2, 5, 0) * 1000));
  });

  it("durations: checked by Jaeger's form, sent as written, and they narrow", async () => {
    await open();
    await page.getByLabel("Min duration").fill("5");
    await page.getByText("A number and a unit").waitFor();
    assert.equal(await find().isDisabled(), true);
    await page.getByLabel("Min duration").fill("95ms");
    await page.getByLabel("Max duration").fill("0.125s");
    await find().click();
    await page.waitForURL(/minDuration=95ms&maxDuration=0.125s/);
    await count()
      .filter({ hasText: /^3 traces/ })
      .waitFor();
  });

  it("limit: 1 to the configured most, and exact", async () => {
    await open();
    await page.getByLabel("Limit results").fill("7");
    await find().click();
    await count().filter({ hasText: "7 of 30 traces" }).waitFor();
    await page.getByLabel("Limit results").fill("1501");
    await page.getByText("1 to 1500").waitFor();
    assert.equal(await find().isDisabled(), true);
  });

  it("reset empties the form", async () => {
    await open("/search?service=shop&lookback=2h&minDuration=1ms&tag=error:true&limit=3");
    await page.getByRole("button", { name: "Reset" }).click();
    assert.equal(await service().inputValue(), "All Services");
    assert.equal(await attributes().inputValue(), "");
    assert.equal(await page.getByLabel("Min duration").inputValue(), "");
    assert.equal(await page.getByLabel("Limit results").inputValue(), "20");
    assert.equal(await page.getByLabel("Lookback").inputValue(), "1h");
  });

  it("the last service and span name are remembered under Jaeger's key", async () => {
    await open("/search?service=shop&lookback=1h");
    await find().click();
    await page.waitForURL(/limit=20/);
    const kept = await page.evaluate(() => localStorage.getItem("lastSearch"));
    assert.deepEqual(JSON.parse(kept ?? ""), { service: "shop", operation: "__all_operations__" });
    await page.goto(`${ui.url}/search`);
    await count().waitFor();
    assert.equal(await service().inputValue(), "shop");
  });

  it("an address with a look-back only gets its times and replaces itself", async () => {
    await page.goto(`${ui.url}/`);
    await page.waitForURL(/\/search$/);
    await page.goto(`${ui.url}/search?service=shop&lookback=1h&limit=20`);
    await page.waitForURL(/start=\d{16}&end=\d{16}/);
    await page.goBack();
    assert.match(page.url(), /\/search$/);
  });

  it("an address without a service searches in all, with everything else it says", async () => {
    await open("/search?lookback=2h&limit=7&minDuration=1us");
    assert.equal(await service().inputValue(), "All Services");
    assert.equal(await page.getByLabel("Limit results").inputValue(), "7");
    assert.equal(await page.getByLabel("Min duration").inputValue(), "1us");
    assert.equal(await page.getByLabel("Lookback").inputValue(), "2h");
    assert.match(page.url(), /service=__all_services__&start=\d+&end=\d+&limit=7/);
  });

  it("legacy tag=k:v and operation=all are read", async () => {
    await open("/search?service=shop&operation=all&tag=http.status_code:200&lookback=1h");
    assert.equal(await attributes().inputValue(), "http.status_code=200");
    assert.equal(await name().inputValue(), "All Span Names");
  });

  it("the panel is resized by keys and collapsed to a strip, both remembered", async () => {
    await open();
    const line = page.getByRole("separator", { name: "Width of the search form" });
    const width = async (): Promise<number> => Number(await line.getAttribute("aria-valuenow"));
    const before = await width();
    await line.press("ArrowRight");
    await line.press("ArrowRight");
    assert.equal(await width(), before + 32);
    await page.getByRole("button", { name: "Hide the search form" }).click();
    assert.equal(await service().count(), 0);
    await page.reload();
    await page.getByRole("button", { name: "Show the search form" }).click();
    assert.equal(await width(), before + 32);
  });
});
