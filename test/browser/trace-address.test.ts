/** The trace page's address in Chromium: everything a person set is in it, and a link shows it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { batchOf, plainSpan } from "../support/plain-spans.ts";
import { openPage, withoutChromium } from "./browser.ts";
import { bigBatch, bigTraceHex, shopBatch, shopSpanHex } from "./trace-fixtures.ts";
import { frames, whole } from "./trace-measure.ts";
import { openTrace, press, rowAt, rowNames, untilQuery, windowOf } from "./trace-open.ts";
import { startUi } from "./ui-server.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
const BIG = bigTraceHex("mixed", 5000);

const suite = uiSuite(async (ui) => {
  await ui.store.write(shopBatch());
  await ui.store.write(bigBatch("mixed", 5000));
});

/** Places and names of the rows on screen. */
async function seen(page: Page): Promise<string[]> {
  await frames(page, 3);
  const rows = page.locator(".tl-rows .tl-row:visible");
  return await rows.evaluateAll((all) =>
    all
      .map((row) => {
        const text = row.querySelector(".tl-name")?.textContent ?? "";
        return { top: row.getBoundingClientRect().top, text };
      })
      .toSorted((a, b) => a.top - b.top)
      .map(({ top, text }) => `${Math.round(top)} ${text}`),
  );
}

/** Opens the address of one browser in another, as a colleague does. */
async function asColleague(page: Page, check: (other: Page) => Promise<void>): Promise<void> {
  const { page: other, errors, close } = await openPage(suite.browser);
  await other.goto(page.url());
  await whole(other);
  await check(other);
  assert.deepEqual(errors, []);
  await close();
}

test("what a person set is in the address: a reload shows the same", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await press(page, "2", "j", "z", " ", "r");
  await untilQuery(page, "sel", shopSpanHex(1));
  await untilQuery(page, "g", "1");
  const names = await rowNames(page);
  const shown = await windowOf(page);
  await page.reload();
  await page.getByRole("region", { name: "Span frontend: render cart" }).waitFor();
  assert.deepEqual(await rowNames(page), names);
  assert.deepEqual(await windowOf(page), shown);
  await close();
});

test("thousands of folded rows are a few letters; single ones differ", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex: BIG });
  await press(page, "2", "j", "l");
  await untilQuery(page, "c", /^1\.\*4[\w-]{6}$/);
  const rows = await seen(page);
  await asColleague(page, async (other) => assert.deepEqual(await seen(other), rows));
  await close();
});

test("how far it was scrolled, and that is where back leads", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex: BIG });
  await page.locator(".tl-body").hover();
  await page.mouse.wheel(0, 24 * 400);
  await untilQuery(page, "at", /^[0-9a-f]{16}$/);
  const rows = await seen(page);
  await asColleague(page, async (other) => assert.deepEqual(await seen(other), rows));
  await page.getByRole("link", { name: "Spoor: search" }).click();
  await page.getByRole("button", { name: "Find Traces" }).waitFor();
  await page.goBack();
  await whole(page);
  assert.deepEqual(await seen(page), rows);
  await close();
});

test("what was hidden, and the one subtree that was left", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await press(page, "j", "x");
  await untilQuery(page, "x", /./);
  const without = await rowNames(page);
  assert.ok(!without.includes("render cart"));
  await asColleague(page, async (other) => assert.deepEqual(await rowNames(other), without));
  await rowAt(page, 12).click({ button: "right", position: { x: 200, y: 10 }, force: true });
  await page.getByRole("menuitem", { name: "Only what is below" }).click();
  await untilQuery(page, "within", shopSpanHex(12));
  const below = await rowNames(page);
  assert.deepEqual(below.slice(0, 3), ["POST /checkout", "checkout", "POST payment"]);
  assert.ok(!below.includes("publish order"));
  await asColleague(page, async (other) => assert.deepEqual(await rowNames(other), below));
  await rowAt(page, 12).click({ button: "right", position: { x: 200, y: 10 }, force: true });
  await page.getByRole("menuitem", { name: "Show hidden spans again" }).click();
  await untilQuery(page, "within", null);
  assert.equal((await rowNames(page)).length, 20);
  await close();
});

