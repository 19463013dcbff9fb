/** Attributes that a span has twice over: shown once, and told, as Jaeger UI does. */

import type { AttributeText } from "./trace-source.ts";

export interface WithoutDoubles {
  readonly attributes: readonly AttributeText[];
  /** Jaeger UI's words, one for each that was left out. */
  readonly warnings: readonly string[];
}

/** Leaves out what has the same key, type and text as one before it. */
export function withoutDoubles(attributes: readonly AttributeText[]): WithoutDoubles {
  const seen = new Set<string>();
  const warnings: string[] = [];
  const single = attributes.filter(({ key, type, text }) => {
    const told = JSON.stringify([key, type, text]);
    if (seen.has(told)) warnings.push(`Duplicate tag "${key}:${text}"`);
    return seen.size < seen.add(told).size;
  });
  return { attributes: single, warnings };
}
