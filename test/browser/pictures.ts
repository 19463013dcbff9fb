/** Takes the pictures of docs/images, all or those named. Run it by hand. */

import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { seededRandom } from "../../src/base/clock.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { bigBatch, bigTraceHex, SHOP_TRACE, shopBatch, shopSpanHex } from "./trace-fixtures.ts";
import { frames, whole } from "./trace-measure.ts";
import { startUi } from "./ui-server.ts";
import type { SpanFixture, TraceFixture, UiServer } from "./ui-server.ts";

const FOLDER = fileURLToPath(new URL("../../docs/images", import.meta.url));
/** A picture a reader waits for. */
const MAX_BYTES = 400_000;
const PATIENCE_MS = 180_000;
const THEMES = ["light", "dark"] as const;

interface Picture {
  readonly name: string;
  readonly themes?: readonly ("light" | "dark")[];
  /** Below the base, with its query. */
  readonly path: string;
  readonly fill: (ui: UiServer) => Promise<unknown>;
  /** Until what is to be seen is there. */
  readonly ready: (page: Page) => Promise<void>;
}

const RESULTS = "/search?service=__all_services__&lookback=1h&limit=400&sort=LONGEST_FIRST";

const PICTURES: readonly Picture[] = [
  {
    name: "search",
    path: "/search",
    fill: async () => {},
    ready: (page) => page.getByText("Waiting for the first spans").waitFor(),
  },
  { name: "results", path: RESULTS, fill: fillShop, ready: resultsThere },
  {
    name: "results-heatmap",
    themes: ["light"],
    path: `${RESULTS}&plot=heatmap`,
    fill: fillShop,
    ready: async (page) => {
      await resultsThere(page);
      await page.getByRole("button", { name: "List", exact: true }).click();
    },
  },
  {
    name: "trace-20",
    path: `/trace/${SHOP_TRACE}?sel=${shopSpanHex(3)}&open=${shopSpanHex(3)}`,
    fill: (ui) => ui.store.write(shopBatch()),
    ready: whole,
  },
  {
    name: "trace-5k",
    path: `/trace/${bigTraceHex("mixed", 5000)}?panel=1`,
    fill: (ui) => ui.store.write(bigBatch("mixed", 5000)),
    ready: whole,
  },
  {
    name: "trace-1m",
    path: `/trace/${bigTraceHex("mixed", 1_000_000)}`,
    fill: (ui) => ui.store.write(bigBatch("mixed", 1_000_000)),
    ready: whole,
  },
];

async function resultsThere(page: Page): Promise<void> {
  await page.locator(".results-table td.name").first().waitFor();
}

/** Orders of a shop in ten minutes: most fast, some slow for a while, a burst of failures. */
async function fillShop(ui: UiServer): Promise<void> {
  const random = seededRandom(20);
  const traces = Array.from({ length: 400 }, (_, i): TraceFixture => {
    const secondsAgo = 60 + i * 1.5 + random();
    const isSlow = secondsAgo > 300 && secondsAgo < 380;
    const fails = secondsAgo > 430 && secondsAgo < 470 && random() < 0.7;
    const ms = 40 + 90 * random() ** 3 + (isSlow ? 300 + 1500 * random() ** 2 : 0);
    const name = ["GET /order", "GET /products", "POST /checkout"][i % 3]!;
    return {
      traceIdHex: (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0").repeat(4),
      startMs: Date.now() - secondsAgo * 1000,
      spans: orderSpans(name, ms, fails, 3 + Math.floor(random() * 6)),
    };
  });
  await ui.write(traces);
}

function orderSpans(name: string, ms: number, fails: boolean, queries: number): SpanFixture[] {
  return [
    { service: "frontend", name, durationMs: ms, error: fails },
    { service: "orders", name: "place order", parent: 0, startMs: 2, durationMs: ms - 4 },
    { service: "catalog", name: "GET /products", parent: 1, startMs: 4, durationMs: ms * 0.7 },
    { service: "payments", name: "charge card", parent: 1, durationMs: ms * 0.2, error: fails },
    ...Array.from({ length: queries }, (_, i) => {
      return { service: "catalog", name: "SELECT", parent: 2, startMs: 5 + i, durationMs: 1 };
    }),
  ];
}

async function take(browser: Browser, ui: UiServer, picture: Picture): Promise<void> {
  for (const theme of picture.themes ?? THEMES) {
    const { page, close } = await openPage(browser, { theme });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(ui.url + picture.path);
    await picture.ready(page);
    await page.waitForLoadState("networkidle");
    await frames(page, 3);
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
const named = process.argv.slice(2);
for (const picture of PICTURES) {
  if (named.length > 0 && !named.includes(picture.name)) continue;
  const ui = await startUi();
  await picture.fill(ui);
  await ui.store.settle();
  await take(browser, ui, picture);
  await ui.close();
}
await browser.close();