test("a jump to a span ends what hides it", { skip }, async () => {
  const query = `?within=${shopSpanHex(1)}`;
  const { page, close } = await openTrace(suite.browser, suite.ui, { query });
  assert.ok(!(await rowNames(page)).includes("POST payment"));
  await press(page, "e", "e");
  assert.ok((await rowNames(page)).includes("POST payment"));
  await close();
});

test("repeated siblings: an open group stays open", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { query: "?g=1" });
  await rowAt(page, 4).locator(".tl-toggle").click({ force: true });
  await untilQuery(page, "go", /./);
  const names = await rowNames(page);
  assert.equal(names.filter((name) => name === "SELECT item").length, 7);
  await asColleague(page, async (other) => assert.deepEqual(await rowNames(other), names));
  await close();
});

test("a copied link has what was done this moment, and says so", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await press(page, "2", "c");
  await page.getByRole("button", { name: "Copy link to this view" }).click();
  await page.locator(".toast", { hasText: "Link copied" }).waitFor();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(link.searchParams.get("c"), "1.");
  assert.equal(link.searchParams.get("cp"), "0");
  await close();
});

test("the time zone travels with a link and is not remembered there", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await page.getByRole("button", { name: /^Time zone/ }).click();
  await page.getByRole("menuitem", { name: "Another…" }).click();
  await page.getByLabel(/IANA name/).fill("Asia/Kathmandu");
  await page.getByRole("button", { name: "Use it" }).click();
  await untilQuery(page, "tz", "Asia/Kathmandu");
  const start = page.locator(".totals > div").first();
  const there = await start.textContent();
  assert.match(there ?? "", /Asia\/Kathmandu/);
  await asColleague(page, async (other) => {
    const theirs = other.locator(".totals > div").first();
    assert.equal(await theirs.textContent(), there);
    assert.equal(await other.evaluate(() => localStorage.getItem("spoor-time-zone")), null);
  });
  await close();
});

test("what was hidden stays hidden as the trace grows", { skip }, async () => {
  const own = await startUi();
  try {
    await own.store.write(shopBatch());
    await own.store.settle();
    const { page, close } = await openTrace(suite.browser, own);
    await press(page, "End", "u", "x", "Home");
    assert.ok(!(await rowNames(page)).includes("smtp"));
    await own.store.write(shopBatch(9));
    await own.store.settle();
    await page.getByRole("button", { name: "9 late spans — apply" }).click({ timeout: 30_000 });
    await page.locator(".totals", { hasText: "29" }).waitFor();
    const names = await rowNames(page);
    assert.ok(names.includes("render cart") && names.includes("late 8"), names.join());
    assert.ok(!names.includes("smtp"));
    await close();
  } finally {
    await own.close();
  }
});

