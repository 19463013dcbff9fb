/** The timeline against Jaeger UI's: rows, bars, details, keys; geometry by what was drawn. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { axeViolations, openPage, withoutChromium } from "./browser.ts";
import { SHOP_START_NS, SHOP_TRACE, shopBatch, shopSpanHex } from "./trace-fixtures.ts";
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
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
/** Duration of the shop's trace, µs. */
const WHOLE_US = 412_000;

const suite = uiSuite(async (ui) => {
  await ui.store.write(shopBatch());
});

/** Left edge and width of the bars' part of the timeline. */
async function barsBox(page: Page): Promise<{ left: number; width: number }> {
  const body = (await page.locator(".tl-body").boundingBox())!;
  const name = (await rowAt(page, 0).boundingBox())!;
  // The scroll bar has 12 px of the body.
  return { left: name.width, width: body.width - 12 - name.width };
}

test("bars lie where their times are, with durations beside them", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui);
  const { left, width } = await barsBox(page);
  const scale = width / WHOLE_US;
  for (const [row, at, us, text] of [
    [1, 1200, 38_000, "38ms"],
    [13, 46_500, 296_000, "296ms"],
    [19, 370_000, 24_000, "24ms"],
  ] as const) {
    const bar = (await rectsOf(page, "bar", row))[0]!;
    assert.ok(Math.abs(bar.x - (left + at * scale)) < 0.5, `row ${row} x ${bar.x}`);
    assert.ok(Math.abs(bar.width - us * scale) < 0.5, `row ${row} width ${bar.width}`);
    assert.equal(bar.y, row * 24 + 6);
    assert.equal((await rectsOf(page, "label", row))[0]?.text, text);
  }
  assert.deepEqual(errors, []);
  await close();
});

test("a bar's label names the span while the pointer is on it", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  const bar = (await rectsOf(page, "bar", 15))[0]!;
  const body = (await page.locator(".tl-body").boundingBox())!;
  await page.mouse.move(body.x + bar.x + 20, body.y + bar.y + 5);
  const label = (await rectsOf(page, "label", 15))[0]!;
  assert.equal(label.text, "165ms  payment::bank authorise");
  const cursor = (await rectsOf(page, "cursor"))[0]!;
  assert.ok(Math.abs(cursor.x - bar.x - 20) <= 1);
  const ruler = (await drawnOn(page, "ruler")).find(({ what }) => what === "cursor")!;
  assert.match(ruler.text, /^17\d(\.\d)?ms$/);
  await close();
});

