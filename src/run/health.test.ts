/** What health tells before, while and after a role serves. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../base/clock.ts";
import { Health } from "./health.ts";

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

function clockAt(state: { nowMs: number }): Clock {
  return { nowMs: () => state.nowMs, monotonicMs: () => state.nowMs, after: () => () => undefined };
}

test("not available before it is ready, available since then, not available when it stops", () => {
  const state = { nowMs: START_MS };
  const health = new Health(clockAt(state));
  const off = { status: "Server not available", upSince: "0001-01-01T00:00:00Z", uptime: "" };
  assert.deepEqual(health.report(), { ready: false, body: off });
  health.ready();
  state.nowMs += 95_594_500;
  assert.deepEqual(health.report(), {
    ready: true,
    body: {
      status: "Server available",
      upSince: "2026-01-02T03:04:05.006Z",
      uptime: "26h33m14.5s",
    },
  });
  health.unavailable();
  assert.deepEqual(health.report(), { ready: false, body: off });
});

test("what parts have to say is told at each report", () => {
  const health = new Health(clockAt({ nowMs: START_MS }));
  let said: string[] = [];
  health.addNotes(() => said);
  assert.equal("notes" in health.report().body, false);
  said = ["a segment was set aside"];
  assert.deepEqual(health.report().body.notes, ["a segment was set aside"]);
});
