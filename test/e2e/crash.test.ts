/** Kills the product five times under load: every acknowledged span is there afterwards, once. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { newDataFolder } from "../../bench/ingest.ts";
import { builds } from "../../bench/servers.ts";
import type { Build } from "../../bench/servers.ts";
import { PATIENCE_MS } from "../support/patience.ts";
import { runSeed } from "../support/run-seed.ts";
import { checkout, crashRepeatedly } from "../soak/crash.ts";

test(
  "acknowledged spans survive SIGKILL, each exactly once",
  { timeout: 10 * PATIENCE_MS },
  async (t) => {
    const seed = runSeed();
    t.diagnostic(`SPOOR_SEED=${seed} repeats the choice of moments`);
    const folder = newDataFolder();
    const plan = await (builds["spoor"] as Build)(folder, checkout);
    const report = await crashRepeatedly(plan, {
      seed,
      cycles: 5,
      mostRequests: 40,
      connections: 6,
      say: (line) => t.diagnostic(line),
    });
    assert.deepEqual(report.faults, []);
    assert.ok(report.kills >= 5);
    assert.ok(report.acknowledgedSpans > 0);
    fs.rmSync(folder, { recursive: true, force: true });
  },
);
