/** Opens the trace page for its tests and reads what it drew. */

import type { Browser, Page } from "playwright-core";
import type { DrawnRect } from "../../ui/draw/drawn.ts";
import { atRest } from "./at-rest.ts";
import { openPage } from "./browser.ts";
import type { PageOptions, WatchedPage } from "./browser.ts";
import { SHOP_TRACE } from "./trace-fixtures.ts";
import { frames, whole } from "./trace-measure.ts";
import type { UiServer } from "./ui-server.ts";

export interface OpenOptions extends PageOptions {
  /** With its question mark. */
  readonly query?: string;
  readonly traceIdHex?: string;
}

/** The page of a trace with every row there. */
export async function openTrace(
  browser: Browser,
  ui: UiServer,
  options: OpenOptions = {},
): Promise<WatchedPage> {
  const { query = "", traceIdHex = SHOP_TRACE, ...rest } = options;
  const watched = await openPage(browser, rest);
  await watched.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await watched.page.addInitScript(() => {
    (globalThis as { __spoorDrawn?: object }).__spoorDrawn = {};
  });
  await watched.page.goto(`${ui.url}/trace/${traceIdHex}${query}`);
  await whole(watched.page);
  return watched;
}

/** What a canvas drew last. */
export async function drawnOn(page: Page, canvas: DrawnRect["canvas"]): Promise<DrawnRect[]> {
  await atRest(page);
  await frames(page, 2);
  return await page.evaluate((name) => {
    const hook = globalThis as { __spoorDrawn?: { [canvas: string]: DrawnRect[] } };
    return hook.__spoorDrawn?.[name] ?? [];
  }, canvas);
}

/** Rectangles of one kind on the timeline, by row when one is given. */
export async function rectsOf(page: Page, what: string, row?: number): Promise<DrawnRect[]> {
  const rects = await drawnOn(page, "timeline");
  return rects.filter((rect) => rect.what === what && (row === undefined || rect.row === row));
}

/** Names in the column of names, in reading order. */
export async function rowNames(page: Page): Promise<string[]> {
  await frames(page, 2);
  return await page.locator(".tl-rows .tl-row .tl-name").allTextContents();
}

/** A row of the column of names. */
export function rowAt(page: Page, row: number): ReturnType<Page["locator"]> {
  return page.locator(`.tl-rows .tl-row[data-row="${row}"]`);
}

/** Presses keys one after the other; a picture follows each. */
export async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await page.keyboard.press(key);
    await frames(page, 1);
  }
}

/** The window as the ruler's ticks and the address would have it: from and to, ns. */
export async function windowOf(page: Page): Promise<{ from: number; to: number }> {
  await frames(page, 2);
  const text = async (label: string): Promise<number> =>
    Number(await page.getByLabel(label).getAttribute("aria-valuenow"));
  return { from: await text("Start of the window"), to: await text("End of the window") };
}

/** Polls until the address has a key with this value. */
export async function untilQuery(page: Page, key: string, value: string | RegExp | null) {
  // Of several keys the address may have had the first one's alone.
  await atRest(page);
  await page.waitForURL((url) => {
    const found = url.searchParams.get(key);
    return value instanceof RegExp ? found !== null && value.test(found) : found === value;
  });
}
