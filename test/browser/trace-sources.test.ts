/** The trace page over what is not our server's skeleton: uploaded files, a plain Jaeger. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, withoutChromium } from "./browser.ts";
import { SHOP_TRACE, shopBatch } from "./trace-fixtures.ts";
import { whole } from "./trace-measure.ts";
import { openTrace, rowAt, rowNames } from "./trace-open.ts";
import { otlpRequest } from "./ui-server.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();

const suite = uiSuite(async (ui) => {
  await ui.store.write(shopBatch());
});

test(
  "a server without skeletons is asked for Jaeger's JSON, read in the worker",
  { skip },
  async () => {
    const ours = await openTrace(suite.browser, suite.ui);
    const names = await rowNames(ours.page);
    assert.ok(names.length > 5);
    await ours.close();
    const { page, errors, close } = await openPage(suite.browser);
    const asked: string[] = [];
    await page.context().route("**/api/**", (route) => {
      const path = new URL(route.request().url()).pathname;
      asked.push(path);
      // Jaeger v1 shows its page for what it does not know.
      if (!path.startsWith("/api/spoor/")) return route.continue();
      return route.fulfill({ contentType: "text/html", body: "<!doctype html>" });
    });
    await page.goto(`${suite.ui.url}/trace/${SHOP_TRACE}`);
    await whole(page);
    assert.deepEqual(await rowNames(page), names);
    assert.ok(asked.includes(`/api/traces/${SHOP_TRACE}`), asked.join(" "));
    await rowAt(page, 3).click({ position: { x: 300, y: 12 }, force: true });
    const detail = page.getByRole("region", { name: "Span cart: GET /cart/{id}" });
    await detail.getByRole("button", { name: /^Attributes/ }).waitFor();
    assert.deepEqual(errors, []);
    await close();
  },
);

test("an uploaded trace opens from the results", { skip }, async () => {
  const { page, errors, close } = await openPage(suite.browser);
  await page.goto(`${suite.ui.url}/search`);
  await page.getByRole("tab", { name: "Upload" }).click();
  const spans = [
    { service: "from-a-file", name: "uploaded op", durationMs: 20 },
    { service: "from-a-file", name: "below it", parent: 0, durationMs: 5 },
  ];
  const buffer = Buffer.from(JSON.stringify(otlpRequest([{ traceIdHex: "c".repeat(32), spans }])));
  const file = { name: "a.json", mimeType: "application/json", buffer };
  await page.getByLabel("Trace files").setInputFiles([file]);
  await page
    .getByRole("link", { name: /uploaded op/ })
    .first()
    .click();
  await whole(page);
  const names = await rowNames(page);
  assert.equal(names.length, 2);
  assert.match(names[1]!, /below it/);
  assert.deepEqual(errors, []);
  await close();
});
