/** Jaeger's search by tags as filters: a tag may be an attribute or a column of the span. */

import { STATUS_CODE, SPAN_KIND } from "../core/batch.ts";
import { fieldIs, tagIs } from "../core/filter.ts";
import type { Filter, SpanField } from "../core/filter.ts";

/** Span kinds by their names in Jaeger. */
export const KIND_OF_NAME: ReadonlyMap<string, number> = new Map([
  ["internal", SPAN_KIND.INTERNAL],
  ["server", SPAN_KIND.SERVER],
  ["client", SPAN_KIND.CLIENT],
  ["producer", SPAN_KIND.PRODUCER],
  ["consumer", SPAN_KIND.CONSUMER],
]);

const FIELD_OF_TAG: ReadonlyMap<string, SpanField> = new Map([
  ["otel.status_description", "statusMessage"],
  ["w3c.tracestate", "traceState"],
  ["otel.scope.name", "scopeName"],
  ["otel.library.name", "scopeName"],
  ["otel.scope.version", "scopeVersion"],
  ["otel.library.version", "scopeVersion"],
  ["event", "eventName"],
]);
const SCOPE_PREFIX = "otel.scope.";

/** The filter of `tag=key:value`, with what Jaeger shows as tags but a span has as columns. */
export function jaegerTag(key: string, value: string): Filter {
  const column = columnIs(key, value);
  return column === undefined ? tagIs(key, value) : { op: "or", any: [tagIs(key, value), column] };
}

function columnIs(key: string, value: string): Filter | undefined {
  const field = FIELD_OF_TAG.get(key);
  if (field !== undefined) return value === "" ? undefined : fieldIs(field, value);
  switch (key) {
    case "span.kind": {
      const kind = KIND_OF_NAME.get(value);
      return kind === undefined ? undefined : fieldIs("kind", kind);
    }
    case "error":
      return value === "true" ? fieldIs("status", STATUS_CODE.ERROR) : undefined;
    case "otel.status_code":
      if (value === "ERROR") return fieldIs("status", STATUS_CODE.ERROR);
      return value === "OK" ? fieldIs("status", STATUS_CODE.OK) : undefined;
    default:
      if (!key.startsWith(SCOPE_PREFIX)) return undefined;
      return scopeTag(key.slice(SCOPE_PREFIX.length), value);
  }
}

function scopeTag(attribute: string, value: string): Filter {
  return { op: "=", target: { attribute, levels: ["scope"] }, value, untyped: true };
}
