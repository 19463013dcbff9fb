/** Contrast of the colour tokens, light and dark: text 4.5:1, marks and lines of controls 3:1. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
const tokens = new Map<string, readonly [light: string, dark: string]>();
for (const [, name = "", light = "", dark = ""] of css.matchAll(
  /--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g,
)) {
  tokens.set(name, [light, dark]);
}

/** WCAG's relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function check(front: string, back: string, least: number): void {
  for (const theme of [0, 1] as const) {
    const a = tokens.get(front)?.[theme];
    const b = tokens.get(back)?.[theme];
    assert.ok(a !== undefined && b !== undefined, `${front} on ${back}`);
    const found = contrast(a, b);
    const where = `${front} on ${back}, ${theme === 0 ? "light" : "dark"}`;
    assert.ok(found >= least, `${where}: ${found.toFixed(2)} of ${least}`);
  }
}

test("text is readable on every ground it stands on", () => {
  for (const ground of ["bg", "surface", "raised", "hover", "selected", "accent-soft"]) {
    for (const text of ["ink", "soft", "accent"]) check(text, ground, 4.5);
  }
  for (const ground of ["bg", "surface", "raised"]) {
    for (const text of ["bad", "warn", "good"]) check(text, ground, 4.5);
  }
  check("on-accent", "accent", 4.5);
  check("bad", "bad-soft", 4.5);
  check("warn", "warn-soft", 4.5);
  check("good", "good-soft", 4.5);
  check("ink", "found", 4.5);
});

test("a longer self time stands out more", () => {
  for (const theme of [0, 1] as const) {
    const found = Array.from({ length: 5 }, (_, i) =>
      contrast(tokens.get(`scale-${i}`)![theme], tokens.get("surface")![theme]),
    );
    for (let i = 1; i < 5; i++) assert.ok(found[i]! > found[i - 1]! * 1.25, `${found.join()}`);
  }
});

test("controls and marks are seen", () => {
  for (const ground of ["bg", "surface"]) {
    for (const mark of ["control", "bad-mark", "bar", "critical", "brand"]) check(mark, ground, 3);
    for (let i = 0; i < 24; i++) check(`service-${i}`, ground, 3);
    for (let i = 0; i < 5; i++) check(`scale-${i}`, ground, 3);
  }
});
