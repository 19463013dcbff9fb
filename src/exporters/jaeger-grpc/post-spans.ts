/** Several PostSpans requests of one process as one, without decoding a span. */

import { assert } from "../../base/assert.ts";

/*
 * A request as our encoder writes it is one field: the batch (0x0a). In it come the spans (0x0a)
 * and last the process (0x12). Joined requests have all spans, then one process.
 */
const BATCH = 0x0a;
const SPAN = 0x0a;
const PROCESS = 0x12;

/** Where the parts of a request are. */
interface Parts {
  readonly spansStart: number;
  readonly processStart: number;
  readonly spanCount: number;
}

/** Bytes of the process, as a text that tells processes apart. */
export function processOf(request: Uint8Array): string {
  const { processStart } = partsOf(request);
  const { buffer, byteOffset, length } = request;
  return Buffer.from(buffer, byteOffset, length).toString("latin1", processStart, length);
}

/** Number of spans in a request. */
export function spansOf(request: Uint8Array): number {
  return partsOf(request).spanCount;
}

/** One request with the spans of all, which must have the same process. */
export function joinPostSpans(requests: readonly Uint8Array[]): Uint8Array {
  const [first] = requests;
  assert(first !== undefined, "there is a request to join");
  if (requests.length === 1) return first;
  const parts = requests.map(partsOf);
  const process = first.subarray(parts[0]!.processStart);
  let bodyBytes = process.length;
  for (const { spansStart, processStart } of parts) bodyBytes += processStart - spansStart;
  const header = batchHeader(bodyBytes);
  const joined = Buffer.allocUnsafe(header.length + bodyBytes);
  joined.set(header);
  let at = header.length;
  for (const [i, request] of requests.entries()) {
    const { spansStart, processStart } = parts[i]!;
    joined.set(request.subarray(spansStart, processStart), at);
    at += processStart - spansStart;
  }
  joined.set(process, at);
  return joined;
}

/** Steps over a request's fields. Only for what our own encoder wrote. */
function partsOf(request: Uint8Array): Parts {
  assert(request[0] === BATCH, "a request is a batch");
  let at = 1;
  while (request[at++]! >= 128);
  const spansStart = at;
  let spanCount = 0;
  while (at < request.length && request[at] === SPAN) {
    at++;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = request[at++]!;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += length;
    spanCount++;
  }
  assert(request[at] === PROCESS, "the process comes behind the spans");
  return { spansStart, processStart: at, spanCount };
}

function batchHeader(bodyBytes: number): Uint8Array {
  const header = [BATCH];
  let rest = bodyBytes;
  for (; rest >= 128; rest >>>= 7) header.push((rest & 127) | 128);
  header.push(rest);
  return Uint8Array.from(header);
}
