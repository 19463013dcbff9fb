/** Loaded by every test file's process: one that does not end says what it waits for, and ends. */

import { isMainThread } from "node:worker_threads";

/** The longest file takes a minute on a machine with nothing else to do. */
const LONGEST_MS = 20 * 60_000;

function giveUp(): void {
  const open = process.getActiveResourcesInfo().join(", ");
  process.stderr.write(`not ended after ${LONGEST_MS / 60_000} minutes; open: ${open}\n`);
  process.exit(1);
}

if (isMainThread) setTimeout(giveUp, LONGEST_MS).unref();
