/** Tests of reading gen_ai attributes: each convention's messages, and what is no message. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { genAiKind, genAiOf } from "./gen-ai.ts";
import type { GenAiMessage } from "./gen-ai.ts";
import type { AttributeText, EventDetail, SpanDetail } from "./trace-source.ts";

type Texts = Readonly<Record<string, string>>;

function listOf(texts: Texts): AttributeText[] {
  return Object.entries(texts).map(([key, text]) => ({ key, type: "string", text }));
}

function detailOf(texts: Texts, events: readonly (readonly [string, Texts])[] = []): SpanDetail {
  return {
    row: 0,
    spanIdHex: "00f067aa0ba902b7",
    parentSpanIdHex: "",
    status: "UNSET",
    statusMessage: "",
    traceState: "",
    attributes: listOf(texts),
    resource: [],
    scopeName: "",
    scopeVersion: "",
    scope: [],
    events: events.map(([name, attributes], i): EventDetail => ({
      offsetNs: i,
      name,
      attributes: listOf(attributes),
    })),
    links: [],
    linkedFrom: [],
    warnings: [],
  };
}

/** Messages as short texts: role, note, and parts as `label: text`. */
function told(messages: readonly GenAiMessage[] | undefined): string[] {
  return (messages ?? []).map(({ role, note, parts }) => {
    const texts = parts.map(({ label, text }) => (label === "" ? text : `${label}: ${text}`));
    return `${role}${note === "" ? "" : ` (${note})`} | ${texts.join(" | ")}`;
  });
}

test("the kind of call: by its operation, else by what it tells", () => {
  const kind = (texts: Texts): string | undefined => genAiKind(listOf(texts));
  assert.equal(kind({ "http.method": "GET" }), undefined);
  assert.equal(kind({ "gen_ai.operation.name": "chat" }), "model");
  assert.equal(
    kind({ "gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m" }),
    "agent",
  );
  assert.equal(kind({ "gen_ai.operation.name": "execute_tool" }), "tool");
  assert.equal(kind({ "gen_ai.operation.name": "retrieval" }), "retrieval");
  assert.equal(kind({ "gen_ai.operation.name": "new thing", "gen_ai.tool.name": "t" }), "tool");
  assert.equal(kind({ "gen_ai.agent.name": "a", "gen_ai.request.model": "m" }), "model");
  assert.equal(kind({ "gen_ai.agent.name": "a" }), "agent");
  assert.equal(kind({ "gen_ai.system": "openai" }), "model");
});

test("messages as attributes, with calls of tools and their results", () => {
  const genAi = genAiOf(
    detailOf({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.usage.input_tokens": "12345",
      "gen_ai.usage.output_tokens": "67",
      "gen_ai.response.finish_reasons": '["stop"]',
      "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
      "gen_ai.input.messages": JSON.stringify([
        { role: "user", parts: [{ type: "text", content: "Weather in Paris?" }] },
        {
          role: "assistant",
          parts: [{ type: "tool_call", id: "c1", name: "weather", arguments: { city: "Paris" } }],
        },
        { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "rain" }] },
      ]),
      "gen_ai.output.messages": JSON.stringify([
        {
          role: "assistant",
          parts: [
            { type: "reasoning", content: "It rains." },
            { type: "text", content: "Take an umbrella." },
            { type: "uri", uri: "https://x" },
          ],
          finish_reason: "stop",
        },
      ]),
    }),
  );
  assert.deepEqual(told(genAi?.messages), [
    "system | Be brief.",
    "user | Weather in Paris?",
    'assistant | calls weather (c1): {\n  "city": "Paris"\n}',
    "tool | result (c1): rain",
    "assistant (finished by stop) | reasoning: It rains. | Take an umbrella. | " +
      'uri: {\n  "type": "uri",\n  "uri": "https://x"\n}',
  ]);
  assert.deepEqual(Object.fromEntries(genAi!.facts), {
    Operation: "chat",
    Provider: "openai",
    Model: "gpt-4o",
    "Tokens in": "12,345",
    "Tokens out": "67",
    "Finished by": "stop",
  });
});

