/** A phone: everything is reached with fingers, and lists move as lists of phones do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { axeViolations, openPage, withoutChromium } from "./browser.ts";
import { bigBatch, bigTraceHex, shopBatch } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { openTrace, rowAt, windowOf } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
const phone = { phone: true } as const;

const suite = uiSuite(async (ui) => {
  await ui.store.write(shopBatch());
  await ui.store.write(bigBatch("mixed", 3000));
  await ui.write(
    Array.from({ length: 60 }, (_, i) => ({
      traceIdHex: (i + 1).toString(16).padStart(32, "0"),
      startMs: Date.now() - 60_000 - i * 1000,
      spans: [{ service: "many", name: `GET /${i}`, durationMs: 10 + i }],
    })),
  );
});

type Point = readonly [x: number, y: number];

/** One finger of a page; a real one, whose gestures the browser may take for itself. */
class Finger {
  readonly #page: Page;
  readonly #session: CDPSession;
  #at: Point = [0, 0];
  /** What the browser takes for the time of its gestures: they do not depend on how busy it is. */
  #nowMs = 0;

  private constructor(page: Page, session: CDPSession) {
    this.#page = page;
    this.#session = session;
  }

  static async of(page: Page): Promise<Finger> {
    return new Finger(page, await page.context().newCDPSession(page));
  }

  async down(at: Point): Promise<void> {
    this.#at = at;
    this.#nowMs = Date.now();
    await this.#say("touchStart", [at]);
  }

  /** Goes there in eight steps, and `rests` before it may leave. */
  async move(to: Point, rests = true): Promise<void> {
    const [x, y] = this.#at;
    for (let i = 1; i <= 8; i++) {
      this.#at = [x + ((to[0] - x) * i) / 8, y + ((to[1] - y) * i) / 8];
      this.#nowMs += 8;
      await this.#say("touchMove", [this.#at]);
    }
    if (rests) this.#nowMs += 500;
  }

  async up(): Promise<void> {
    await this.#say("touchEnd", []);
    await frames(this.#page, 2);
  }

  async swipe(from: Point, to: Point): Promise<void> {
    await this.down(from);
    await this.move(to);
    await this.up();
  }

  async #say(type: "touchStart" | "touchMove" | "touchEnd", points: readonly Point[]) {
    const touchPoints = points.map(([x, y]) => ({ x, y }));
    const timestamp = this.#nowMs / 1000;
    await this.#session.send("Input.dispatchTouchEvent", { type, touchPoints, timestamp });
  }
}

/** How far the rows are scrolled, by the first one's place. */
async function scrolled(page: Page): Promise<number> {
  await frames(page, 2);
  const value = await page.locator(".tl-thumb").evaluate((thumb) => thumb.style.transform);
  return pixelsOf(value);
}

function pixelsOf(transform = ""): number {
  return Number(/translateY\(([\d.]+)px\)/.exec(transform)?.[1] ?? 0);
}

async function middleOf(page: Page, selector: string): Promise<Point> {
  const box = (await page.locator(selector).first().boundingBox())!;
  return [box.x + box.width / 2, box.y + box.height / 2];
}

test("a swipe over open details scrolls the rows, and opens nothing", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui, phone);
  const finger = await Finger.of(page);
  await page.touchscreen.tap(...(await middleOf(page, '.tl-row[data-row="3"]')));
  await page.locator(".tl-detail .kv").first().waitFor();
  assert.deepEqual(await axeViolations(page), []);
  const from = await middleOf(page, ".tl-detail .kv");
  await finger.swipe(from, [from[0], from[1] - 250]);
  assert.ok((await scrolled(page)) > 10, "scrolled");
  assert.equal(await page.locator(".tl-detail").count(), 1);
  assert.deepEqual(await windowOf(page), { from: 0, to: 100 });
  assert.deepEqual(errors, []);
  await close();
});

/** How far the rows were scrolled as the finger left last. */
async function noteLeaves(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const noted = globalThis as { __left?: string };
    const note = (): void => {
      noted.__left = document.querySelector<HTMLElement>(".tl-thumb")!.style.transform;
    };
    addEventListener("touchend", note, { capture: true });
  });
  return async () =>
    pixelsOf(await page.evaluate(() => (globalThis as { __left?: string }).__left));
}

test("rows go on when a moving finger leaves, until a finger stops them", { skip }, async () => {
  const traceIdHex = bigTraceHex("mixed", 3000);
  const { page, close } = await openTrace(suite.browser, suite.ui, { ...phone, traceIdHex });
  const finger = await Finger.of(page);
  const [x, y] = await middleOf(page, ".tl-body");
  const left = await noteLeaves(page);
  const throwRows = async (): Promise<void> => {
    await finger.down([x, y + 100]);
    await finger.move([x, y - 100], false);
  };
  await finger.swipe([x, y + 100], [x, y - 100]);
  assert.equal(await scrolled(page), await left(), "a finger that rested throws nothing");
  await throwRows();
  await finger.up();
  // A page at rest is one whose rows have stopped by themselves.
  const far = (await scrolled(page)) - (await left());
  assert.ok(far > 0, "they go on");
  await throwRows();
  await Promise.all([finger.up(), finger.down([x, y])]);
  const stopped = await scrolled(page);
  assert.ok(stopped - (await left()) < far / 2, "a finger stops them");
  await finger.up();
  assert.equal(await scrolled(page), stopped);
  assert.equal(await page.locator(".tl-detail").count(), 0, "stopping them opens nothing");
  await close();
});

