/** Keys of Jaeger's tags that mean more than a tag: what a batch has columns for. */

import { equalBytes, utf8, utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { SCOPE_PREFIX } from "./jaeger-json-keys.ts";

const { STRING, BOOL } = ATTRIBUTE_TYPE;

/** What a key means beyond being a tag's; 0 is a key not looked at yet. */
export const ROLE = {
  PLAIN: 1,
  KIND: 2,
  STATUS_CODE: 3,
  ERROR: 4,
  STATUS_MESSAGE: 5,
  TRACE_STATE: 6,
  SCOPE: 7,
  EVENT: 8,
  SERVICE: 9,
} as const;

const ROLES = new Map<string, number>([
  [`span.kind ${STRING}`, ROLE.KIND],
  [`otel.status_code ${STRING}`, ROLE.STATUS_CODE],
  [`error ${BOOL}`, ROLE.ERROR],
  [`otel.status_description ${STRING}`, ROLE.STATUS_MESSAGE],
  [`w3c.tracestate ${STRING}`, ROLE.TRACE_STATE],
  [`service.name ${STRING}`, ROLE.SERVICE],
]);
/** First byte of the keys above by their length, all different: few others become a string. */
const FIRST_OF_LENGTH = new Uint8Array(32);
for (const role of ROLES.keys()) {
  const name = role.slice(0, role.indexOf(" "));
  FIRST_OF_LENGTH[name.length] = name.charCodeAt(0);
}
const SCOPE_PREFIX_BYTES = utf8Bytes(SCOPE_PREFIX);
const EVENT_KEY = utf8Bytes("event");

/** The role of a key of the builder, by its name and type. Nothing is made for most keys. */
export function roleOfKey(builder: BatchBuilder, key: number): number {
  const { bytes, offsets } = builder.dictionary;
  const name = builder.keyNameId[key]!;
  const start = offsets[name]!;
  const length = offsets[name + 1]! - start;
  const isScope = length > SCOPE_PREFIX_BYTES.length;
  if (isScope && beginsWith(bytes, start, SCOPE_PREFIX_BYTES)) return ROLE.SCOPE;
  if (length === EVENT_KEY.length && beginsWith(bytes, start, EVENT_KEY)) return ROLE.EVENT;
  if (length === 0 || FIRST_OF_LENGTH[length] !== bytes[start]) return ROLE.PLAIN;
  const text = utf8(bytes.subarray(start, start + length));
  return ROLES.get(`${text} ${builder.keyType[key]!}`) ?? ROLE.PLAIN;
}

function beginsWith(bytes: Uint8Array, start: number, prefix: Uint8Array): boolean {
  return equalBytes(bytes, start, prefix, 0, prefix.length);
}
