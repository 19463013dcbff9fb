// Ids read and written the fast way are what the plain way makes of them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SpanContext } from "../span-context.ts";
import { contextText, usualContext } from "./context-text.ts";

/** Ids of every length, with and without zeros before them, and texts that are nearly ids. */
function texts(): string[] {
  const traces = [
    "0123456789abcdef",
    "f".repeat(16),
    "9".repeat(32),
    "0".repeat(16) + "1".repeat(16),
  ];
  traces.push("a1", "abc", "1".repeat(31), "0".repeat(16), "g".repeat(16), "@".repeat(16));
  traces.push("ABCDEFabcdef0123", `${"8".repeat(15)}\u0131`, ":".repeat(16), "`".repeat(16));
  const spans = ["8000000000000001", "0000000000000001", "1", "fedcba9876543210", "0"];
  const parents = ["0", "8000000000000001", "0000000000000001", "7", "x", "G000000000000000"];
  const all: string[] = [];
  for (const trace of traces) {
    for (const span of spans) {
      for (const parent of parents) {
        for (const flags of ["0", "1", "3", "9", "b", "f0", ":", ""]) {
          all.push(`${trace}:${span}:${parent}:${flags}`);
        }
      }
    }
  }
  return all;
}

function plainly(text: string): string | null {
  const parts = /^([\da-f]{1,32}):([\da-f]{1,16}):([\da-f]{1,16}):([\da-f]{1,16})$/i.exec(text);
  if (parts === null) return null;
  const [, trace, span, parent, flags] = parts;
  const context = SpanContext.withStringIds(trace!, span!, parent!, Number.parseInt(flags!, 16));
  return context.isValid ? context.toString() : null;
}

describe("the ids in uber-trace-id", () => {
  it("are read as hex digits are, and nothing else is", () => {
    for (const text of texts()) {
      const expected = plainly(text);
      assert.equal(SpanContext.fromString(text)?.toString() ?? null, expected, text);
      const usual = usualContext(text);
      if (usual !== null) assert.equal(usual.toString(), expected, text);
    }
  });

  it("are written as toString writes them", () => {
    for (const text of texts()) {
      const context = SpanContext.fromString(text);
      if (context !== null) assert.equal(contextText(context), context.toString());
    }
  });
});
