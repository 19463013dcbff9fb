/** Key maps: chosen in help or settings, remembered, shown by help, buttons and palette. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { axeViolations, withoutChromium } from "./browser.ts";
import { bigBatch, bigTraceHex } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { openTrace, press, rowAt, rowNames, windowOf } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
const traceIdHex = bigTraceHex("mixed", 3000);

const suite = uiSuite(async (ui) => {
  await ui.store.write(bigBatch("mixed", 3000));
});

test("vim: chosen in the help, which tells its keys", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui, { traceIdHex });
  await press(page, "?");
  const help = page.getByRole("dialog", { name: "Keys" });
  await help.getByLabel("Key map").selectOption("vim");
  await help.locator("kbd", { hasText: "g g" }).waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await press(page, "Escape");
  await press(page, "G");
  await rowAt(page, 2999).waitFor();
  await press(page, "g", "g");
  await rowAt(page, 0).waitFor();
  await press(page, "z", "M");
  assert.equal((await rowNames(page)).length, 1);
  await press(page, "z", "o");
  assert.ok((await rowNames(page)).length > 1);
  await press(page, "Control+d");
  await frames(page, 2);
  assert.equal(await rowAt(page, 0).count(), 0);
  // Jaeger's keys do nothing here.
  const before = await rowNames(page);
  await press(page, "w", "Control+u", "Control+d", "s", "a", "p");
  assert.deepEqual(await windowOf(page), { from: 0, to: 100 });
  assert.deepEqual(await rowNames(page), before);
  await page.getByRole("button", { name: "Expand one level (z r)" }).waitFor();
  // A chord in a field is the field's own.
  await page.getByLabel("Find in trace").fill("some text");
  await press(page, "Control+u", "Home");
  assert.deepEqual(await rowNames(page), before);
  assert.deepEqual(errors, []);
  await close();
});

test("DevTools: chosen in the settings, remembered, in the palette", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex });
  await page.getByRole("button", { name: "Settings of the page" }).click();
  await page.getByLabel("Key map").selectOption("devtools");
  await press(page, "Escape");
  await page.reload();
  await rowAt(page, 0).waitFor();
  await page.locator("h1").first().click();
  await press(page, "w", "w");
  const zoomed = await windowOf(page);
  assert.deepEqual(zoomed, { from: 10, to: 91 });
  await press(page, "d");
  assert.ok((await windowOf(page)).from > zoomed.from);
  await press(page, "a", "s", "s");
  await press(page, "ArrowDown", "ArrowDown");
  assert.equal(await rowAt(page, 2).getAttribute("tabindex"), "0");
  await press(page, "Control+f");
  assert.equal(await page.evaluate(() => document.activeElement?.ariaLabel), "Find in trace");
  await press(page, "Control+k");
  await page.keyboard.type("zoom in, far");
  assert.match(await page.locator(".palette [role=option]").first().innerText(), /w \+/);
  await close();
});
