/** Parity with Jaeger UI, section 1.3: the head of the trace page. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { copied, paritySuite } from "./parity.ts";
import { SHOP_TRACE, shopSpanHex } from "./trace-fixtures.ts";
import { drawnOn, press, rectsOf, rowAt, rowNames, untilQuery, windowOf } from "./trace-open.ts";
import type { TraceFixture } from "./ui-server.ts";

const SHOP = `/trace/${SHOP_TRACE}`;
const ORPHAN = "d".padEnd(32, "0");
const TRACES: readonly TraceFixture[] = [
  {
    traceIdHex: ORPHAN,
    spans: [
      { service: "a", name: "root", durationMs: 9 },
      { service: "a", name: "orphan", parent: 77 },
    ],
  },
];

/** Types into find and waits for the number of spans found. */
async function finds(page: Page, text: string, count: number): Promise<void> {
  await page.getByLabel("Find in trace").fill(text);
  await untilQuery(page, "uiFind", text);
  await page.locator(".find-count", { hasText: new RegExp(`^${count}$|of ${count}$`) }).waitFor();
  assert.equal(await page.locator(".tl-rows .is-match").count(), count, text);
}

async function openMenu(page: Page, name: RegExp | string, item: string): Promise<void> {
  await page.getByRole("button", { name }).click();
  await page.getByRole("menuitemradio", { name: item, exact: true }).click();
}

