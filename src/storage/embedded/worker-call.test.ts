/** Calls into worker threads: answers, errors with their codes, aborts, crashes, closing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { standingClock } from "../../../test/support/small-stores.ts";
import { SpoorError, isSpoorError } from "../../core/errors.ts";
import { WorkerThread } from "./worker-call.ts";

const URL_OF_WORKER = new URL("../../../test/support/crashing-worker.ts", import.meta.url);

function started(t: TestContext, crashes: string[] = []): WorkerThread {
  const thread = new WorkerThread({
    name: "test",
    url: URL_OF_WORKER,
    clock: standingClock(),
    onCrash: (message) => crashes.push(message),
    onStart: () => undefined,
  });
  thread.start();
  t.after(() => thread.close());
  return thread;
}

test("calls are answered, each with its own", async (t) => {
  const thread = started(t);
  const calls = Array.from({ length: 20 }, (_, a) => thread.call("add", { a, b: 1 }));
  assert.deepEqual(
    await Promise.all(calls),
    Array.from({ length: 20 }, (_, a) => a + 1),
  );
  const bytes = (await thread.call("hand", {})) as Uint8Array;
  assert.equal(bytes.length, 1000);
  assert.equal(bytes[999], 7);
});

test("errors arrive with their code, others with their text", async (t) => {
  const thread = started(t);
  await assert.rejects(thread.call("full", {}), (error) => {
    assert.ok(isSpoorError(error, "disk-full"));
    assert.equal(error.retryAfterMs, 7);
    return error.message === "no room";
  });
  await assert.rejects(thread.call("bug", {}), /a bug/);
  await assert.rejects(thread.call("nothing", {}), /no method nothing/);
});

test("a crash rejects what is open, and the thread is there again", async (t) => {
  const crashes: string[] = [];
  const thread = started(t, crashes);
  assert.equal(await thread.call("count", {}), 1);
  const open = thread.call("wait", {});
  const dying = thread.call("die", {});
  await assert.rejects(open, (error) => isSpoorError(error, "io"));
  await assert.rejects(dying, /the test worker stopped: exit code 3/);
  assert.equal(await thread.call("count", {}), 1, "a new thread");
  assert.deepEqual(crashes, ["the test worker stopped: exit code 3"]);
});

test("an abort rejects at once with its reason, and reaches the worker", async (t) => {
  const thread = started(t);
  const controller = new AbortController();
  const waiting = thread.call("wait", {}, [], controller.signal);
  controller.abort(new SpoorError("deadline", "too long"));
  await assert.rejects(waiting, (error) => isSpoorError(error, "deadline"));
  assert.equal(await thread.call("add", { a: 1, b: 2 }), 3);
});

test("closing rejects what is open and what comes later", async (t) => {
  const thread = started(t);
  const waiting = thread.call("wait", {});
  const rejected = assert.rejects(waiting, (error) => isSpoorError(error, "closed"));
  await thread.close();
  await rejected;
  await assert.rejects(thread.call("add", {}), (error) => isSpoorError(error, "closed"));
});
