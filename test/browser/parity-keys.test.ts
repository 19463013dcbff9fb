/** Parity with Jaeger UI, section 1.4: all of its keys. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { paritySuite } from "./parity.ts";
import { bigBatch, bigTraceHex } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { press, rowAt, untilQuery } from "./trace-open.ts";

const BIG = `/trace/${bigTraceHex("mixed", 3000)}`;

async function rowCount(page: Page): Promise<number> {
  await frames(page, 2);
  return Number(await page.getByRole("treegrid").getAttribute("aria-rowcount")) - 1;
}

/** The window in shares of the trace, to a thousandth, as the address has it. */
async function shares(page: Page): Promise<readonly [number, number]> {
  await untilQuery(page, "t", /^[\d.]+,[\d.]+$/);
  const t = new URL(page.url()).searchParams.get("t")!.split(",").map(Number);
  const thousandth = (ns: number): number => Math.round((ns / 60e9) * 1000) / 1000;
  return [thousandth(t[0]!), thousandth(t[1]!)];
}

const top = (page: Page): Promise<string | null> =>
  page.locator(".tl-rows .tl-row[role=row]").first().getAttribute("data-row");

const times = (key: string, count: number): string[] => Array<string>(count).fill(key);

paritySuite(
  {
    prepare: async (ui) => {
      await ui.store.write(bigBatch("mixed", 3000));
    },
  },
  (parity) => {
    parity("1.4.30", async ({ page, open }) => {
      await open(BIG);
      const rows = (await page.locator(".tl-body").boundingBox())!.height / 24;
      await press(page, "s");
      await frames(page, 2);
      assert.ok(Math.abs(Number(await top(page)) - rows * 0.95) <= 1.5, `${await top(page)}`);
      await press(page, "s", "w", "w");
      await frames(page, 2);
      assert.equal(await top(page), "0");
    });

    parity("1.4.31", async ({ page, open }) => {
      await open(BIG);
      await press(page, "f", "f", "b");
      assert.equal(await rowAt(page, 1).getAttribute("tabindex"), "0");
      await page.getByLabel("Find in trace").fill("lookup");
      const count = page.locator(".find-count");
      await count.filter({ hasText: /^\d+$/ }).waitFor();
      await page.locator("h1").first().click();
      await press(page, "f", "f");
      await count.filter({ hasText: /^[23] of / }).waitFor();
      const at = Number.parseInt((await count.textContent()) ?? "", 10);
      await press(page, "b");
      await count.filter({ hasText: new RegExp(`^${at - 1} of `) }).waitFor();
    });

    parity("1.4.32", async ({ page, open }) => {
      // The window is a fifth of the trace: 0.5 % of it is a thousandth.
      await open(`${BIG}?t=24000000000,36000000000`);
      for (const [keys, from] of [
        [["d", "ArrowRight"], 0.402],
        [["a", "ArrowLeft"], 0.4],
        [["D"], 0.41],
        [["Shift+ArrowRight"], 0.42],
        [["A", "Shift+ArrowLeft"], 0.4],
      ] as const) {
        const before = page.url();
        await press(page, ...keys);
        await page.waitForURL((url) => url.href !== before);
        assert.deepEqual(await shares(page), [from, Math.round((from + 0.2) * 1000) / 1000]);
      }
    });

    parity("1.4.33", async ({ page, open }) => {
      await open(BIG);
      await press(page, "ArrowUp");
      assert.deepEqual(await shares(page), [0.005, 0.995]);
      await press(page, ...times("ArrowDown", 2));
      await untilQuery(page, "t", null);
      await press(page, "Shift+ArrowUp");
      assert.deepEqual(await shares(page), [0.05, 0.95]);
      await press(page, ...times("Shift+ArrowDown", 2));
      await untilQuery(page, "t", null);
    });

    parity("1.4.34", async ({ page, open }) => {
      await open(BIG);
      await press(page, "]");
      assert.equal(await rowCount(page), 1);
      await press(page, "[");
      assert.equal(await rowCount(page), 3000);
    });

    parity("1.4.35", async ({ page, open }) => {
      await open(BIG);
      await press(page, "]", "o");
      const one = await rowCount(page);
      await press(page, "o");
      const two = await rowCount(page);
      assert.ok(one > 1 && two > one && two < 3000, `${one} ${two}`);
      await press(page, "p");
      assert.equal(await rowCount(page), one);
      await press(page, "p");
      assert.equal(await rowCount(page), 1);
    });

    parity("1.4.36", async ({ page, open }) => {
      await open(BIG);
      await press(page, "Control+b");
      await page.keyboard.type("lookup");
      await untilQuery(page, "uiFind", "lookup");
      assert.equal(await page.getByLabel("Find in trace").inputValue(), "lookup");
      await press(page, "Escape");
      await untilQuery(page, "uiFind", null);
      assert.equal(await page.getByLabel("Find in trace").inputValue(), "");
    });

    parity("1.4.37", async ({ page, open }) => {
      await open(BIG);
      await rowAt(page, 2).focus();
      for (const key of ["Enter", " "]) {
        await press(page, key);
        await page.locator(".tl-detail").waitFor();
        await rowAt(page, 2).focus();
        await press(page, key);
        await page.locator(".tl-detail").waitFor({ state: "detached" });
      }
    });
  },
);
