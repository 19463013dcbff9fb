/** Parity with Jaeger UI, section 1.4: the timeline and its details. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { SPAN_KIND } from "../../src/core/batch.ts";
import { batchOf, plainSpan, serviceResource, text } from "../support/plain-spans.ts";
import { copied, paritySuite } from "./parity.ts";
import { SHOP_START_NS, SHOP_TRACE, shopSpanHex } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { drawnOn, press, rectsOf, rowAt, rowNames, untilQuery, windowOf } from "./trace-open.ts";

const SHOP = `/trace/${SHOP_TRACE}`;
const ODD = "5a0b00000000000000000000000000dd";

/** A client and the server that shares its id, as Zipkin has them; a tag twice; headers. */
const odd = batchOf([
  plainSpan({
    traceHex: ODD,
    name: "call",
    kind: SPAN_KIND.CLIENT,
    attributes: [
      ["color", text("red")],
      ["color", text("red")],
      ["http.request.headers", text('{"accept":["text/html","*/*"],"host":"shop"}')],
      ["list", text('{"a":{"deep":[1,2]}}')],
    ],
    resource: serviceResource("caller"),
  }),
  plainSpan({
    traceHex: ODD,
    name: "answer",
    kind: SPAN_KIND.SERVER,
    durationNs: 500_000n,
    resource: serviceResource("answerer"),
  }),
]);

async function openDetail(page: Page, row: number): Promise<ReturnType<Page["locator"]>> {
  await rowAt(page, row).click({ position: { x: 300, y: 12 }, force: true });
  const detail = page.locator(`.tl-detail[data-row="${row}"]`);
  await detail.locator(".detail-section").first().waitFor();
  return detail;
}

/** Presses a row's box for folding. */
async function toggle(page: Page, row: number): Promise<void> {
  const box = (await rowAt(page, row).locator(".tl-toggle").boundingBox())!;
  await page.mouse.click(box.x + 6, box.y + 6);
  await frames(page, 2);
}

/** The pixels of the indentation of a row. */
function guidePixels(page: Page, row: number): Promise<string> {
  return page.locator(".tl-canvas").evaluate(
    (element, y) => {
      const canvas = element as HTMLCanvasElement;
      const scale = canvas.width / canvas.getBoundingClientRect().width;
      const area = [0, y * scale, 100 * scale, scale] as const;
      return canvas
        .getContext("2d")!
        .getImageData(...area)
        .data.join();
    },
    row * 24 + 3,
  );
}

