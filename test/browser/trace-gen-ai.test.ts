/** Calls to models, agents and tools: icons in the rows, a conversation in the details. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { batchOf, int, plainSpan, serviceResource, text } from "../support/plain-spans.ts";
import type { PlainAttributes, PlainEvent } from "../support/plain-spans.ts";
import { axeViolations, withoutChromium } from "./browser.ts";
import { openTrace, press, rowAt, untilQuery } from "./trace-open.ts";
import { uiSuite } from "./ui-suite.ts";

const skip = withoutChromium();
const TRACE = "9e0a1000000000000000000000000001";
const START_NS = 1_763_800_000_000_000_000n;
const HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>";
const LONG = "and so on ".repeat(300);

const MODEL: PlainAttributes = [
  ["gen_ai.operation.name", text("chat")],
  ["gen_ai.provider.name", text("openai")],
  ["gen_ai.request.model", text("gpt-4o")],
  ["gen_ai.response.model", text("gpt-4o-2024-08-06")],
  ["gen_ai.usage.input_tokens", int(1204)],
  ["gen_ai.usage.output_tokens", int(312)],
  ["gen_ai.system_instructions", text('[{"type":"text","content":"Answer briefly."}]')],
  [
    "gen_ai.input.messages",
    text(
      JSON.stringify([
        { role: "user", parts: [{ type: "text", content: `What is ${HOSTILE}?` }] },
        {
          role: "assistant",
          parts: [{ type: "tool_call", id: "c1", name: "weather", arguments: { city: "Paris" } }],
        },
        { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: LONG }] },
      ]),
    ),
  ],
  [
    "gen_ai.output.messages",
    text(
      '[{"role":"assistant","parts":[{"type":"text","content":"Rain."}],"finish_reason":"stop"}]',
    ),
  ],
];

interface Call {
  readonly name: string;
  readonly attributes: PlainAttributes;
  readonly events?: readonly PlainEvent[];
}

const CALLS: readonly Call[] = [
  {
    name: "invoke_agent travel",
    attributes: [
      ["gen_ai.operation.name", text("invoke_agent")],
      ["gen_ai.agent.name", text("travel")],
    ],
  },
  { name: "chat gpt-4o", attributes: MODEL },
  {
    name: "execute_tool weather",
    attributes: [
      ["gen_ai.operation.name", text("execute_tool")],
      ["gen_ai.tool.call.arguments", text('{"city":')],
      ["gen_ai.tool.call.result", text("rain")],
    ],
  },
  {
    name: "retrieval docs",
    attributes: [
      ["gen_ai.operation.name", text("retrieval")],
      ["gen_ai.data_source.id", text("docs")],
    ],
    events: [
      {
        atNs: START_NS,
        name: "gen_ai.user.message",
        attributes: [["content", text("said by event")]],
      },
    ],
  },
  { name: "GET /plain", attributes: [["http.request.method", text("GET")]] },
];

const suite = uiSuite(async (ui) => {
  const resource = serviceResource("planner");
  const hex = (i: number): string => (i + 1).toString(16).padStart(16, "0");
  const spans = CALLS.map(({ name, attributes, events = [] }, i) =>
    plainSpan({
      traceHex: TRACE,
      spanHex: hex(i),
      ...(i === 0 ? {} : { parentHex: hex(0) }),
      startNs: START_NS + BigInt(i) * 1_000_000n,
      durationNs: i === 0 ? 9_000_000n : 900_000n,
      name,
      attributes,
      events,
      resource,
    }),
  );
  await ui.store.write(batchOf(spans));
});

test("rows tell agents, models, tools and retrievals apart", { skip }, async () => {
  const { page, close } = await openTrace(suite.browser, suite.ui, { traceIdHex: TRACE });
  const titles: (string | null)[] = [];
  for (let row = 0; row < 5; row++) {
    const icon = rowAt(page, row).locator(".tl-icon");
    await icon.waitFor();
    titles.push(await icon.getAttribute("title"));
  }
  assert.deepEqual(titles, ["GenAI agent", "GenAI model", "GenAI tool", "GenAI retrieval", "HTTP"]);
  await rowAt(page, 1).locator(".tl-pill", { hasText: "gpt-4o" }).waitFor();
  await close();
});

test("the details have the conversation as texts, long ones folded", { skip }, async () => {
  const query = "?open=0000000000000002";
  const { page, errors, close } = await openTrace(suite.browser, suite.ui, {
    traceIdHex: TRACE,
    query,
    height: 1400,
  });
  const detail = page.getByRole("region", { name: "Span planner: chat gpt-4o" });
  assert.equal(
    await detail.getByRole("tab", { name: "Span" }).getAttribute("aria-selected"),
    "true",
  );
  await detail.getByRole("tab", { name: "Span" }).focus();
  await press(page, "ArrowRight");
  await detail.getByRole("tabpanel", { name: "GenAI" }).waitFor();
  // The key was the tabs' and moved nothing else.
  assert.equal(new URL(page.url()).searchParams.get("t"), null);
  const facts = (await detail.locator(".gen-ai .facts").innerText()).replaceAll(/\s+/g, " ");
  assert.match(facts, /Model gpt-4o Answered by gpt-4o-2024-08-06 Tokens in 1,204 Tokens out 312/);
  const messages = detail.locator(".message");
  assert.deepEqual(
    await messages.evaluateAll((all) => all.map((one) => one.getAttribute("data-role"))),
    ["system", "user", "assistant", "tool", "assistant"],
  );
  assert.equal(await messages.nth(1).locator(".message-text").textContent(), `What is ${HOSTILE}?`);
  assert.equal(await messages.nth(2).locator(".pill").textContent(), "calls weather (c1)");
  const long = messages.nth(3);
  assert.ok((await long.locator(".message-text").innerText()).length < 900);
  await long.getByRole("button", { name: "2,200 more characters" }).click();
  assert.equal(await long.locator(".message-text").textContent(), LONG);
  await messages.nth(4).getByText("finished by stop").waitFor();
  assert.equal(await page.locator(".detail img, .detail script").count(), 0);
  await messages.nth(0).getByRole("button", { name: /^Copy/ }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "Answer briefly.");
  await untilQuery(page, "tab", "genai");
  assert.deepEqual(errors, []);
  await close();
});

test(
  "malformed JSON is a text; events are messages; plain spans have no tab",
  { skip },
  async () => {
    const query = "?tab=genai&open=0000000000000003,0000000000000004,0000000000000005";
    const { page, close } = await openTrace(suite.browser, suite.ui, {
      traceIdHex: TRACE,
      query,
      height: 1600,
    });
    const tool = page.getByRole("region", { name: "Span planner: execute_tool weather" });
    await tool.getByText("not readable JSON, shown as it is").waitFor();
    assert.equal(await tool.locator(".message-text").first().textContent(), '{"city":');
    const found = page.getByRole("region", { name: "Span planner: retrieval docs" });
    await found.getByText("said by event").waitFor();
    const plain = page.getByRole("region", { name: "Span planner: GET /plain" });
    await plain
      .getByRole("cell", { name: "http.request.method" })
      .or(plain.getByText("http.request.method"))
      .first()
      .waitFor();
    assert.equal(await plain.getByRole("tab").count(), 0);
    await close();
  },
);

for (const theme of ["light", "dark"] as const) {
  test(`conversations have no violations, ${theme}`, { skip }, async () => {
    const query = "?tab=genai&open=0000000000000001,0000000000000002,0000000000000003";
    for (const width of [390, 1280]) {
      const options = { traceIdHex: TRACE, query, theme, width, height: 1400 };
      const { page, close } = await openTrace(suite.browser, suite.ui, options);
      await page.locator(".message").first().waitFor();
      assert.deepEqual(await axeViolations(page), []);
      await close();
    }
  });
}
