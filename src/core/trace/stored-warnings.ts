/** Warnings that came with a stored span: Jaeger's translation keeps them in an attribute. */

import { decodeArrayOrMap } from "../any-value.ts";
import { ATTRIBUTE_TYPE } from "../batch.ts";
import type { SpanBatch } from "../batch.ts";
import { isSpoorError } from "../errors.ts";
import { dictEntry, dictText } from "../read.ts";

const WARNINGS_ATTRIBUTE = "@jaeger@warnings";

/** The key of stored warnings among the batch's keys, -1 when there is none. */
export function storedWarningKey(batch: SpanBatch): number {
  for (let k = 0; k < batch.keyCount; k++) {
    if (batch.keyType[k] !== ATTRIBUTE_TYPE.ARRAY) continue;
    if (dictText(batch, batch.keyNameId[k]!) === WARNINGS_ATTRIBUTE) return k;
  }
  return -1;
}

/** The texts in the value (a dictionary id) of a stored-warnings attribute. */
export function storedWarnings(batch: SpanBatch, value: number): string[] {
  try {
    const list = decodeArrayOrMap(ATTRIBUTE_TYPE.ARRAY, dictEntry(batch, value));
    if (list.type !== "array") return [];
    return list.value.flatMap((item) => (item.type === "string" ? [item.value] : []));
  } catch (error) {
    if (isSpoorError(error, "malformed")) return [];
    throw error;
  }
}
