/** Parity with Jaeger UI, section 1.1: shell, addresses, embedding, what is remembered. */

import assert from "node:assert/strict";
import { openPage } from "./browser.ts";
import { paritySuite, queryOf } from "./parity.ts";
import { SHOP_TRACE, shopSpanHex } from "./trace-fixtures.ts";
import { press, rowAt, rowNames, untilQuery } from "./trace-open.ts";
import type { TraceFixture } from "./ui-server.ts";

const ID = `b${"1".padStart(31, "0")}`;
const TRACES: readonly TraceFixture[] = Array.from({ length: 6 }, (_, i) => ({
  traceIdHex: `b${i.toString(16).padStart(31, "0")}`,
  startMs: Date.now() - 600_000 + i * 1000,
  spans: [
    { service: i < 4 ? "shop" : "cart", name: `GET /${i}`, durationMs: 10 * (i + 1), tags: { i } },
    { service: "db", name: "query", parent: 0, startMs: 1, durationMs: 2 },
  ],
}));
const SHOP = "/search?service=shop&lookback=1h";

paritySuite({ traces: TRACES }, (parity) => {
  parity("1.1.1", async ({ page, ui }) => {
    await page.goto(`${ui.url}/`);
    await page.waitForURL(`${ui.url}/search`);
  });

  parity("1.1.2", async ({ page, open }) => {
    await open("/search");
    await page.getByRole("form", { name: "Search" }).waitFor();
    await page.getByRole("region", { name: "Results" }).locator("tbody a").first().waitFor();
  });

  parity("1.1.3", async ({ page, open }) => {
    await open(`/trace/${SHOP_TRACE}`);
    assert.equal((await rowNames(page))[0], "POST /checkout");
  });

  parity("1.1.4", async ({ page, open }) => {
    const others = ["/dependencies", "/deep-dependencies", "/monitor", "/quality-metrics"];
    for (const path of [...others, `/trace/${ID}...${SHOP_TRACE}?cohort=${ID}`]) {
      await open(path);
      await page.getByRole("heading", { name: /is to come$/ }).waitFor();
    }
  });

  parity("1.1.5", async ({ page, open }) => {
    await open("/nothing/of/the/kind");
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
  });

  parity("1.1.6", async ({ page, ui, open }) => {
    await open("/search");
    const box = page.getByRole("searchbox", { name: "Trace id, or several" });
    const base64 = Buffer.from(SHOP_TRACE, "hex").toString("base64");
    for (const text of [SHOP_TRACE.toUpperCase(), base64, ` ${SHOP_TRACE} `]) {
      await box.fill(text);
      await box.press("Enter");
      await page.waitForURL(`${ui.url}/trace/${SHOP_TRACE}`);
      await page.goBack();
      await page.locator("h1.count").waitFor();
    }
  });

  parity("1.1.7", async ({ page, open }) => {
    await open("/search");
    await page.getByRole("button", { name: "About" }).click();
    const text = await page.getByRole("dialog", { name: "About Spoor" }).innerText();
    assert.match(text, /Version\s+1\.2\.3\s+Commit\s+c0ffee/);
  });

  parity("1.1.8", async ({ page, open }) => {
    await open("/search");
    for (const [name, theme] of [
      ["Dark", "dark"],
      ["Light", "light"],
      ["As the system", "light"],
    ] as const) {
      await page.getByRole("button", { name: "Theme" }).click();
      await page.getByRole("menuitemradio", { name }).click();
      await page.locator(`html[data-theme=${theme}]`).waitFor();
    }
    await page.emulateMedia({ colorScheme: "dark" });
    await page.locator("html[data-theme=dark]").waitFor();
  });

  parity("1.1.9", async ({ page, open }) => {
    await open(`/trace/${SHOP_TRACE}`);
    const title = await page.title();
    assert.match(title, /^\p{Extended_Pictographic}.* 5a0b000: POST \/checkout \(frontend\)/u);
  });

  parity("1.1.10", async ({ page, open }) => {
    const startUs = (Date.now() - 3_600_000) * 1000;
    const tags = encodeURIComponent('{"i":"2"}');
    const times = `start=${startUs}&end=${startUs + 3_700_000_000}&lookback=custom`;
    const more = `operation=GET%20%2F2&limit=7&minDuration=1ms&maxDuration=1s&tags=${tags}`;
    await open(`/search?service=shop&${times}&${more}`);
    await page.locator("h1.count", { hasText: /^1 trace / }).waitFor();
    assert.equal(await page.getByRole("combobox", { name: "Service" }).inputValue(), "shop");
    assert.equal(await page.getByRole("combobox", { name: "Span name" }).inputValue(), "GET /2");
    assert.equal(await page.getByRole("combobox", { name: /^Attributes/ }).inputValue(), "i=2");
    assert.equal(await page.getByLabel("Lookback").inputValue(), "custom");
    for (const [label, value] of [
      ["Limit results", "7"],
      ["Min duration", "1ms"],
      ["Max duration", "1s"],
    ] as const) {
      assert.equal(await page.getByLabel(label).inputValue(), value);
    }
  });

  parity("1.1.11", async ({ page, open }) => {
    await open(`${SHOP}&tag=i:2&tag=none:1`);
    await page.getByRole("heading", { name: "No trace results" }).waitFor();
    const field = page.getByRole("combobox", { name: /^Attributes/ });
    assert.equal(await field.inputValue(), "i=2 none=1");
    await open(`${SHOP}&tag=i:2`);
    await page.locator("h1.count", { hasText: /^1 trace / }).waitFor();
  });

  parity("1.1.12", async ({ page, open }) => {
    await open(`/search?traceID=${ID}&traceID=${SHOP_TRACE}&traceID=${"e".repeat(32)}`);
    await page.locator("h1.count", { hasText: /^2 traces/ }).waitFor();
  });

  parity("1.1.13", async ({ page, open }) => {
    await open(`${SHOP}&span=0000000000000002@${ID}`);
    await page.locator("td.name a", { hasText: "GET /1" }).click();
    await page.locator(".find-count", { hasText: "1" }).waitFor();
    assert.equal(queryOf(page, "uiFind"), "0000000000000002");
  });

  parity("1.1.14", async ({ page, ui, open }) => {
    await open("/search?traceID=1");
    await page.goto(ui.url + SHOP);
    await page.waitForURL(/start=\d{16}&end=\d{16}/);
    await page.goBack();
    await page.waitForURL(/traceID=1/);
  });

  parity("1.1.15", async ({ page, open }) => {
    await open("/search?service=__all_services__&operation=__all_operations__&lookback=1h");
    await page.locator("h1.count", { hasText: /^6 traces/ }).waitFor();
    assert.equal(
      await page.getByRole("combobox", { name: "Service" }).inputValue(),
      "All Services",
    );
    await open(`${SHOP}&operation=all`);
    await page.locator("h1.count", { hasText: /^4 traces/ }).waitFor();
    const name = page.getByRole("combobox", { name: "Span name" });
    assert.equal(await name.inputValue(), "All Span Names");
  });

  parity("1.1.16", async ({ page, open }) => {
    await open(`/trace/${SHOP_TRACE}?uiFind=${shopSpanHex(14)}`);
    await page.locator(".tl-row.is-match", { hasText: "fraud check" }).waitFor();
    await open(`/trace/${SHOP_TRACE}?uiFind=smtp`);
    await page.locator(".tl-row.is-match", { hasText: "smtp" }).waitFor();
    assert.equal(await page.locator(".tl-rows .is-match").count(), 1);
  });

  parity("1.1.17", async ({ page, open }) => {
    // Jaeger's text for cart, frontend, mailer, payment without payment; then without mailer.
    await open(`/trace/${SHOP_TRACE}?svcFilter=7672.7`);
    assert.ok(!(await rowNames(page)).includes("fraud check"));
    await page.getByRole("button", { name: "Services shown" }).click();
    const panel = page.getByRole("dialog", { name: "Services shown" });
    await panel.getByLabel(/payment/).check();
    await panel.getByLabel(/mailer/).uncheck();
    await untilQuery(page, "svcFilter", "7672.b");
  });

  parity("1.1.18", async ({ page, open }) => {
    await open(`${SHOP}&uiEmbed=v0`);
    assert.equal(await page.locator(".top-bar, .side, .tick").count(), 0);
    const out = page.getByRole("link", { name: "Open in Spoor" });
    assert.doesNotMatch((await out.getAttribute("href")) ?? "", /uiEmbed/);
    const result = page.locator("td.name a").first();
    assert.match((await result.getAttribute("href")) ?? "", /uiEmbed=v0/);
  });

  parity("1.1.19", async ({ page, open }) => {
    await open(`${SHOP}&uiEmbed=v0`);
    assert.equal(await page.locator(".plot").count(), 1);
    await open(`${SHOP}&uiEmbed=v0&uiSearchHideGraph=1`);
    assert.equal(await page.locator(".plot").count(), 0);
  });

  parity("1.1.20", async ({ page, open }) => {
    await open(`/trace/${SHOP_TRACE}?uiEmbed=v0`);
    assert.equal(await page.locator(".minimap").count(), 1);
    assert.equal(await page.locator(".totals").count(), 1);
    const buttons = page.getByRole("button", { name: /^View:|^Archive/ });
    assert.equal(await buttons.count(), 0);
    for (const [key, gone] of [
      ["uiTimelineHideMinimap", ".minimap"],
      ["uiTimelineHideSummary", ".totals"],
      ["uiTimelineCollapseTitle", ".totals"],
    ] as const) {
      await open(`/trace/${SHOP_TRACE}?uiEmbed=v0&${key}=1`);
      assert.equal(await page.locator(gone).count(), 0, key);
    }
  });

  parity("1.1.21", async ({ page, open }) => {
    await open("/search?uiEmbed=v0&uiTheme=dark");
    await page.locator("html[data-theme=dark]").waitFor();
    assert.equal(await page.evaluate(() => localStorage.getItem("jaeger-ui-theme")), null);
  });

  parity("1.1.22", async ({ page, open }) => {
    await open(`${SHOP}&limit=3`);
    const results = page.url();
    await page.locator("td.name a").first().click();
    await page.getByRole("link", { name: "Back to search" }).click();
    await page.waitForURL(results);
  });

  parity("1.1.23", async ({ page, open }) => {
    await open(SHOP);
    await page.getByRole("button", { name: "Find Traces" }).click();
    await page.getByLabel("Sort").selectOption({ label: "Longest first" });
    const edge = page.getByRole("separator", { name: "Width of the search form" });
    await edge.press("ArrowRight");
    await page.getByRole("button", { name: "Hide the search form" }).click();
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("menuitemradio", { name: "Dark" }).click();
    await open(`/trace/${SHOP_TRACE}?panel=1`);
    await page.getByRole("separator", { name: "Width of the names" }).press("ArrowRight");
    await page.getByRole("separator", { name: "Width of the timeline" }).press("ArrowRight");
    await page.getByRole("button", { name: "Services shown" }).click();
    await page.getByRole("button", { name: "Save as default" }).click();
    const kept = await page.evaluate(() => {
      const keys = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "");
      return Object.fromEntries(keys.map((key) => [key, localStorage.getItem(key) ?? ""]));
    });
    const json = (key: string): { [key: string]: unknown } => JSON.parse(kept[key] ?? "null");
    assert.equal(kept["jaeger-ui-theme"], "dark");
    assert.equal(json("lastSearch")["service"], "shop");
    assert.equal(json("jaeger.search-results.mode")["sortBy"], "LONGEST_FIRST");
    assert.equal(kept["jaeger.search.panelCollapsed"], "true");
    assert.ok(Number(kept["jaeger.search.panelWidth"]) > 0);
    assert.ok(Number(kept["spanNameColumnWidth"]) > 0.15);
    assert.ok(Number(kept["sidePanelWidth"]) > 0);
    assert.deepEqual(json("svcFilter.defaults"), { prunedServices: [] });
  });

  parity("1.1.24", async ({ browser, ui }) => {
    const { page, errors, close } = await openPage(browser);
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, "localStorage", {
        get() {
          throw new DOMException("blocked", "SecurityError");
        },
      });
    });
    await page.goto(ui.url + SHOP);
    await page.locator("td.name a").first().click();
    await rowAt(page, 1).waitFor();
    await press(page, "j", " ");
    await page.locator(".detail .kv, .detail-section").first().waitFor();
    assert.deepEqual(errors, []);
    await close();
  });
});
