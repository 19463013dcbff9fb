/** Tests of the minimap's cells, against filling every cell of every span. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { treeColumns } from "../../test/support/trace-columns.ts";
import { minimapCells } from "./minimap-cells.ts";

test("a cell is filled when a span lies there, and red where one with an error begins", () => {
  for (let seed = 1; seed < 20; seed++) {
    const columns = treeColumns({ spans: 150, seed, shape: "mixed" });
    const width = 97;
    const lines = 30;
    const cells = minimapCells(columns, width, lines);
    assert.equal(cells.height, lines);
    const filled = new Uint8Array(width * lines);
    const failed = new Uint8Array(width * lines);
    for (let row = 0; row < 150; row++) {
      const y = Math.min(lines - 1, Math.floor((row * lines) / 150));
      const start = columns.startOffsetNs[row]!;
      const stop = start + columns.spanDurationNs[row]!;
      const from = Math.min(width - 1, Math.floor((start * width) / columns.durationNs));
      const to = Math.max(from + 1, Math.ceil((stop * width) / columns.durationNs));
      for (let x = from; x < Math.min(width, to); x++) {
        filled[y * width + x] = 1;
        if ((columns.flags[row]! & 1) !== 0 && x < from + 4) failed[y * width + x] = 1;
      }
    }
    assert.deepEqual(
      cells.service.map((service) => Number(service > 0)),
      Uint16Array.from(filled),
    );
    assert.deepEqual(cells.error, failed);
  }
});
