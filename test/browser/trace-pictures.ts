/** Takes the pictures of the trace page in docs/images, all or those named. Run it by hand. */

import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import type { SpanBatch } from "../../src/core/batch.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { bigBatch, bigTraceHex, SHOP_TRACE, shopBatch, shopSpanHex } from "./trace-fixtures.ts";
import { whole } from "./trace-measure.ts";
import { startUi } from "./ui-server.ts";
import type { UiServer } from "./ui-server.ts";

const FOLDER = fileURLToPath(new URL("../../docs/images", import.meta.url));
/** A picture a reader waits for. */
const MAX_BYTES = 300_000;
const PATIENCE_MS = 180_000;

interface Picture {
  readonly name: string;
  readonly traceIdHex: string;
  readonly query?: string;
  readonly batch: () => SpanBatch;
}

const PICTURES: readonly Picture[] = [
  {
    name: "trace-20",
    traceIdHex: SHOP_TRACE,
    batch: () => shopBatch(),
    query: `?sel=${shopSpanHex(3)}&open=${shopSpanHex(3)}`,
  },
  {
    name: "trace-5k",
    traceIdHex: bigTraceHex("mixed", 5000),
    query: "?panel=1",
    batch: () => bigBatch("mixed", 5000),
  },
  {
    name: "trace-1m",
    traceIdHex: bigTraceHex("mixed", 1_000_000),
    batch: () => bigBatch("mixed", 1_000_000),
  },
];

async function take(browser: Browser, ui: UiServer, picture: Picture): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    const { page, close } = await openPage(browser, { theme });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(`${ui.url}/trace/${picture.traceIdHex}${picture.query ?? ""}`);
    await whole(page);
    await page.waitForLoadState("networkidle");
    const path = `${FOLDER}/${picture.name}-${theme}.png`;
    await page.screenshot({ path });
    const { size } = statSync(path);
    process.stdout.write(`${(size / 1000).toFixed(0)} kB ${picture.name}-${theme}\n`);
    if (size > MAX_BYTES) process.exitCode = 1;
    await close();
  }
}

mkdirSync(FOLDER, { recursive: true });
const browser = await launchBrowser();
const ui = await startUi();
const named = process.argv.slice(2);
for (const picture of PICTURES) {
  if (named.length > 0 && !named.includes(picture.name)) continue;
  await ui.store.write(picture.batch());
  await ui.store.settle();
  await take(browser, ui, picture);
}
await browser.close();
await ui.close();
