/** The enrich stage: attributes that an operator wants on the resource of every span. */

import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import type { Sink, Stage } from "../core/flow.ts";
import { rebuildBatch } from "./rebuild.ts";

/** A tag as `collector.tags` gives it; its value is always text. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

/**
 * Adds the tags to every resource that does not have the same key with the same value already,
 * in order of key, as Jaeger does. Without tags there is no stage and no new batch.
 */
export function enrichStage(tags: readonly Tag[]): Stage {
  if (tags.length === 0) return (next) => next;
  const sorted = tags.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return (next: Sink): Sink => ({
    push(batch, origin, signal) {
      const resource = (builder: BatchBuilder): void => addTags(builder, sorted);
      return next.push(rebuildBatch(batch, { resource }), origin, signal);
    },
  });
}

/** Adds to the resource opened last. */
function addTags(builder: BatchBuilder, tags: readonly Tag[]): void {
  const table = builder.resourceAttributes;
  const first = table.offsets[table.owners - 1]!;
  for (const tag of tags) {
    const key = builder.key(builder.text(tag.key), ATTRIBUTE_TYPE.STRING);
    const value = builder.text(tag.value);
    let known = false;
    for (let a = first; a < table.count; a++) {
      if (table.key[a] === key && table.value[a] === value) known = true;
    }
    if (!known) table.add(key, value);
  }
}
