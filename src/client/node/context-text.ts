// The value of `uber-trace-id`, read and written faster than what every platform can do.
import { TextMapCodec } from "../codec-text-map.ts";
import { SpanContext } from "../span-context.ts";

const bytes = Buffer.alloc(128);
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const COLON = 58;
const ZERO = 48;

/** Four hex digits of the lower half, all at once: a table would not stay in a server's cache. */
function digits(word: number): number {
  const high = ((word & 0xf000) << 12) | ((word & 0xf00) << 8);
  const four = high | ((word & 0xf0) << 4) | (word & 0xf);
  const letters = ((four + 0x06060606) >>> 4) & 0x01010101;
  return (four + 0x30303030 + Math.imul(letters, 0x27)) | 0;
}

function putId(at: number, high: number, low: number): number {
  view.setInt32(at, digits(high >>> 16));
  view.setInt32(at + 4, digits(high));
  view.setInt32(at + 8, digits(low >>> 16));
  view.setInt32(at + 12, digits(low));
  return at + 16;
}

/** Not zero once something read was no hex digit. */
let wrong = 0;

/** The lower half of a word that four hex digits at `at` make, checked by writing them again. */
function fourDigits(at: number): number {
  const text = view.getInt32(at);
  const letters = (text >>> 6) & 0x01010101;
  const four = (text & 0x0f0f0f0f) + Math.imul(letters, 9);
  const word =
    ((four >>> 12) & 0xf000) | ((four >>> 8) & 0xf00) | ((four >>> 4) & 0xf0) | (four & 0xf);
  wrong |= digits(word) ^ (text | (letters << 5));
  return word;
}

function word(at: number): number {
  return (fourDigits(at) << 16) | fourDigits(at + 4);
}

/**
 * Reads ids of full length, which almost all that come in are: character by character it took twice
 * as many instructions. False for every other text, and then the context is undefined.
 */
function readUsual(text: string, context: SpanContext): boolean {
  const { length } = text;
  if (length < 37 || length > 68) return false;
  // More bytes than characters: no ASCII.
  if (bytes.write(text, 0, "utf8") !== length) return false;
  const at = bytes[16] === COLON ? 16 : 32;
  const rest = length - at;
  const flags = bytes[length - 1]! - ZERO;
  if ((rest !== 21 && rest !== 36) || flags < 0 || flags > 9) return false;
  if (bytes[at] !== COLON || bytes[at + 17] !== COLON || bytes[length - 2] !== COLON) return false;
  wrong = 0;
  context.trace0 = at === 16 ? 0 : word(0);
  context.trace1 = at === 16 ? 0 : word(8);
  context.trace2 = word(at - 16);
  context.trace3 = word(at - 8);
  context.span0 = word(at + 1);
  context.span1 = word(at + 9);
  if (rest === 21 && bytes[at + 18] !== ZERO) return false;
  context.parent0 = rest === 21 ? 0 : word(at + 18);
  context.parent1 = rest === 21 ? 0 : word(at + 26);
  context.bits = flags;
  return wrong === 0;
}

/** As `SpanContext.fromString`; null for all but ids of full length. */
export function usualContext(text: string): SpanContext | null {
  const context = new SpanContext();
  return readUsual(text, context) && context.isValid ? context : null;
}

/** As `context.toString()`, which is left those ids that begin with a zero. Bench: client.ts. */
export function contextText(context: SpanContext): string {
  const { trace0, trace1, trace2, trace3, span0, span1, parent0, parent1, flags } = context;
  const wide = (trace0 | trace1) !== 0;
  const first = wide ? trace0 : trace2;
  if (first >>> 28 === 0 || span0 >>> 28 === 0 || flags > 9) return context.toString();
  let at = putId(wide ? putId(0, trace0, trace1) : 0, trace2, trace3);
  bytes[at] = COLON;
  at = putId(at + 1, span0, span1);
  bytes[at++] = COLON;
  if ((parent0 | parent1) === 0) bytes[at++] = ZERO;
  else if (parent0 >>> 28 === 0) return context.toString();
  else at = putId(at, parent0, parent1);
  bytes[at] = COLON;
  bytes[at + 1] = ZERO + flags;
  return bytes.toString("latin1", 0, at + 2);
}

/** A codec of whose format this file knows; null for others, also for those made out of it. */
export function jaegerCodec(codec: unknown): TextMapCodec | null {
  const known = codec instanceof TextMapCodec && codec.constructor === TextMapCodec;
  return known ? codec : null;
}
