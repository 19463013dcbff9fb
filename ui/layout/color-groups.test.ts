/** Tests of what spans are coloured by: every row in a group, counted, called what it is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { treeColumns } from "../../test/support/trace-columns.ts";
import { colorByOf, colorGroups, colorKeyOf, groupOfLabel } from "./color-groups.ts";
import type { ColorGroups } from "./color-groups.ts";
import { huesOf } from "./service-hues.ts";

const columns = treeColumns({ spans: 500, seed: 3, shape: "mixed" });
for (let row = 0; row < 500; row++) {
  columns.kind[row] = row % 7;
  if (row % 3 === 0) columns.flags[row] = columns.flags[row]! | 64;
}
const hues = huesOf(columns.services);

function labelOf({ entries, groups }: ColorGroups, row: number): string | undefined {
  return entries.find(({ group }) => group === groups[row])?.label;
}

test("every row is in a group of the legend, which counts it", () => {
  for (const by of ["service", "kind", "status", "self"] as const) {
    const scheme = colorGroups(columns, by, undefined, hues)!;
    const counts = new Map<number, number>();
    for (const group of scheme.groups) counts.set(group, (counts.get(group) ?? 0) + 1);
    assert.deepEqual(
      new Map(scheme.entries.map(({ group, spanCount }) => [group, spanCount])),
      new Map([...counts].toSorted(([a], [b]) => a - b)),
      by,
    );
  }
});

test("groups say what their spans are", () => {
  const services = colorGroups(columns, "service", undefined, hues)!;
  assert.equal(labelOf(services, 17), columns.services[columns.service[17]!]);
  const kinds = colorGroups(columns, "kind", undefined, hues)!;
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((row) => labelOf(kinds, row)),
    ["unspecified", "internal", "server", "client", "producer", "consumer", "unspecified"],
  );
  const statuses = colorGroups(columns, "status", undefined, hues)!;
  for (let row = 0; row < 500; row++) {
    const failed = (columns.flags[row]! & 1) !== 0;
    assert.equal(labelOf(statuses, row), failed ? "error" : row % 3 === 0 ? "OK" : "unset");
  }
});

test("values of an attribute: by rank, then others and those without", () => {
  assert.equal(colorGroups(columns, "a.region", undefined, hues), undefined);
  const groups = new Uint8Array(500).fill(255);
  groups.set([0, 0, 1, 254]);
  const values = [
    { text: "eu", spanCount: 2 },
    { text: "(absent)", spanCount: 1 },
  ];
  const told = { values, others: 1, absent: 496, groups };
  const scheme = colorGroups(columns, "a.region", told, hues)!;
  assert.deepEqual(
    scheme.entries.map(({ label, spanCount }) => `${label} ${spanCount}`),
    ["eu 2", "(absent) 1", "(other) 1", "(absent) 496"],
  );
  assert.equal(groupOfLabel(scheme, "(absent)"), 255);
  assert.equal(groupOfLabel(scheme, "eu"), 0);
  assert.equal(groupOfLabel(scheme, "us"), -1);
  assert.equal(new Set(scheme.entries.map(({ token }) => token)).size, 4);
});

test("what an address says is taken when it is known", () => {
  for (const by of ["service", "kind", "status", "self", "a.db.system"]) {
    assert.equal(colorByOf(by), by);
  }
  for (const text of ["", "a.", "depth", `a.${"x".repeat(300)}`]) {
    assert.equal(colorByOf(text), "service");
  }
  assert.equal(colorKeyOf("a.a.b"), "a.b");
  assert.equal(colorKeyOf("kind"), "");
});
