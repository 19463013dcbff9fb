/** Parity with Jaeger UI, section 1.2: the search page. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { paritySuite, queryOf } from "./parity.ts";
import { otlpRequest } from "./ui-server.ts";
import type { TraceFixture } from "./ui-server.ts";

/** Trace i has i + 1 spans and lasts 10 · (i + 1) ms; number 3 fails, 4 lacks a parent. */
const TRACES: readonly TraceFixture[] = Array.from({ length: 12 }, (_, i) => ({
  traceIdHex: `c${i.toString(16).padStart(31, "0")}`,
  startMs: Date.now() - 900_000 + i * 10_000,
  spans: [
    {
      service: ["shop", "cart"][i % 2]!,
      name: `GET /${i}`,
      durationMs: 10 * (i + 1),
      error: i === 3,
      ...(i === 4 ? { parent: 98 } : {}),
      tags: { code: i % 3, "user name": `user ${i % 2}` },
    },
    ...Array.from({ length: i }, (_, k) => ({
      service: ["db", "mail", "auth"][k % 3]!,
      name: "query",
      parent: 0,
      durationMs: 1,
    })),
  ],
}));
const ALL = "/search?service=__all_services__&lookback=1h&limit=100";

const find = (page: Page) => page.getByRole("button", { name: "Find Traces" });
const service = (page: Page) => page.getByRole("combobox", { name: "Service" });
const spanName = (page: Page) => page.getByRole("combobox", { name: "Span name" });
const attributes = (page: Page) => page.getByRole("combobox", { name: /^Attributes/ });
const listed = (page: Page) => page.locator(".popup [role=option]");
const names = (page: Page) => page.locator(".results-table td.name a");
const counted = (page: Page, text: RegExp) => page.locator("h1.count", { hasText: text }).waitFor();

interface Drawn {
  readonly marks: readonly { readonly x: number; readonly y: number; readonly n: number }[];
}

const drawn = (page: Page): Promise<Drawn> =>
  page.evaluate(() => (globalThis as unknown as { __resultsPlot: Drawn }).__resultsPlot);

async function upload(page: Page, ...texts: readonly string[]): Promise<void> {
  await page.getByRole("tab", { name: "Upload" }).click();
  const files = texts.map((text, i) => {
    const name = text.includes("\n") ? `${i}.jsonl` : `${i}.json`;
    return { name, mimeType: "application/json", buffer: Buffer.from(text) };
  });
  await page.getByLabel("Trace files").setInputFiles(files);
}

