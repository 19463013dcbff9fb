/** What a span tells of a call to a model, an agent or a tool: OpenTelemetry's gen_ai. */

import type { AttributeText, EventDetail, SpanDetail } from "./trace-source.ts";

export type GenAiKind = "agent" | "model" | "tool" | "retrieval";

/** A piece of a message. All texts are strangers' and stay texts. */
export interface GenAiPart {
  /** What it is besides plain text: "reasoning", "calls get_weather", "result"; "" for text. */
  readonly label: string;
  readonly text: string;
  /** It is code: JSON of arguments and results, or what could not be read. */
  readonly isCode: boolean;
}

export interface GenAiMessage {
  /** system, user, assistant, tool, or whatever the span says. */
  readonly role: string;
  /** Why the model stopped, or what is odd about the message. */
  readonly note: string;
  readonly parts: readonly GenAiPart[];
}

export interface GenAi {
  readonly kind: GenAiKind;
  /** Name and text, in the order to be read. */
  readonly facts: readonly (readonly [name: string, text: string])[];
  /** The conversation, in its order. */
  readonly messages: readonly GenAiMessage[];
}

const PREFIX = "gen_ai.";
const KINDS: ReadonlyMap<string, GenAiKind> = new Map([
  ["invoke_agent", "agent"],
  ["create_agent", "agent"],
  ["invoke_workflow", "agent"],
  ["execute_tool", "tool"],
  ["retrieval", "retrieval"],
  ["chat", "model"],
  ["text_completion", "model"],
  ["generate_content", "model"],
  ["embeddings", "model"],
]);

/** What kind of call a span is; undefined when it is none of a model's world. */
export function genAiKind(attributes: readonly AttributeText[]): GenAiKind | undefined {
  let guess: GenAiKind | undefined;
  for (const { key, text } of attributes) {
    if (!key.startsWith(PREFIX)) continue;
    const known = key === "gen_ai.operation.name" ? KINDS.get(text) : undefined;
    if (known !== undefined) return known;
    if (key.startsWith("gen_ai.tool.")) guess = guess === "model" ? guess : "tool";
    else if (key.startsWith("gen_ai.retrieval.")) guess ??= "retrieval";
    else if (key.startsWith("gen_ai.agent.")) guess ??= "agent";
    else if (key === "gen_ai.request.model") guess = "model";
  }
  if (guess !== undefined) return guess;
  return attributes.some(({ key }) => key.startsWith(PREFIX)) ? "model" : undefined;
}

