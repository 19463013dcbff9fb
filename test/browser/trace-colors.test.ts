/** What spans are coloured by: bars, names and minimap follow, the legend says it, links keep it */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { axeViolations, withoutChromium } from "./browser.ts";
import { SHOP_TRACE, shopBatch } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { drawnOn, openTrace, press, rectsOf, rowAt, untilQuery } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();

const suite = uiSuite(async (ui) => {
  await ui.store.write(shopBatch());
});

/** Colours of the bars by row. */
async function barColors(page: Page): Promise<string[]> {
  const bars = await rectsOf(page, "bar");
  return bars.toSorted((a, b) => a.row - b.row).map(({ color }) => color);
}

async function legendOf(page: Page): Promise<string[]> {
  const groups = await page.locator(".legend-group").allInnerTexts();
  return groups.map((text) => text.replaceAll(/\s+/g, " ").trim());
}

/** Which colours the minimap shows. */
async function minimapColors(page: Page): Promise<string> {
  await frames(page, 2);
  return await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".minimap canvas")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 20, canvas.width, 50);
    const seen = new Map<string, number>();
    for (let i = 0; i < data.length; i += 4) {
      const color = data.subarray(i, i + 3).join();
      seen.set(color, (seen.get(color) ?? 0) + 1);
    }
    const much = [...seen].filter(([, count]) => count > 100).map(([color]) => color);
    return much.toSorted().join(" ");
  });
}

test("by kind and status: bars, names, minimap and legend agree", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui);
  const byService = await barColors(page);
  const before = await minimapColors(page);
  await page.getByRole("button", { name: "Colour by: service" }).click();
  await page.getByRole("radio", { name: "Kind" }).check();
  await press(page, "Escape");
  assert.deepEqual(await legendOf(page), [
    "internal 4",
    "server 3",
    "client 11",
    "producer 1",
    "consumer 1",
  ]);
  const byKind = await barColors(page);
  assert.equal(new Set(byKind).size, 5);
  // Rows 2 and 15 are clients of different services.
  assert.equal(byKind[2], byKind[15]);
  assert.notEqual(byService[2], byService[15]);
  const swatch = page.locator(".legend-group", { hasText: "client" }).locator(".swatch");
  assert.equal(await swatch.evaluate((e) => getComputedStyle(e).backgroundColor), byKind[2]);
  const name = rowAt(page, 2).locator(".tl-service");
  assert.equal(await name.evaluate((e) => getComputedStyle(e).borderLeftColor), byKind[2]);
  assert.notEqual(await minimapColors(page), before);
  await page.locator(".unseen", { hasText: "Coloured by kind" }).waitFor({ state: "attached" });
  assert.match(
    (await rowAt(page, 2).getByRole("gridcell").nth(3).getAttribute("aria-label"))!,
    /kind client/,
  );
  await untilQuery(page, "color", "kind");
  await page.getByRole("button", { name: "Colour by: kind" }).click();
  await page.getByRole("radio", { name: "Status" }).check();
  await press(page, "Escape");
  assert.deepEqual(await legendOf(page), ["unset 17", "error 3"]);
  const byStatus = await barColors(page);
  assert.deepEqual([byStatus[12], byStatus[13]], [byStatus[0], byStatus[0]]);
  assert.notEqual(byStatus[0], byStatus[1]);
  // Not by colour alone: stripes, as by service.
  assert.equal((await rectsOf(page, "error")).length, 3);
  await page.getByRole("button", { name: "Colour by service again" }).click();
  assert.deepEqual(await barColors(page), byService);
  assert.equal(await minimapColors(page), before);
  await untilQuery(page, "color", null);
  assert.deepEqual(errors, []);
  await close();
});