paritySuite({ traces: TRACES }, (parity) => {
  parity("1.2.1", async ({ page, open }) => {
    await open("/search");
    const edge = page.getByRole("separator", { name: "Width of the search form" });
    const width = async (): Promise<number> => Number(await edge.getAttribute("aria-valuenow"));
    const most = Number(await edge.getAttribute("aria-valuemax"));
    assert.equal(most, Math.round(1600 * 0.55));
    for (let i = 0; i < 60; i++) await edge.press("ArrowRight");
    assert.equal(await width(), most);
    for (let i = 0; i < 80; i++) await edge.press("ArrowLeft");
    assert.equal(await width(), 240);
    assert.deepEqual(await page.getByRole("tab").allTextContents(), ["Search", "Upload"]);
    await page.getByRole("button", { name: "Hide the search form" }).click();
    await page.locator(".side-strip", { hasText: "All services" }).waitFor();
    await page.getByRole("button", { name: "Show the search form" }).click();
    await service(page).waitFor();
  });

  parity("1.2.2", async ({ page, open }) => {
    await open("/search");
    await page.locator(".field label", { hasText: /Service\s*\(8\)/ }).waitFor();
    await service(page).fill("au");
    assert.deepEqual(await listed(page).allTextContents(), ["auth"]);
    await service(page).fill("car");
    await service(page).press("Enter");
    await find(page).click();
    await counted(page, /^6 traces/);
    await open("/search");
    assert.equal(await service(page).inputValue(), "cart");
  });

  parity("1.2.3", async ({ page, open }) => {
    await open("/search?service=db&lookback=1h");
    await spanName(page).click();
    await listed(page).filter({ hasText: "query" }).waitFor();
    // Spans of several traces have the name: it is listed once.
    assert.deepEqual(await listed(page).allTextContents(), ["All Span Names", "query"]);
    await spanName(page).fill("free text");
    await spanName(page).press("Enter");
    await find(page).click();
    await page.waitForURL(/operation=free\+text/);
    await service(page).fill("mail");
    await service(page).press("Enter");
    assert.equal(await spanName(page).inputValue(), "All Span Names");
  });

  parity("1.2.4", async ({ page, open }) => {
    await open(ALL);
    await attributes(page).fill('code=1 "user name"="user 1"');
    await attributes(page).press("Escape");
    await find(page).click();
    await page.waitForURL(/tags=/);
    const tags: unknown = JSON.parse(queryOf(page, "tags") ?? "");
    assert.deepEqual(tags, { code: "1", "user name": "user 1" });
    await counted(page, /^2 traces/);
    const help = page.locator("label .help");
    assert.match((await help.getAttribute("title")) ?? "", /all must hold.*Quotes around/);
  });

  parity("1.2.5", async ({ page, open }) => {
    await open("/search");
    const lookback = page.getByLabel("Lookback");
    assert.equal(await lookback.inputValue(), "1h");
    const values = await lookback.locator("option").evaluateAll((options) => {
      return options.map((option) => (option as HTMLOptionElement).value);
    });
    // Sixteen in all; the ten up to two days, the configured most.
    const known = "5m 15m 30m 1h 2h 3h 6h 12h 24h 2d".split(" ");
    assert.deepEqual(values, [...known, "custom"]);
  });

  parity("1.2.6", async ({ page, open }) => {
    await open("/search");
    await page.getByLabel("Lookback").selectOption("custom");
    await page.getByText("Times are UTC.").waitFor();
    for (const [label, value] of [
      ["Start date", "2024-02-29"],
      ["Start time", "23:58"],
      ["End date", "2024-03-01"],
      ["End time", "00:01"],
    ] as const) {
      await page.getByLabel(label, { exact: true }).fill(value);
    }
    await find(page).click();
    await page.waitForURL(/lookback=custom/);
    assert.equal(queryOf(page, "start"), String(Date.UTC(2024, 1, 29, 23, 58) * 1000));
    assert.equal(queryOf(page, "end"), String(Date.UTC(2024, 2, 1, 0, 1) * 1000));
  });

  parity("1.2.7", async ({ page, ui, open }) => {
    await open("/search");
    assert.equal(await page.getByRole("switch").count(), 0);
    await page.route(`${ui.url}/search`, async (route) => {
      const response = await route.fetch();
      const config = 'JAEGER_CONFIG = {"search":{"adjustEndTime":"5m"}};';
      const text = (await response.text()).replace("JAEGER_CONFIG = DEFAULT_CONFIG;", config);
      return await route.fulfill({ response, body: text });
    });
    await open("/search");
    await page.getByRole("switch", { name: "End time adjusted by −5m" }).check();
    const beforeMs = Date.now();
    await find(page).click();
    await page.waitForURL(/end=/);
    const endMs = Number(queryOf(page, "end")) / 1000 + 300_000;
    assert.ok(endMs >= beforeMs && endMs <= Date.now(), `${endMs - beforeMs} ms`);
  });

  parity("1.2.8", async ({ page, open }) => {
    await open(ALL);
    for (const wrong of ["5", "ms", "1 day", "-1s"]) {
      await page.getByLabel("Min duration").fill(wrong);
      await page.getByText("A number and a unit").waitFor();
      assert.equal(await find(page).isDisabled(), true, wrong);
    }
    await page.getByLabel("Min duration").fill("0.0855s");
    await page.getByLabel("Max duration").fill("100500us");
    await find(page).click();
    await counted(page, /^2 traces/);
    assert.equal(queryOf(page, "minDuration"), "0.0855s");
    assert.equal(queryOf(page, "maxDuration"), "100500us");
  });

  parity("1.2.9", async ({ page, open }) => {
    await open("/search");
    const limit = page.getByLabel("Limit results");
    assert.equal(await limit.inputValue(), "20");
    for (const wrong of ["0", "1501"]) {
      await limit.fill(wrong);
      await page.getByText("1 to 1500").waitFor();
    }
    await limit.fill("3");
    await find(page).click();
    await page.waitForURL(/limit=3/);
    await counted(page, /^3 of 12/);
  });

  parity("1.2.10", async ({ page, open }) => {
    await open("/search?service=shop&lookback=2h&maxDuration=9s&tag=a:b&limit=3");
    await attributes(page).fill('"open');
    assert.equal(await find(page).isDisabled(), true);
    await page.getByRole("button", { name: "Reset" }).click();
    assert.equal(await find(page).isDisabled(), false);
    for (const [field, value] of [
      [service(page), "All Services"],
      [attributes(page), ""],
      [page.getByLabel("Lookback"), "1h"],
      [page.getByLabel("Max duration"), ""],
      [page.getByLabel("Limit results"), "20"],
    ] as const) {
      assert.equal(await field.inputValue(), value);
    }
  });

  parity("1.2.11", async ({ page, ui, open }) => {
    const trace = async (i: number): Promise<string> => {
      const answer = await fetch(`${ui.url}/api/traces/${TRACES[i]!.traceIdHex}`);
      const text = await answer.text();
      // Of other traces, so that they are not those found.
      return text.replaceAll(TRACES[i]!.traceIdHex, `d${i}`.padEnd(32, "0"));
    };
    const [one, two] = [await trace(1), await trace(2)];
    await open(`${ALL}&minDuration=115ms`);
    await counted(page, /^1 trace/);
    const { data } = JSON.parse(two) as { data: unknown[] };
    await upload(page, one, JSON.stringify(data));
    await counted(page, /^3 traces/);
    assert.equal(await page.getByText("Uploaded", { exact: true }).count(), 2);
    await page.getByRole("tab", { name: "Search" }).click();
    await find(page).click();
    await counted(page, /^1 trace/);
  });

  parity("1.2.12", async ({ page, open }) => {
    const request = (id: string, name: string): string =>
      JSON.stringify(otlpRequest([{ traceIdHex: id.repeat(32), spans: [{ service: "s", name }] }]));
    await open(ALL);
    await upload(
      page,
      request("a", "whole"),
      `${request("e", "line 1")}\n${request("f", "line 2")}`,
    );
    for (const name of ["whole", "line 1", "line 2"]) {
      await names(page).filter({ hasText: name }).waitFor();
    }
  });

  parity("1.2.13", async ({ page, open }) => {
    await open(ALL);
    await counted(page, /^12 traces \(in [\d.]+(ms|s)\)$/);
    await open(`${ALL}&minDuration=120ms`);
    await counted(page, /^1 trace \(in /);
  });

  parity("1.2.14", async ({ page, ui, open }) => {
    await open(ALL);
    const { marks } = await drawn(page);
    assert.equal(marks.length, 12);
    // The newest is first: time goes to the right, duration up.
    assert.ok(marks[0]!.x > marks[11]!.x && marks[0]!.y < marks[11]!.y);
    const canvas = page.locator(".plot canvas");
    const red = await canvas.evaluate((element, at) => {
      const box = element.getBoundingClientRect();
      const scale = (element as HTMLCanvasElement).width / box.width;
      const context = (element as HTMLCanvasElement).getContext("2d")!;
      return at.map(({ x, y }) => {
        const [r = 0, , b = 0] = context.getImageData(x * scale, y * scale, 1, 1).data;
        return r > b + 40;
      });
    }, marks);
    assert.deepEqual(
      red.map((is, i) => (is ? i : -1)).filter((i) => i >= 0),
      [8],
      "only GET /3, the ninth newest, failed",
    );
    const box = (await canvas.boundingBox())!;
    await page.mouse.move(box.x + marks[2]!.x, box.y + marks[2]!.y);
    await page.locator(".tip", { hasText: /cart: GET \/9[^]*10 spans/ }).waitFor();
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForURL(`${ui.url}/trace/${TRACES[9]!.traceIdHex}`);
  });

  parity("1.2.15", async ({ page, open }) => {
    await open(ALL);
    const heads = await page.locator(".results-table th").allInnerTexts();
    const columns = [
      "Compare",
      "Trace name",
      "Services",
      "Spans",
      "Errors",
      "Duration",
      "Start time",
    ];
    assert.deepEqual(
      heads.map((head) => head.split(/\s+(?=UTC)/)[0]?.trim()),
      columns,
    );
    const row = page.locator(".results-table tbody tr", { hasText: "GET /3" });
    const cells = await row.locator("td").allInnerTexts();
    assert.deepEqual(cells.slice(3, 6), ["4", "1", "40ms"]);
    const failed = row.locator(".pill.bad", { hasText: /^cart\s*1$/ });
    assert.equal(await failed.count(), 1);
    const time = row.locator("time");
    assert.match(await time.innerText(), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    await page.getByTitle("Absolute or relative").click();
    assert.match(await time.innerText(), /ago$/);
  });

  parity("1.2.16", async ({ page, open }) => {
    await page.route("**/search?**", async (route) => {
      const response = await route.fetch();
      const spoor = /SPOOR_SERVER = \{.*?\};/;
      const body = (await response.text()).replace(spoor, "SPOOR_SERVER = null;");
      return await route.fulfill({ response, body });
    });
    const summary = {
      traceId: "c".repeat(32),
      rootServiceName: "shop",
      rootOperationName: "GET /",
      minStartTimeUnixNano: "1700000000000000000",
      maxEndTimeUnixNano: "1700000000250000000",
      services: [],
    };
    await page.route("**/api/v3/trace-summaries?**", (route) =>
      route.fulfill({ json: { summaries: [summary] } }),
    );
    await open("/search?service=shop&lookback=1h");
    await names(page).filter({ hasText: "GET /" }).waitFor();
    const heads = (await page.locator(".results-table th").allInnerTexts()).join("|");
    assert.doesNotMatch(heads, /Spans|Errors/);
    assert.match(heads, /Duration/);
  });

  parity("1.2.17", async ({ page, open }) => {
    await open(`${ALL}&sort=OLDEST`);
    await page.getByRole("button", { name: "List", exact: true }).click();
    const item = page.locator(".results-list li", { hasText: "GET /3" });
    assert.match(
      await item.innerText(),
      /cart GET \/3\s+c000000[^]*40ms[^]*4 spans[^]*1 error[^]*\d{4}-\d\d-\d\d/,
    );
    assert.equal((await item.locator(".duration-bar, .bar").count()) > 0, true);
    assert.equal(await item.locator(".pill", { hasText: /^db/ }).count(), 1);
  });

  parity("1.2.18", async ({ page, open }) => {
    await open(ALL);
    const sort = page.getByLabel("Sort");
    const firsts: readonly (readonly [label: string, first: string])[] = [
      ["Oldest", "GET /0"],
      ["Longest first", "GET /11"],
      ["Shortest first", "GET /0"],
      ["Most spans", "GET /11"],
      ["Least spans", "GET /0"],
      ["Most errors", "GET /3"],
      ["Name A–Z", "cart GET /1"],
      ["Name Z–A", "shop GET /"],
      ["Most recent", "GET /11"],
    ];
    const labels = await sort.locator("option").allTextContents();
    assert.equal(labels.length, 10);
    for (const [label, first] of firsts) {
      assert.ok(labels.includes(label), `${label} of ${labels.join()}`);
      await sort.selectOption({ label });
      await names(page).first().filter({ hasText: first }).waitFor();
    }
    await sort.selectOption({ label: "Most spans" });
    await open("/search");
    assert.equal(await sort.inputValue(), "MOST_SPANS");
  });

  parity("1.2.19", async ({ page, open }) => {
    await open(`${ALL}&sort=MOST_RECENT`);
    await page.getByRole("checkbox").nth(1).check();
    await page.getByLabel("Min duration").fill("115ms");
    await find(page).click();
    await counted(page, /^1 trace/);
    await page.getByRole("checkbox").nth(0).check();
    const compare = page.getByRole("link", { name: "Compare Traces" });
    const [a, b] = [TRACES[10]!.traceIdHex, TRACES[11]!.traceIdHex];
    const href = (await compare.getAttribute("href")) ?? "";
    assert.ok(href.endsWith(`/trace/${a}...${b}?cohort=${a}&cohort=${b}`), href);
    await page.getByRole("button", { name: "Deselect All" }).click();
    assert.equal(await page.getByRole("checkbox", { checked: true }).count(), 0);
  });

  parity("1.2.20", async ({ page, open }) => {
    await open(`${ALL}&minDuration=95ms`);
    await counted(page, /^3 traces/);
    const started = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download Results" }).click();
    const download = await started;
    assert.match(download.suggestedFilename(), /^traces-\d{13}\.json$/);
    const text = readFileSync(await download.path(), "utf8");
    const { data } = JSON.parse(text) as { data: { spans: unknown[] }[] };
    const spans = new Set(data.map((trace) => trace.spans.length));
    assert.deepEqual(spans, new Set([10, 11, 12]));
  });

  parity("1.2.21", async ({ page, open }) => {
    await open(ALL);
    const incomplete = page.locator("tbody tr", { hasText: "Incomplete" });
    assert.equal(await incomplete.count(), 1);
    assert.match(await incomplete.innerText(), /GET \/4/);
  });

  parity("1.2.22", async ({ page, ui }) => {
    const route = "**/api/spoor/v1/find";
    const gate = Promise.withResolvers<void>();
    await page.route(route, async (held) => {
      await gate.promise;
      await held.continue();
    });
    await page.goto(`${ui.url}${ALL}&minDuration=10s`);
    await page.getByRole("progressbar", { name: "Searching" }).waitFor();
    gate.resolve();
    await page.getByRole("heading", { name: "No trace results" }).waitFor();
    await page.unroute(route);
    await page.route(route, (failed) =>
      failed.fulfill({ status: 500, json: { error: { message: "segment 12 is broken" } } }),
    );
    await find(page).click();
    await page.getByRole("alert").filter({ hasText: "segment 12 is broken" }).waitFor();
  });
});
