/** One Chromium and one UI server for all tests of a file; both end with it. */

import { after, before } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser, withoutChromium } from "./browser.ts";
import { startUi } from "./ui-server.ts";
import type { UiServer, UiServerOptions } from "./ui-server.ts";

/** Set from the file's first test on. */
export interface UiSuite {
  readonly browser: Browser;
  readonly ui: UiServer;
}

/** Starts both before the first test, and stores what `fill` writes; nothing without Chromium. */
export function uiSuite(
  fill: (ui: UiServer) => Promise<void>,
  options: UiServerOptions = {},
): UiSuite {
  let browser: Browser | undefined;
  let ui: UiServer | undefined;
  before(async () => {
    if (withoutChromium() !== false) return;
    [browser, ui] = await Promise.all([launchBrowser(), startUi(options)]);
    await fill(ui);
    await ui.store.settle();
  });
  after(async () => {
    await browser?.close();
    await ui?.close();
  });
  return {
    get browser() {
      return browser!;
    },
    get ui() {
      return ui!;
    },
  };
}
