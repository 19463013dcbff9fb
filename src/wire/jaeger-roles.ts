/** Keys of Jaeger's tags that mean more than a tag: what a batch has columns for. */

import { utf8, utf8Bytes } from "../base/bytes.ts";
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

/** The role of a key of the builder, by its name and type. */
export function roleOfKey(builder: BatchBuilder, key: number): number {
  const { bytes, offsets } = builder.dictionary;
  const name = builder.keyNameId[key]!;
  const entry = bytes.subarray(offsets[name]!, offsets[name + 1]!);
  const isScope = entry.length > SCOPE_PREFIX_BYTES.length;
  if (isScope && startsWith(entry, SCOPE_PREFIX_BYTES)) return ROLE.SCOPE;
  if (entry.length === EVENT_KEY.length && startsWith(entry, EVENT_KEY)) return ROLE.EVENT;
  if (entry.length === 0 || FIRST_OF_LENGTH[entry.length] !== entry[0]) return ROLE.PLAIN;
  return ROLES.get(`${utf8(entry)} ${builder.keyType[key]!}`) ?? ROLE.PLAIN;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
