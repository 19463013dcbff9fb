/** The trace page's budgets in real Chromium: asserted with twice the room, printed exactly. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser, withoutChromium } from "./browser.ts";
import type { BigShape } from "./trace-fixtures.ts";
import { measureTrace } from "./trace-measure.ts";
import type { TraceCosts } from "./trace-measure.ts";
import { startUi } from "./ui-server.ts";
import type { UiServer } from "./ui-server.ts";

const skip = withoutChromium();
/** Other work runs on the machines that test; a regression is more than that. */
const HEADROOM = 2;
/** What a figure must not exceed, by the number of spans; CPU in ms of the main thread. */
type Limits = Partial<Record<keyof TraceCosts, number>>;

const EVERY: Limits = {
  zoomStep: 8,
  scrollFrame: 8,
  // Jaeger UI's is 180 to 230; of ours no limit was set, this guards it.
  scrollPage: 12,
  openSpan: 16,
  nodes: 1500,
};
const BY_SIZE: ReadonlyMap<number, Limits> = new Map([
  [10_000, { ...EVERY, open: 150 }],
  [
    100_000,
    { ...EVERY, open: 300, collapseAll: 30, expandAll: 30, findName: 30, findAttribute: 150 },
  ],
  [1_000_000, { ...EVERY, open: 1000 }],
]);
const HEAP_MB: ReadonlyMap<number, number> = new Map([
  [100_000, 40],
  [1_000_000, 200],
]);

let browser: Browser;
let ui: UiServer;

before(async () => {
  if (skip !== false) return;
  browser = await launchBrowser({ gc: true });
  ui = await startUi();
});
after(async () => {
  await browser?.close();
  await ui?.close();
});

async function checkBudgets(t: TestContext, shape: BigShape, spans: number): Promise<void> {
  const costs = await measureTrace(browser, ui, shape, spans);
  const limits = BY_SIZE.get(spans) ?? {};
  const broken: string[] = [];
  for (const [name, value] of Object.entries(costs)) {
    const limit = limits[name as keyof TraceCosts];
    t.diagnostic(`${name} ${value.toFixed(1)}${limit === undefined ? "" : ` of ${limit}`}`);
    const most = name === "nodes" ? limit : (limit ?? Infinity) * HEADROOM;
    if (value > (most ?? Infinity)) broken.push(`${name}: ${value.toFixed(1)} over ${most}`);
  }
  const heap = costs.heapMb + costs.buffersMb;
  const most = HEAP_MB.get(spans) ?? Infinity;
  t.diagnostic(`heap and buffers ${heap.toFixed(1)} MB of ${most}`);
  if (heap > most * HEADROOM) broken.push(`heap: ${heap.toFixed(1)} MB over ${most * HEADROOM}`);
  assert.deepEqual(broken, []);
}

const CASES: readonly (readonly [BigShape, number])[] = [
  ["mixed", 10_000],
  ["mixed", 100_000],
  ["deep", 100_000],
  ["mixed", 1_000_000],
  ["flat", 1_000_000],
];

for (const [shape, spans] of CASES) {
  test(`${shape}, ${spans.toLocaleString("en")} spans`, { skip }, async (t) => {
    await checkBudgets(t, shape, spans);
  });
}