test("what the menu of a right click does is reached from the details", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui, phone);
  await page.touchscreen.tap(...(await middleOf(page, '.tl-row[data-row="3"]')));
  await page.getByRole("button", { name: "Actions of the span" }).tap();
  const menu = page.getByRole("menu", { name: "Actions of the span" });
  assert.deepEqual(await axeViolations(page), []);
  await menu.getByRole("menuitem", { name: "Zoom to this span" }).tap();
  assert.notDeepEqual(await windowOf(page), { from: 0, to: 100 });
  await page.setViewportSize({ width: 844, height: 390 });
  await page.getByRole("button", { name: "Actions of the span" }).tap();
  const box = (await menu.boundingBox())!;
  assert.ok(box.y >= 0 && box.y + box.height <= 390, "all of it is on a phone that lies");
  assert.deepEqual(errors, []);
  await close();
});

test("the minimap's brush and scrubbers follow a finger", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, phone);
  const finger = await Finger.of(page);
  const [x, y] = await middleOf(page, ".minimap");
  await finger.swipe([x - 80, y], [x + 80, y]);
  const { from, to } = await windowOf(page);
  assert.ok(from > 20 && to < 80, `${from} to ${to}`);
  const [end, at] = await middleOf(page, '[aria-label="End of the window"]');
  await finger.swipe([end, at], [end + 60, at]);
  assert.ok((await windowOf(page)).to > to + 5);
  await page.getByRole("button", { name: "Reset selection" }).tap();
  assert.deepEqual(await windowOf(page), { from: 0, to: 100 });
  await close();
});

test("nothing of the header is cut off, whatever its lines", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, phone);
  const totals = (await page.locator(".totals").boundingBox())!;
  for (const child of await page.locator(".totals > div").all()) {
    const inner = await child.evaluate((div) => div.scrollHeight - div.clientHeight);
    assert.ok(inner <= 0, `${await child.innerText()} is ${inner} px too high`);
    const box = (await child.boundingBox())!;
    assert.ok(box.y + box.height <= totals.y + totals.height);
  }
  await rowAt(page, 0).waitFor();
  await close();
});

test("a phone that is turned: every button above the names is on screen", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, {
    ...phone,
    width: 844,
    height: 390,
  });
  const inBar = await page.locator(".trace-bar > *").evaluateAll((parts) => {
    return new Set(parts.map((part) => Math.round(part.getBoundingClientRect().top / 20))).size;
  });
  assert.equal(inBar, 1, "the header's buttons are one line");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.reload();
  await rowAt(page, 0).waitFor();
  const bar = (await page.locator(".tl-head-name").boundingBox())!;
  for (const button of await page.locator(".tl-tools button").all()) {
    const { x, width } = (await button.boundingBox())!;
    assert.ok(x >= 0 && x + width <= bar.x + bar.width, `${x}`);
  }
  await close();
});

test("results scroll from the plot too, and a tap on a dot opens its trace", { skip }, async () => {
  const { page, errors, close } = await openPage(suite.browser, phone);
  await page.goto(`${suite.ui.url}/search?service=many&limit=60&lookback=1h`);
  await page.locator(".results-table td.name").first().waitFor();
  const finger = await Finger.of(page);
  const top = (): Promise<number> =>
    page.locator(".plot").evaluate((plot) => plot.getBoundingClientRect().top);
  const before = await top();
  const [x, y] = await middleOf(page, ".plot");
  await finger.swipe([x, y], [x, y - 120]);
  await page.waitForFunction(
    (y) => document.querySelector(".plot")!.getBoundingClientRect().top < y,
    before - 50,
  );
  assert.equal(await page.locator(".brushed").count(), 0);
  await finger.swipe([x, 500], [x, 700]);
  const dot = await page.evaluate(() => {
    const hook = globalThis as { __resultsPlot?: { marks: { x: number; y: number }[] } };
    const { left, top } = document.querySelector(".plot canvas")!.getBoundingClientRect();
    const { x, y } = hook.__resultsPlot!.marks[30]!;
    return [left + x, top + y] as const;
  });
  await page.touchscreen.tap(...dot);
  await page.locator(".tl-row", { hasText: "GET /" }).first().waitFor();
  assert.deepEqual(errors, []);
  await close();
});

test("the form opens at a tap on what it says", { skip }, async () => {
  const { page, close } = await openPage(suite.browser, phone);
  await page.goto(`${suite.ui.url}/search?service=many&lookback=1h`);
  await page.getByText("many · last 1h").tap();
  await page.getByRole("button", { name: "Find Traces" }).waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await close();
});
