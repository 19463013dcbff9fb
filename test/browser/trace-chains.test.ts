/** Chains of single children in one row: by key, pointer and link, and walked into by find. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { axeViolations, withoutChromium } from "./browser.ts";
import { bigBatch, bigTraceHex, shopBatch } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { openTrace, press, rectsOf, rowAt, rowNames, untilQuery } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
/** Rows 1 to 3 of the shop's trace. */
const CHAIN = "render cart › GET cart › GET /cart/{id}";

const suite = uiSuite(async (ui) => {
  await ui.store.write(shopBatch());
  await ui.store.write(bigBatch("deep", 100_000));
});

test("a key folds chains: one row, one level, what is folded is told", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui);
  await press(page, "R");
  assert.equal((await rowNames(page)).length, 18);
  const row = rowAt(page, 1);
  assert.equal(await row.locator(".tl-name").textContent(), CHAIN);
  assert.equal(await row.locator(".tl-service").textContent(), "frontend → cart");
  assert.equal(await row.locator(".tl-pill").first().textContent(), "3 spans");
  // Readers are told once the rows stand still.
  await page.locator('.tl-row[data-row="1"][aria-expanded="false"]').waitFor();
  assert.equal(await row.getAttribute("aria-level"), "2");
  assert.equal(await rowAt(page, 4).getAttribute("aria-level"), "3");
  assert.equal(await rowAt(page, 4).getAttribute("aria-setsize"), "7");
  await page.locator(".unseen", { hasText: "Chains folded" }).waitFor({ state: "attached" });
  const inner = (await rectsOf(page, "peer"))[0]!;
  assert.equal(inner.row, 3);
  assert.ok((await rectsOf(page, "critical", 2)).length > 0, "the path of all its spans");
  await untilQuery(page, "ch", "1");
  assert.deepEqual(await axeViolations(page), []);
  await press(page, "R");
  assert.equal((await rowNames(page)).length, 20);
  await untilQuery(page, "ch", null);
  assert.deepEqual(errors, []);
  await close();
});

test("a chain opens and folds by keys, pointer and menu; a link keeps it", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { query: "?ch=1" });
  await press(page, "j", "l");
  assert.equal((await rowNames(page)).length, 20);
  assert.equal(await rowAt(page, 1).getAttribute("aria-expanded"), "true");
  await untilQuery(page, "cho", /^\*/);
  const link = new URL(page.url()).search;
  await press(page, "h");
  assert.equal((await rowNames(page)).length, 18);
  await press(page, "h");
  assert.deepEqual((await rowNames(page)).slice(0, 3), [
    "POST /checkout",
    "render cart",
    "checkout",
  ]);
  await press(page, "l");
  assert.equal((await rowNames(page))[1], CHAIN);
  // From below a chain the way up is the chain.
  await press(page, "j", "u");
  assert.equal(await rowAt(page, 1).getAttribute("tabindex"), "0");
  assert.equal((await rowNames(page)).length, 18);
  const toggle = (await rowAt(page, 1).locator(".tl-toggle").boundingBox())!;
  await page.mouse.click(toggle.x + 6, toggle.y + 6);
  assert.equal((await rowNames(page)).length, 20);
  await press(page, ".");
  await page.getByRole("menuitem", { name: "Fold the chain" }).click();
  assert.equal((await rowNames(page)).length, 18);
  const second = await openTrace(suite.browser, suite.ui, { query: link });
  assert.equal((await rowNames(second.page)).length, 20);
  await second.close();
  await close();
});

test("a link to a span in a folded chain or group leaves it folded", { skip }, async () => {
  // Row 3 is the last of a chain, row 6 one of seven alike.
  for (const [row, folding] of [
    [3, "ch"],
    [6, "g"],
  ] as const) {
    const { page, close } = await openTrace(suite.browser, suite.ui);
    await rowAt(page, row).click({ position: { x: 200, y: 12 }, force: true });
    await untilQuery(page, "sel", /./);
    await press(page, folding === "ch" ? "R" : "r");
    await untilQuery(page, folding, "1");
    const { search } = new URL(page.url());
    const shown = await rowNames(page);
    const second = await openTrace(suite.browser, suite.ui, { query: search });
    assert.deepEqual(await rowNames(second.page), shown);
    assert.equal(new URL(second.page.url()).search, search);
    await second.close();
    await close();
  }
});

test("what is looked for in a chain opens it", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { query: "?ch=1" });
  await page.getByLabel("Find in trace").fill('"GET /cart/{id}"');
  await page.locator(".find-count", { hasText: "1" }).waitFor();
  assert.match((await rowAt(page, 1).getAttribute("class"))!, /is-match/);
  await press(page, "Enter");
  assert.equal(await rowAt(page, 3).locator(".tl-name").textContent(), "GET /cart/{id}");
  assert.equal((await rowNames(page)).length, 20);
  await close();
});

test(
  "a chain of 100,000 spans is a row; errors and the path are walked in it",
  { skip },
  async () => {
    const traceIdHex = bigTraceHex("deep", 100_000);
    const { page, errors, close } = await openTrace(suite.browser, suite.ui, {
      traceIdHex,
      query: "?ch=1",
    });
    assert.equal((await rowNames(page)).length, 1);
    const pill = rowAt(page, 0).locator(".tl-pill").first();
    assert.equal(await pill.textContent(), "100,000 spans");
    assert.equal(await rowAt(page, 0).locator(".tl-error").getAttribute("data-kind"), "below");
    await press(page, "e");
    const grid = page.getByRole("treegrid");
    assert.equal(await grid.getAttribute("aria-rowcount"), "100001");
    assert.ok((await page.locator(".tl-rows .tl-row[tabindex='0'] .tl-error").count()) === 1);
    await press(page, "Home", "h");
    await frames(page, 2);
    assert.equal((await rowNames(page)).length, 1);
    await press(page, "C", "C");
    assert.equal(await grid.getAttribute("aria-rowcount"), "100001");
    assert.deepEqual(errors, []);
    await close();
  },
);
