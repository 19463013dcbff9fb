/** Tests of where rows lie, against walking over all of them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { heightOfRows, rowAtHeight, topOfRow } from "./row-heights.ts";
import type { OpenRow } from "./row-heights.ts";

test("tops, hits and the total agree with walking over the rows", () => {
  const count = 40;
  const rowHeight = 24;
  const lists: OpenRow[][] = [
    [],
    [{ index: 0, height: 100 }],
    [
      { index: 3, height: 55 },
      { index: 4, height: 200 },
      { index: 39, height: 10 },
    ],
  ];
  for (const open of lists) {
    let top = 0;
    for (let index = 0; index < count; index++) {
      const own = rowHeight + (open.find((row) => row.index === index)?.height ?? 0);
      assert.equal(topOfRow(index, rowHeight, open), top);
      for (const y of [top, top + 1, top + own - 1]) {
        assert.equal(rowAtHeight(y, rowHeight, open, count), index, `y ${y} of row ${index}`);
      }
      top += own;
    }
    assert.equal(heightOfRows(count, rowHeight, open), top);
    assert.equal(rowAtHeight(top + 500, rowHeight, open, count), count - 1);
    assert.equal(rowAtHeight(-5, rowHeight, open, count), 0);
  }
});