test("a link opens the same in the trace as it has grown since", { skip }, async () => {
  const own = await startUi();
  try {
    await own.store.write(shopBatch());
    await own.store.settle();
    const { page, close } = await openTrace(suite.browser, own, {
      query: "?g=1&t=1000000,200000000",
    });
    // Readers are told of the rows once they stand still: then a click meets the one it is for.
    await page.locator('.tl-row[data-row="4"][aria-expanded]').waitFor();
    await rowAt(page, 4).locator(".tl-toggle").click({ force: true });
    await page.locator('.tl-row[data-row="13"][aria-expanded="true"]').waitFor();
    await rowAt(page, 13).locator(".tl-toggle").click({ force: true });
    await page.getByRole("button", { name: "Services shown" }).click();
    await page
      .getByRole("dialog", { name: "Services shown" })
      .getByLabel(/mailer/)
      .uncheck();
    await page.keyboard.press("Escape");
    await rowAt(page, 16).click({ position: { x: 200, y: 8 }, force: true });
    await press(page, "x");
    for (const key of ["c", "x", "go"]) await untilQuery(page, key, /^\*3[\w-]+$/);
    await untilQuery(page, "hs", /./);
    const names = await rowNames(page);
    assert.ok(names.includes("SELECT item") && !names.includes("fraud check"), names.join());
    assert.ok(!names.includes("publish order"), names.join());
    const link = new URL(page.url());
    // 9 spans before all others, of a service whose name comes first.
    await own.store.write(shopBatch(9));
    await own.store.settle();
    await page.reload();
    await page.locator(".totals", { hasText: "29" }).waitFor();
    assert.deepEqual(
      (await rowNames(page)).filter((name) => !name.startsWith("late")),
      names,
    );
    // As the link was made, and not only as this page has written it anew since.
    await page.goto(link.href);
    await page.locator(".totals", { hasText: "29" }).waitFor();
    const again = await rowNames(page);
    assert.ok(again.length > names.length, again.join());
    assert.deepEqual(
      again.filter((name) => !name.startsWith("late")),
      names,
    );
    await close();
  } finally {
    await own.close();
  }
});

test("back to before clocks were left as stored has them corrected again", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui);
  await rowAt(page, 2).click({ position: { x: 200, y: 8 }, force: true });
  await untilQuery(page, "sel", /./);
  await page.getByRole("button", { name: "Settings of the page" }).click();
  await page.getByLabel("Correct clocks that differ").uncheck();
  await untilQuery(page, "skew", "off");
  await page.goBack();
  await untilQuery(page, "skew", null);
  await whole(page);
  await page.getByRole("button", { name: "Settings of the page" }).click();
  assert.equal(await page.getByLabel("Correct clocks that differ").isChecked(), true);
  assert.equal(new URL(page.url()).search, "");
  await page.goForward();
  await untilQuery(page, "skew", "off");
  await untilQuery(page, "sel", /./);
  assert.deepEqual(errors, []);
  await close();
});

test("links of earlier versions, with rows by number, still open", { skip }, async () => {
  // Folds "GET /cart/{id}", hides "checkout".
  const { page, close } = await openTrace(suite.browser, suite.ui, { query: "?c=BA&x=DA" });
  const names = ["POST /checkout", "render cart", "GET cart", "GET /cart/{id}"];
  assert.deepEqual(await rowNames(page), names);
  const entries = await page.evaluate(() => history.length);
  await untilQuery(page, "c", /^\*3/);
  await untilQuery(page, "x", /^\*3/);
  assert.deepEqual(await rowNames(page), names);
  assert.equal(await page.evaluate(() => history.length), entries);
  await close();
});

test("a link to a span means it, not its twin of the same id", { skip }, async () => {
  const traceIdHex = "5a0b00000000000000000000000000d1";
  const twin = { traceHex: traceIdHex, spanHex: "00000000000000aa", parentHex: "000000000000000f" };
  await suite.ui.store.write(
    batchOf([
      plainSpan({ traceHex: traceIdHex, spanHex: "000000000000000f", name: "root" }),
      plainSpan({ ...twin, name: "first", durationNs: 700_000n }),
      plainSpan({ ...twin, name: "second", durationNs: 500_000n }),
    ]),
  );
  await suite.ui.store.settle();
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex });
  for (const [keys, row, id] of [
    [["j", "j"], 2, "00000000000000aa-2"],
    [["k"], 1, "00000000000000aa"],
  ] as const) {
    await press(page, ...keys, " ");
    await untilQuery(page, "sel", id);
    await asColleague(page, async (other) => {
      await other.locator(`.tl-row.is-selected[data-row="${row}"]`).waitFor();
      await other.locator(`.tl-detail[data-row="${row}"]`).waitFor();
    });
  }
  await close();
});
