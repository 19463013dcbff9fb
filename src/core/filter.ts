/** The one filter tree every API and query language becomes. Meaning: docs in this file. */

/** Where an attribute condition looks. */
export type AttributeLevel = "span" | "resource" | "scope" | "event" | "link";

/** All levels, the meaning of an attribute condition without levels. */
export const ALL_LEVELS: readonly AttributeLevel[] = ["span", "resource", "scope", "event", "link"];

/**
 * Fields of a span that conditions and orders can name. `start` is whole µs since 1970,
 * rounded down; `duration` is ns; both exact. Ids are lower-case hex without leading zeros cut
 * (no parent: 16 zeros), `kind` and `status` are OTLP's numbers, `isRoot` is 0 or 1 (no parent
 * id). Texts compare as STRING attributes do, numbers as INT.
 */
export type SpanField =
  | "service"
  | "name"
  | "kind"
  | "status"
  | "statusMessage"
  | "duration"
  | "start"
  | "traceId"
  | "spanId"
  | "parentSpanId"
  | "traceState"
  | "scopeName"
  | "scopeVersion"
  | "eventName"
  | "linkTraceId"
  | "linkSpanId"
  | "isRoot";

export type CompareOp = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** A constant of a condition. Integers beyond 2^53 are bigint. */
export type FilterValue = string | number | bigint | boolean;

/** What a condition is about. Without `levels` an attribute is looked for at all of them. */
export type Target =
  | { readonly field: SpanField }
  | { readonly attribute: string; readonly levels?: readonly AttributeLevel[] };

/**
 * A filter holds or does not hold for ONE span; every leaf of the tree is about the same span.
 *
 * A leaf on an attribute holds when ANY entry of that key at the named levels (of the span, its
 * resource, its scope, any of its events, any of its links) satisfies it; an absent key
 * satisfies no leaf, `!=` included (write `not(=)` for "absent or different"). Fields with
 * several values (eventName, link ids) likewise: any. Every other field always exists.
 *
 * Comparison of a stored value with the constant:
 * - constant string, `untyped` not set: only STRING values; order is by bytes.
 * - constant number or bigint: INT and DOUBLE values, numerically exact (1 = 1.0; NaN compares
 *   false with everything, `!=` included).
 * - constant boolean: BOOL values, only `=` and `!=`.
 * - constant string with `untyped`: Jaeger's tag search, only `=`: the stored value's text
 *   (`valueText` in core/read.ts) equals it, or both are numbers and numerically equal. The
 *   constant is a number when it is written as decimal digits with an optional sign (exact) or
 *   as a decimal fraction or power of ten (a double).
 * - `in`: any of the constants by `=`. `regex`: STRING values (and fields of text), unanchored,
 *   RE2 syntax, linear time, over the text with U+FFFD for malformed UTF-8. `exists`: the key is
 *   there, whatever its value.
 * - an empty `and` always holds, an empty `or` or `in` never.
 */
export type Filter =
  | { readonly op: "and"; readonly all: readonly Filter[] }
  | { readonly op: "or"; readonly any: readonly Filter[] }
  | { readonly op: "not"; readonly filter: Filter }
  | {
      readonly op: CompareOp;
      readonly target: Target;
      readonly value: FilterValue;
      readonly untyped?: boolean;
    }
  | { readonly op: "in"; readonly target: Target; readonly values: readonly FilterValue[] }
  | { readonly op: "regex"; readonly target: Target; readonly pattern: string }
  | { readonly op: "exists"; readonly target: Target };

/** Conjunction; one filter stays itself, none is "everything". */
export function and(...all: readonly Filter[]): Filter {
  return all.length === 1 ? all[0]! : { op: "and", all };
}

/** A field equals a value. */
export function fieldIs(field: SpanField, value: FilterValue): Filter {
  return { op: "=", target: { field }, value };
}

/** Jaeger's `tag=key:value`: any level, any type whose text or number equals. */
export function tagIs(key: string, value: string): Filter {
  return { op: "=", target: { attribute: key }, value, untyped: true };
}
