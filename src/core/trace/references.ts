/** A span's parent and links as Jaeger's references, and the parent Jaeger derives from them. */

import { equalBytes, isZero } from "../../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../batch.ts";
import type { SpanBatch } from "../batch.ts";
import { attributeName, dictText } from "../read.ts";

/** Link attribute that tells the type of a reference that came from OpenTracing. */
export const REF_TYPE_ATTRIBUTE = "opentracing.ref_type";

/** A reference of a span: its parent (`link` -1) or a link (a row of the batch's links). */
export interface SpanReference {
  readonly link: number;
  childOf: boolean;
  /** Whether it points into the span's own trace. */
  readonly sameTrace: boolean;
}

/**
 * References of span `i`: the parent first as CHILD_OF, then the links as FOLLOWS_FROM unless
 * their `opentracing.ref_type` says child_of. The first link to the parent does not come again:
 * its type becomes the parent reference's type.
 */
export function referencesOf(batch: SpanBatch, i: number): SpanReference[] {
  const references: SpanReference[] = [];
  const hasParent = !isZero(batch.parentSpanId, i * 8, 8);
  let typed = false;
  if (hasParent) references.push({ link: -1, childOf: true, sameTrace: true });
  for (let l = batch.linkOffsets[i]!; l < batch.linkOffsets[i + 1]!; l++) {
    const sameTrace = equalBytes(batch.linkTraceId, l * 16, batch.traceId, i * 16, 16);
    const childOf = isChildOf(batch, l);
    const toParent =
      hasParent && sameTrace && equalBytes(batch.linkSpanId, l * 8, batch.parentSpanId, i * 8, 8);
    if (toParent && !typed) {
      references[0]!.childOf = childOf;
      typed = true;
    } else references.push({ link: l, childOf, sameTrace });
  }
  return references;
}

/**
 * Index of the reference that Jaeger takes for the parent: the first CHILD_OF into the same
 * trace, else the first reference into it, else -1.
 */
export function parentReference(references: readonly SpanReference[]): number {
  let other = -1;
  for (let r = 0; r < references.length; r++) {
    if (!references[r]!.sameTrace) continue;
    if (references[r]!.childOf) return r;
    if (other === -1) other = r;
  }
  return other;
}

function isChildOf(batch: SpanBatch, link: number): boolean {
  const table = batch.linkAttributes;
  for (let a = table.offsets[link]!; a < table.offsets[link + 1]!; a++) {
    if (attributeName(batch, table, a) !== REF_TYPE_ATTRIBUTE) continue;
    const isText = batch.keyType[table.key[a]!] === ATTRIBUTE_TYPE.STRING;
    return isText && dictText(batch, table.value[a]!) === "child_of";
  }
  return false;
}
