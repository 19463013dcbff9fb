/** Tests of the minimap's cells, against filling every cell of every span. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { treeColumns } from "../../test/support/trace-columns.ts";
import { minimapCells } from "./minimap-cells.ts";

test("a cell is filled when a span lies there, red where a quarter of what begins fails", () => {
  for (let seed = 1; seed < 20; seed++) {
    const columns = treeColumns({ spans: 150, seed, shape: "mixed" });
    const width = 97;
    const lines = 30;
    const cells = minimapCells(columns, width, lines);
    assert.equal(cells.height, lines);
    const filled = new Uint8Array(width * lines);
    const recent = new Uint8Array(width * lines);
    const failed = new Uint8Array(width * lines);
    for (let row = 0; row < 150; row++) {
      const y = Math.min(lines - 1, Math.floor((row * lines) / 150));
      const start = columns.startOffsetNs[row]!;
      const stop = start + columns.spanDurationNs[row]!;
      const from = Math.min(width - 1, Math.floor((start * width) / columns.durationNs));
      const to = Math.max(from + 1, Math.ceil((stop * width) / columns.durationNs));
      for (let x = from; x < Math.min(width, to); x++) {
        filled[y * width + x] = 1;
        const at = y * width + x;
        if (x < from + 4) recent[at] = recent[at]! + 1;
        if (x < from + 4 && (columns.flags[row]! & 1) !== 0) failed[at] = failed[at]! + 1;
      }
    }
    assert.deepEqual(
      cells.group.map((group) => Number(group > 0)),
      Uint16Array.from(filled),
    );
    const red = failed.map((bad, at) => Number(bad > 0 && bad * 4 >= recent[at]!));
    assert.deepEqual(cells.error, red);
  }
});
