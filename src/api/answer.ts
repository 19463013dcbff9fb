/** Answers of the query API: Jaeger's envelope, errors in it, streams that can still fail. */

import type { HttpAnswer, HttpFailure, HttpRequest } from "../net/http-message.ts";
import { retryAfter } from "../net/http-message.ts";
import { jsonText } from "../wire/json-writer.ts";
import { utf8Bytes } from "../base/bytes.ts";
import { prettyChunks } from "./pretty-print.ts";

/** One entry of the envelope's `errors`. */
export interface EnvelopeError {
  readonly code?: number;
  readonly message: string;
  /** Hex, as Jaeger writes ids. */
  readonly traceIdHex?: string;
}

const JSON_HEADERS = { "content-type": "application/json" };
const ERROR_HEADERS = {
  "content-type": "text/plain; charset=utf-8",
  "x-content-type-options": "nosniff",
};

/** What the envelope begins with; data follows, then `envelopeEnd`. */
export const ENVELOPE_START = '{"data":';

/** The envelope after its data. No errors are `null`, as Jaeger has it. */
export function envelopeEnd(total: number, errors?: readonly EnvelopeError[]): string {
  const list = errors === undefined ? "null" : `[${errors.map(errorJson).join(",")}]`;
  return `,"total":${total},"limit":0,"offset":0,"errors":${list}}`;
}

function errorJson(error: EnvelopeError): string {
  const parts: string[] = [];
  if (error.code !== undefined) parts.push(`"code":${error.code}`);
  parts.push(`"msg":${jsonText(error.message)}`);
  if (error.traceIdHex !== undefined) parts.push(`"traceID":"${error.traceIdHex}"`);
  return `{${parts.join(",")}}`;
}

/** Whether the client asked for indented JSON: `prettyPrint` with anything but `false`. */
export function wantsPretty(query: URLSearchParams): boolean {
  const value = query.get("prettyPrint") ?? "";
  return value !== "" && value !== "false";
}

/** An answer of JSON text that is whole already. */
export function jsonAnswer(text: string, pretty: boolean): HttpAnswer {
  if (!pretty) return { status: 200, headers: JSON_HEADERS, body: text };
  const body = prettyChunks().all(utf8Bytes(text));
  return { status: 200, headers: JSON_HEADERS, body };
}

/** An enveloped answer with the JSON text of its data. */
export function dataAnswer(
  data: string,
  total: number,
  pretty: boolean,
  errors?: readonly EnvelopeError[],
): HttpAnswer {
  return jsonAnswer(ENVELOPE_START + data + envelopeEnd(total, errors), pretty);
}

/**
 * An answer streamed from chunks. Waits for the first chunk, so that what fails before it still
 * gets its status; what fails later cuts the connection. One chunk alone is sent with a length.
 */
export async function streamAnswer(
  chunks: AsyncGenerator<Uint8Array>,
  pretty: boolean,
): Promise<HttpAnswer> {
  const source = pretty ? indented(chunks) : chunks;
  const first = await source.next();
  if (first.done === true) return { status: 200, headers: JSON_HEADERS, body: "" };
  const second = await source.next();
  if (second.done === true) return { status: 200, headers: JSON_HEADERS, body: first.value };
  return { status: 200, headers: JSON_HEADERS, body: rest(first.value, second.value, source) };
}

async function* rest(
  first: Uint8Array,
  second: Uint8Array,
  source: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield second;
    yield* source;
  } finally {
    await source.return(undefined);
  }
}

async function* indented(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pretty = prettyChunks();
  for await (const chunk of chunks) yield pretty.all(chunk);
}

/** An error as Jaeger answers it: the envelope, but as plain text with a newline. */
export function errorAnswer(status: number, message: string): HttpAnswer {
  const body = `${ENVELOPE_START}null${envelopeEnd(0, [{ code: status, message }])}\n`;
  return { status, headers: ERROR_HEADERS, body };
}

/** Failures of routes in Jaeger's form. */
export function jaegerFailure(failure: HttpFailure, _request: HttpRequest): HttpAnswer {
  const answer = errorAnswer(failure.status, failure.error.message);
  return { ...answer, headers: { ...answer.headers, ...retryAfter(failure) } };
}