paritySuite({ traces: TRACES }, (parity) => {
  parity("1.3.1", async ({ page, ui, open }) => {
    await page.route(`${ui.url}${SHOP}`, async (route) => {
      const response = await route.fetch();
      const url = "https://logs.example/#{trace.traceID}?at=#{trace.startTime}";
      const config = {
        linkPatterns: [{ type: "traces", url, text: "Logs of #{trace.traceName}" }],
      };
      const json = `JAEGER_CONFIG = ${JSON.stringify(config)};`;
      const text = (await response.text()).replace("JAEGER_CONFIG = DEFAULT_CONFIG;", json);
      return await route.fulfill({ response, body: text });
    });
    await open(SHOP);
    const link = page.getByRole("link", { name: "Logs of frontend: POST /checkout" });
    const href = await link.getAttribute("href");
    assert.equal(href, `https://logs.example/${SHOP_TRACE}?at=1763800000123456`);
  });

  parity("1.3.2", async ({ page, open }) => {
    await open(SHOP);
    await page.getByRole("button", { name: /Copy the trace ID/ }).click();
    assert.equal(await copied(page), SHOP_TRACE);
    await page.getByRole("button", { name: "Totals" }).click();
    assert.equal(await page.locator(".totals").count(), 0);
    await page.getByRole("button", { name: "Totals" }).click();
    await page.locator(".totals").waitFor();
  });

  parity("1.3.3", async ({ page, open }) => {
    await open(SHOP);
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/find")) asked.push(request.postData() ?? "");
    });
    await page.getByLabel("Find in trace").pressSequentially("smtp", { delay: 10 });
    await page.locator(".find-count", { hasText: /^1$|of 1$/ }).waitFor();
    await untilQuery(page, "uiFind", "smtp");
    assert.equal(asked.length, 1, asked.join());
  });

  parity("1.3.4", async ({ page, open }) => {
    await open(SHOP);
    await finds(page, "smtp fraud kafka", 3);
  });

  parity("1.3.5", async ({ page, open }) => {
    await open(SHOP);
    await finds(page, '"bank authorise"', 1);
    await finds(page, '"authorise bank"', 0);
  });

  parity("1.3.6", async ({ page, open }) => {
    await open(SHOP);
    for (const [text, count] of [
      ["mailer", 3],
      ["render", 2],
      [shopSpanHex(14), 1],
      ["user.id", 1],
      ["kafka", 1],
      ["db.system=postgresql", 7],
      ["CardDeclined", 1],
      ["service.name=cart", 8],
    ] as const) {
      await finds(page, text, count);
    }
  });

  parity("1.3.7", async ({ page, open }) => {
    await open(SHOP);
    await finds(page, "postgresql", 7);
    await finds(page, "postgresql -db.system", 0);
  });

  parity("1.3.8", async ({ page, open }) => {
    await open(`${SHOP}?uiFind=SELECT`);
    const count = page.locator(".find-count");
    await count.filter({ hasText: "1 of 7" }).waitFor();
    await page.getByRole("button", { name: /Next match/ }).click();
    await count.filter({ hasText: "2 of 7" }).waitFor();
    for (let i = 0; i < 2; i++) await page.getByRole("button", { name: /Previous match/ }).click();
    await count.filter({ hasText: "7 of 7" }).waitFor();
    await page.getByRole("button", { name: "Show only the way to the matches" }).click();
    const names = await rowNames(page);
    assert.equal(names.filter((name) => name === "SELECT item").length, 7);
    assert.ok(!names.includes("POST payment"));
  });

  parity("1.3.9", async ({ page, open }) => {
    await open(SHOP);
    const json = page.getByRole("region", { name: "JSON", exact: true });
    for (const [item, view] of [
      ["Trace JSON", "json"],
      ["Trace JSON, as stored", "json-raw"],
    ] as const) {
      await openMenu(page, /^View/, item);
      await json.filter({ hasText: `"traceID": "${SHOP_TRACE}"` }).waitFor();
      await untilQuery(page, "v", view);
    }
    await openMenu(page, /^View/, "Timeline");
    await rowAt(page, 0).waitFor();
  });

  parity("1.3.10", async ({ page, open }) => {
    await open(SHOP);
    await page.getByRole("button", { name: "Settings of the page" }).click();
    await page.getByLabel("Show the timeline").uncheck();
    assert.equal(await page.locator(".minimap").count(), 0);
    assert.deepEqual(await rectsOf(page, "bar"), []);
    assert.equal((await rowNames(page)).length, 20);
  });

  parity("1.3.11", async ({ page, open }) => {
    await open(SHOP);
    await page.getByRole("button", { name: "Settings of the page" }).click();
    await page.getByLabel("Details at the side").check();
    await page.locator(".trace-panel h2", { hasText: "POST /checkout" }).waitFor();
    assert.equal(await page.locator(".tl-detail").count(), 0);
  });

  parity("1.3.12", async ({ page, open }) => {
    await open(SHOP);
    await page.getByRole("button", { name: "Settings of the page" }).click();
    await page.getByRole("button", { name: "Keys (?)" }).click();
    const text = await page.getByRole("dialog", { name: "Keys" }).innerText();
    for (const title of ["Scroll down", "Pan left", "Zoom in", "Collapse all", "Find"]) {
      assert.ok(text.includes(title), title);
    }
  });

  parity("1.3.13", async ({ page, ui, open }) => {
    await open(SHOP);
    await page.getByRole("button", { name: "Archive the trace" }).click();
    await page.locator(".toast", { hasText: "archived" }).waitFor();
    let kept = 0;
    const id = Uint8Array.from(Buffer.from(SHOP_TRACE, "hex"));
    for await (const batch of ui.store.getArchived(id)) kept += batch.spanCount;
    assert.equal(kept, 20);
    await page.route("**/archive", (route) =>
      route.fulfill({
        status: 501,
        json: { error: { code: "unsupported", message: "no archive" } },
      }),
    );
    await page.getByRole("button", { name: "Archive the trace" }).click();
    await page.locator(".toast.bad", { hasText: "no archive" }).waitFor();
  });

  parity("1.3.14", async ({ page, open }) => {
    await open(SHOP);
    const words = (await page.locator(".totals").innerText()).replaceAll(/\s+/g, " ");
    const start = "Start 2025-11-22 08:26:40.123456789 UTC";
    assert.ok(words.startsWith(`${start} Duration 412ms Services 4 Depth 5 Spans 20`), words);
    assert.equal(await page.locator(".totals .soft").first().textContent(), ".123456789");
    await open(`/trace/${ORPHAN}`);
    await page.locator(".totals", { hasText: "Incomplete" }).waitFor();
  });

  parity("1.3.15", async ({ page, open }) => {
    await open(SHOP);
    const ticks = (await drawnOn(page, "minimap")).filter(({ what }) => what === "tick");
    assert.ok(ticks.length >= 4, String(ticks.length));
    const coloured = await page.locator(".minimap canvas").evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const colors = new Set<string>();
      for (let i = 0; i < data.length; i += 4) colors.add(data.slice(i, i + 3).join());
      return colors.size;
    });
    assert.ok(coloured > 5, `${coloured} colours`);
  });

  parity("1.3.16", async ({ page, open }) => {
    await open(SHOP);
    const box = (await page.locator(".minimap").boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.5, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.25, y, { steps: 4 });
    await page.mouse.up();
    assert.deepEqual(await windowOf(page), { from: 25, to: 50 });
    await page.getByLabel("Start of the window").press("ArrowRight");
    await page.getByLabel("End of the window").press("ArrowRight");
    assert.deepEqual(await windowOf(page), { from: 26, to: 51 });
    await page.getByRole("button", { name: "Reset selection" }).click();
    assert.deepEqual(await windowOf(page), { from: 0, to: 100 });
    await untilQuery(page, "t", null);
  });

  parity("1.3.17", async ({ page, open }) => {
    await open(`${SHOP}?uiEmbed=v0&uiTimelineHideMinimap=1&dense=1`);
    const href = await page.getByRole("link", { name: "Open in Spoor" }).getAttribute("href");
    assert.equal(href, `${SHOP}?dense=1`);
    await press(page, "j");
    assert.equal(await page.locator("main .trace.is-embedded").count(), 1);
  });
});