test("events, errors, the critical path and clipped bars are drawn", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  assert.equal((await rectsOf(page, "event", 3)).length, 4);
  assert.deepEqual(
    new Set((await rectsOf(page, "error")).map(({ row }) => row)),
    new Set([0, 12, 13]),
  );
  const critical = await rectsOf(page, "critical");
  assert.ok(critical.some(({ row }) => row === 15));
  assert.ok(!critical.some(({ row }) => row === 19));
  await press(page, "c");
  assert.equal((await rectsOf(page, "critical")).length, 0);
  await untilQuery(page, "cp", "0");
  assert.equal((await rectsOf(page, "clipped")).length, 0);
  await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}?t=60000000,120000000`);
  await rowAt(page, 13).waitFor();
  assert.equal((await rectsOf(page, "clipped", 13)).length, 2);
  assert.equal((await rectsOf(page, "offscreen", 19)).length, 1);
  await close();
});

test(
  "rows: children counted, errors own and below, peers, kinds of call, pills",
  { skip },
  async () => {
    const { page, close } = await openTrace(suite.browser, suite.ui);
    const toggle = (row: number): ReturnType<Page["locator"]> =>
      rowAt(page, row).locator(".tl-toggle");
    assert.equal(await toggle(3).textContent(), "7");
    assert.equal(await toggle(4).getAttribute("data-state"), "leaf");
    await rowAt(page, 4).locator(".tl-pill", { hasText: "postgresql" }).waitFor();
    assert.equal(await rowAt(page, 4).locator(".tl-icon").getAttribute("title"), "Database");
    assert.deepEqual(await rowAt(page, 0).locator(".tl-pill").allTextContents(), ["502", "POST"]);
    const bad = rowAt(page, 0).locator(".tl-pill", { hasText: "502" });
    assert.equal(await bad.getAttribute("data-tone"), "error");
    assert.equal(
      await rowAt(page, 15).locator(".tl-service").textContent(),
      "payment → bank-gateway",
    );
    assert.equal(await rowAt(page, 17).locator(".tl-pill").textContent(), "links");
    const body = (await page.locator(".tl-body").boundingBox())!;
    const box = (await toggle(12).boundingBox())!;
    await page.mouse.click(box.x + 6, box.y + 6);
    assert.equal((await rowNames(page)).includes("POST /charge"), false);
    assert.equal(await rowAt(page, 12).locator(".tl-service").textContent(), "frontend → payment");
    assert.equal((await rectsOf(page, "peer")).length, 1);
    const outer = (await toggle(11).boundingBox())!;
    await page.mouse.click(outer.x + 6, outer.y + 6);
    const error = rowAt(page, 11).locator(".tl-error");
    assert.equal(await error.getAttribute("data-kind"), "below");
    assert.ok(body.width > 0);
    await close();
  },
);

test("levels fold and open by the buttons; the names' width is dragged", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await page.getByRole("button", { name: /Collapse all/ }).click();
  assert.equal((await rowNames(page)).length, 1);
  await page.getByRole("button", { name: /Expand one level/ }).click();
  assert.deepEqual(await rowNames(page), ["POST /checkout", "render cart", "checkout"]);
  await page.getByRole("button", { name: /Expand all/ }).click();
  await page.getByRole("button", { name: /Collapse one level/ }).click();
  assert.equal((await rowNames(page)).includes("SELECT item"), false);
  const handle = page.getByRole("separator", { name: "Width of the names" });
  const box = (await handle.boundingBox())!;
  await page.mouse.move(box.x + 3, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 203, box.y + 10, { steps: 3 });
  await page.mouse.up();
  await frames(page, 2);
  const wide = (await rowAt(page, 0).boundingBox())!.width;
  assert.ok(Math.abs(wide - (1588 * 0.32 + 200)) < 6, `${wide}`);
  await page.reload();
  await rowAt(page, 0).waitFor();
  assert.ok(Math.abs((await rowAt(page, 0).boundingBox())!.width - wide) < 3);
  await close();
});

test("the ruler: a drag zooms to it, zoomed in it pans; bars are measured", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  const ruler = (await page.locator(".tl-ruler").boundingBox())!;
  const drag = async (y: number, from: number, to: number): Promise<void> => {
    await page.mouse.move(ruler.x + ruler.width * from, y);
    await page.mouse.down();
    await page.mouse.move(ruler.x + ruler.width * to, y, { steps: 4 });
    await page.mouse.up();
  };
  await drag(ruler.y + 10, 0.2, 0.6);
  assert.deepEqual(await windowOf(page), { from: 20, to: 60 });
  await drag(ruler.y + 10, 0.5, 0.25);
  assert.deepEqual(await windowOf(page), { from: 30, to: 70 });
  await untilQuery(page, "t", /^\d/);
  await page.goBack();
  await frames(page, 3);
  assert.notDeepEqual(await windowOf(page), { from: 30, to: 70 });
  await press(page, "0");
  await drag(ruler.y + 200, 0.25, 0.5);
  assert.equal((await rectsOf(page, "range")).length, 1);
  assert.match(await page.locator(".range-bar b").innerText(), /^103ms$|^10[23]\.\d+ms$/);
  await page.getByRole("button", { name: "Zoom in" }).click();
  assert.deepEqual(await windowOf(page), { from: 25, to: 50 });
  await close();
});

test("wheel scrolls, with Ctrl zooms at the pointer, with Shift pans", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { height: 520 });
  const body = (await page.locator(".tl-body").boundingBox())!;
  await page.mouse.move(body.x + 1000, body.y + 60);
  await page.mouse.wheel(0, 96);
  await frames(page, 2);
  assert.equal(await rowAt(page, 0).count(), 0);
  const held = page.locator(".tl-sticky .tl-name");
  assert.equal((await held.allTextContents())[0], "POST /checkout");
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -400);
  await page.keyboard.up("Control");
  const zoomed = await windowOf(page);
  assert.ok(zoomed.to - zoomed.from < 60 && zoomed.from > 0);
  await page.keyboard.down("Shift");
  await page.mouse.wheel(0, 200);
  await page.keyboard.up("Shift");
  assert.ok((await windowOf(page)).from > zoomed.from);
  await close();
});

test("zooming goes down to single nanoseconds", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, {
    query: "?t=171000000,171000004",
  });
  const ticks = (await drawnOn(page, "ruler")).filter(({ what }) => what === "tick");
  assert.ok(new Set(ticks.map(({ text }) => text)).size >= 4);
  assert.ok(
    ticks.some(({ text }) => text === "171.000001ms"),
    ticks.map((t) => t.text).join(),
  );
  await press(page, ...Array<string>(60).fill("Shift+ArrowUp"));
  await untilQuery(page, "t", /^1710000\d\d(\.\d)?,1710000\d\d(\.\d)?$/);
  const bar = (await rectsOf(page, "bar", 15))[0];
  assert.ok(bar !== undefined && bar.width > 100);
  await close();
});

test(
  "services: unticked ones are pruned with what is below, the root's stays",
  { skip },
  async () => {
    const { page, close } = await openTrace(suite.browser, suite.ui);
    await page.getByRole("button", { name: "Services shown" }).click();
    const panel = page.getByRole("dialog", { name: "Services shown" });
    assert.equal(await panel.getByLabel(/frontend/).isDisabled(), true);
    await panel.getByLabel(/payment/).uncheck();
    assert.equal((await rowNames(page)).includes("fraud check"), false);
    await rowAt(page, 12).locator(".tl-pill", { hasText: "3 spans pruned, 1 error" }).waitFor();
    // What Jaeger UI 2.20 makes of these four services with the last one hidden.
    await untilQuery(page, "svcFilter", "7672.7");
    await page.reload();
    await rowAt(page, 12).waitFor();
    assert.equal((await rowNames(page)).length, 17);
    await page.getByRole("button", { name: "Services shown" }).click();
    await panel.getByRole("button", { name: "Save as default" }).click();
    await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}`);
    await rowAt(page, 12).waitFor();
    await page.waitForFunction(() => !document.body.innerText.includes("fraud check"));
    assert.equal((await rowNames(page)).length, 17);
    await close();
  },
);

