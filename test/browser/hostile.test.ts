/** Hostile content: script in every field that strangers fill stays text, and the policy holds. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { tempFolder } from "../support/temp-folder.ts";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openPage, withoutChromium } from "./browser.ts";
import { otlpRequest, startUi } from "./ui-server.ts";
import type { TraceFixture, UiServer } from "./ui-server.ts";

const skip = withoutChromium();

/** Each would set `hit` on the window if any of it ran. */
const PAYLOADS: readonly string[] = [
  "<script>window.hit=1</script>",
  "<img src=x onerror=window.hit=1>",
  '"><svg onload=window.hit=1>',
  "'-window.hit=1-'",
  "javascript:window.hit=1",
  "</script><script>window.hit=1</script>",
  "${window.hit=1}{{window.hit=1}}",
  "<a href=javascript:window.hit=1>x</a>",
  "<iframe srcdoc='<script>parent.hit=1</script>'>",
  "\u202eevil\u0000<b onmouseover=window.hit=1>",
  "__proto__",
  "<style>*{background:url(http://evil.example/)}</style>",
];

describe("hostile content", { skip }, () => {
  const folder = tempFolder("hostile");
  let browser: Browser;
  let ui: UiServer;

  before(async () => {
    const configPath = join(folder, "ui.json");
    const menu = PAYLOADS.map((text) => ({
      label: text,
      url: text,
      items: [{ label: text, url: text }],
    }));
    writeFileSync(
      configPath,
      JSON.stringify({ menu, search: { maxLookback: { label: PAYLOADS[0], value: "2d" } } }),
    );
    [browser, ui] = await Promise.all([launchBrowser(), startUi({ configPath })]);
    await ui.write(PAYLOADS.map(hostileTrace));
  });
  after(async () => {
    await browser?.close();
    await ui?.close();
  });

  function hostileTrace(text: string, i: number): TraceFixture {
    const traceIdHex = (i + 1).toString(16).padStart(32, "0");
    return {
      traceIdHex,
      spans: [{ service: text, name: text, tags: { [text]: text }, error: true }],
    };
  }

  /** Nothing ran, nothing left this machine, no element of theirs is in the page. */
  async function assertHarmless(page: Page, errors: readonly string[]): Promise<void> {
    assert.equal(await page.evaluate(() => "hit" in globalThis), false);
    const theirs = "iframe, img, svg[onload], b, main style, [onerror], a[href^='javascript' i]";
    assert.equal(await page.locator(theirs).count(), 0);
    assert.deepEqual(errors, []);
  }

  it("services, names, counts and menus of results are text", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(`${ui.url}/search`);
    await page
      .locator("h1.count")
      .filter({ hasText: `${PAYLOADS.length} traces` })
      .waitFor();
    for (const text of PAYLOADS.slice(0, 9)) {
      await page.locator(".results-table td.name").filter({ hasText: text }).first().waitFor();
    }
    await page.getByRole("button", { name: "List", exact: true }).click();
    await page.locator(".results-list").waitFor();
    await page.getByRole("combobox", { name: "Service" }).click();
    await page.locator(".popup [role=option]").nth(5).waitFor();
    for (const menu of await page.locator(".menu > button").all()) await menu.click();
    await assertHarmless(page, errors);
    await close();
  });

  it("completions of keys and values are text, and survive the way into the address", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(`${ui.url}/search`);
    await page.locator("h1.count").waitFor();
    const attributes = page.getByRole("combobox", { name: /^Attributes/ });
    for (const text of PAYLOADS.slice(0, 4)) {
      await attributes.fill("");
      const offered = page.locator(".popup").getByText(text, { exact: true });
      await offered.click();
      // Keys are gone once the field has one; its values may be there a moment later.
      await page.waitForFunction(
        (field) => field instanceof HTMLInputElement && field.value.endsWith("="),
        await attributes.elementHandle(),
      );
      await offered.click();
      await page.getByRole("button", { name: "Find Traces" }).click();
      const tags = JSON.stringify({ [text]: text });
      await page.waitForURL((url) => url.searchParams.get("tags") === tags);
      await page
        .locator("h1.count")
        .filter({ hasText: /^1 trace/ })
        .waitFor();
    }
    await assertHarmless(page, errors);
    await close();
  });

  it("addresses: every parameter, trace ids and unknown paths", async () => {
    const { page, errors, close } = await openPage(browser);
    for (const text of PAYLOADS) {
      const query = new URLSearchParams();
      const names = [
        "service",
        "operation",
        "tags",
        "tag",
        "minDuration",
        "lookback",
        "start",
        "limit",
      ];
      for (const name of names) query.set(name, text);
      query.set("uiTheme", text);
      await page.goto(`${ui.url}/search?${query}`);
      await page.locator(".state, h1.count").first().waitFor();
      const path = encodeURIComponent(text);
      await page.goto(`${ui.url}/trace/${path}`);
      await page.locator("main :is(h1, h2)").first().waitFor();
      await page.goto(`${ui.url}/unknown/${path}`);
      await page.getByRole("heading", { name: "Page not found" }).waitFor();
    }
    const ours = errors.filter((text) => !/Failed to load resource/.test(text));
    await assertHarmless(page, ours);
    await close();
  });

  it("uploaded files: their names, what is in them, what is wrong with them", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(`${ui.url}/search?service=nobody&lookback=1h`);
    await page.getByRole("heading", { name: "No trace results" }).waitFor();
    await page.getByRole("tab", { name: "Upload" }).click();
    const request = JSON.stringify(otlpRequest(PAYLOADS.map(hostileTrace)));
    await page.getByLabel("Trace files").setInputFiles([
      {
        name: "<img src=x onerror=window.hit=1>.json",
        mimeType: "application/json",
        buffer: Buffer.from(request),
      },
      {
        name: "<svg onload=window.hit=1>.json",
        mimeType: "application/json",
        buffer: Buffer.from("{<script>"),
      },
    ]);
    await page.locator(".toast.bad").filter({ hasText: "<svg onload" }).waitFor();
    await page.locator(".results-table td.name").filter({ hasText: "<script>" }).first().waitFor();
    await assertHarmless(page, errors);
    await close();
  });

  it("the policy stops a script that got in all the same", async () => {
    const { page, close } = await openPage(browser);
    await page.goto(`${ui.url}/search`);
    await page.locator("h1.count").waitFor();
    const ran = await page.evaluate(async () => {
      const host = document.createElement("div");
      host.innerHTML = "<img src='data:,' onerror='window.hit=1'>";
      const script = document.createElement("script");
      script.text = "window.hit=1";
      document.body.append(host, script);
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return "hit" in globalThis;
    });
    assert.equal(ran, false);
    await close();
  });
});
