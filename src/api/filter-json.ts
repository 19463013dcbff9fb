/** Filter trees as JSON, the form of `POST /api/spoor/v1/find` (docs/formats/spoor-api.md). */

import { SpoorError } from "../core/errors.ts";
import type { CompareOp, Filter, FilterValue, SpanField, Target } from "../core/filter.ts";
import type { AttributeLevel } from "../core/filter.ts";
import { checkFilter } from "../core/trace/filter-check.ts";
import { LIMITS } from "../core/limits.ts";

const COMPARISONS: readonly string[] = ["=", "!=", "<", "<=", ">", ">="];
type JsonObject = Readonly<Record<string, unknown>>;

/** The filter a JSON value describes; throws `bad-query` that names the place of a mistake. */
export function parseFilter(json: unknown): Filter {
  const filter = parseNode(json, "filter", 1);
  checkFilter(filter);
  return filter;
}

function parseNode(json: unknown, at: string, depth: number): Filter {
  if (depth > LIMITS.filterDepth) throw bad(at, `nested deeper than ${LIMITS.filterDepth}`);
  const node = object(json, at);
  const op = node["op"];
  if (op === "and") return { op, all: parseList(node, "all", at, depth) };
  if (op === "or") return { op, any: parseList(node, "any", at, depth) };
  if (op === "not") {
    only(node, at, ["op", "filter"]);
    return { op, filter: parseNode(node["filter"], `${at}.filter`, depth + 1) };
  }
  const target = parseTarget(node["target"], `${at}.target`);
  if (op === "exists") {
    only(node, at, ["op", "target"]);
    return { op, target };
  }
  if (op === "regex") {
    only(node, at, ["op", "target", "pattern"]);
    const pattern = node["pattern"];
    if (typeof pattern !== "string") throw bad(`${at}.pattern`, "must be a text");
    return { op, target, pattern };
  }
  if (op === "in") {
    only(node, at, ["op", "target", "values"]);
    const values = array(node["values"], `${at}.values`);
    return {
      op,
      target,
      values: values.map((value, i) => parseValue(value, `${at}.values[${i}]`)),
    };
  }
  if (!isComparison(op)) throw bad(`${at}.op`, "is no operator");
  only(node, at, ["op", "target", "value", "untyped"]);
  const untyped = node["untyped"];
  if (untyped !== undefined && typeof untyped !== "boolean") {
    throw bad(`${at}.untyped`, "must be true or false");
  }
  const value = parseValue(node["value"], `${at}.value`);
  return { op, target, value, ...(untyped === undefined ? {} : { untyped }) };
}

function parseList(node: JsonObject, name: string, at: string, depth: number): Filter[] {
  only(node, at, ["op", name]);
  const list = array(node[name], `${at}.${name}`);
  return list.map((part, i) => parseNode(part, `${at}.${name}[${i}]`, depth + 1));
}

/** Unknown fields and levels are left to `checkFilter`, which knows them all. */
function parseTarget(json: unknown, at: string): Target {
  const target = object(json, at);
  const { field, attribute, levels } = target;
  if (typeof field === "string") {
    only(target, at, ["field"]);
    return { field: field as SpanField };
  }
  if (typeof attribute !== "string") throw bad(at, "needs a field or an attribute");
  only(target, at, ["attribute", "levels"]);
  if (levels === undefined) return { attribute };
  return { attribute, levels: array(levels, `${at}.levels`).map(String) as AttributeLevel[] };
}

/** A text, number, boolean, or `{"int64": "…"}` for integers that JSON's readers would round. */
function parseValue(json: unknown, at: string): FilterValue {
  if (typeof json === "string" || typeof json === "boolean") return json;
  if (typeof json === "number" && Number.isFinite(json)) return json;
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    const text = object(json, at)["int64"];
    if (typeof text === "string" && /^-?[0-9]{1,20}$/.test(text)) return BigInt(text);
  }
  throw bad(at, 'must be a text, a number, a boolean or {"int64": "digits"}');
}

function isComparison(op: unknown): op is CompareOp {
  return typeof op === "string" && COMPARISONS.includes(op);
}

function object(json: unknown, at: string): JsonObject {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw bad(at, "must be an object");
  }
  return json as JsonObject;
}

function array(json: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(json)) throw bad(at, "must be a list");
  return json;
}

/** Refuses members that mean nothing here: a misspelt one would change the answer silently. */
function only(node: JsonObject, at: string, names: readonly string[]): void {
  for (const name of Object.keys(node)) {
    if (!names.includes(name)) throw bad(`${at}.${name}`, "is not known here");
  }
}

function bad(at: string, problem: string): SpoorError {
  return new SpoorError("bad-query", `${at} ${problem}`);
}
