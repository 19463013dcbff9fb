/** Tests of chains in one row, against walking the tree span by span. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesFor, treeColumns } from "../../test/support/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import { chainHead, chainLength, chainName, shownDepth, shownParent } from "./chain-rows.ts";
import { hasBit, onlyChild, setBit, visibleRows, withAncestors } from "./visible-rows.ts";
import type { RowRules } from "./visible-rows.ts";

/** Row, spans, depth and parent of what is to be seen. */
type Shown = [row: number, spans: number, depth: number, parent: number];

function naive(columns: TraceColumns, rules: RowRules): Shown[] {
  const shown: Shown[] = [];
  const keep = rules.kept === undefined ? undefined : withAncestors(columns, rules.kept);
  const childrenOf = (row: number): number[] =>
    [...columns.parent.keys()].filter((child) => columns.parent[child] === row);
  const isOut = (row: number): boolean =>
    rules.hiddenServices[columns.service[row]!] === 1 ||
    rules.skipped.has(row) ||
    (keep !== undefined && !hasBit(keep, row));
  const walk = (row: number, depth: number, parent: number, plain: number): void => {
    if (isOut(row)) return;
    const chain = [row];
    while (!hasBit(rules.collapsed, chain.at(-1)!)) {
      const children = childrenOf(chain.at(-1)!);
      if (children.length !== 1 || isOut(children[0]!)) break;
      chain.push(children[0]!);
    }
    const open = plain > 0 || (chain.length >= 3 && rules.unchained.has(row));
    const left = plain > 0 ? plain - 1 : open ? chain.length - 1 : 0;
    const length = open || chain.length < 3 ? 1 : chain.length;
    shown.push([row, length, depth, parent]);
    const last = chain[length - 1]!;
    if (hasBit(rules.collapsed, last)) return;
    for (const child of childrenOf(last)) walk(child, depth + 1, row, left);
  };
  for (const root of childrenOf(-1)) walk(root, 0, -1, 0);
  return shown;
}

function seen(columns: TraceColumns, rules: RowRules): Shown[] {
  const visible = visibleRows(columns, rules);
  return Array.from(visible.rows, (row, index) => [
    row,
    chainLength(visible, index),
    shownDepth(columns, visible, index),
    shownParent(columns, visible, row),
  ]);
}

/** Families and many chains: each span hangs from the one before it or a little above. */
function chainyColumns(seed: number): TraceColumns {
  const columns = treeColumns({ spans: 90, seed, shape: "mixed" });
  const { depth, parent, end } = columns;
  const open: number[] = [];
  for (let row = 0; row < 90; row++) {
    const back = (row * 7919 + seed * 31) % 11;
    depth[row] = row === 0 ? 0 : back < 8 ? depth[row - 1]! + 1 : Math.max(1, depth[row - 1]! - 4);
    while (open.length > depth[row]!) end[open.pop()!] = row;
    parent[row] = open.at(-1) ?? -1;
    open.push(row);
  }
  for (const row of open) end[row] = 90;
  return columns;
}

test("chains stand in one row of one level, whatever else is hidden", () => {
  let chains = 0;
  for (let seed = 1; seed < 40; seed++) {
    const columns = chainyColumns(seed);
    const collapsed = new Uint8Array(12);
    const kept = new Uint8Array(12);
    for (let row = 0; row < 90; row++) {
      setBit(collapsed, row, (row * 31 + seed) % 13 === 0);
      setBit(kept, row, (row * 17 + seed) % 9 === 0);
    }
    const hiddenServices = Uint8Array.from(columns.services, (_, i) => Number(i === seed % 7));
    const unchained = new Set([0, seed, 20, 40]);
    for (const changes of [
      {},
      { collapsed },
      { hiddenServices },
      { kept },
      { unchained },
      { skipped: new Set([7, 30]) },
      { collapsed, kept, unchained, hiddenServices },
    ]) {
      const rules = rulesFor(columns, { chained: true, ...changes });
      const found = seen(columns, rules);
      assert.deepEqual(found, naive(columns, rules), `seed ${seed}`);
      chains += found.filter(([, spans]) => spans > 1).length;
    }
  }
  assert.ok(chains > 500, `${chains}`);
});

test("without chains rows have their own depth and parent", () => {
  const columns = chainyColumns(2);
  const rules = rulesFor(columns, { chained: false });
  assert.deepEqual(
    seen(columns, rules),
    Array.from(columns.parent, (parent, row) => [row, 1, columns.depth[row], parent]),
  );
});

test("the head of a chain is found from each of its spans", () => {
  const columns = chainyColumns(3);
  const { rows, chains } = visibleRows(columns, rulesFor(columns, { chained: true }));
  for (const [index, row] of rows.entries()) {
    for (let i = 0; i < (chains?.[index] ?? 0); i++) assert.equal(chainHead(columns, row + i), row);
  }
  for (let row = 0; row < 90; row++) {
    const children = columns.parent.filter((parent) => parent === row).length;
    assert.equal(onlyChild(columns, row), children === 1 ? row + 1 : -1);
  }
});

test("a chain is called by its first two names and its last", () => {
  const columns = chainyColumns(4);
  columns.name.set([0, 1, 2, 3, 4]);
  assert.equal(chainName(columns, 0, 1), "GET /");
  assert.equal(chainName(columns, 0, 3), "GET / › SELECT › PUT /cart");
  assert.equal(chainName(columns, 0, 5), "GET / › SELECT › … › publish");
});

test("a chain of 100,000 is one row, and open all of them", () => {
  const deep = treeColumns({ spans: 100_000, seed: 1, shape: "deep" });
  const folded = visibleRows(deep, rulesFor(deep, { chained: true }));
  assert.deepEqual([...folded.rows], [0]);
  assert.equal(chainLength(folded, 0), 100_000);
  const open = visibleRows(deep, rulesFor(deep, { chained: true, unchained: new Set([0]) }));
  assert.equal(open.rows.length, 100_000);
  assert.equal(chainHead(deep, 99_999), 0);
});
