/** The harness itself: the page loads under its policy, below a base path too. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser, openPage, withoutChromium } from "./browser.ts";
import { startUi } from "./ui-server.ts";

const skip = withoutChromium();
let browser: Browser;

before(async () => {
  if (skip === false) browser = await launchBrowser();
});
after(() => browser?.close());

test("the UI loads at the root and below a base path, without an error", { skip }, async () => {
  for (const basePath of ["", "/jaeger/ui"]) {
    const ui = await startUi({ basePath });
    const { page, errors, close } = await openPage(browser);
    await page.goto(`${ui.url}/search`);
    await page.locator("main h1").first().waitFor();
    assert.deepEqual(errors, []);
    await close();
    await ui.close();
  }
});