/** Facts by the keys they come from, newest convention first. */
const FACTS: readonly (readonly [name: string, keys: readonly string[]])[] = [
  ["Operation", ["gen_ai.operation.name"]],
  ["Agent", ["gen_ai.agent.name", "gen_ai.agent.id"]],
  ["Tool", ["gen_ai.tool.name"]],
  ["Provider", ["gen_ai.provider.name", "gen_ai.system"]],
  ["Model", ["gen_ai.request.model"]],
  ["Answered by", ["gen_ai.response.model"]],
  ["Tokens in", ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"]],
  ["from cache", ["gen_ai.usage.cache_read.input_tokens"]],
  ["Tokens out", ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"]],
  ["Finished by", ["gen_ai.response.finish_reasons"]],
  ["Temperature", ["gen_ai.request.temperature"]],
  ["Top p", ["gen_ai.request.top_p"]],
  ["Tokens at most", ["gen_ai.request.max_tokens"]],
  ["Conversation", ["gen_ai.conversation.id"]],
  ["Data source", ["gen_ai.data_source.id"]],
];

/** What a span tells; undefined when it has nothing of gen_ai. */
export function genAiOf(detail: SpanDetail): GenAi | undefined {
  const { attributes, events } = detail;
  const told = events.some(({ name }) => name.startsWith(PREFIX));
  const kind = genAiKind(attributes) ?? (told ? "model" : undefined);
  if (kind === undefined) return undefined;
  const valueOf = valuesOf(attributes);
  const facts: (readonly [string, string])[] = [];
  for (const [name, keys] of FACTS) {
    const text = keys.map(valueOf).find((value) => value !== undefined);
    if (text !== undefined) facts.push([name, factText(name, text)]);
  }
  return { kind, facts, messages: messagesOf(attributes, events) };
}

function valuesOf(attributes: readonly AttributeText[]): (key: string) => string | undefined {
  const byKey = new Map(attributes.map(({ key, text }) => [key, text]));
  return (key) => byKey.get(key);
}

/** Numbers of tokens as people read them; a list of reasons without brackets. */
function factText(name: string, text: string): string {
  if (name.startsWith("Tokens") || name === "from cache") {
    return /^\d{1,15}$/.test(text) ? Number(text).toLocaleString("en") : text;
  }
  const list = name === "Finished by" ? parsed(text) : undefined;
  return Array.isArray(list) ? list.map(String).join(", ") : text;
}

/** Attributes that hold messages, in the order of a conversation; the role when none is told. */
const MESSAGE_KEYS: readonly (readonly [key: string, role: string])[] = [
  ["gen_ai.system_instructions", "system"],
  ["gen_ai.input.messages", "user"],
  ["gen_ai.prompt", "user"],
  ["gen_ai.retrieval.query.text", "query"],
  ["gen_ai.tool.call.arguments", "arguments"],
  ["gen_ai.output.messages", "assistant"],
  ["gen_ai.completion", "assistant"],
  ["gen_ai.tool.call.result", "result"],
  ["gen_ai.retrieval.documents", "documents"],
];
const EVENT_ROLES: ReadonlyMap<string, string> = new Map([
  ["gen_ai.system.message", "system"],
  ["gen_ai.user.message", "user"],
  ["gen_ai.assistant.message", "assistant"],
  ["gen_ai.tool.message", "tool"],
  ["gen_ai.choice", "assistant"],
]);

function messagesOf(
  attributes: readonly AttributeText[],
  events: readonly EventDetail[],
): GenAiMessage[] {
  const messages = [...keyedMessages(attributes), ...numberedMessages(attributes)];
  for (const event of events) {
    if (!event.name.startsWith(PREFIX)) continue;
    const role = EVENT_ROLES.get(event.name);
    if (role === undefined) messages.push(...keyedMessages(event.attributes));
    else messages.push(eventMessage(event, role));
  }
  return messages;
}

function keyedMessages(attributes: readonly AttributeText[]): GenAiMessage[] {
  const valueOf = valuesOf(attributes);
  return MESSAGE_KEYS.flatMap(([key, role]) => {
    const text = valueOf(key);
    return text === undefined ? [] : readMessages(text, role);
  });
}

/** A JSON list of messages, of parts, or one of them; anything else is a text. */
function readMessages(text: string, role: string): GenAiMessage[] {
  const value = parsed(text);
  if (value === undefined) {
    const broken = /^\s*[[{]/.test(text);
    return [textMessage(role, text, broken ? "not readable JSON, shown as it is" : "", broken)];
  }
  if (role === "arguments" || role === "result" || role === "documents") {
    return [textMessage(role, pretty(text, value), "", true)];
  }
  const list = Array.isArray(value) ? value : [value];
  if (list.every((item) => isObject(item) && isMessage(item))) {
    return list.map((item) => messageOf(item as Json, role));
  }
  return [{ role, note: "", parts: list.map(partOf) }];
}

function textMessage(role: string, text: string, note: string, isCode: boolean): GenAiMessage {
  return { role, note, parts: [{ label: "", text, isCode }] };
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMessage(value: Json): boolean {
  return "role" in value || "parts" in value || "message" in value;
}

function messageOf(value: Json, role: string): GenAiMessage {
  const inner = isObject(value["message"]) ? value["message"] : value;
  const parts: GenAiPart[] = [];
  const content = inner["parts"] ?? inner["content"];
  if (Array.isArray(content)) parts.push(...content.map(partOf));
  else if (content !== undefined && content !== null) parts.push(partOf(content));
  const calls = inner["tool_calls"];
  if (Array.isArray(calls))
    parts.push(...calls.map((call) => callPart(isObject(call) ? call : {})));
  const reason = value["finish_reason"] ?? inner["finish_reason"];
  return {
    role: textOf(inner["role"] ?? role),
    note: reason === undefined ? "" : `finished by ${textOf(reason)}`,
    parts,
  };
}

/** A part of a message as the conventions have it; an unknown one is its JSON. */
function partOf(value: unknown): GenAiPart {
  if (!isObject(value))
    return { label: "", text: textOf(value), isCode: typeof value === "object" };
  const type = textOf(value["type"] ?? "");
  const content = value["content"] ?? value["text"];
  if (type === "tool_call" || type === "function") return callPart(value);
  if (type === "tool_call_response") {
    const result = value["response"] ?? value["result"] ?? value["content"];
    return {
      label: `result${idOf(value)}`,
      text: textOf(result),
      isCode: typeof result !== "string",
    };
  }
  if (typeof content === "string") {
    return { label: type === "text" ? "" : type, text: content, isCode: false };
  }
  return { label: type, text: textOf(value), isCode: true };
}

/** A call of a tool, flat or as OpenAI nests it. */
function callPart(value: Json): GenAiPart {
  const call = isObject(value["function"]) ? value["function"] : value;
  const given = call["arguments"];
  const text = typeof given === "string" ? pretty(given, parsed(given)) : textOf(given ?? {});
  return { label: `calls ${textOf(call["name"] ?? "a tool")}${idOf(value)}`, text, isCode: true };
}

function idOf(value: Json): string {
  return typeof value["id"] === "string" ? ` (${value["id"]})` : "";
}

function eventMessage({ attributes }: EventDetail, role: string): GenAiMessage {
  const body: Record<string, unknown> = {};
  for (const { key, text } of attributes) {
    const value = parsed(text) ?? text;
    // The whole body as one JSON text.
    if (key === "gen_ai.event.content" && isObject(value)) Object.assign(body, value);
    else if (key === "gen_ai.event.content") body["content"] = value;
    else if (!key.startsWith(PREFIX)) body[key] = value;
  }
  return messageOf(body, role);
}

/** `gen_ai.prompt.0.role`, `gen_ai.completion.0.content`: as OpenLLMetry numbers them. */
function numberedMessages(attributes: readonly AttributeText[]): GenAiMessage[] {
  const found = new Map<string, { order: number; role: string; body: Map<string, string> }>();
  for (const { key, text } of attributes) {
    const [, list, place, name] = /^gen_ai\.(prompt|completion)\.(\d{1,6})\.(.+)$/.exec(key) ?? [];
    if (list === undefined || place === undefined || name === undefined) continue;
    const id = `${list}.${place}`;
    const prompt = list === "prompt";
    const order = Number(place) + (prompt ? 0 : 1e6);
    const role = prompt ? "user" : "assistant";
    const message = found.get(id) ?? { order, role, body: new Map<string, string>() };
    message.body.set(name, text);
    found.set(id, message);
  }
  return [...found.values()]
    .toSorted((a, b) => a.order - b.order)
    .map(({ role, body }) => numberedMessage(role, body));
}

function numberedMessage(role: string, body: ReadonlyMap<string, string>): GenAiMessage {
  const content = body.get("content");
  const parts = content === undefined ? [] : readMessages(content, role).flatMap((m) => m.parts);
  for (let i = 0; body.has(`tool_calls.${i}.name`); i++) {
    const given = body.get(`tool_calls.${i}.arguments`) ?? "";
    const label = `calls ${body.get(`tool_calls.${i}.name`)}`;
    parts.push({ label, text: pretty(given, parsed(given)), isCode: true });
  }
  const reason = body.get("finish_reason");
  const note = reason === undefined ? "" : `finished by ${reason}`;
  return { role: body.get("role") ?? role, note, parts };
}

/** Longer texts are not parsed: that would hold up the page. */
const MAX_PARSED = 500_000;

/** An array or object, or undefined when the text is neither. */
function parsed(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text) || text.length > MAX_PARSED) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

/** JSON set out in lines; as it is where numbers would be rounded. */
function pretty(text: string, value: unknown): string {
  if (value === undefined || /\d{16}/.test(text)) return text;
  return JSON.stringify(value, undefined, 2);
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, undefined, 2) ?? "";
}
