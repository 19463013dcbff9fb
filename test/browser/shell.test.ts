/** The shell: routes, addresses, top bar, themes, zones, configuration, a newcomer's first page. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { tempFolder } from "../support/temp-folder.ts";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openPage, withoutChromium } from "./browser.ts";
import type { WatchedPage } from "./browser.ts";
import { otlpRequest, startUi } from "./ui-server.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
const ID = "0af7651916cd43dd8448eb211c80319c";

describe("shell", { skip }, () => {
  const suite = uiSuite(
    async (ui) => {
      await ui.write([{ traceIdHex: ID, spans: [{ service: "shop", name: "GET /" }] }]);
    },
    { basePath: "/tracing" },
  );
  let watched: WatchedPage;
  let page: Page;
  beforeEach(async () => {
    watched = await openPage(suite.browser);
    ({ page } = watched);
  });
  afterEach(async () => {
    assert.deepEqual(watched.errors, []);
    await watched.close();
  });

  it("/ leads to /search, and back does not return to it", async () => {
    await page.goto(`${suite.ui.url}/search`);
    await page.goto(`${suite.ui.url}/`);
    await page.waitForURL(`${suite.ui.url}/search`);
    await page.locator("h1.count").waitFor();
    assert.equal(await page.title(), "Search — Spoor");
  });

  it("Jaeger's other pages say that they come; anything else is not found", async () => {
    for (const path of ["/dependencies", "/deep-dependencies", "/monitor", "/quality-metrics"]) {
      await page.goto(suite.ui.url + path);
      await page.getByRole("heading", { name: /to come/ }).waitFor();
    }
    await page.goto(`${suite.ui.url}/trace/${ID}...${ID}?cohort=${ID}`);
    await page.getByRole("heading", { name: "Comparing traces is to come" }).waitFor();
    await page.goto(`${suite.ui.url}/what/is/this`);
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
    await page.getByRole("link", { name: "Search" }).last().click();
    await page.waitForURL(`${suite.ui.url}/search`);
  });

  it("files are read wherever they are dropped, and the page stays", async () => {
    await page.goto(`${suite.ui.url}/trace/${ID}`);
    await page.locator(".tl-row").first().waitFor();
    const dropped = { traceIdHex: "d".repeat(32), spans: [{ service: "file", name: "dropped" }] };
    const drag = async (...types: readonly string[]): Promise<void> => {
      await page.locator(".tl-body").evaluate(
        (body, { text, types }) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "trace.json"));
          const init = { dataTransfer, bubbles: true, cancelable: true };
          for (const type of types) body.dispatchEvent(new DragEvent(type, init));
        },
        { text: JSON.stringify(otlpRequest([dropped])), types },
      );
    };
    await drag("dragover");
    const hint = page.getByText("Drop the files to show their traces");
    await hint.waitFor();
    await drag("dragleave");
    await hint.waitFor({ state: "detached" });
    await drag("dragover", "drop");
    await page.waitForURL(/\/search/);
    await page.locator("td.name", { hasText: "file dropped" }).waitFor();
    assert.equal(await hint.count(), 0);
  });

  it("a link opens its page without loading anew; back and forward walk", async () => {
    await page.goto(`${suite.ui.url}/search`);
    await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
    await page.locator(".results-table td.name a").first().click();
    await page.waitForURL(`${suite.ui.url}/trace/${ID}`);
    await page.goBack();
    await page.locator("h1.count").waitFor();
    await page.goForward();
    await page.waitForURL(`${suite.ui.url}/trace/${ID}`);
    assert.equal(await page.evaluate(() => "sameDocument" in globalThis), true);
  });

  it("themes: light, dark, as the system; remembered, shared by tabs", async () => {
    const becomes = (theme: string, of: Page = page) =>
      of.locator(`html[data-theme=${theme}]`).waitFor();
    await page.goto(`${suite.ui.url}/search`);
    await becomes("light");
    await page.emulateMedia({ colorScheme: "dark" });
    await becomes("dark");
    const other = await page.context().newPage();
    await other.goto(`${suite.ui.url}/search`);
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("menuitemradio", { name: "Light" }).click();
    await becomes("light");
    assert.equal(await page.evaluate(() => localStorage.getItem("jaeger-ui-theme")), "light");
    await becomes("light", other);
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("menuitemradio", { name: "As the system" }).click();
    await becomes("dark");
  });

  it("time zone: the browser's, UTC or any; beside times, remembered", async () => {
    await page.goto(`${suite.ui.url}/search`);
    const start = page.locator(".results-table time").first();
    const utc = await start.innerText();
    await page.getByRole("button", { name: /^Time zone/ }).click();
    await page.getByRole("menuitem", { name: "Another…" }).click();
    const field = page.getByLabel(/IANA name/);
    await field.fill("Mars/Olympus");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("Not a zone this browser knows").waitFor();
    await field.fill("Asia/Kathmandu");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.locator(".unit").filter({ hasText: "Asia/Kathmandu" }).waitFor();
    assert.notEqual(await start.innerText(), utc);
    const there = await start.innerText();
    await page.reload();
    await start.waitFor();
    assert.equal(await start.innerText(), there);
  });

  it("about: what server, which version", async () => {
    await page.goto(`${suite.ui.url}/search`);
    await page.getByRole("button", { name: "About" }).click();
    const dialog = page.getByRole("dialog", { name: "About Spoor" });
    assert.match(await dialog.innerText(), /Spoor\s+Version\s+1\.2\.3\s+Commit\s+c0ffee/);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  });

  it("a newcomer learns where to send spans, and sees the first arrive", async () => {
    const empty = await startUi();
    await page.goto(`${empty.url}/search`);
    await page.getByRole("heading", { name: "Waiting for the first spans" }).waitFor();
    const text = await page.locator(".state").innerText();
    assert.match(text, /http:\/\/localhost:4318/);
    assert.match(text, /localhost:4317/);
    assert.match(text, /npm start -- --demo/);
    await empty.write([{ traceIdHex: ID, spans: [{ service: "first", name: "span" }] }]);
    await page.locator(".results-table").filter({ hasText: "first" }).waitFor();
    await empty.close();
  });
});

describe("configuration", { skip }, () => {
  const folder = tempFolder("ui-config");
  let browser: Browser;

  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
  });

  /** Opens the search page of a server with the configuration; `check` looks at it. */
  async function withConfig(
    name: string,
    text: string,
    check: (page: Page) => Promise<void>,
  ): Promise<void> {
    const configPath = join(folder, name);
    writeFileSync(configPath, text);
    const ui = await startUi({ configPath });
    await ui.write([{ traceIdHex: ID, spans: [{ service: "shop", name: "GET /" }] }]);
    const { page, errors, close } = await openPage(browser);
    try {
      await page.goto(`${ui.url}/search`);
      await page.locator("h1.count").waitFor();
      await check(page);
      assert.deepEqual(errors, []);
    } finally {
      await close();
      await ui.close();
    }
  }

  const json = (config: object): string => JSON.stringify(config);

  it("menu replaces ours: items, groups, targets; hostile addresses are text", async () => {
    const menu = [
      { label: "Docs", url: "https://docs.example/", anchorTarget: "_self" },
      {
        label: "More",
        items: [
          { label: "Chat", url: "https://chat.example/" },
          { label: "Evil", url: "javascript:alert(1)" },
        ],
      },
    ];
    await withConfig("menu.json", json({ menu }), async (page) => {
      const docs = page.getByRole("link", { name: "Docs" });
      assert.equal(await docs.getAttribute("target"), "_self");
      assert.equal(await page.getByRole("button", { name: "About" }).count(), 0);
      await page.getByRole("button", { name: "More" }).click();
      const chat = page.getByRole("menuitem", { name: "Chat" });
      assert.equal(await chat.getAttribute("href"), "https://chat.example/");
      assert.equal(await page.getByRole("menuitem", { name: "Evil" }).getAttribute("href"), null);
    });
  });

  it("search: default and longest look-back, limit, adjusted end time", async () => {
    const search = {
      defaultLookback: "2h",
      maxLookback: { label: "90 Days", value: "90d" },
      maxLimit: 50,
      adjustEndTime: "1m",
    };
    await withConfig("search.json", json({ search }), async (page) => {
      const lookback = page.getByLabel("Lookback");
      assert.equal(await lookback.inputValue(), "2h");
      assert.equal((await lookback.locator("option").allTextContents()).at(-2), "Last 90 Days");
      await page.getByLabel("Limit results").fill("51");
      await page.getByText("1 to 50").waitFor();
      await page.getByLabel("Limit results").fill("20");
      await page.getByRole("switch", { name: "End time adjusted by −1m" }).check();
      const beforeMs = Date.now();
      await page.getByRole("button", { name: "Find Traces" }).click();
      await page.waitForURL(/end=/);
      const endMs = Number(new URL(page.url()).searchParams.get("end")) / 1000 + 60_000;
      assert.ok(endMs >= beforeMs && endMs <= Date.now(), `${endMs - beforeMs} ms`);
      const key = "jaeger-ui/search-adjust-time-enabled";
      assert.equal(await page.evaluate((name) => localStorage.getItem(name), key), "true");
    });
  });

  it("uploads, themes and words are switched", async () => {
    const config = {
      disableFileUploadControl: true,
      themes: { enabled: false },
      useOpenTelemetryTerms: false,
      traceIdDisplayLength: 12,
    };
    await withConfig("switches.json", json(config), async (page) => {
      assert.equal(await page.getByRole("tab", { name: "Upload" }).count(), 0);
      assert.equal(await page.getByRole("button", { name: "Theme" }).count(), 0);
      await page.getByRole("combobox", { name: "Operation" }).waitFor();
      await page.getByRole("combobox", { name: /^Tags/ }).waitFor();
      await page.getByRole("button", { name: "List", exact: true }).click();
      await page
        .locator("code")
        .filter({ hasText: new RegExp(`^${ID.slice(0, 12)}$`) })
        .waitFor();
    });
  });

  it("a script's UIConfig runs under the policy, and so do its inline scripts", async () => {
    const script = `function UIConfig() {
      return {
        menu: [{ label: "From a script", url: "https://x.example/" }],
        scripts: [{ type: "inline", text: "document.body.dataset.ran = 'yes'" }],
        linkPatterns: [{ type: "tags", key: /^a/, url: "https://x/#{a}", text: "t" }],
      };
    }`;
    await withConfig("config.js", script, async (page) => {
      await page.getByRole("link", { name: "From a script" }).waitFor();
      await page.locator("body[data-ran=yes]").waitFor();
    });
  });

  it("what is wrong in it is said, and the rest works; tracking asks for nothing", async () => {
    const config = { archiveEnabled: "yes", serach: {}, tracking: { gaID: "UA-1" } };
    await withConfig("wrong.json", json(config), async (page) => {
      await page.locator(".toast.bad").filter({ hasText: "archiveEnabled must be" }).waitFor();
      await page.locator(".toast.bad").filter({ hasText: "serach is not known" }).waitFor();
    });
  });
});
