/** Access: no axe violation in any state of search, light and dark; a journey by keys alone. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page, Route } from "playwright-core";
import { axeViolations, launchBrowser, openPage, withoutChromium } from "./browser.ts";
import { startUi } from "./ui-server.ts";
import type { UiServer } from "./ui-server.ts";

const skip = withoutChromium();
const FIND = "**/api/spoor/v1/find";

/** One state of the search page: how to get there and what shows that it is reached. */
interface State {
  readonly name: string;
  readonly path: string;
  readonly answer?: (route: Route) => unknown;
  readonly act?: (page: Page) => Promise<unknown>;
  readonly shows: string;
}

const RESULTS = "/search?service=__all_services__&lookback=1h";
const STATES: readonly State[] = [
  { name: "results", path: RESULTS, shows: ".results-table tbody a" },
  {
    name: "list, heatmap and compare",
    path: RESULTS,
    act: async (page) => {
      await page.getByRole("button", { name: "List", exact: true }).click();
      await page.getByRole("button", { name: "Latency heatmap" }).click();
      await page.getByRole("checkbox").first().check();
    },
    shows: ".compare-bar",
  },
  { name: "empty", path: "/search?service=nobody&lookback=1h", shows: ".state h1" },
  {
    name: "loading",
    path: RESULTS,
    answer: () => undefined,
    shows: ".state:has-text('Still searching')",
  },
  {
    name: "error",
    path: RESULTS,
    answer: (route) => route.fulfill({ status: 500, body: '{"error":{"message":"no"}}' }),
    shows: ".state[role=alert]",
  },
  {
    name: "open lists, a problem, a custom range",
    path: RESULTS,
    act: async (page) => {
      await page.getByLabel("Lookback").selectOption("custom");
      await page.getByLabel("Min duration").fill("x");
      await page.getByRole("combobox", { name: "Service" }).click();
    },
    shows: ".popup [role=option]",
  },
  {
    name: "menu",
    path: RESULTS,
    act: (page) => page.getByRole("button", { name: /^Time zone/ }).click(),
    shows: "[role=menu]",
  },
  {
    name: "dialog",
    path: RESULTS,
    act: (page) => page.getByRole("button", { name: "About" }).click(),
    shows: "dialog[open]",
  },
  {
    name: "upload and a message",
    path: RESULTS,
    act: async (page) => {
      await page.getByRole("tab", { name: "Upload" }).click();
      const box = page.getByRole("searchbox");
      await box.fill("?");
      await box.press("Enter");
    },
    shows: ".toast",
  },
  { name: "embedded", path: `${RESULTS}&uiEmbed=v0`, shows: ".standalone" },
  { name: "to come", path: "/monitor", shows: ".state h1" },
  { name: "not found", path: "/nowhere", shows: ".state h1" },
];

describe("access", { skip }, () => {
  let browser: Browser;
  let ui: UiServer;

  before(async () => {
    [browser, ui] = await Promise.all([launchBrowser(), startUi()]);
    await ui.write(
      Array.from({ length: 12 }, (_, i) => ({
        traceIdHex: (i + 1).toString(16).padStart(32, "0"),
        spans: [
          { service: "shop", name: `GET /${i}`, error: i % 3 === 0, durationMs: 1 + i * 10 },
          { service: "cart", name: "x", parent: i % 2 === 0 ? 0 : 7 },
        ],
      })),
    );
  });
  after(async () => {
    await browser?.close();
    await ui?.close();
  });

  for (const theme of ["light", "dark"] as const) {
    it(`no violation of WCAG 2.2 A and AA in any state, ${theme}`, async () => {
      const found: string[] = [];
      const { page, close } = await openPage(browser, { theme });
      for (const { name, path, answer, act, shows } of STATES) {
        await page.setViewportSize({ width: name === "results" ? 390 : 1600, height: 900 });
        if (answer !== undefined) await page.route(FIND, answer);
        await page.goto(ui.url + path);
        await page.locator("main").waitFor();
        await act?.(page);
        await page.locator(shows).first().waitFor();
        for (const { rule, nodes } of await axeViolations(page)) {
          found.push(`${name}: ${rule} ${nodes.join(" | ")}`);
        }
        await page.unroute(FIND);
      }
      await close();
      assert.deepEqual(found, []);
    });
  }

  it("a newcomer with a store without spans has no violation either", async () => {
    const empty = await startUi();
    for (const theme of ["light", "dark"] as const) {
      const { page, close } = await openPage(browser, { theme });
      await page.goto(`${empty.url}/search`);
      await page.locator(".ways").waitFor();
      assert.deepEqual(await axeViolations(page), []);
      await close();
    }
    await empty.close();
  });

  it("by keys alone: form, search, order, results, trace, back", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(`${ui.url}/search`);
    await page.locator("h1.count").waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to content");
    await tabTo(page, "Service");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.type("sho");
    await page.keyboard.press("Enter");
    await tabTo(page, "Min duration");
    await page.keyboard.type("50ms");
    await page.keyboard.press("Enter");
    await page.waitForURL(/service=shop.*minDuration=50ms/);
    await page
      .locator("h1.count")
      .filter({ hasText: /^7 traces/ })
      .waitFor();
    await tabTo(page, "Sort");
    await page.keyboard.type("Longest");
    await page.locator(".results-table td.name a").first().filter({ hasText: "GET /11" }).waitFor();
    await tabTo(page, "shop GET /11");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/trace\//);
    await page.goBack();
    await page.locator("h1.count").waitFor();
    assert.deepEqual(errors, []);
    await close();
  });
});

/** What has the focus, by its label or text. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement)) return "";
    const labels = "labels" in element ? (element.labels as NodeListOf<HTMLElement> | null) : null;
    const own = element.getAttribute("aria-label") ?? labels?.[0]?.innerText;
    return (own ?? element.innerText).trim().replaceAll(/\s+/g, " ");
  });
}

/** Tabs until the element with the name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const seen: string[] = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (now.startsWith(name)) return;
    seen.push(now);
  }
  assert.fail(`${name} was not reached by Tab; reached: ${seen.join(", ")}`);
}
