/** Real Chromium for the UI's tests: launched once a file, talking to this machine only. */

import { existsSync } from "node:fs";
import axe from "axe-core";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { needs } from "../needs.ts";
import { watchRest } from "./at-rest.ts";

const EXECUTABLE = "/usr/bin/chromium";
/** Everything is on this machine: what takes longer hangs, however busy it is. */
const PATIENCE_MS = 120_000;

/** For a test's `skip`: false when Chromium is there, else how to install it. */
export function withoutChromium(): string | false {
  return existsSync(EXECUTABLE) ? false : needs("chromium");
}

/** Starts Chromium; `gc` lets a page collect its garbage with `gc()`. */
export async function launchBrowser(options: { readonly gc?: boolean } = {}): Promise<Browser> {
  return await chromium.launch({
    executablePath: EXECUTABLE,
    headless: true,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...(options.gc === true ? ["--js-flags=--expose-gc"] : []),
    ],
  });
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: "light" | "dark";
  /** A phone held upright, with fingers instead of a pointer. */
  readonly phone?: boolean;
  /** IANA name; default UTC. */
  readonly timeZone?: string;
  /** Not waited for to be at rest: what it costs is measured, or what it does while it waits. */
  readonly isUnwatched?: boolean;
}

/** A page of its own context, and what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts, of the console and of the policy; a test ends with this empty. */
  readonly errors: string[];
  readonly close: () => Promise<void>;
}

/** Opens an empty page; requests that leave this machine are cut off and noted as errors. */
export async function openPage(browser: Browser, options: PageOptions = {}): Promise<WatchedPage> {
  const { phone = false, theme = "light", timeZone = "UTC" } = options;
  const { width = phone ? 390 : 1600, height = phone ? 844 : 900 } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    hasTouch: phone,
    isMobile: phone,
    locale: "en-GB",
    timezoneId: timeZone,
    reducedMotion: "reduce",
    colorScheme: theme,
  });
  const errors: string[] = [];
  await context.route("**/*", (route) => {
    const url = route.request().url();
    if (/^(http:\/\/(127\.0\.0\.1|localhost)[:/]|data:|blob:)/.test(url)) return route.continue();
    errors.push(`request to ${url}`);
    return route.abort();
  });
  context.on("page", (page) => page.setDefaultTimeout(PATIENCE_MS));
  if (options.isUnwatched !== true) await watchRest(context);
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, errors, close: () => context.close() };
}

/** One broken rule of WCAG 2.2 A or AA, and where. */
export interface Violation {
  readonly rule: string;
  readonly help: string;
  readonly nodes: readonly string[];
}

/** What axe-core finds on the page as it is now. */
export async function axeViolations(page: Page): Promise<Violation[]> {
  // Evaluated by the debugger, so the page's policy against inline scripts does not stop it.
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const inPage = globalThis as unknown as { axe: typeof axe };
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const { violations } = await inPage.axe.run({ runOnly: { type: "tag", values: tags } });
    return violations.map(({ id, help, nodes }) => ({
      rule: id,
      help,
      nodes: nodes.map(({ html }) => html.slice(0, 200)),
    }));
  });
}

/** Reads the CPU the page's main thread has used since the meter was made, in ms. */
export async function mainThreadMeter(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1000;
  };
}
