/** The budgets of the page in real Chromium: asserted with some room, printed as a table. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { SpanStore } from "../../src/core/store.ts";
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { launchBrowser, withoutChromium } from "./browser.ts";
import { measureSizes, measureTrace, QUIET_PERCENT } from "./trace-measure.ts";
import type { MeasuredTrace, TraceCosts } from "./trace-measure.ts";
import { startUi } from "./ui-server.ts";
import type { UiServer } from "./ui-server.ts";

const skip = withoutChromium();
/** Other work runs on the machines that test; a regression is more than that. */
const HEADROOM = 1.5;
/** Of figures that are a picture or few: one interruption is a large part of them. */
const PICTURE_HEADROOM = 2;
const PICTURES: ReadonlySet<keyof TraceCosts> = new Set([
  "scrollFrame",
  "scrollPage",
  "findName",
  "openSpan",
]);
/** What other people's load is in: judged only where the machine had little else to do. */
const WALL: ReadonlySet<keyof TraceCosts> = new Set(["openWall"]);
/** What nobody else's work adds to. */
const EXACT: ReadonlySet<keyof TraceCosts> = new Set(["nodes", "memoryMb"]);
/** What a figure must not exceed, by the number of spans. */
type Limits = Partial<Record<keyof TraceCosts, number>>;

const EVERY: Limits = {
  zoomStep: 8,
  scrollFrame: 8,
  // Jaeger UI's is 180 to 230; of ours no limit was set, this guards it.
  scrollPage: 12,
  openSpan: 16,
  nodes: 1500,
};
const OF_100K: Limits = {
  ...EVERY,
  open: 300,
  openWall: 1000,
  collapseAll: 30,
  expandAll: 30,
  findName: 30,
  findAttribute: 150,
  memoryMb: 40,
};
const BY_SIZE: ReadonlyMap<number, Limits> = new Map([
  [10_000, { ...EVERY, open: 150 }],
  [100_000, OF_100K],
  [1_000_000, { ...EVERY, open: 1000, openWall: 2500, memoryMb: 200 }],
]);
/** The worker holds the trace: only opening it is compared. */
const PLAIN_JAEGER: Limits = { ...EVERY, open: 200 };
const SIZES_KB = { firstLoad: 90, allScripts: 200 };

const FIGURES: readonly (readonly [keyof TraceCosts, string])[] = [
  ["open", "open, CPU ms"],
  ["openWall", "open, wall ms"],
  ["zoomStep", "zoom step, CPU ms"],
  ["scrollFrame", "scroll by a notch, CPU ms"],
  ["scrollPage", "scroll by a page, CPU ms"],
  ["frameGap", "frame gap p95, wall ms"],
  ["collapseAll", "collapse all, CPU ms"],
  ["expandAll", "expand all, CPU ms"],
  ["findName", "find a name, CPU ms"],
  ["findAttribute", "find an attribute, CPU ms"],
  ["openSpan", "open a span, CPU ms"],
  ["nodes", "DOM nodes"],
  ["memoryMb", "heap and buffers, MB"],
  ["busy", "machine busy beside it, %"],
  ["slowness", "fixed work, times the usual"],
];

const CASES: readonly MeasuredTrace[] = [
  { shape: "mixed", spans: 10_000 },
  { shape: "mixed", spans: 100_000 },
  { shape: "deep", spans: 100_000 },
  { shape: "mixed", spans: 100_000, plainJaeger: true },
  { shape: "mixed", spans: 1_000_000 },
  { shape: "flat", spans: 1_000_000 },
];

let browser: Browser;
let ui: UiServer;
let store: SpanStore;
/** Columns of the report: a name, then a cell a figure. */
const report: string[][] = [["", ...FIGURES.map(([, title]) => title)]];

before(async () => {
  if (skip !== false) return;
  browser = await launchBrowser({ gc: true });
  // What a trace costs until it is on screen is also what its store costs: the one of the product.
  const directory = tempFolder("budgets");
  store = await openEmbeddedStore({ directory, retentionMs: 0, roomWaitMs: 60_000 });
  ui = await startUi({ store });
});
after(async () => {
  await browser?.close();
  await ui?.close();
  await store?.close();
  if (report.length > 1) console.log(`figure / limit\n${tableOf(report)}`);
});

for (const measured of CASES) {
  const { shape, spans, plainJaeger = false } = measured;
  const size = spans >= 1e6 ? `${spans / 1e6} M` : `${spans / 1000} k`;
  const name = `${shape} ${size}${plainJaeger ? ", JSON" : ""}`;
  test(`${name} spans`, { skip }, async () => {
    const limits = plainJaeger ? PLAIN_JAEGER : (BY_SIZE.get(spans) ?? {});
    const costs = await measureTrace(browser, ui, measured);
    report.push([name, ...FIGURES.map(([figure]) => cell(costs[figure], limits[figure]))]);
    assert.deepEqual(broken(costs, limits), []);
  });
}

test("bytes of scripts and styles, gzipped", { skip }, async () => {
  const { firstLoad, allScripts } = await measureSizes(browser, ui);
  console.log(`first load of the search, kB gz: ${cell(firstLoad, SIZES_KB.firstLoad)}`);
  console.log(`all scripts, kB gz: ${cell(allScripts, SIZES_KB.allScripts)}`);
  assert.ok(firstLoad > 10 && firstLoad <= SIZES_KB.firstLoad, `${firstLoad} kB`);
  assert.ok(allScripts > firstLoad / 2 && allScripts <= SIZES_KB.allScripts, `${allScripts} kB`);
});

/** Figures over their limit, times with room for what else runs and for slower machines. */
function broken(costs: TraceCosts, limits: Limits): string[] {
  return FIGURES.flatMap(([figure, title]) => {
    if (WALL.has(figure) && costs.busy > QUIET_PERCENT) return [];
    const slow = PICTURES.has(figure) || WALL.has(figure) ? PICTURE_HEADROOM : HEADROOM;
    const room = EXACT.has(figure) ? 1 : slow * Math.max(1, costs.slowness);
    const most = (limits[figure] ?? Infinity) * room;
    return costs[figure] > most
      ? [`${title}: ${costs[figure].toFixed(1)} over ${most.toFixed(1)}`]
      : [];
  });
}

function cell(value: number, limit: number | undefined): string {
  const shown = value >= 100 ? value.toFixed(0) : value.toFixed(1);
  return limit === undefined ? shown : `${shown} / ${limit}`;
}

function tableOf(columns: readonly (readonly string[])[]): string {
  const widths = columns.map((column) => Math.max(...column.map(({ length }) => length)));
  const line = (row: number): string =>
    columns
      .map((column, i) =>
        i === 0 ? column[row]!.padEnd(widths[i]!) : column[row]!.padStart(widths[i]!),
      )
      .join("  ");
  return (columns[0] ?? []).map((_, row) => line(row)).join("\n");
}
