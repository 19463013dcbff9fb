/** Refuses filters that mean nothing or cost too much, before any store sees them. */

import { utf8Bytes } from "../../base/bytes.ts";
import { SpoorError } from "../errors.ts";
import { ALL_LEVELS } from "../filter.ts";
import type { Filter, FilterValue, SpanField, Target } from "../filter.ts";
import { LIMITS } from "../limits.ts";

/** What a field holds: one text or number of the span, or texts of its events or links. */
export type FieldShape = "text" | "number" | "texts";

/** Every field a condition can name. */
export const FIELD_SHAPES: Readonly<Record<SpanField, FieldShape>> = {
  service: "text",
  name: "text",
  kind: "number",
  status: "number",
  statusMessage: "text",
  duration: "number",
  start: "number",
  traceId: "text",
  spanId: "text",
  parentSpanId: "text",
  traceState: "text",
  scopeName: "text",
  scopeVersion: "text",
  eventName: "texts",
  linkTraceId: "texts",
  linkSpanId: "texts",
  isRoot: "number",
};

/**
 * Throws `bad-query` for a filter beyond a limit, an unknown field, level or operator, or a
 * constant its operator cannot take. Patterns are checked where they are compiled.
 */
export function checkFilter(filter: Filter): void {
  const used = { leaves: 0, values: 0 };
  checkNode(filter, 1, used);
}

function checkNode(filter: Filter, depth: number, used: { leaves: number; values: number }): void {
  if (depth > LIMITS.filterDepth) throw bad(`filter nested deeper than ${LIMITS.filterDepth}`);
  switch (filter.op) {
    case "and":
    case "or":
      for (const part of filter.op === "and" ? filter.all : filter.any) {
        checkNode(part, depth + 1, used);
      }
      // Empty nodes are leaves to the limit, else they would be free.
      if ((filter.op === "and" ? filter.all : filter.any).length > 0) return;
      break;
    case "not":
      return checkNode(filter.filter, depth + 1, used);
    case "in":
      used.values += filter.values.length;
      if (used.values > LIMITS.filterValues) {
        throw bad(`filter has more than ${LIMITS.filterValues} values`);
      }
      checkTarget(filter.target);
      break;
    case "regex":
      if (utf8Bytes(filter.pattern).length > LIMITS.regexBytes) {
        throw bad(`regular expression longer than ${LIMITS.regexBytes} bytes`);
      }
      checkTarget(filter.target);
      break;
    case "exists":
      checkTarget(filter.target);
      break;
    default:
      checkComparison(filter);
  }
  if (++used.leaves > LIMITS.filterLeaves) {
    throw bad(`filter has more than ${LIMITS.filterLeaves} conditions`);
  }
}

const COMPARISONS: readonly string[] = ["=", "!=", "<", "<=", ">", ">="];

function checkComparison(filter: Extract<Filter, { readonly value: FilterValue }>): void {
  if (!COMPARISONS.includes(filter.op)) throw bad(`unknown operator ${filter.op}`);
  checkTarget(filter.target);
  if (typeof filter.value === "boolean" && filter.op !== "=" && filter.op !== "!=") {
    throw bad(`a boolean cannot be compared with ${filter.op}`);
  }
  if (filter.untyped === true && (filter.op !== "=" || typeof filter.value !== "string")) {
    throw bad("an untyped condition is = with a text");
  }
}

function checkTarget(target: Target): void {
  if ("field" in target) {
    if (!Object.hasOwn(FIELD_SHAPES, target.field)) throw bad(`unknown field ${target.field}`);
    return;
  }
  for (const level of target.levels ?? []) {
    if (!ALL_LEVELS.includes(level)) throw bad(`unknown attribute level ${level}`);
  }
}

function bad(message: string): SpoorError {
  return new SpoorError("bad-query", message);
}