test(
  "details: facts, attributes by kind, events of the window, links, copies",
  { skip },
  async () => {
    const { page, errors, close } = await openTrace(suite.browser, suite.ui);
    await rowAt(page, 3).click({ position: { x: 300, y: 12 }, force: true });
    const detail = page.getByRole("region", { name: "Span cart: GET /cart/{id}" });
    await detail.getByRole("button", { name: /^Attributes/ }).waitFor();
    const facts = (await detail.locator(".facts").innerText()).replaceAll(/\s+/g, " ");
    const start = String(SHOP_START_NS + 3_100_000n).slice(-9);
    assert.match(
      facts,
      new RegExp(`Duration 27ms 6\\.6 % Start 3\\.1ms .*\\.${start} Kind server`),
    );
    await detail.getByRole("button", { name: /^Resource/ }).click();
    await detail.getByRole("cell", { name: "cart", exact: true }).waitFor();
    assert.equal(await detail.locator(".events > li").count(), 3);
    await detail.getByRole("button", { name: "Show 1 more" }).click();
    assert.equal(await detail.locator(".events > li").count(), 4);
    await detail.getByRole("button", { name: "Copy link to this span" }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, new RegExp(`sel=${shopSpanHex(3)}`));
    await detail.getByRole("button", { name: "Copy http.response.status_code as JSON" }).click();
    const json = await page.evaluate(() => navigator.clipboard.readText());
    assert.deepEqual(JSON.parse(json), { "http.response.status_code": 200 });
    await detail.getByRole("button", { name: /Find spans with this http.request.method/ }).click();
    await page.locator(".find-count", { hasText: "2" }).waitFor();
    await detail.getByRole("button", { name: "Close details" }).click();
    assert.equal(await detail.count(), 0);
    assert.deepEqual(errors, []);
    await close();
  },
);

