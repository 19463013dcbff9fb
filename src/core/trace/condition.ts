/** What one leaf of a filter says about one stored value: the meaning of core/filter.ts. */

import { compareBytes, equalBytes, utf8, utf8Bytes } from "../../base/bytes.ts";
import type { Regex } from "../../base/regex.ts";
import { ATTRIBUTE_TYPE } from "../batch.ts";
import { SpoorError } from "../errors.ts";
import type { CompareOp, Filter, FilterValue, Target } from "../filter.ts";
import { LIMITS } from "../limits.ts";
import { valueText } from "../read.ts";

/** A leaf of a filter tree. */
export type Leaf = Extract<Filter, { readonly target: Target }>;

/** Compiles a pattern or throws; `compileRegex` of base/regex.ts, handed in. */
export type CompileRegex = (pattern: string) => Regex;

/** Says of one value, by its type, whether the leaf's operator and constant accept it. */
export interface Condition {
  /** A STRING value or a field of text, as bytes. */
  text(bytes: Uint8Array): boolean;
  /** An INT (bigint), a DOUBLE or a field's number. */
  number(value: bigint | number): boolean;
  bool(value: boolean): boolean;
  /** A value of type BYTES, ARRAY, MAP or EMPTY (no bytes). */
  other(type: number, bytes: Uint8Array): boolean;
}

/** The condition of a checked leaf; throws `bad-query` for a pattern that is none. */
export function compileCondition(leaf: Leaf, compileRegex: CompileRegex): Condition {
  switch (leaf.op) {
    case "exists":
      return { text: yes, number: yes, bool: yes, other: yes };
    case "regex": {
      const regex = compilePattern(leaf.pattern, compileRegex);
      return { ...NEVER, text: (bytes) => regex.test(utf8(bytes)) };
    }
    case "in":
      return anyOf(leaf.values.map((value) => comparison("=", value)));
    default:
      return leaf.untyped === true && typeof leaf.value === "string"
        ? untyped(leaf.value)
        : comparison(leaf.op, leaf.value);
  }
}

/** Compiles a stranger's pattern: `bad-query` when it is too long or no pattern. */
export function compilePattern(pattern: string, compileRegex: CompileRegex): Regex {
  if (utf8Bytes(pattern).length > LIMITS.regexBytes) {
    throw new SpoorError("bad-query", `regular expression longer than ${LIMITS.regexBytes} bytes`);
  }
  try {
    return compileRegex(pattern);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SpoorError("bad-query", `not a regular expression (RE2): ${reason}`, { cause });
  }
}

const yes = (): boolean => true;
const no = (): boolean => false;
const NEVER: Condition = { text: no, number: no, bool: no, other: no };

function anyOf(parts: readonly Condition[]): Condition {
  return {
    text: (bytes) => parts.some((part) => part.text(bytes)),
    number: (value) => parts.some((part) => part.number(value)),
    bool: (value) => parts.some((part) => part.bool(value)),
    other: no,
  };
}

function comparison(op: CompareOp, constant: FilterValue): Condition {
  if (typeof constant === "string") {
    const wanted = utf8Bytes(constant);
    if (op === "=") return { ...NEVER, text: (bytes) => isSame(bytes, wanted) };
    return { ...NEVER, text: (bytes) => accepts(op, compareBytes(bytes, wanted)) };
  }
  if (typeof constant === "boolean") {
    return { ...NEVER, bool: (value) => (value === constant) === (op === "=") };
  }
  return { ...NEVER, number: numberTest(op, constant) };
}

/** NaN satisfies none: JavaScript compares it, and bigints with doubles, as we want it. */
function numberTest(op: CompareOp, constant: bigint | number): Condition["number"] {
  switch (op) {
    case "=":
      return (value) => value >= constant && value <= constant;
    case "!=":
      return (value) => value < constant || value > constant;
    case "<":
      return (value) => value < constant;
    case "<=":
      return (value) => value <= constant;
    case ">":
      return (value) => value > constant;
    case ">=":
      return (value) => value >= constant;
  }
}

function isSame(bytes: Uint8Array, wanted: Uint8Array): boolean {
  return bytes.length === wanted.length && equalBytes(bytes, 0, wanted, 0, wanted.length);
}

function accepts(op: CompareOp, order: number): boolean {
  switch (op) {
    case "=":
      return order === 0;
    case "!=":
      return order < 0 || order > 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

/**
 * -1, 0 or 1, or NaN when either is NaN (which no operator accepts). JavaScript compares a
 * bigint with a number by their mathematical values, so nothing is rounded.
 */
export function compareNumbers(a: bigint | number, b: bigint | number): number {
  return a < b ? -1 : a > b ? 1 : a >= b ? 0 : NaN;
}

function untyped(constant: string): Condition {
  const number = numberOfText(constant);
  return {
    text: textIs(constant),
    number: (value) =>
      (number !== undefined && compareNumbers(value, number) === 0) ||
      valueText(0, value) === constant,
    bool: (value) => String(value) === constant,
    other: (type, bytes) =>
      valueText(type, type === ATTRIBUTE_TYPE.EMPTY ? undefined : bytes) === constant,
  };
}

/** Whether bytes decode to the text. */
function textIs(constant: string): Condition["text"] {
  // Bytes that are not UTF-8 decode to texts with U+FFFD; all other texts have bytes of their own.
  if (!constant.isWellFormed() || constant.includes("\ufffd")) {
    return (bytes) => utf8(bytes) === constant;
  }
  const wanted = utf8Bytes(constant);
  return (bytes) => isSame(bytes, wanted);
}

/** The number a text writes (see core/filter.ts), or undefined. */
export function numberOfText(text: string): bigint | number | undefined {
  // No double has more digits before its point than this; longer ones equal nothing stored.
  if (text.length > 400) return undefined;
  if (/^[+-]?\d+$/.test(text)) return BigInt(text.startsWith("+") ? text.slice(1) : text);
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}
