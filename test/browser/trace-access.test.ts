/** The trace page without a mouse and with a screen reader: keys, treegrid, focus, axe. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { axeViolations, withoutChromium } from "./browser.ts";
import type { WatchedPage } from "./browser.ts";
import { bigBatch, bigTraceHex, shopBatch, shopSpanHex } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { openTrace, press, rowAt, rowNames, untilQuery, windowOf } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();

const suite = uiSuite(async (ui) => {
  await ui.store.write(shopBatch());
  await ui.store.write(bigBatch("mixed", 3000));
});

/** The name in the row that has the focus. */
async function focused(page: Page): Promise<string> {
  await frames(page, 2);
  return await page.evaluate(
    () => document.activeElement?.querySelector(".tl-name")?.textContent ?? "",
  );
}

test("Jaeger's keys: pages, spans, panning, zooming, folding, find", { skip }, async () => {
  const traceIdHex = bigTraceHex("mixed", 3000);
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex });
  const top = async (): Promise<number> =>
    Number(await page.locator(".tl-rows .tl-row[role=row]").first().getAttribute("data-row"));
  await press(page, "s");
  const paged = await top();
  const rows = Math.floor((await page.locator(".tl-body").boundingBox())!.height / 24);
  assert.ok(Math.abs(paged - rows * 0.95) <= 1, `${paged} of ${rows}`);
  await press(page, "w");
  assert.equal(await top(), 0);
  await press(page, "f", "f", "b");
  assert.equal(await rowAt(page, 1).getAttribute("tabindex"), "0");
  await page.locator("h1").first().click();
  await press(page, ...Array<string>(20).fill("ArrowUp"));
  const zoomed = await windowOf(page);
  assert.deepEqual(zoomed, { from: 9, to: 91 });
  await press(page, ...Array<string>(20).fill("ArrowDown"));
  assert.ok((await windowOf(page)).to > 98);
  await press(page, "Shift+ArrowUp", "Shift+ArrowUp");
  const from = (await windowOf(page)).from;
  await press(page, "D");
  assert.ok((await windowOf(page)).from > from);
  await press(page, "A");
  await press(page, "d", "d", "ArrowRight", "a", "ArrowLeft", "a");
  assert.equal((await windowOf(page)).from, from);
  await press(page, "Shift+ArrowRight", "Shift+ArrowLeft", "Shift+ArrowDown");
  await press(page, "]");
  assert.equal((await rowNames(page)).length, 1);
  await press(page, "o");
  const one = Number(await page.getByRole("treegrid").getAttribute("aria-rowcount"));
  await press(page, "p");
  assert.equal((await rowNames(page)).length, 1);
  await press(page, "[");
  assert.equal(await page.getByRole("treegrid").getAttribute("aria-rowcount"), "3001");
  assert.ok(one > 2 && one < 3001);
  await press(page, "Control+b");
  await page.keyboard.type("lookup");
  await page.locator(".find-count", { hasText: /^\d+$| of / }).waitFor();
  await press(page, "Escape");
  await untilQuery(page, "uiFind", null);
  await close();
});

test(
  "keys of ours: cursor, levels, zoom to span, errors, parent, hide, copy",
  { skip },
  async () => {
    const { page, close } = await openTrace(suite.browser, suite.ui);
    await press(page, "j", "j", "k");
    assert.equal(await focused(page), "render cart");
    await press(page, "z");
    assert.deepEqual(await windowOf(page), { from: 0, to: 10 });
    await press(page, "Z", "0");
    assert.deepEqual(await windowOf(page), { from: 0, to: 100 });
    await press(page, "e");
    assert.equal(await focused(page), "POST payment");
    await press(page, "e", "e");
    assert.equal(await focused(page), "POST /checkout");
    await press(page, "E");
    assert.equal(await focused(page), "POST /charge");
    await press(page, "u");
    assert.equal(await focused(page), "POST payment");
    await press(page, "y");
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(link, new RegExp(`sel=${shopSpanHex(12)}`));
    await press(page, "h");
    assert.equal((await rowNames(page)).includes("POST /charge"), false);
    await press(page, "l", "l");
    assert.equal(await focused(page), "POST /charge");
    await press(page, "x");
    assert.equal((await rowNames(page)).includes("fraud check"), false);
    await press(page, "X");
    assert.equal((await rowNames(page)).length, 20);
    await press(page, "3");
    assert.equal((await rowNames(page)).includes("GET /cart/{id}"), false);
    await press(page, "9", "Home", "C");
    assert.notEqual(await focused(page), "");
    await press(page, "End", " ");
    await page.getByRole("region", { name: "Span mailer: smtp" }).waitFor();
    await press(page, " ");
    assert.equal(await page.locator(".tl-detail").count(), 0);
    await press(page, ".");
    await page.getByRole("menuitem", { name: "Zoom to this span" }).press("Enter");
    assert.ok((await windowOf(page)).from > 85);
    await close();
  },
);

test("find by keys: / to search, n and N to walk", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await press(page, "/");
  await page.keyboard.type("mailer");
  await page.locator(".find-count", { hasText: /^3$/ }).waitFor();
  await page.locator("h1").first().click();
  await press(page, "n", "n");
  await page.locator(".find-count", { hasText: "2 of 3" }).waitFor();
  await press(page, "N");
  await page.locator(".find-count", { hasText: "1 of 3" }).waitFor();
  await close();
});

