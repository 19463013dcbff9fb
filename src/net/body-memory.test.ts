/** Memory of bodies: the budget, buffers used again, and overload told to senders. */

import assert from "node:assert/strict";
import * as http from "node:http";
import { test } from "node:test";
import { CounterTable } from "../base/counters.ts";
import { isSpoorError } from "../core/errors.ts";
import { BodyMemory } from "./body-memory.ts";
import { startHttpServer } from "./http-server.ts";

test("holds up to the budget, one alone beyond it", () => {
  const memory = new BodyMemory(100);
  memory.hold(60);
  memory.hold(40);
  assert.throws(
    () => memory.hold(1),
    (error) => isSpoorError(error, "overloaded"),
  );
  memory.release(100);
  memory.hold(5000);
  assert.equal(memory.heldBytes, 5000);
});

test("lends buffers that were given back, never one that is out", () => {
  const memory = new BodyMemory();
  const first = memory.lend(20_000);
  const second = memory.lend(20_000);
  assert.notEqual(first.buffer, second.buffer);
  assert.ok(first.length >= 20_000);
  memory.giveBack(first);
  assert.equal(memory.lend(17_000), first);
  assert.notEqual(memory.lend(17_000), first);
  const huge = memory.lend(5_000_000);
  assert.equal(huge.length, 5_000_000);
  memory.giveBack(huge);
  assert.notEqual(memory.lend(5_000_000), huge);
});

test("bodies that are cut off leave nothing held, and the next one is whole", async (t) => {
  const handle = (request: { readonly body: Uint8Array }) => ({
    status: 200,
    body: Buffer.from(request.body),
  });
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    flag: "test",
    name: "test",
    routes: [{ method: "POST", path: "/", handle }],
    counters: new CounterTable(),
    bodyBytes: 200 * 1024 * 1024,
  });
  t.after(() => server.close(0));
  const cut = (): Promise<void> =>
    new Promise((resolve) => {
      const headers = { "content-length": 150 * 1024 * 1024 };
      const options = { port: server.port, method: "POST", headers };
      const request = http.request(options);
      request.on("error", () => resolve());
      request.write(Buffer.alloc(70_000), () => setImmediate(() => request.destroy()));
      request.on("close", () => resolve());
    });
  for (let round = 0; round < 5; round++) await cut();
  const url = `http://127.0.0.1:${server.port}/`;
  for (let round = 0; round < 5; round++) {
    const body = Buffer.alloc(100_000 + round, round);
    const answer = await fetch(url, { method: "POST", body });
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(body));
  }
});
