/** The head of the trace page, against Jaeger UI's: totals, find, views, settings, minimap. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { tempFolder } from "../support/temp-folder.ts";
import type { Browser } from "playwright-core";
import { launchBrowser, withoutChromium } from "./browser.ts";
import { SHOP_TRACE, shopBatch, shopSpanHex } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import {
  drawnOn,
  openTrace,
  press,
  rectsOf,
  rowAt,
  rowNames,
  untilQuery,
  windowOf,
} from "./trace-open.ts";
import { startUi } from "./ui-server.ts";
import type { UiServer } from "./ui-server.ts";

const skip = withoutChromium();
let browser: Browser;
let ui: UiServer;
let folder = "";

before(async () => {
  if (skip !== false) return;
  folder = tempFolder("ui");
  const configPath = join(folder, "ui.json");
  const linkPatterns = [
    { type: "traces", url: "https://logs.example/#{trace.traceID}", text: "Logs" },
    { type: "tags", key: "db.system", url: "https://db.example/#{db.system}", text: "Database" },
    { type: "tags", key: "server.address", url: "javascript:alert(1)", text: "Hostile" },
  ];
  writeFileSync(configPath, JSON.stringify({ linkPatterns }));
  browser = await launchBrowser();
  ui = await startUi({ configPath });
  await ui.store.write(shopBatch());
  await ui.store.settle();
});
after(async () => {
  await browser?.close();
  await ui?.close();
});

test(
  "totals: start to the nanosecond, duration, services, depth, spans, errors",
  { skip },
  async () => {
    const { page, errors, close } = await openTrace(browser, ui);
    const totals = await page.locator(".totals").innerText();
    const words = totals.replaceAll(/\s+/g, " ");
    assert.match(words, /Start 2025-11-22 08:26:40\.123456789 UTC/);
    assert.match(words, /Duration 412ms Services 4 Depth 5 Spans 20 Errors 3/);
    assert.equal(await page.locator(".totals .soft").first().textContent(), ".123456789");
    assert.match(await page.title(), /5a0b000: POST \/checkout \(frontend\)/);
    assert.deepEqual(errors, []);
    await close();
  },
);

test("what the trace waited most for is told, and shown by a press", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui);
  const waited = page.locator(".waited");
  // One span of 165 ms of the trace's 412, all of it on the critical path.
  assert.match((await waited.textContent()) ?? "", /payment bank authorise 165ms, 40 %/);
  await waited.getByRole("button").click();
  await page.locator(".tl-row:focus", { hasText: "bank authorise" }).waitFor();
  await press(page, "c");
  await waited.waitFor({ state: "detached" });
  await close();
});

test("the title folds the totals away and copies the trace's ID", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui);
  await page.getByRole("button", { name: /Copy the trace ID/ }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), SHOP_TRACE);
  const totals = page.getByRole("button", { name: "Totals" });
  assert.equal(await totals.getAttribute("aria-expanded"), "true");
  await totals.click();
  assert.equal(await page.locator(".totals").count(), 0);
  await close();
});

test("a trace opened from a search leads back to it", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui);
  await page.evaluate((href) => {
    const link = document.createElement("a");
    link.href = href;
    link.dataset["from"] = "/search?service=cart";
    document.body.append(link);
    link.click();
  }, `${ui.url}/trace/${SHOP_TRACE}?dense=1`);
  await page.getByRole("link", { name: "Back to search" }).click();
  await page.waitForURL(/\/search\?service=cart/);
  await close();
});

test("link patterns make links of traces and attributes; never of scripts", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui, { query: `?open=${shopSpanHex(4)}` });
  const logs = page.getByRole("link", { name: "Logs" });
  assert.equal(await logs.getAttribute("href"), `https://logs.example/${SHOP_TRACE}`);
  const database = page.locator(".detail a", { hasText: "postgresql" });
  assert.equal(await database.getAttribute("href"), "https://db.example/postgresql");
  assert.equal(await database.getAttribute("rel"), "noopener noreferrer");
  await page.locator(".detail td", { hasText: "db-1.internal" }).waitFor();
  assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
  await close();
});

const FINDS: readonly (readonly [string, string, number])[] = [
  ["a name", "SELECT", 7],
  ["either of two terms", "smtp fraud", 2],
  ["a phrase", '"bank authorise"', 1],
  ["a service", "mailer", 3],
  ["a key", "db.statement", 7],
  ["a value", "kafka", 1],
  ["key=value", "db.system=postgresql", 7],
  ["an event's attribute", "CardDeclined", 1],
  ["a span's ID", shopSpanHex(14), 1],
  ["a key left out", "postgresql -db.system", 0],
];

for (const [what, text, count] of FINDS) {
  test(`find matches ${what}`, { skip }, async () => {
    const { page, close } = await openTrace(browser, ui);
    await page.getByLabel("Find in trace").fill(text);
    await page.locator(".find-count", { hasText: new RegExp(`^${count}$|of ${count}$`) }).waitFor();
    await untilQuery(page, "uiFind", text);
    assert.equal(await page.locator(".tl-rows .is-match").count(), count);
    await close();
  });
}

test(
  "find goes to next and previous, focuses, hides the rest, and Escape clears",
  { skip },
  async () => {
    const { page, close } = await openTrace(browser, ui, { query: "?uiFind=SELECT" });
    const count = page.locator(".find-count");
    await count.filter({ hasText: "1 of 7" }).waitFor();
    await page.getByLabel("Find in trace").press("Enter");
    await count.filter({ hasText: "2 of 7" }).waitFor();
    await page.getByLabel("Find in trace").press("Shift+Enter");
    await count.filter({ hasText: "1 of 7" }).waitFor();
    await page.getByRole("button", { name: /Previous match/ }).click();
    await count.filter({ hasText: "7 of 7" }).waitFor();
    await page.getByRole("button", { name: "Show only the way to the matches" }).click();
    assert.equal((await rowNames(page)).includes("POST payment"), false);
    assert.equal((await rowNames(page)).includes("SELECT item"), true);
    await press(page, "[");
    await page.getByRole("button", { name: "Filter rows" }).click();
    await page.getByLabel("Hide what find does not match").check();
    const kept = ["POST /checkout", "render cart", "GET cart", "GET /cart/{id}"];
    assert.deepEqual(await rowNames(page), [...kept, ...Array(7).fill("SELECT item")]);
    await page.keyboard.press("Escape");
    await page.locator("h1").first().click();
    await press(page, "Escape");
    await untilQuery(page, "uiFind", null);
    assert.equal((await rowNames(page)).length, 20);
    await close();
  },
);

test(
  "filters: errors only, critical path only, least duration, repeated siblings",
  { skip },
  async () => {
    const { page, close } = await openTrace(browser, ui);
    await page.getByRole("button", { name: "Filter rows" }).click();
    await page.getByLabel("Errors only").check();
    const errors = ["POST /checkout", "checkout", "POST payment", "POST /charge"];
    assert.deepEqual(await rowNames(page), errors);
    await page.getByLabel("Errors only").uncheck();
    await page.getByLabel("Spans that last at least").selectOption("0.1");
    assert.deepEqual(await rowNames(page), [...errors, "fraud check", "bank authorise"]);
    await page.getByLabel("Spans that last at least").selectOption("0");
    await page.getByLabel("Critical path only").check();
    assert.equal((await rowNames(page)).includes("smtp"), false);
    await page.getByLabel("Critical path only").uncheck();
    await page.getByLabel(/Group repeated siblings/).check();
    assert.equal((await rowNames(page)).filter((name) => name === "SELECT item").length, 1);
    await page.locator(".tl-pill", { hasText: "×7 Σ 20.3ms" }).waitFor();
    await untilQuery(page, "g", "1");
    await close();
  },
);

test("the operator's switches: no critical path, no JSON, prefixes first", { skip }, async () => {
  const configPath = join(folder, "switches.json");
  const topTagPrefixes = ["url.", "http.response"];
  const switches = { criticalPathEnabled: false, disableJsonView: true, archiveEnabled: false };
  writeFileSync(configPath, JSON.stringify({ ...switches, topTagPrefixes }));
  const other = await startUi({ configPath });
  await other.store.write(shopBatch());
  await other.store.settle();
  const { page, errors, close } = await openTrace(browser, other, { query: "?f=c" });
  assert.equal((await rowNames(page)).length, 20);
  await press(page, "c", "g", "j");
  assert.deepEqual(await rectsOf(page, "critical"), []);
  assert.equal(await page.locator(".waited").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Archive the trace" }).count(), 0);
  await page.getByRole("button", { name: /^View/ }).click();
  assert.equal(await page.getByRole("menuitemradio").count(), 1);
  await page.keyboard.press("Escape");
  await rowAt(page, 2).click({ position: { x: 300, y: 12 }, force: true });
  const keys = page.locator(".detail .kv").first().locator("tbody th");
  await keys.first().waitFor();
  assert.deepEqual(await keys.allTextContents(), [
    "url.full",
    "http.response.status_code",
    "http.request.method",
  ]);
  assert.deepEqual(errors, []);
  await close();
  await other.close();
});

test("views: the JSON adjusted and as stored, and back", { skip }, async () => {
  const { page, errors, close } = await openTrace(browser, ui);
  await page.getByRole("button", { name: /^View/ }).click();
  await page.getByRole("menuitemradio", { name: "Trace JSON", exact: true }).click();
  const json = page.getByRole("region", { name: "JSON", exact: true });
  await json.filter({ hasText: `"traceID": "${SHOP_TRACE}"` }).waitFor();
  await untilQuery(page, "v", "json");
  await press(page, "g", "t");
  await rowAt(page, 0).waitFor();
  await page.goto(`${ui.url}/trace/${SHOP_TRACE}?v=json-raw`);
  await page.getByRole("button", { name: "Next lines" }).click();
  await json.filter({ hasText: "<img src=x onerror=alert(1)>" }).waitFor();
  assert.equal(await json.locator("img").count(), 0);
  assert.deepEqual(errors, []);
  await close();
});

test("settings: names only, details at the side, dense rows", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui);
  await page.getByRole("button", { name: "Settings of the page" }).click();
  await page.getByLabel("Dense rows").check();
  await frames(page, 2);
  assert.equal((await rowAt(page, 1).boundingBox())?.height, 18);
  await page.getByLabel("Details at the side").check();
  await page.locator(".trace-panel h2", { hasText: "POST /checkout" }).waitFor();
  await rowAt(page, 13).click({ position: { x: 200, y: 8 }, force: true });
  await page.locator(".trace-panel h2", { hasText: "POST /charge" }).waitFor();
  await page.getByRole("button", { name: "Settings of the page" }).click();
  await page.getByLabel("Show the timeline").uncheck();
  assert.equal(await page.locator(".minimap").count(), 0);
  assert.equal((await drawnOn(page, "timeline")).filter(({ what }) => what === "bar").length, 0);
  await untilQuery(page, "bars", "0");
  await close();
});

test("archive keeps the trace and says so", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui);
  await page.getByRole("button", { name: "Archive the trace" }).click();
  await page.locator(".toast", { hasText: /archived/i }).waitFor();
  await close();
});

test("the minimap: drag chooses, scrubbers move, reset shows all", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui);
  const box = (await page.locator(".minimap").boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 50, { steps: 4 });
  await page.mouse.up();
  const chosen = await windowOf(page);
  assert.deepEqual(chosen, { from: 25, to: 50 });
  await page.getByLabel("Start of the window").press("ArrowLeft");
  assert.deepEqual(await windowOf(page), { from: 24, to: 50 });
  const minimap = await drawnOn(page, "minimap");
  const shown = minimap.find(({ what }) => what === "window")!;
  assert.ok(Math.abs(shown.x - box.width * 0.24) < 2);
  assert.ok(minimap.filter(({ what }) => what === "tick").length >= 4);
  await page.getByRole("button", { name: "Reset selection" }).click();
  assert.deepEqual(await windowOf(page), { from: 0, to: 100 });
  await close();
});

test("share and download: the address, and the JSON as a file", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui, { query: "?t=1000000,2000000" });
  await page.getByRole("button", { name: "Copy link to this view" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as JSON" }).click();
  assert.equal((await saved).suggestedFilename(), `${SHOP_TRACE}.json`);
  await close();
});

test(
  "embedded: no top bar, views or archive; parts hidden by Jaeger's keys",
  { skip },
  async () => {
    const keys = "uiTimelineCollapseTitle=1&uiTimelineHideMinimap=1&uiTimelineHideSummary=1";
    const query = `?uiEmbed=v0&${keys}&uiTheme=dark`;
    const { page, close } = await openTrace(browser, ui, { query });
    assert.equal(await page.locator(".minimap, .totals, .top-bar").count(), 0);
    assert.equal(await page.getByRole("button", { name: /^View|Archive/ }).count(), 0);
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
    assert.equal(await page.getByRole("link", { name: /Open in/ }).count(), 1);
    await close();
  },
);

test("a trace that is not there says what to do, and finds it when it came", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui);
  await page.goto(`${ui.url}/trace/00000000000000000000000000000bad`);
  await page.getByRole("heading", { name: "This trace is not here" }).waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "This trace is not here" }).waitFor();
  await close();
});

test("a skeleton that breaks off is told, and can be loaded again", { skip }, async () => {
  const { page, close } = await openTrace(browser, ui);
  let broken = true;
  await page.route("**/skeleton*", async (route) => {
    if (!broken) return await route.continue();
    const answer = await route.fetch();
    const body = await answer.body();
    return await route.fulfill({
      status: 200,
      contentType: answer.headers()["content-type"] ?? "",
      body: body.subarray(0, Math.floor(body.length / 2)),
    });
  });
  await page.reload();
  await page.getByRole("heading", { name: "The trace broke off" }).waitFor();
  broken = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await rowAt(page, 19).waitFor();
  await close();
});
