/** The first signal stops, a second one much later quits, npm's echo of the first does neither. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { onStopSignals } from "./signals.ts";

/** Handlers that count, with a clock the test sets. */
function counted(): {
  readonly said: string[];
  at: number;
  readonly off: () => void;
} {
  const said: string[] = [];
  const state = { said, at: 0, off: (): void => undefined };
  const handlers = { stop: () => void said.push("stop"), quit: () => void said.push("quit") };
  return Object.assign(state, { off: onStopSignals(handlers, () => state.at) });
}

test("a second signal quits, unless it is an echo of the first", (t) => {
  const signals = counted();
  t.after(signals.off);
  process.emit("SIGINT");
  assert.deepEqual(signals.said, ["stop"]);
  signals.at = 100;
  process.emit("SIGINT");
  assert.deepEqual(signals.said, ["stop"]);
  signals.at = 1000;
  process.emit("SIGTERM");
  assert.deepEqual(signals.said, ["stop", "quit"]);
});

test("after it is switched off, signals are the process's own again", () => {
  const before = process.listenerCount("SIGINT");
  const signals = counted();
  assert.equal(process.listenerCount("SIGINT"), before + 1);
  signals.off();
  assert.equal(process.listenerCount("SIGINT"), before);
});
