/** What was done to spans on the way in, told on the spans themselves. */

import { utf8Bytes } from "../base/bytes.ts";
import { decodeArrayOrMap } from "../core/any-value.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { isSpoorError } from "../core/errors.ts";
import type { DecodeLimits } from "./otlp-decoded.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const MOST_BYTES = 2 ** 31;

/** The attribute that carries warnings about a span: an array of texts. */
export const WARNINGS_KEY = "@jaeger@warnings";

/** What was done to a span on the way in; bits, so that one number holds them. */
export const WARNING = {
  VALUE_CUT: 1,
  NAME_CUT: 2,
  ATTRIBUTES_DROPPED: 4,
  EVENTS_DROPPED: 8,
  LINKS_DROPPED: 16,
  BAD_PARENT: 32,
  BAD_LINK: 64,
} as const;

/** Texts of the warnings whose bits are set, in the order of the bits. */
function warningTexts(bits: number, limits: DecodeLimits): string[] {
  const texts = [
    `attribute value cut to ${limits.attributeValueBytes} bytes`,
    `name cut to ${limits.nameBytes} bytes`,
    `attributes beyond ${limits.attributesPerOwner} dropped`,
    `events beyond ${limits.eventsPerSpan} dropped`,
    `links beyond ${limits.linksPerSpan} dropped`,
    "parent span id of wrong length left out",
    "link with ids of wrong length dropped",
  ];
  return texts.filter((_, bit) => (bits & (1 << bit)) !== 0);
}

/**
 * Gives the open span the attribute with the warnings whose bits are set, after those it came
 * with (elements of an ArrayValue).
 */
export function addWarnings(
  builder: BatchBuilder,
  bits: number,
  limits: DecodeLimits,
  before?: Uint8Array,
): void {
  const key = builder.key(builder.text(WARNINGS_KEY), ATTRIBUTE_TYPE.ARRAY);
  const texts = encodeStringArray(warningTexts(bits, limits));
  let elements = texts;
  if (before !== undefined) {
    elements = new Uint8Array(before.length + texts.length);
    elements.set(before);
    elements.set(texts, before.length);
  }
  builder.spanAttributes.add(key, builder.bytes(elements));
}

/** Bytes of an ArrayValue whose elements are these texts. */
export function encodeStringArray(texts: readonly string[]): Uint8Array {
  const writer = new ProtobufWriter(new Uint8Array(256), MOST_BYTES);
  for (const text of texts) {
    const element = writer.begin(0x0a);
    writer.fieldBytes(0x0a, utf8Bytes(text));
    writer.end(element);
  }
  return writer.bytes.slice(0, writer.position);
}

/** Texts of a value of the warnings attribute; none for what is no array. */
export function storedWarnings(bytes: Uint8Array): string[] {
  try {
    const list = decodeArrayOrMap(ATTRIBUTE_TYPE.ARRAY, bytes);
    if (list.type !== "array") return [];
    return list.value.flatMap((item) => (item.type === "string" ? [item.value] : []));
  } catch (error) {
    if (isSpoorError(error, "malformed")) return [];
    throw error;
  }
}
