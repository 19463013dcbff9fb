/** A page at rest: nothing it asked for is under way, and nothing it does in a moment is left. */

import type { BrowserContext, Locator, Page, Request } from "playwright-core";

/** What a test's own route holds back does not end; what is so old is taken to be that. */
const HELD_MS = 5000;

interface Watch {
  /** Under way, and since when. */
  readonly requests: Map<Request, number>;
  /** The page's own, which does not wait. */
  readonly evaluate: Page["evaluate"];
}

const watches = new WeakMap<Page, Watch>();

interface Window {
  __atRest?: (mostMs: number) => Promise<void>;
}

/**
 * Whatever a test asks of these pages and their elements, and does to them, waits until the page
 * is at rest: what a click sets off is done before its outcome is read, however slow the machine.
 */
export async function watchRest(context: BrowserContext): Promise<void> {
  context.on("page", (page) => {
    const requests = new Map<Request, number>();
    const evaluate = page.evaluate.bind(page);
    watches.set(page, { requests, evaluate });
    page.evaluate = async (...args: Parameters<Page["evaluate"]>) => {
      await atRest(page);
      return await evaluate(...args);
    };
    page.on("request", (request) => requests.set(request, performance.now()));
    page.on("requestfinished", (request) => requests.delete(request));
    page.on("requestfailed", (request) => requests.delete(request));
    patch(Object.getPrototypeOf(page.locator("html")) as Locator);
  });
  await context.addInitScript(countMoments);
}

/** Waits until the page is at rest. */
export async function atRest(page: Page): Promise<void> {
  const watch = watches.get(page);
  if (watch === undefined) return;
  const { requests, evaluate } = watch;
  for (;;) {
    while (isBusy(requests)) await new Promise((resolve) => setTimeout(resolve, 5));
    // A page that goes elsewhere is looked at again when it is there.
    const found = await evaluate((mostMs) => (globalThis as Window).__atRest?.(mostMs), HELD_MS)
      .then(() => true)
      .catch(() => page.isClosed());
    if (found && !isBusy(requests)) return;
  }
}

/** As the page's own `evaluate`, at rest or not. */
export function evaluateNow(page: Page): Page["evaluate"] {
  return watches.get(page)?.evaluate ?? page.evaluate.bind(page);
}

function isBusy(requests: ReadonlyMap<Request, number>): boolean {
  const heldMs = performance.now() - HELD_MS;
  return [...requests.values()].some((startMs) => startMs > heldMs);
}

/** Runs in the page: counts frames and short timers that are to come. */
function countMoments(): void {
  /** Longer ones are for people: they take messages away, or say that something is slow. */
  const mostTimerMs = 400;
  const { setTimeout: later, clearTimeout: cancel } = globalThis;
  const { requestAnimationFrame: ask, cancelAnimationFrame: withdraw } = globalThis;
  const timers = new Set<unknown>();
  const frames = new Set<number>();
  const setCounted = (run: unknown, ms = 0, ...rest: unknown[]): unknown => {
    if (typeof run !== "function" || ms > mostTimerMs) return later(run as () => void, ms, ...rest);
    const id: unknown = later(() => {
      timers.delete(id);
      run(...rest);
    }, ms);
    timers.add(id);
    return id;
  };
  const clearCounted = (id?: number): void => {
    timers.delete(id);
    cancel(id);
  };
  const frame = (run: FrameRequestCallback): number => {
    const id = ask((time) => {
      frames.delete(id);
      run(time);
    });
    frames.add(id);
    return id;
  };
  const cancelFrame = (id: number): void => {
    frames.delete(id);
    withdraw(id);
  };
  const counted = { setTimeout: setCounted, clearTimeout: clearCounted };
  Object.assign(globalThis, counted, {
    requestAnimationFrame: frame,
    cancelAnimationFrame: cancelFrame,
  });
  (globalThis as Window).__atRest = async (mostMs) => {
    const endMs = performance.now() + mostMs;
    // What has just come is heard in the next turns.
    for (let quiet = 0; quiet < 2 && performance.now() < endMs;) {
      await new Promise<void>((resolve) => void later(resolve, 0));
      quiet = timers.size === 0 && frames.size === 0 ? quiet + 1 : 0;
    }
  };
}

const WAITING = [
  "allInnerTexts",
  "allTextContents",
  "boundingBox",
  "check",
  "click",
  "count",
  "dblclick",
  "evaluate",
  "evaluateAll",
  "fill",
  "focus",
  "getAttribute",
  "hover",
  "innerHTML",
  "innerText",
  "inputValue",
  "isChecked",
  "isDisabled",
  "isEnabled",
  "isHidden",
  "isVisible",
  "press",
  "pressSequentially",
  "selectOption",
  "setInputFiles",
  "textContent",
  "uncheck",
] as const;

let isPatched = false;

function patch(locator: Locator): void {
  if (isPatched) return;
  isPatched = true;
  const methods = locator as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const name of WAITING) {
    const own = methods[name]!;
    methods[name] = async function (this: Locator, ...args: unknown[]): Promise<unknown> {
      await atRest(this.page());
      return await own.apply(this, args);
    };
  }
}
