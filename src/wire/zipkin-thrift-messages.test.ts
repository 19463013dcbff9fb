/** Messages collected into one batch: as each alone, and nothing of those that are no good. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dumpBatch } from "../../test/support/batch-equal.ts";
import { isSpoorError } from "../core/errors.ts";
import { CompactThriftWriter } from "./thrift-compact-writer.ts";
import { ThriftType } from "./thrift-writer.ts";
import { ZipkinThriftMessages } from "./zipkin-thrift-messages.ts";

/** A message of spans of one service each; a name of "" is a span without ids. */
function packetOf(...spans: readonly (readonly [service: string, name: string])[]): Uint8Array {
  const writer = new CompactThriftWriter(new Uint8Array(4096), 4096);
  writer.messageBegin("emitZipkinBatch", 4, 0);
  writer.structBegin();
  writer.fieldList(1, ThriftType.struct, spans.length);
  for (const [service, name] of spans) {
    const id = name === "" ? 0 : name.length;
    writer.structBegin();
    writer.fieldI64(1, 0, id);
    writer.fieldString(3, name);
    writer.fieldI64(4, 0, id);
    writer.fieldList(6, ThriftType.struct, 1);
    writer.structBegin();
    writer.fieldI64(1, 1000, 5);
    writer.fieldString(2, "sr");
    writer.fieldStruct(3);
    writer.structBegin();
    writer.fieldI32(1, 0x0a000001);
    writer.fieldString(3, service);
    writer.structEnd();
    writer.structEnd();
    writer.structEnd();
  }
  writer.structEnd();
  return writer.bytes.slice(0, writer.position);
}

function alone(packet: Uint8Array): object[] {
  const messages = new ZipkinThriftMessages("compact");
  messages.add(packet);
  return dumpBatch(messages.finish());
}

const PACKETS = [
  packetOf(["shop", "a"]),
  packetOf(["shop", "b"], ["cart", "cc"]),
  packetOf(["cart", "dddd"]),
];

test("messages are collected as alone, with one resource for each process", () => {
  const messages = new ZipkinThriftMessages("compact");
  const wanted: object[] = [];
  for (const packet of [...PACKETS, PACKETS[0]!]) {
    // As a socket hands them out: what was a packet is something else soon.
    const bytes = packet.slice();
    messages.add(bytes);
    bytes.fill(0xff);
    wanted.push(...alone(packet));
  }
  const batch = messages.finish();
  assert.deepEqual(dumpBatch(batch), wanted);
  assert.deepEqual([...batch.resourceRow], [0, 0, 1, 1, 0]);
  messages.add(PACKETS[2]!);
  assert.deepEqual(dumpBatch(messages.finish()), alone(PACKETS[2]!));
  assert.equal(messages.finish().spanCount, 0);
});

test("nothing stays of a message that is cut anywhere, its processes included", () => {
  const cut = packetOf(["shop", "a"], ["new", "bb"], ["shop", "ccc"]);
  for (let length = 0; length < cut.length; length++) {
    const messages = new ZipkinThriftMessages("compact");
    messages.add(PACKETS[0]!);
    assert.throws(
      () => messages.add(cut.subarray(0, length)),
      (error) => isSpoorError(error, "malformed"),
      `cut at ${length}`,
    );
    const after = packetOf(["other", "d"], ["new", "ee"]);
    messages.add(after);
    const batch = messages.finish();
    assert.deepEqual(
      dumpBatch(batch),
      [...alone(PACKETS[0]!), ...alone(after)],
      `cut at ${length}`,
    );
    assert.deepEqual([...batch.resourceRow], [0, 1, 2]);
  }
});

test("spans without ids are told of each message, spans read of a bad one too", () => {
  const messages = new ZipkinThriftMessages("compact");
  const good = { rejectedReasons: { traceId: 0, spanId: 0 } };
  assert.deepEqual(messages.add(PACKETS[1]!), good);
  const { rejectedReasons } = messages.add(packetOf(["shop", ""], ["shop", "a"], ["shop", ""]));
  assert.deepEqual(rejectedReasons, { traceId: 2, spanId: 0 });
  assert.deepEqual(messages.add(PACKETS[1]!), good);
  const packet = packetOf(["shop", "a"], ["shop", "bb"]);
  assert.throws(() => messages.add(packet.subarray(0, packet.length - 1)));
  assert.equal(messages.spansRead, 2);
  assert.equal(messages.finish().spanCount, 5);
});
