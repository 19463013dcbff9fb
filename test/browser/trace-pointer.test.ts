/** What the pointer and fingers find on bars: events, the critical path, zoom, the span's menu. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { batchOf, plainSpan } from "../support/plain-spans.ts";
import { axeViolations, withoutChromium } from "./browser.ts";
import { bigBatch, bigTraceHex, shopBatch, shopSpanHex } from "./trace-fixtures.ts";
import { frames } from "./trace-measure.ts";
import { openTrace, press, rectsOf, rowAt, windowOf } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();

const suite = uiSuite(async (ui) => {
  await ui.store.write(shopBatch());
  await ui.store.write(bigBatch("mixed", 3000));
});

/** Moves the pointer to a place of the timeline's body. */
async function pointAt(page: Page, x: number, y: number): Promise<void> {
  const body = (await page.locator(".tl-body").boundingBox())!;
  await page.mouse.move(body.x + x, body.y + y);
  await frames(page, 2);
}

test("an event's tick tells its events, the path's line what it means", { skip }, async () => {
  const { page, errors, close } = await openTrace(suite.browser, suite.ui);
  const hint = page.getByRole("tooltip");
  const tick = (await rectsOf(page, "event", 3))[2]!;
  await pointAt(page, tick.x, tick.y + 6);
  await hint.getByText("rows").waitFor();
  assert.match((await hint.innerText()).replaceAll(/\s+/g, " "), /^9ms rows count 7$/);
  assert.deepEqual(await axeViolations(page), []);
  await press(page, "Escape");
  assert.equal(await hint.count(), 0);
  const line = (await rectsOf(page, "critical", 15))[0]!;
  await pointAt(page, line.x + line.width / 2, line.y + 1);
  assert.match(await hint.innerText(), /critical path/);
  await pointAt(page, line.x + line.width / 2, line.y - 8);
  assert.equal(await hint.count(), 0);
  await press(page, "c");
  await pointAt(page, line.x + line.width / 2, line.y + 1);
  assert.equal(await hint.count(), 0);
  assert.deepEqual(errors, []);
  await close();
});

test("a span that another links to says so, and leads there", { skip }, async () => {
  const traceHex = "5a0b1000000000000000000000000001";
  const id = (i: number): string => i.toString(16).padStart(16, "0");
  const startNs = 1_763_800_000_000_000_000n;
  const links = [{ traceHex, spanHex: id(2), attributes: [] }];
  const child = { traceHex, parentHex: id(1) };
  await suite.ui.store.write(
    batchOf([
      plainSpan({ traceHex, spanHex: id(1), name: "root", startNs, durationNs: 9_000n }),
      plainSpan({ ...child, spanHex: id(2), name: "send", startNs: startNs + 1_000n }),
      plainSpan({ ...child, spanHex: id(3), name: "batch", startNs: startNs + 2_000n, links }),
    ]),
  );
  await suite.ui.store.settle();
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex: traceHex });
  assert.equal(await rowAt(page, 1).locator(".tl-pill").textContent(), "linked from");
  assert.equal(await rowAt(page, 2).locator(".tl-pill").textContent(), "links");
  await press(page, "j", " ");
  const send = page.getByRole("region", { name: "Span service-a: send" });
  await send.getByRole("button", { name: /^service-a batch/ }).click();
  await page.getByRole("region", { name: "Span service-a: batch" }).waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await close();
});

test("the row under the pointer stands out as rows scroll beneath it", { skip }, async () => {
  const traceIdHex = bigTraceHex("mixed", 3000);
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex });
  const y = 24 * 10 + 12;
  await pointAt(page, 900, y);
  for (const pixels of [600, -90, 2400]) {
    await page.mouse.wheel(0, pixels);
    await frames(page, 3);
    const [label] = (await rectsOf(page, "label")).filter(({ text }) => text.includes("::"));
    assert.ok(label!.y <= y && y < label!.y + 24, `${label!.y}`);
  }
  await close();
});

test("two fingers zoom around what is between them", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  const fingers = async (type: string, xs: readonly number[]): Promise<void> => {
    await page.evaluate(
      ({ type, xs }) => {
        const body = document.querySelector(".tl-body")!;
        const { left, top } = body.getBoundingClientRect();
        for (const [pointerId, x] of xs.entries()) {
          body.dispatchEvent(
            new PointerEvent(type, {
              pointerId: 50 + pointerId,
              pointerType: "touch",
              clientX: left + x,
              clientY: top + 40,
              bubbles: true,
            }),
          );
        }
      },
      { type, xs },
    );
    await frames(page, 2);
  };
  const { width } = (await page.locator(".tl-body").boundingBox())!;
  const name = (await rowAt(page, 0).boundingBox())!.width;
  const centre = name + (width - 12 - name) / 2;
  await fingers("pointerdown", [centre - 100, centre + 100]);
  await fingers("pointermove", [centre - 200, centre + 200]);
  const { from, to } = await windowOf(page);
  assert.ok(Math.abs(from - 25) <= 2 && Math.abs(to - 75) <= 2, `${from} to ${to}`);
  await fingers("pointermove", [centre - 100, centre + 100]);
  await fingers("pointerup", [centre - 100, centre + 100]);
  assert.deepEqual(await windowOf(page), { from: 0, to: 100 });
  assert.equal(await page.locator(".tl-detail").count(), 0);
  await close();
});

test("the menu opens the span in a tab and chooses the trace to compare", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui);
  await press(page, "j", ".");
  const open = page.getByRole("menuitem", { name: "Open in a new tab" });
  const [other] = await Promise.all([page.context().waitForEvent("page"), open.click()]);
  await other.getByRole("region", { name: "Span frontend: render cart" }).waitFor();
  assert.equal(new URL(other.url()).searchParams.get("sel"), shopSpanHex(1));
  await other.close();
  await press(page, ".");
  await page.getByRole("menuitem", { name: "Add the trace to compare" }).click();
  await page.locator(".toast", { hasText: "1 trace chosen" }).waitFor();
  await press(page, "g", "s");
  await page.getByRole("region", { name: "Chosen for comparing" }).getByText("1 trace").waitFor();
  await page.goBack();
  await rowAt(page, 1).waitFor();
  await press(page, ".");
  await page.getByRole("menuitem", { name: "Take the trace from compare" }).click();
  await page.locator(".toast", { hasText: "0 traces chosen" }).waitFor();
  await close();
});