test("messages as events, as earlier conventions have them", () => {
  const genAi = genAiOf(
    detailOf({ "gen_ai.system": "openai" }, [
      ["gen_ai.system.message", { content: "Be kind." }],
      ["gen_ai.user.message", { "gen_ai.event.content": '{"content":"Hello"}' }],
      [
        "gen_ai.choice",
        {
          finish_reason: "tool_calls",
          message: JSON.stringify({
            role: "assistant",
            tool_calls: [
              { id: "c2", type: "function", function: { name: "find", arguments: '{"a":1}' } },
            ],
          }),
        },
      ],
      ["gen_ai.content.prompt", { "gen_ai.prompt": "once upon a time" }],
      ["other", { content: "no message" }],
    ]),
  );
  assert.deepEqual(told(genAi?.messages), [
    "system | Be kind.",
    "user | Hello",
    'assistant (finished by tool_calls) | calls find (c2): {\n  "a": 1\n}',
    "user | once upon a time",
  ]);
});

test("messages numbered attribute by attribute", () => {
  const genAi = genAiOf(
    detailOf({
      "gen_ai.completion.0.role": "assistant",
      "gen_ai.completion.0.finish_reason": "stop",
      "gen_ai.completion.0.tool_calls.0.name": "find",
      "gen_ai.completion.0.tool_calls.0.arguments": '{"id":12345678901234567890}',
      "gen_ai.prompt.10.content": "third",
      "gen_ai.prompt.0.content": "first",
      "gen_ai.prompt.0.role": "system",
      "gen_ai.prompt.2.content": '[{"type":"text","text":"second"}]',
    }),
  );
  assert.deepEqual(told(genAi?.messages), [
    "system | first",
    "user | second",
    "user | third",
    // Digits that would be rounded stay as they are.
    'assistant (finished by stop) | calls find: {"id":12345678901234567890}',
  ]);
});

test("a tool's arguments and result; documents found", () => {
  const genAi = genAiOf(
    detailOf({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "weather",
      "gen_ai.tool.call.arguments": '{"city":"Paris"}',
      "gen_ai.tool.call.result": "rain",
    }),
  );
  assert.deepEqual(told(genAi?.messages), ['arguments | {\n  "city": "Paris"\n}', "result | rain"]);
});

test("malformed JSON is a text, and says so; whatever is in a message, there is an answer", () => {
  for (const broken of ['[{"role":"user","parts":[', "{{{", "[1,2"]) {
    const genAi = genAiOf(detailOf({ "gen_ai.input.messages": broken }));
    assert.deepEqual(told(genAi?.messages), [
      `user (not readable JSON, shown as it is) | ${broken}`,
    ]);
    assert.ok(genAi!.messages[0]!.parts[0]!.isCode);
  }
  const nested: unknown[] = [null, 1, "text", [], {}, [[]], { role: null, parts: 5 }];
  nested.push({ role: {}, parts: [null, 3, { type: 7 }, { type: "tool_call" }, [[]]] });
  nested.push({ message: 4, tool_calls: [null, { function: 3 }], finish_reason: [] });
  for (const value of [...nested, nested]) {
    const text = JSON.stringify(value);
    for (const key of ["gen_ai.input.messages", "gen_ai.tool.call.result", "gen_ai.prompt"]) {
      const genAi = genAiOf(detailOf({ [key]: text }));
      for (const { role, parts } of genAi!.messages) {
        assert.equal(typeof role, "string");
        for (const part of parts)
          assert.equal(typeof part.text + typeof part.label, "stringstring");
      }
    }
    assert.ok(genAiOf(detailOf({}, [["gen_ai.choice", { message: text, content: text }]])));
  }
  assert.equal(genAiOf(detailOf({ "http.method": "GET" })), undefined);
});
