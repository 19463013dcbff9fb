/** Texts of a batch that are not UTF-8: which there are, by their dictionary ids. */

import { isUtf8 } from "../base/utf8-check.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../core/batch.ts";

/** Ids whose bytes are not UTF-8 and that something uses as text. */
export type BadTexts = ReadonlySet<number>;

/** The batch's malformed texts; undefined when there are none, which is nearly always. */
export function badTextsOf(batch: SpanBatch): BadTexts | undefined {
  if (batch.isAscii) return undefined;
  const odd = malformedEntries(batch);
  if (odd === undefined) return undefined;
  const used = new Set<number>();
  collect(batch.keyNameId, odd, used);
  collect(batch.nameId, odd, used);
  collect(batch.eventNameId, odd, used);
  const isText = batch.keyType.map((type) => (type === ATTRIBUTE_TYPE.STRING ? 1 : 0));
  collectValues(batch.resourceAttributes, isText, odd, used);
  collectValues(batch.scopeAttributes, isText, odd, used);
  collectValues(batch.spanAttributes, isText, odd, used);
  collectValues(batch.eventAttributes, isText, odd, used);
  collectValues(batch.linkAttributes, isText, odd, used);
  return used.size === 0 ? undefined : used;
}

/**
 * 1 for each entry that is not UTF-8: most often bytes of numbers. Undefined: none is. Looks for
 * bytes beyond ASCII four at a time; entries in between are not looked at.
 */
function malformedEntries(batch: SpanBatch): Uint8Array | undefined {
  const { dictBytes, dictCount, dictOffsets } = batch;
  const end = dictOffsets[dictCount]!;
  const first = Math.min(end, (4 - (dictBytes.byteOffset & 3)) & 3);
  const wordsEnd = first + ((end - first) & ~3);
  const words = new Int32Array(
    dictBytes.buffer,
    dictBytes.byteOffset + first,
    (wordsEnd - first) >> 2,
  );
  let odd: Uint8Array | undefined;
  let id = 0;
  let at = 0;
  while (at < end) {
    const inWords = at >= first && at < wordsEnd && ((at - first) & 3) === 0;
    if (inWords && (words[(at - first) >> 2]! & 0x80808080) === 0) {
      at += 4;
      continue;
    }
    if (dictBytes[at]! < 0x80) {
      at++;
      continue;
    }
    while (dictOffsets[id + 1]! <= at) id++;
    at = dictOffsets[id + 1]!;
    if (isUtf8(dictBytes, dictOffsets[id]!, at)) continue;
    odd ??= new Uint8Array(dictCount);
    odd[id] = 1;
  }
  return odd;
}

function collect(ids: Uint32Array, odd: Uint8Array, used: Set<number>): void {
  for (let i = 0; i < ids.length; i++) if (odd[ids[i]!] === 1) used.add(ids[i]!);
}

function collectValues(
  table: AttributeTable,
  isText: Uint8Array,
  odd: Uint8Array,
  used: Set<number>,
): void {
  const { key, value } = table;
  for (let a = 0; a < key.length; a++) {
    if (isText[key[a]!] === 1 && odd[value[a]!] === 1) used.add(value[a]!);
  }
}
