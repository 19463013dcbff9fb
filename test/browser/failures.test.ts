/** Failures: servers that refuse, fail or vanish, blocked storage, back and forward, two tabs. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { atRest } from "./at-rest.ts";
import { openPage, withoutChromium } from "./browser.ts";
import type { WatchedPage } from "./browser.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
const FIND = "**/api/spoor/v1/find";
const SEARCH = "/search?service=shop&lookback=1h";

const TRACE = "1".padEnd(32, "0");

describe("failures", { skip }, () => {
  const suite = uiSuite(async (ui) => {
    await ui.write(
      ["shop", "cart"].flatMap((service, k) =>
        Array.from({ length: 3 + k }, (_, i) => ({
          traceIdHex: `${k + 1}${i.toString(16).padStart(31, "0")}`,
          spans: [{ service, name: `GET /${i}` }],
        })),
      ),
    );
  });
  let watched: WatchedPage;
  let page: Page;
  beforeEach(async () => {
    watched = await openPage(suite.browser);
    ({ page } = watched);
  });
  afterEach(() => watched.close());

  /** As browsers do for whom cookies are off: reading the property throws, of each kind. */
  const blockStorage = (): Promise<unknown> =>
    page.addInitScript(() => {
      for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException("blocked", "SecurityError");
          },
        });
      }
    });

  const count = (text: RegExp) => page.locator("h1.count").filter({ hasText: text });
  const scriptErrors = (): string[] =>
    watched.errors.filter((text) => !/Failed to load resource|net::ERR/.test(text));

  const ANSWERS: readonly (readonly [status: number, body: string, title: RegExp, text: RegExp])[] =
    [
      [404, "404 page not found", /does not know this question/, /404/],
      [400, '{"error":{"message":"limit is too high"}}', /refused/, /limit is too high/],
      [
        500,
        '{"error":{"message":"segment 12 is broken"}}',
        /failed on the server/,
        /segment 12 is broken/,
      ],
      [
        501,
        '{"error":{"message":"cannot filter by regex"}}',
        /cannot answer that/,
        /cannot filter by regex/,
      ],
      [503, "<html>bad gateway</html>", /failed on the server/, /503/],
      [200, "<html>a login page</html>", /could not be read/, /no JSON/],
      [200, '{"unexpected":1}', /could not be read/, /no traces/],
    ];

  it("every answer of a server is told, with what to do next; trying again works", async () => {
    for (const [status, body, title, text] of ANSWERS) {
      await page.route(FIND, (route) => route.fulfill({ status, body }));
      await page.goto(suite.ui.url + SEARCH);
      const note = page.locator(".state[role=alert]");
      await note.locator("h1").filter({ hasText: title }).waitFor();
      assert.match(await note.innerText(), text);
      await page.unroute(FIND);
      await page.getByRole("button", { name: "Try again" }).click();
      await count(/^3 traces/).waitFor();
    }
    assert.deepEqual(scriptErrors(), []);
  });

  it("a server that vanished: the page stays and says so", async () => {
    await page.goto(suite.ui.url + SEARCH);
    await count(/^3 traces/).waitFor();
    await page.route("**/api/**", (route) => route.abort());
    await page.getByRole("button", { name: "Find Traces" }).click();
    await page.getByRole("heading", { name: "The server cannot be reached" }).waitFor();
    await page.unroute("**/api/**");
    await page.getByRole("button", { name: "Try again" }).click();
    await count(/^3 traces/).waitFor();
    assert.deepEqual(scriptErrors(), []);
  });

  it("slow: says so, can be stopped; an overtaken search never shows", async () => {
    await page.route(FIND, () => undefined);
    await page.goto(suite.ui.url + SEARCH);
    await page.getByRole("heading", { name: "Still searching" }).waitFor();
    await page.getByRole("button", { name: "Stop searching" }).click();
    await page.getByRole("progressbar").waitFor({ state: "detached" });
    await page.unroute(FIND);
    const held = Promise.withResolvers<() => Promise<void>>();
    await page.route(FIND, async (route) => {
      const body = route.request().postData() ?? "";
      if (!body.includes('"cart"')) return await route.continue();
      held.resolve(() => route.continue());
    });
    await page.evaluate(() =>
      history.pushState(null, "", "?service=cart&start=1&end=9999999999999999&lookback=custom"),
    );
    await page.evaluate(() => dispatchEvent(new PopStateEvent("popstate")));
    const goOn = await held.promise;
    await page.goBack();
    await count(/^3 traces/).waitFor();
    await goOn().catch(() => undefined);
    await page.waitForFunction(() => document.querySelector("[role=progressbar]") === null);
    assert.match(await page.locator("h1.count").innerText(), /^3 traces/);
    assert.deepEqual(scriptErrors(), []);
  });

  it("a trace: what kept it from being shown is told, and trying again shows it", async () => {
    const json = (status: number, code: string, message: string) => ({
      status,
      json: { error: { code, message } },
    });
    const answers = [
      [json(500, "internal", "segment 12 is broken"), /segment 12 is broken/],
      [json(501, "unsupported", "no traces by id here"), /no traces by id here/],
      [{ status: 503, body: "<html>bad gateway</html>" }, /503/],
      [undefined, /cannot be reached/],
    ] as const;
    for (const [answer, text] of answers) {
      await page.route("**/skeleton?**", (route) =>
        answer === undefined ? route.abort() : route.fulfill(answer),
      );
      await page.goto(`${suite.ui.url}/trace/${TRACE}`);
      await page.getByRole("heading", { name: "The trace could not be loaded" }).waitFor();
      assert.match(await page.locator("main").innerText(), text);
      await page.unroute("**/skeleton?**");
      await page.getByRole("button", { name: "Try again" }).click();
      await page.locator(".tl-row", { hasText: "GET /0" }).waitFor();
    }
    await page.route("**/rows", (route) => route.abort());
    await page.reload();
    await page.locator(".tl-row", { hasText: "GET /0" }).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press(" ");
    await page.getByRole("alert").filter({ hasText: "cannot be reached" }).waitFor();
    // The rows on screen are asked for, too, once they stand still: that would mend it.
    await atRest(page);
    await page.unroute("**/rows");
    await page.getByRole("alert").getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: /^Resource/ }).waitFor();
    assert.deepEqual(scriptErrors(), []);
  });

  it("blocked storage: everything works, and is remembered while the page lives", async () => {
    await blockStorage();
    await page.goto(suite.ui.url + SEARCH);
    await count(/^3 traces/).waitFor();
    await page.getByRole("button", { name: "List", exact: true }).click();
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("menuitemradio", { name: "Dark" }).click();
    await page.locator("html[data-theme=dark]").waitFor();
    await page.getByRole("button", { name: "Find Traces" }).click();
    await page.locator(".results-list").waitFor();
    assert.deepEqual(watched.errors, []);
  });

  it("blocked storage: so does the trace page, with every setting it would remember", async () => {
    await blockStorage();
    await page.goto(`${suite.ui.url}/trace/${TRACE}`);
    const row = page.locator(".tl-row", { hasText: "GET /0" });
    await row.waitFor();
    await page.getByRole("button", { name: "Settings of the page" }).click();
    await page.getByLabel("Details at the side").check();
    await page.getByLabel("Dense rows").check();
    await page.keyboard.press("Escape");
    await page.locator(".trace-panel h2", { hasText: "GET /0" }).waitFor();
    for (const name of ["Width of the names", "Width of the timeline"]) {
      const handle = page.getByRole("separator", { name });
      const before = Number(await handle.getAttribute("aria-valuenow"));
      await handle.press("ArrowRight");
      await page.waitForFunction(
        ([label, old]) => {
          const element = document.querySelector(`[role=separator][aria-label="${label}"]`);
          return Number(element?.getAttribute("aria-valuenow")) > Number(old);
        },
        [name, before] as const,
      );
    }
    await page.getByRole("button", { name: "Services shown" }).click();
    await page.getByRole("button", { name: "Save as default" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("menuitemradio", { name: "Dark" }).click();
    await page.locator("html[data-theme=dark]").waitFor();
    // Another trace of the same visit has what was set; a new visit begins anew, and works.
    await page.evaluate(
      (href) => {
        const link = document.createElement("a");
        link.href = href;
        document.body.append(link);
        link.click();
      },
      `${suite.ui.url}/trace/${TRACE.slice(0, -1)}1`,
    );
    await page.locator(".tl-row", { hasText: "GET /1" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
    await page.reload();
    await page.locator(".tl-row", { hasText: "GET /1" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("data-theme"), "light");
    assert.deepEqual(watched.errors, []);
  });

  it("back and forward walk through searches; form and results follow", async () => {
    await page.goto(suite.ui.url + SEARCH);
    await count(/^3 traces/).waitFor();
    const service = page.getByRole("combobox", { name: "Service" });
    await service.fill("cart");
    await service.press("Enter");
    await page.getByRole("button", { name: "Find Traces" }).click();
    await count(/^4 traces/).waitFor();
    await page.goBack();
    await count(/^3 traces/).waitFor();
    assert.equal(await service.inputValue(), "shop");
    await page.goForward();
    await count(/^4 traces/).waitFor();
    assert.equal(await service.inputValue(), "cart");
    await page.reload();
    await count(/^4 traces/).waitFor();
    assert.deepEqual(watched.errors, []);
  });

  it("two tabs keep their own searches", async () => {
    await page.goto(suite.ui.url + SEARCH);
    await count(/^3 traces/).waitFor();
    const other = await page.context().newPage();
    await other.goto(`${suite.ui.url}/search?service=cart&lookback=1h`);
    await other
      .locator("h1.count")
      .filter({ hasText: /^4 traces/ })
      .waitFor();
    await page.getByRole("button", { name: "Find Traces" }).click();
    await count(/^3 traces/).waitFor();
    assert.equal(await page.getByRole("combobox", { name: "Service" }).inputValue(), "shop");
    assert.deepEqual(watched.errors, []);
  });

  it("a real Jaeger: summaries of v3, and whole traces where it has none", async () => {
    await page.route("**/search?**", async (route) => {
      const response = await route.fetch();
      const text = (await response.text()).replace(
        /SPOOR_SERVER = \{.*?\};/,
        "SPOOR_SERVER = null;",
      );
      return await route.fulfill({ response, body: text });
    });
    const summary = {
      traceId: "c".repeat(32),
      rootServiceName: "jaeger-query",
      rootOperationName: "GET /",
      minStartTimeUnixNano: "1700000000000000000",
      maxEndTimeUnixNano: "1700000000250000000",
      spanCount: 7,
      errorSpanCount: 1,
      orphanSpanCount: 0,
      services: [{ name: "jaeger-query", spanCount: 7, errorSpanCount: 1 }],
    };
    await page.route("**/api/v3/trace-summaries?**", (route) => {
      const { searchParams } = new URL(route.request().url());
      assert.equal(searchParams.get("query.serviceName"), "shop");
      assert.match(searchParams.get("query.startTimeMin") ?? "", /^\d{4}-.*Z$/);
      return route.fulfill({ json: { summaries: [summary] } });
    });
    await page.goto(suite.ui.url + SEARCH);
    await page
      .locator(".results-table")
      .filter({ hasText: /jaeger-query GET \/[^]*250ms/ })
      .waitFor();
    // Jaeger 1.x answers with its page, later ones that lack it with 404.
    const html = { contentType: "text/html", body: "<!doctype html>" };
    for (const unknown of [html, { status: 404 }]) {
      await page.unroute("**/api/v3/trace-summaries?**");
      await page.route("**/api/v3/trace-summaries?**", (route) => route.fulfill(unknown));
      const answered = page.waitForResponse("**/api/traces?**");
      await page.getByRole("button", { name: "Find Traces" }).click();
      await answered;
      await count(/^3 traces/).waitFor();
    }
    assert.deepEqual(scriptErrors(), []);
  });

  it("a Jaeger without v1: services and operations of v3", async () => {
    await page.route("**/api/services**", (route) => route.fulfill({ status: 404 }));
    await page.route("**/api/services/*/operations", (route) => route.fulfill({ status: 404 }));
    await page.route("**/api/v3/services", (route) =>
      route.fulfill({ json: { services: ["shop", "cart"] } }),
    );
    await page.route("**/api/v3/operations?service=cart", (route) => {
      const names = ["GET /1", "GET /0", "GET /1"];
      return route.fulfill({ json: { operations: names.map((name) => ({ name })) } });
    });
    await page.goto(`${suite.ui.url}/search?service=cart&lookback=1h`);
    const listed = page.locator(".popup [role=option]");
    await page.getByRole("combobox", { name: "Service" }).click();
    await listed.filter({ hasText: "shop" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("combobox", { name: "Span name" }).click();
    await listed.filter({ hasText: "GET /1" }).waitFor();
    assert.deepEqual(await listed.allTextContents(), ["All Span Names", "GET /0", "GET /1"]);
    assert.deepEqual(scriptErrors(), []);
  });
});
