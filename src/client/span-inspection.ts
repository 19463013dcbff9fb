// What tests of applications ask of spans.
import type { Span } from "./span.ts";

/** The span's tags by key; of a key set twice the last value. `keys` picks some of them. */
function getTags(span: Span, keys?: readonly string[]): Record<string, unknown> {
  const tags: Record<string, unknown> = {};
  for (const { key, value } of span._tags) {
    if (keys === undefined || keys.includes(key)) tags[key] = value;
  }
  return tags;
}

/** Whether the span has all of these tags with these very values. */
function hasTags(span: Span, expected: Record<string, unknown>): boolean {
  const tags = getTags(span);
  return Object.entries(expected).every(
    ([key, value]) => Object.hasOwn(tags, key) && tags[key] === value,
  );
}

/** Named and shaped as jaeger-client's. */
export const TestUtils = { getTags, hasTags };