paritySuite(
  {
    prepare: async (ui) => {
      await ui.store.write(odd);
    },
  },
  (parity) => {
    parity("1.4.1", async ({ page, open }) => {
      await open(SHOP);
      const button = (name: RegExp) => page.getByRole("button", { name });
      await button(/Collapse all/).click();
      assert.deepEqual(await rowNames(page), ["POST /checkout"]);
      await button(/Expand one level/).click();
      assert.deepEqual(await rowNames(page), ["POST /checkout", "render cart", "checkout"]);
      await button(/Expand all/).click();
      assert.equal((await rowNames(page)).length, 20);
      await button(/Collapse one level/).click();
      assert.ok(!(await rowNames(page)).includes("SELECT item"));
    });

    parity("1.4.2", async ({ page, open }) => {
      await open(SHOP);
      const edge = page.getByRole("separator", { name: "Width of the names" });
      const body = (await page.locator(".tl-body").boundingBox())!;
      for (const [to, share] of [
        [-2000, 0.15],
        [4000, 0.85],
      ] as const) {
        const box = (await edge.boundingBox())!;
        await page.mouse.move(box.x + 3, box.y + 8);
        await page.mouse.down();
        await page.mouse.move(Math.max(0, Math.min(1599, box.x + to)), box.y + 8, { steps: 3 });
        await page.mouse.up();
        const now = Number(await edge.getAttribute("aria-valuenow")) / body.width;
        assert.ok(Math.abs(now - share) < 0.01, `${now}`);
      }
    });

    parity("1.4.3", async ({ page, open }) => {
      await open(SHOP);
      const ticks = (await drawnOn(page, "ruler")).filter(({ what }) => what === "tick");
      assert.deepEqual(
        ticks.slice(0, 3).map((tick) => tick.text),
        ["0ms", "50ms", "100ms"],
      );
      const ruler = (await page.locator(".tl-ruler").boundingBox())!;
      await page.mouse.move(ruler.x + ruler.width * 0.2, ruler.y + 8);
      await page.mouse.down();
      await page.mouse.move(ruler.x + ruler.width * 0.6, ruler.y + 8, { steps: 4 });
      await page.mouse.up();
      assert.deepEqual(await windowOf(page), { from: 20, to: 60 });
    });

    parity("1.4.4", async ({ page, open }) => {
      await open(SHOP);
      await page.mouse.move(1500, 500);
      await frames(page, 2);
      const plain = await Promise.all([5, 8].map((row) => guidePixels(page, row)));
      assert.ok(new Set(plain[0]!.split(",")).size > 5, "guides are drawn");
      const body = (await page.locator(".tl-body").boundingBox())!;
      let lit = 0;
      for (let x = 4; x < 60; x += 3) {
        await page.mouse.move(body.x + x, body.y + 5 * 24 + 12);
        await frames(page, 2);
        const now = await Promise.all([5, 8].map((row) => guidePixels(page, row)));
        // The grounds change on the row of the pointer; the other row only by the guide.
        if (now[1] !== plain[1]) lit++;
      }
      assert.ok(lit > 0, "the guide is lit in other rows too");
    });

    parity("1.4.5", async ({ page, open }) => {
      await open(SHOP);
      assert.equal(await rowAt(page, 3).locator(".tl-toggle").textContent(), "7");
      assert.equal(await rowAt(page, 4).locator(".tl-toggle").getAttribute("data-state"), "leaf");
      await toggle(page, 3);
      assert.ok(!(await rowNames(page)).includes("SELECT item"));
      await toggle(page, 3);
      assert.equal((await rowNames(page)).length, 20);
    });

    parity("1.4.6", async ({ page, open }) => {
      await open(SHOP);
      for (const [row, title] of [
        [2, "HTTP"],
        [4, "Database"],
        [16, "Messaging"],
      ] as const) {
        await rowAt(page, row).locator(`.tl-icon[title="${title}"]`).waitFor();
      }
    });

    parity("1.4.7", async ({ page, open }) => {
      await open(SHOP);
      const error = (row: number) => rowAt(page, row).locator(".tl-error:visible");
      assert.equal(await error(13).getAttribute("data-kind"), "own");
      assert.equal(await error(11).count(), 0);
      await toggle(page, 11);
      assert.equal(await error(11).getAttribute("data-kind"), "below");
    });

    parity("1.4.8", async ({ page, open }) => {
      await open(SHOP);
      const service = (row: number) => rowAt(page, row).locator(".tl-service");
      await service(15).filter({ hasText: "payment → bank-gateway" }).waitFor();
      assert.equal(await service(12).textContent(), "frontend");
      await toggle(page, 12);
      assert.equal(await service(12).textContent(), "frontend → payment");
    });

    parity("1.4.9", async ({ page, open }) => {
      await open(SHOP);
      const pills = (row: number) => rowAt(page, row).locator(".tl-pill");
      await pills(0).first().waitFor();
      assert.deepEqual(await pills(0).allTextContents(), ["502", "POST"]);
      assert.equal(await pills(0).first().getAttribute("data-tone"), "error");
      assert.equal(await pills(2).first().getAttribute("data-tone"), null);
      assert.deepEqual(await pills(4).allTextContents(), ["postgresql"]);
    });

    parity("1.4.10", async ({ page, open }) => {
      await open(SHOP);
      await rowAt(page, 17).locator(".tl-pill", { hasText: "links" }).waitFor();
      assert.equal(await rowAt(page, 16).locator(".tl-pill", { hasText: "links" }).count(), 0);
    });

    parity("1.4.11", async ({ page, open }) => {
      await open(SHOP);
      const bars = await rectsOf(page, "bar");
      const color = (row: number) => bars.find((bar) => bar.row === row)?.color;
      assert.equal(color(3), color(4));
      assert.notEqual(color(0), color(3));
      const bar = (await rectsOf(page, "bar", 15))[0]!;
      assert.equal((await rectsOf(page, "label", 15))[0]?.text, "165ms");
      const body = (await page.locator(".tl-body").boundingBox())!;
      await page.mouse.move(body.x + bar.x + 20, body.y + bar.y + 5);
      const label = (await rectsOf(page, "label", 15))[0]?.text;
      assert.equal(label, "165ms  payment::bank authorise");
    });

    parity("1.4.12", async ({ page, open }) => {
      await open(SHOP);
      const ticks = await rectsOf(page, "event", 3);
      const bar = (await rectsOf(page, "bar", 3))[0]!;
      assert.equal(ticks.length, 4);
      assert.ok(ticks.every(({ x }) => x >= bar.x && x <= bar.x + bar.width + 1));
      const detail = await openDetail(page, 3);
      assert.match(await detail.locator(".events").innerText(), /cache miss[^]*cart:42/);
    });

    parity("1.4.13", async ({ page, open }) => {
      await open(SHOP);
      assert.deepEqual(await rectsOf(page, "peer"), []);
      await toggle(page, 12);
      const [peer] = await rectsOf(page, "peer");
      const bar = (await rectsOf(page, "bar", 12))[0]!;
      assert.ok(peer!.x > bar.x && peer!.x + peer!.width < bar.x + bar.width);
    });

    parity("1.4.14", async ({ page, open }) => {
      await open(SHOP);
      const rows = new Set((await rectsOf(page, "critical")).map(({ row }) => row));
      assert.ok(rows.has(15) && !rows.has(19), [...rows].join());
      await press(page, "c");
      assert.deepEqual(await rectsOf(page, "critical"), []);
    });

    parity("1.4.15", async ({ page, open }) => {
      await open(`${SHOP}?t=60000000,120000000`);
      assert.equal((await rectsOf(page, "clipped", 13)).length, 2);
      assert.equal((await rectsOf(page, "clipped", 15)).length, 0);
      assert.equal((await rectsOf(page, "offscreen", 19)).length, 1);
    });

    parity("1.4.16", async ({ page, open }) => {
      await open(SHOP);
      const detail = await openDetail(page, 3);
      await rowAt(page, 3).click({ position: { x: 300, y: 12 }, force: true });
      await detail.waitFor({ state: "detached" });
    });

    parity("1.4.17", async ({ page, open }) => {
      await open(SHOP);
      await page.getByRole("button", { name: "Services shown" }).click();
      const panel = page.getByRole("dialog", { name: "Services shown" });
      assert.equal(await panel.getByLabel(/frontend/).isDisabled(), true);
      await panel.getByLabel(/payment/).uncheck();
      assert.equal((await rowNames(page)).length, 17);
      await rowAt(page, 12).locator(".tl-pill", { hasText: "3 spans pruned, 1 error" }).waitFor();
    });

    parity("1.4.18", async ({ page, open }) => {
      await open(SHOP);
      await page.getByRole("button", { name: "Services shown" }).click();
      const panel = page.getByRole("dialog", { name: "Services shown" });
      await panel.getByLabel(/mailer/).uncheck();
      await panel.getByRole("button", { name: "Save as default" }).click();
      await open(SHOP);
      await frames(page, 3);
      assert.equal((await rowNames(page)).length, 17);
      assert.ok(!(await rowNames(page)).includes("smtp"));
    });

    parity("1.4.19", async ({ page, open }) => {
      await open(`${SHOP}?panel=1`);
      const title = page.locator(".trace-panel h2");
      await title.filter({ hasText: "POST /checkout" }).waitFor();
      await rowAt(page, 13).click({ position: { x: 200, y: 12 }, force: true });
      await title.filter({ hasText: "POST /charge" }).waitFor();
      const edge = page.getByRole("separator", { name: "Width of the timeline" });
      const width = (await page.locator(".trace-panel").boundingBox())!.width;
      await edge.press("ArrowLeft");
      await frames(page, 2);
      assert.ok((await page.locator(".trace-panel").boundingBox())!.width > width);
    });

    parity("1.4.20", async ({ page, open }) => {
      await open(SHOP);
      const detail = await openDetail(page, 3);
      assert.equal(await detail.locator("h2").textContent(), "GET /cart/{id}");
      const facts = (await detail.locator(".facts").innerText()).replaceAll(/\s+/g, " ");
      const start = String(SHOP_START_NS + 3_100_000n).slice(-9);
      assert.ok(facts.startsWith("Service cart Duration 27ms"), facts);
      assert.match(facts, new RegExp(`Start 3\\.1ms .*\\.${start}`));
    });

    parity("1.4.21", async ({ page, open }) => {
      await open(SHOP);
      const detail = await openDetail(page, 4);
      const keys = detail.locator(".kv").first().locator("tbody th");
      assert.deepEqual(await keys.allTextContents(), [
        "db.statement",
        "db.system",
        "server.address",
      ]);
      await detail.getByRole("button", { name: /^▸ Resource|^Resource/ }).click();
      await detail.getByRole("cell", { name: "cart", exact: true }).waitFor();
    });

    parity("1.4.22", async ({ page, open }) => {
      await open(`${SHOP}?t=0,20000000`);
      const detail = await openDetail(page, 3);
      const items = detail.locator(".events > li");
      assert.equal(await items.count(), 3);
      assert.match(await items.first().innerText(), /^3\.3ms cache miss/);
      await detail.getByRole("button", { name: "1 outside the window: show all" }).click();
      await detail.getByRole("button", { name: "Show 1 more" }).click();
      assert.equal(await items.count(), 4);
    });

    parity("1.4.23", async ({ page, open }) => {
      await open(`/trace/${ODD}`);
      const detail = await openDetail(page, 0);
      const warnings = detail.locator(".warnings");
      assert.match(await warnings.innerText(), /Duplicate tag "color:red"/);
      assert.equal(await detail.locator(".kv tbody th", { hasText: /^color$/ }).count(), 1);
    });

    parity("1.4.24", async ({ page, open }) => {
      await open(SHOP);
      const detail = await openDetail(page, 17);
      const away = detail.getByRole("link", { name: /another trace/ });
      assert.equal(await away.getAttribute("target"), "_blank");
      assert.match((await away.getAttribute("href")) ?? "", /trace\/5a0b0+ff\?uiFind=0+aa$/);
      await detail.getByRole("button", { name: new RegExp(`to ${shopSpanHex(16)}`) }).click();
      await page.getByRole("region", { name: "Span frontend: publish order" }).waitFor();
    });

    parity("1.4.25", async ({ page, open }) => {
      await open(SHOP);
      const detail = await openDetail(page, 14);
      await detail.getByRole("button", { name: "Copy span ID" }).click();
      assert.equal(await copied(page), shopSpanHex(14));
      await detail.getByRole("button", { name: "Copy link to this span" }).click();
      await page.locator(".toast", { hasText: "Link copied" }).waitFor();
      const link = await copied(page);
      assert.match(link, new RegExp(`sel=${shopSpanHex(14)}`));
      await page.goto(link);
      await page.getByRole("region", { name: "Span payment: fraud check" }).waitFor();
    });

    parity("1.4.26", async ({ page, open }) => {
      await open(`/trace/${ODD}`);
      const detail = await openDetail(page, 0);
      const row = (key: string) => detail.locator("tr", { hasText: key });
      assert.match(await row("http.request.headers").innerText(), /accept: text\/html, \*\/\*/);
      await row("list").getByRole("button", { name: /\{1\}/ }).last().click();
      await row("list").getByText("deep").waitFor();
      await detail.getByRole("button", { name: "Copy value of list" }).click();
      assert.equal(await copied(page), '{"a":{"deep":[1,2]}}');
      await detail.getByRole("button", { name: "Copy list as JSON" }).click();
      assert.deepEqual(Object.keys(JSON.parse(await copied(page)) as object), ["list"]);
    });

    parity("1.4.27", async ({ page, ui, open }) => {
      await page.route(`${ui.url}/trace/*`, async (route) => {
        const response = await route.fetch();
        const linkPatterns = [
          ...["a", "b"].map((name) => ({
            type: "tags",
            key: "db.system",
            url: `https://${name}/#{db.system}`,
            text: name,
          })),
          { type: "tags", key: "list", url: "https://c/#{list}", text: "c" },
        ];
        const json = `JAEGER_CONFIG = ${JSON.stringify({ linkPatterns })};`;
        const body = (await response.text()).replace("JAEGER_CONFIG = DEFAULT_CONFIG;", json);
        return await route.fulfill({ response, body });
      });
      await open(SHOP);
      const detail = await openDetail(page, 4);
      const links = detail.getByRole("list", { name: "Links" }).getByRole("link");
      assert.deepEqual(await links.allTextContents(), ["a", "b"]);
      assert.equal(await links.first().getAttribute("href"), "https://a/postgresql");
      await open(`/trace/${ODD}`);
      const ofJson = (await openDetail(page, 0)).locator("tr", { hasText: "list" });
      await ofJson.getByRole("link", { name: "c", exact: true }).waitFor();
    });

    parity("1.4.28", async ({ page, open }) => {
      await open(`/trace/${ODD}`);
      assert.deepEqual(await rowNames(page), ["call", "answer"]);
      await page.locator('.tl-row[data-row="1"][aria-level="2"]').waitFor();
    });

    parity("1.4.29", async ({ page, open }) => {
      const colors: string[][] = [];
      for (const path of [SHOP, `/trace/${ODD}`, `${SHOP}?dense=1`]) {
        await open(path);
        colors.push((await rectsOf(page, "bar")).map(({ color }) => color));
      }
      assert.deepEqual(colors[0], colors[2]);
      assert.equal(new Set(colors[0]).size, 4);
      await untilQuery(page, "dense", "1");
    });
  },
);