test(
  "details: JSON as a tree, big integers exact, hostile texts stay texts",
  { skip },
  async () => {
    const query = `?open=${shopSpanHex(0)},${shopSpanHex(13)}&t=0,100000000`;
    const { page, errors, close } = await openTrace(suite.browser, suite.ui, {
      query,
      height: 1600,
    });
    const root = page.getByRole("region", { name: "Span frontend: POST /checkout" });
    await root.getByText("9007199254740993").waitFor();
    await root.getByRole("button", { name: /\{1\}/ }).click();
    await root.getByText("items").waitFor();
    const charge = page.getByRole("region", { name: "Span payment: POST /charge" });
    await charge.getByText("<img src=x onerror=alert(1)>").waitFor();
    await charge.getByText("javascript:alert(1)").waitFor();
    assert.equal(await page.locator('a[href^="javascript"], .detail img').count(), 0);
    const docs = charge.getByRole("link", { name: "https://docs.example/errors/declined" });
    assert.equal(await docs.getAttribute("target"), "_blank");
    await charge.getByRole("button", { name: "1 outside the window: show all" }).click();
    await charge.getByText("CardDeclined").waitFor();
    assert.deepEqual(errors, []);
    await close();
  },
);

test("links: another trace in a new tab, a span of this trace by a press", { skip }, async () => {
  const query = `?open=${shopSpanHex(17)}`;
  const { page, close } = await openTrace(suite.browser, suite.ui, { query, height: 1400 });
  const away = page.getByRole("link", { name: /another trace/ });
  assert.match((await away.getAttribute("href")) ?? "", /trace\/5a0b0+ff\?uiFind=0+aa$/);
  await page.getByRole("button", { name: new RegExp(`to ${shopSpanHex(16)}`) }).click();
  await page.getByRole("region", { name: "Span frontend: publish order" }).waitFor();
  await untilQuery(page, "sel", shopSpanHex(16));
  await close();
});

test("colours are the same for everybody", { skip }, async () => {
  const colors: string[][] = [];
  for (const query of ["", `?c=AA`]) {
    const { page, close } = await openTrace(suite.browser, suite.ui, { query });
    colors.push((await rectsOf(page, "bar")).slice(0, 3).map(({ color }) => color));
    await close();
  }
  assert.deepEqual(colors[0], colors[1]);
  assert.notEqual(colors[0]?.[0], undefined);
});

test("late spans are offered, and applied without losing the place", { skip }, async () => {
  const own = await startUi();
  try {
    await own.store.write(shopBatch());
    await own.store.settle();
    const query = `?sel=${shopSpanHex(13)}&open=${shopSpanHex(13)}`;
    const { page, close } = await openTrace(suite.browser, own, { query, height: 620 });
    await own.store.write(shopBatch(37));
    await own.store.settle();
    const apply = page.getByRole("button", { name: "37 late spans — apply" });
    await apply.waitFor({ timeout: 30_000 });
    const row = page.locator(".tl-row.is-selected");
    const before = (await row.boundingBox())!.y;
    await apply.click();
    await page.locator(".totals", { hasText: "57" }).waitFor();
    await frames(page, 3);
    assert.equal(await row.locator(".tl-name").textContent(), "POST /charge");
    // The button and its line above went away.
    const head = (await page.locator(".tl-body").boundingBox())!.y;
    assert.ok(head > 0 && Math.abs((await row.boundingBox())!.y - before) <= 12);
    await close();
  } finally {
    await own.close();
  }
});

test("names written from right to left leave the row as it is", { skip }, async () => {
  const traceIdHex = "5a0b00000000000000000000000000aa";
  const spans = [
    { service: "חנות", name: "קנייה" },
    { service: "shop", name: "\u202elive", parent: 0 },
  ];
  await suite.ui.write([{ traceIdHex, spans }]);
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex });
  for (const row of [0, 1]) {
    const left = async (part: string): Promise<number> =>
      (await rowAt(page, row).locator(part).boundingBox())!.x;
    assert.ok((await left(".tl-service")) < (await left(".tl-name")), `row ${row}`);
  }
  await close();
});

test("filters that leave nothing say so, and are taken back at once", { skip }, async () => {
  const query = "?uiFind=nowhere&f=he";
  const { page, errors, close } = await openPage(suite.browser);
  await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}${query}`);
  const note = page.getByRole("status").filter({ hasText: "No span is left" });
  await note.getByText("all 20 spans").waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await note.getByRole("button", { name: "Show all spans" }).click();
  await rowAt(page, 19).waitFor();
  await untilQuery(page, "f", null);
  await untilQuery(page, "uiFind", "nowhere");
  assert.deepEqual(errors, []);
  await close();
});