test("the palette runs commands by name; the help lists every key", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await press(page, "Control+k");
  await page.keyboard.type("collapse all");
  await page.getByRole("option", { name: /collapse all/i, selected: true }).waitFor();
  await press(page, "Enter");
  await rowAt(page, 1).waitFor({ state: "hidden" });
  assert.equal((await rowNames(page)).length, 1);
  await press(page, "?");
  const help = page.getByRole("dialog", { name: "Keys" });
  await help.getByText("Zoom to the span").waitFor();
  await help.getByLabel(/Single keys act/).uncheck();
  await press(page, "Escape");
  await press(page, "[");
  assert.equal((await rowNames(page)).length, 1);
  await close();
});

test("the treegrid tells levels, places and numbers, with one tab stop", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  const grid = page.getByRole("treegrid", { name: "Spans" });
  assert.equal(await grid.getAttribute("aria-rowcount"), "21");
  // A moment after the first picture.
  await grid.locator(".tl-row[aria-level]").nth(19).waitFor();
  const row = rowAt(page, 5);
  const expected = { rowindex: "7", level: "5", setsize: "7", posinset: "2", selected: "false" };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(await row.getAttribute(`aria-${name}`), value, name);
  }
  assert.equal(await rowAt(page, 3).getAttribute("aria-expanded"), "true");
  assert.equal(await row.getAttribute("aria-expanded"), null);
  const cells = await rowAt(page, 13).getByRole("gridcell").all();
  const labels = await Promise.all(cells.map((cell) => cell.getAttribute("aria-label")));
  assert.deepEqual(labels, ["46.5ms", "296ms", "71.8 %", "error, on critical path, 1 event"]);
  assert.equal(await grid.locator("[tabindex='0']").count(), 1);
  await rowAt(page, 0).focus();
  await press(page, "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight");
  assert.equal(await focused(page), "SELECT item");
  await press(page, "ArrowLeft");
  assert.equal(await focused(page), "GET /cart/{id}");
  await press(page, "ArrowLeft");
  assert.equal(await rowAt(page, 3).getAttribute("aria-expanded"), "false");
  await press(page, "Enter");
  assert.equal(await rowAt(page, 3).getAttribute("aria-selected"), "true");
  assert.ok((await page.locator(".tl-rows .tl-row").count()) <= 60);
  await close();
});

test("the focus stays with its row while rows scroll past", { skip }, async () => {
  const traceIdHex = bigTraceHex("mixed", 3000);
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex });
  await press(page, ...Array<string>(60).fill("j"));
  const active = await page.evaluate(
    () => document.activeElement?.getAttribute("data-row") ?? "none",
  );
  assert.equal(active, "60");
  await press(page, "w", "w", "w");
  const role = await page.evaluate(() => document.activeElement?.getAttribute("role"));
  assert.equal(role, "treegrid");
  await press(page, "ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-row")), "61");
  await close();
});

/** Whether each row on screen tells readers the place and level of the span that it shows. */
function readersKnow(first: number): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>(".tl-rows .tl-row")];
  return (
    rows[0]?.dataset["row"] === String(first) &&
    rows.every((row, i) => {
      const level = Number(row.getAttribute("aria-level"));
      const indent = row.querySelector<HTMLElement>(".tl-cell")?.style.paddingLeft;
      const cells = [...row.querySelectorAll("[role=gridcell]")];
      return (
        row.dataset["row"] === String(first + i) &&
        row.getAttribute("aria-rowindex") === String(first + i + 2) &&
        row.getAttribute("aria-selected") === "false" &&
        indent === `${6 + 14 * (level - 1)}px` &&
        cells.length === 4 &&
        cells.slice(0, 3).every((cell) => cell.getAttribute("aria-label") !== "")
      );
    })
  );
}

test("rows scrolled to are told to readers once they stand still", { skip }, async () => {
  const traceIdHex = bigTraceHex("mixed", 3000);
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex });
  await page.waitForFunction(readersKnow, 0);
  await page.locator(".tl-body").hover();
  let top = 0;
  for (const rows of [5, 25, 1000, -3, -200, 2]) {
    await page.mouse.wheel(0, rows * 24);
    top += rows;
    await page.waitForFunction(readersKnow, top);
  }
  await close();
});

type State = readonly [name: string, query: string, arrange: (page: Page) => Promise<unknown>];

const STATES: readonly State[] = [
  ["as opened", "", () => Promise.resolve()],
  ["details open", `?open=${shopSpanHex(0)}&sel=${shopSpanHex(0)}`, (page) => frames(page, 5)],
  ["details at the side", "?panel=1", (page) => page.locator(".trace-panel .kv").first().waitFor()],
  ["a search", "?uiFind=SELECT", (page) => page.locator(".is-match").first().waitFor()],
  ["services", "", (page) => page.getByRole("button", { name: "Services shown" }).click()],
  ["filters", "", (page) => page.getByRole("button", { name: "Filter rows" }).click()],
  ["keys", "", (page) => press(page, "?")],
  ["palette", "", (page) => press(page, "Control+k")],
  ["the span's menu", "", (page) => press(page, "j", ".")],
  ["JSON", "?v=json", (page) => page.locator(".json-view pre").waitFor()],
];

for (const theme of ["light", "dark"] as const) {
  test(`no rule of WCAG 2.2 AA is broken, ${theme}`, { skip }, async (t) => {
    for (const [name, query, arrange] of STATES) {
      await t.test(name, async () => {
        const { page, close } = await openTraceOrJson(query, theme);
        await arrange(page);
        await frames(page, 2);
        const found = await axeViolations(page);
        await close();
        assert.deepEqual(found, []);
      });
    }
  });
}

async function openTraceOrJson(query: string, theme: "light" | "dark"): Promise<WatchedPage> {
  const options = { query: query.includes("v=json") ? "" : query, theme };
  const watched = await openTrace(suite.browser, suite.ui, options);
  if (query.includes("v=json")) await press(watched.page, "g", "j");
  return watched;
}
