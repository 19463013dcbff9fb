/** Messages collected into one batch: as each alone, and nothing of those that are no good. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../base/clock.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { isSpoorError } from "../core/errors.ts";
import { dumpBatch } from "../../test/support/batch-equal.ts";
import { encodeJaegerThrift } from "../../test/support/jaeger-thrift-encode.ts";
import { randomBatch } from "../../test/support/random-batch.ts";
import { runSeed } from "../../test/support/run-seed.ts";
import { JaegerThriftMessages } from "./jaeger-thrift-messages.ts";
import type { ThriftProtocol } from "./thrift-scanner.ts";
import { BinaryThriftWriter, ThriftType } from "./thrift-writer.ts";
import { CompactThriftWriter } from "./thrift-compact-writer.ts";

const seed = runSeed();

/** A message of as many spans of a client. */
function packetOf(client: string, spans: number, protocol: ThriftProtocol): Uint8Array {
  const builder = new BatchBuilder();
  const resource = builder.addResource();
  for (const [key, value] of [
    ["service.name", "shop"],
    ["client-uuid", client],
  ] as const) {
    const id = builder.key(builder.text(key), ATTRIBUTE_TYPE.STRING);
    builder.resourceAttributes.add(id, builder.text(value));
  }
  const scope = builder.addScope();
  for (let i = 0; i < spans; i++) {
    const row = builder.addSpan(resource, scope);
    builder.nameId[row] = builder.text(`work ${i}`);
    builder.traceId[row * 16 + 15] = i + 1;
    builder.spanId[row * 8 + 7] = i + 1;
  }
  return encodeJaegerThrift(builder.finish(), protocol, true);
}

function alone(packet: Uint8Array, protocol: ThriftProtocol): SpanBatch {
  const messages = new JaegerThriftMessages(protocol);
  messages.add(packet);
  return messages.finish();
}

describe("JaegerThriftMessages", () => {
  for (const protocol of ["compact", "binary"] as const) {
    it(`collects ${protocol} messages as alone, nothing of bad ones (SPOOR_SEED=${seed})`, () => {
      const random = seededRandom(seed);
      const below = (limit: number): number => Math.floor(random() * limit);
      const packets = Array.from({ length: 12 }, (_, i) =>
        encodeJaegerThrift(randomBatch(seed + i, { resources: 1, spans: 1 + i }), protocol, true),
      );
      const messages = new JaegerThriftMessages(protocol);
      const wanted: object[] = [];
      let refused = 0;
      for (let round = 0; round < 200; round++) {
        // As a socket hands them out: what was a packet is something else soon.
        const packet = Uint8Array.from(packets[below(packets.length)]!);
        const isDamaged = below(3) === 0;
        const bytes = isDamaged ? packet.subarray(0, below(packet.length)) : packet;
        try {
          messages.add(bytes);
          assert.equal(isDamaged, false, "a packet that was cut was taken");
          wanted.push(...dumpBatch(alone(bytes.slice(), protocol)));
        } catch (error) {
          if (!isSpoorError(error, "malformed")) throw error;
          refused++;
        }
        packet.fill(0xff);
        if (below(20) > 0) continue;
        assert.deepEqual(dumpBatch(messages.finish()), wanted.splice(0), `round ${round}`);
      }
      assert.deepEqual(dumpBatch(messages.finish()), wanted);
      assert.ok(refused > 0);
    });
  }

  it("has one resource for messages of the same process", () => {
    const messages = new JaegerThriftMessages("compact");
    for (const client of ["a", "b", "a", "a", "b"]) messages.add(packetOf(client, 2, "compact"));
    const batch = messages.finish();
    assert.equal(batch.resourceCount, 2);
    assert.deepEqual([...batch.resourceRow], [0, 0, 1, 1, 0, 0, 0, 0, 1, 1]);
    messages.add(packetOf("b", 1, "compact"));
    assert.equal(messages.finish().resourceCount, 1);
  });

  for (const protocol of ["compact", "binary"] as const) {
    it(`tells client, number and losses of each ${protocol} message`, () => {
      const messages = new JaegerThriftMessages(protocol);
      const rejectedReasons = { traceId: 0, spanId: 0 };
      const silent = { client: undefined, seqNo: undefined, stats: undefined };
      const plain = packetOf("a", 3, protocol);
      assert.deepEqual(messages.add(plain), { rejectedReasons, ...silent });
      const stats = { fullQueueDroppedSpans: 10, tooLargeDroppedSpans: 20, failedToEmitSpans: 30 };
      for (const seqNo of [7, 8]) {
        const told = messages.add(numbered(seqNo, protocol));
        assert.deepEqual(told, { rejectedReasons, client: "c", seqNo, stats });
      }
      assert.deepEqual(messages.add(plain), { rejectedReasons, ...silent });
      assert.equal(messages.finish().spanCount, 6);
    });
  }

  it("tells what was wrong with spans of a message, and how many were read of a bad one", () => {
    const messages = new JaegerThriftMessages("compact");
    const plain = packetOf("a", 3, "compact");
    messages.add(plain);
    const cut = plain.subarray(0, plain.length - 1);
    assert.throws(
      () => messages.add(cut),
      (error) => isSpoorError(error, "malformed"),
    );
    assert.deepEqual([messages.spansRead, messages.spanCount], [3, 3]);
    // Each id is zeros once in ten: one run in 4e16 has no span id of zeros.
    const zeros = randomBatch(seed, { resources: 1, spans: 400, zeroIds: true });
    const { rejectedReasons } = messages.add(encodeJaegerThrift(zeros, "compact", true));
    const { traceId, spanId } = rejectedReasons;
    assert.ok(traceId > 0 && spanId > 0, "no span had ids of zeros");
    assert.equal(messages.finish().spanCount + traceId + spanId, 403);
    assert.deepEqual(messages.add(plain).rejectedReasons, { traceId: 0, spanId: 0 });
  });
});

/** A message without spans, as clients send that tell what they lost. */
function numbered(seqNo: number, protocol: ThriftProtocol): Uint8Array {
  const Writer = protocol === "compact" ? CompactThriftWriter : BinaryThriftWriter;
  const writer = new Writer(new Uint8Array(512), 512);
  writer.messageBegin("emitBatch", 4, 0);
  writer.structBegin();
  writer.fieldStruct(1);
  writer.structBegin();
  writer.fieldStruct(1);
  writer.structBegin();
  writer.fieldString(1, "shop");
  writer.fieldList(2, ThriftType.struct, 1);
  writer.structBegin();
  writer.fieldString(1, "client-uuid");
  writer.fieldI32(2, 0);
  writer.fieldString(3, "c");
  writer.structEnd();
  writer.structEnd();
  writer.fieldList(2, ThriftType.struct, 0);
  writer.fieldI64(3, 0, seqNo);
  writer.fieldStruct(4);
  writer.structBegin();
  for (const field of [1, 2, 3]) writer.fieldI64(field, 0, field * 10);
  writer.structEnd();
  writer.structEnd();
  writer.structEnd();
  return writer.bytes.slice(0, writer.position);
}