test("by self time: what waited for others is paler than what worked", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { query: "?color=self" });
  const colors = await barColors(page);
  const { entries } = await page.evaluate(() => {
    const style = (name: string): string => {
      const probe = document.createElement("i");
      probe.style.color = `var(--scale-${name})`;
      document.body.append(probe);
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    };
    return { entries: ["0", "1", "2", "3", "4"].map(style) };
  });
  const step = (row: number): number => entries.indexOf(colors[row]!);
  // The bank's 165 ms are its own; "POST payment" waited for nearly all of its 301 ms.
  assert.equal(step(15), 4);
  assert.ok(step(12) < 3, `${step(12)}`);
  assert.match((await legendOf(page)).at(-1)!, /^≤ 165ms \d+$/);
  const remarks = rowAt(page, 15).getByRole("gridcell").nth(3);
  assert.match((await remarks.getAttribute("aria-label"))!, /self time 165ms/);
  await close();
});

test("by an attribute: its key is completed, values come from the server", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui);
  await page.getByRole("button", { name: "Colour by: service" }).click();
  const key = page.getByRole("combobox", { name: "An attribute" });
  await key.click();
  await page.getByRole("option", { name: "db.system" }).waitFor();
  await key.pressSequentially("request.me");
  await press(page, "Enter");
  await press(page, "Escape");
  await page.locator(".legend-group").first().waitFor();
  assert.deepEqual(await legendOf(page), ["GET 2", "POST 2", "(absent) 16"]);
  await untilQuery(page, "color", "a.http.request.method");
  const colors = await barColors(page);
  assert.equal(new Set(colors).size, 3);
  const body = (await page.locator(".tl-body").boundingBox())!;
  const bar = (await rectsOf(page, "bar", 2))[0]!;
  await page.mouse.move(body.x + bar.x + 20, body.y + bar.y + 5);
  assert.match((await rectsOf(page, "label", 2))[0]!.text, /frontend::GET cart {2}GET$/);
  assert.deepEqual(errors, []);
  await close();
});

test("a group of the legend stands out, in the link too", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { query: "?color=kind" });
  const group = page.getByRole("button", { name: /^server 3/ });
  await group.click();
  assert.equal(await group.getAttribute("aria-pressed"), "true");
  await untilQuery(page, "lit", "server");
  const dimmed = async (other: Page): Promise<number> =>
    await other.locator(".tl-rows .tl-row.is-dim").count();
  await frames(page, 2);
  assert.equal(await dimmed(page), 17);
  const link = page.url();
  const second = await openTrace(suite.browser, suite.ui, { query: new URL(link).search });
  assert.equal(await dimmed(second.page), 17);
  assert.deepEqual(await barColors(second.page), await barColors(page));
  await second.close();
  await group.click();
  await frames(page, 2);
  assert.equal(await dimmed(page), 0);
  await untilQuery(page, "lit", null);
  await close();
});

test("the palette chooses, and back goes back", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await press(page, "Control+k");
  await page.keyboard.type("colour by status");
  await press(page, "Enter");
  await untilQuery(page, "color", "status");
  await page.goBack();
  await page.locator(".legend-strip").waitFor({ state: "detached" });
  await close();
});

test("values that cannot be had are told, and asked for again", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  const context = page.context();
  await context.route("**/values", (route) => route.fulfill({ status: 500, body: "broken" }));
  await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}?color=a.db.system`);
  const told = page.locator(".legend-strip [role=alert]");
  await told.waitFor();
  const asBefore = await drawnOn(page, "timeline");
  assert.ok(asBefore.some(({ what }) => what === "bar"));
  await context.unroute("**/values");
  await told.getByRole("button", { name: "Try again" }).click();
  await page.locator(".legend-group", { hasText: "postgresql" }).waitFor();
  await close();
});

for (const theme of ["light", "dark"] as const) {
  test(`colours have no violations, ${theme}`, { skip }, async () => {
    for (const by of ["kind", "status", "self", "a.db.system"]) {
      const query = `?color=${by}`;
      const { page, close } = await openTrace(suite.browser, suite.ui, {
        query,
        theme,
        width: 1280,
      });
      await page.locator(".legend-group").first().click();
      await page.getByRole("button", { name: /^Colour by: / }).click();
      await page.getByRole("combobox", { name: "An attribute" }).click();
      await page.getByRole("option").first().waitFor();
      assert.deepEqual(await axeViolations(page), [], by);
      await close();
    }
  });
}
