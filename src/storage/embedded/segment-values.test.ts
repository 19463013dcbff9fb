/** The filter's bits lie where the format says, for any number of groups. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../base/clock.ts";
import {
  FILTER_HASHES,
  FILTER_POSITIONS,
  filterBlock,
  filterPosition,
  filterStep,
} from "./segment-format.ts";
import { FilterBuilder } from "./segment-values.ts";

for (const groups of [1, 7, 8, 9, 17, 64]) {
  test(`bits of ${groups} groups are those of their values, and no others`, () => {
    const random = seededRandom(groups);
    const filter = new FilterBuilder(groups * 30, groups);
    const stride = (groups + 7) >> 3;
    const expected = new Uint8Array(filter.blocks * FILTER_POSITIONS * stride);
    for (let group = 0; group < groups; group++) {
      // Some groups have no value at all.
      if (group % 5 === 3) continue;
      for (let n = 0; n < 30; n++) {
        const hash = Math.floor(random() * 2 ** 32) | 0;
        filter.add(hash, group);
        const block = filterBlock(hash, filter.blocks) * FILTER_POSITIONS;
        let position = filterPosition(hash);
        const step = filterStep(position);
        for (let i = 0; i < FILTER_HASHES; i++, position += step) {
          const at = (block + (position & (FILTER_POSITIONS - 1))) * stride + (group >> 3);
          expected[at] = expected[at]! | (1 << (group & 7));
        }
      }
    }
    filter.sealed();
    assert.deepEqual(filter.bytes, expected);
  });
}
