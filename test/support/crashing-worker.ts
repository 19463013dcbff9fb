/** A worker for tests of worker calls: adds, fails in different ways, waits, and dies. */

import { parentPort } from "node:worker_threads";
import { SpoorError } from "../../src/core/errors.ts";
import { Handover, serveCalls } from "../../src/storage/embedded/worker-call.ts";

let calls = 0;

serveCalls(parentPort!, {
  add: ({ a, b }: { readonly a: number; readonly b: number }) => a + b,
  count: () => ++calls,
  full() {
    throw new SpoorError("disk-full", "no room", { retryAfterMs: 7 });
  },
  bug() {
    throw new TypeError("a bug");
  },
  die() {
    process.exit(3);
  },
  wait: (_args: unknown, signal: AbortSignal) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted"))),
  hand() {
    const bytes = new Uint8Array(1000).fill(7);
    return new Handover(bytes, [bytes.buffer]);
  },
});
