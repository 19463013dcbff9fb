/** Seeded damage to packets: blind at first, then with knowledge of lengths, fields and nesting. */

import type { Random } from "../../src/base/clock.ts";
import type { SpanFormat } from "../support/span-formats.ts";

type Mutation = (packet: Uint8Array, draw: Draw) => Uint8Array;

/** Random choices of one packet's damage. */
class Draw {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Largest packet made: damage may not grow without end. */
const MOST_BYTES = 128 * 1024;
const ODD_BYTES = [0, 1, 2, 7, 0x0a, 0x12, 0x7f, 0x80, 0x8f, 0xfe, 0xff];
const NESTINGS = [3, 33, 200, 5000];
/** Varints of lengths that no packet has: 2^28, 2^31, 2^32 - 1, 2^35, 2^63, too long a one. */
const BIG_VARINTS = ["8080808001", "8080808008", "ffffffff0f", "808080808001", "ffffffffffffffff7f"]
  .concat("ffffffffffffffffff01", "ffffffffffffffffffffff01")
  .map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
const BIG_WORDS = ["7fffffff", "80000000", "ffffffff", "00ffffff", "00010000", "40000000"].map(
  (hex) => Uint8Array.from(Buffer.from(hex, "hex")),
);

const BLIND: readonly Mutation[] = [
  function flipBits(packet, draw) {
    const out = packet.slice();
    for (let n = 1 + draw.below(4); n > 0; n--) {
      const at = draw.below(out.length);
      out[at] = out[at]! ^ (1 << draw.below(8));
    }
    return out;
  },
  function setBytes(packet, draw) {
    const out = packet.slice();
    for (let n = 1 + draw.below(4); n > 0; n--) out[draw.below(out.length)] = draw.pick(ODD_BYTES);
    return out;
  },
  function truncate(packet, draw) {
    return packet.slice(0, draw.below(packet.length + 1));
  },
  function remove(packet, draw) {
    const from = draw.below(packet.length);
    const to = Math.min(packet.length, from + 1 + draw.below(16));
    return joined(packet.subarray(0, from), packet.subarray(to));
  },
  function insertNoise(packet, draw) {
    return inserted(packet, draw.below(packet.length + 1), draw.bytes(1 + draw.below(16)));
  },
  function repeatPart(packet, draw) {
    const from = draw.below(packet.length);
    const part = packet.subarray(from, from + 1 + draw.below(64));
    const times = 1 + draw.below(draw.pick([2, 20, 400]));
    return inserted(packet, from, repeated(part, times));
  },
  function movePart(packet, draw) {
    const from = draw.below(packet.length);
    const part = packet.slice(from, from + 1 + draw.below(64));
    return inserted(packet, draw.below(packet.length + 1), part);
  },
];

const PROTOBUF: readonly Mutation[] = [
  function absurdLength(packet, draw) {
    return written(packet, lengthPlace(packet, draw), draw.pick(BIG_VARINTS));
  },
  function otherLength(packet, draw) {
    const out = packet.slice();
    const at = lengthPlace(packet, draw);
    out[at] = draw.below(128);
    return out;
  },
  function unknownField(packet, draw) {
    // Every wire type, fields 0 to 31, some with what they need after them.
    const tag = Uint8Array.of(draw.below(256), ...(draw.below(2) === 0 ? [draw.below(128)] : []));
    return inserted(packet, draw.below(packet.length + 1), tag);
  },
  function nestedGroups(packet, draw) {
    const open = new Uint8Array(draw.pick(NESTINGS)).fill(0x9b);
    const all = open.map((byte, i) => (i % 2 === 0 ? byte : 0x06));
    return inserted(packet, draw.below(packet.length + 1), all);
  },
  function nestedMessages(packet, draw) {
    // A message in itself, its outer lengths right: arrays in arrays, batches in batches.
    const tag = draw.pick([0x0a, 0x12, 0x22, 0x2a, 0x32, 0x42, 0x4a, 0x52]);
    let inner: Uint8Array = packet.slice(0, draw.below(Math.min(packet.length, 64)));
    const depth = Math.min(draw.pick(NESTINGS), 300);
    for (let d = 0; d < depth; d++) inner = joined(Uint8Array.of(tag), varint(inner.length), inner);
    return draw.below(2) === 0 ? inner : inserted(packet, draw.below(packet.length + 1), inner);
  },
];

const THRIFT_BINARY: readonly Mutation[] = [
  function absurdSize(packet, draw) {
    return written(packet, draw.below(packet.length), draw.pick(BIG_WORDS));
  },
  function absurdContainer(packet, draw) {
    const type = draw.pick([13, 14, 15]);
    const field = Uint8Array.of(type, 0, draw.below(16), draw.below(17), draw.below(17));
    const bytes = joined(field, draw.pick(BIG_WORDS));
    return inserted(packet, structPlace(packet, draw), bytes);
  },
  function nestedStructs(packet, draw) {
    const field = Uint8Array.of(draw.pick([12, 15, 13]), 0, 100, 12, 0, 0, 0, 1);
    const unit = field.subarray(0, field[0] === 12 ? 3 : 8);
    return inserted(packet, structPlace(packet, draw), repeated(unit, draw.pick(NESTINGS)));
  },
  function unknownField(packet, draw) {
    const field = Uint8Array.of(draw.below(18), 0, draw.below(40), ...draw.bytes(draw.below(12)));
    return inserted(packet, structPlace(packet, draw), field);
  },
];

const THRIFT_COMPACT: readonly Mutation[] = [
  function absurdSize(packet, draw) {
    return written(packet, draw.below(packet.length), draw.pick(BIG_VARINTS));
  },
  function absurdContainer(packet, draw) {
    const type = draw.pick([9, 10, 11]);
    const header = type === 11 ? [] : [0xf0 | draw.below(14)];
    const bytes = joined(Uint8Array.of(0x10 | type, ...header), draw.pick(BIG_VARINTS));
    return inserted(packet, draw.below(packet.length + 1), bytes);
  },
  function nestedStructs(packet, draw) {
    const byte = draw.pick([0x1c, 0xfc, 0x19, 0x1b]);
    return inserted(
      packet,
      draw.below(packet.length + 1),
      new Uint8Array(draw.pick(NESTINGS)).fill(byte),
    );
  },
  function unknownField(packet, draw) {
    const field = Uint8Array.of(draw.below(256), ...draw.bytes(draw.below(12)));
    return inserted(packet, draw.below(packet.length + 1), field);
  },
];

const ODD_JSON = ["null", "[]", "{}", "-1", "1e999", "9".repeat(400), '"\\ud800"', "true", '""']
  .concat('{"__proto__":{"a":1}}', "0.1e-400", "-9223372036854775809", '"1e5"', "[null]")
  .map((text) => Uint8Array.from(Buffer.from(text)));

const JSON_TEXT: readonly Mutation[] = [
  function otherValue(packet, draw) {
    const from = valuePlace(packet, draw);
    let to = from;
    while (to < packet.length && packet[to] !== 0x2c && packet[to] !== 0x7d) to++;
    return joined(packet.subarray(0, from), draw.pick(ODD_JSON), packet.subarray(to));
  },
  function nested(packet, draw) {
    const depth = draw.pick(draw.below(8) === 0 ? [20_000] : NESTINGS);
    const unit = Buffer.from(draw.below(2) === 0 ? "[" : '{"a":');
    return inserted(packet, valuePlace(packet, draw), repeated(unit, depth));
  },
];

const STRUCTURED: Readonly<Record<SpanFormat["encoding"], readonly Mutation[]>> = {
  protobuf: PROTOBUF,
  "thrift-binary": THRIFT_BINARY,
  "thrift-compact": THRIFT_COMPACT,
  json: JSON_TEXT,
};

/** The packet after one mutation or four; never longer than some 128 kB. */
export function mutate(
  packet: Uint8Array,
  encoding: SpanFormat["encoding"],
  random: Random,
): Uint8Array {
  const draw = new Draw(random);
  let out = packet;
  // Mostly one: a packet damaged in many places is refused at the first.
  for (let n = draw.below(3) === 0 ? 4 : 1; n > 0; n--) {
    if (out.length === 0) break;
    out = draw.pick(draw.below(2) === 0 ? BLIND : STRUCTURED[encoding])(out, draw);
    if (out.length > MOST_BYTES) out = out.slice(0, MOST_BYTES);
  }
  return out;
}

/** Where a byte may be a field's length: after one whose low bits say length-delimited. */
function lengthPlace(packet: Uint8Array, draw: Draw): number {
  return place(packet, draw, (at) => at > 0 && (packet[at - 1]! & 7) === 2);
}

/** Where a binary struct may have a field: where a header seems to be, or at its start. */
function structPlace(packet: Uint8Array, draw: Draw): number {
  const isHeader = (at: number): boolean =>
    packet[at]! > 1 && packet[at]! < 16 && packet[at + 1] === 0 && packet[at + 2]! < 16;
  return place(packet, draw, isHeader);
}

/** Where a JSON value begins. */
function valuePlace(packet: Uint8Array, draw: Draw): number {
  return place(packet, draw, (at) => at > 0 && packet[at - 1] === 0x3a);
}

/** The first place that passes the test from a random one on, else 0. */
function place(packet: Uint8Array, draw: Draw, test: (at: number) => boolean): number {
  const from = draw.below(packet.length);
  for (let at = from; at < packet.length; at++) if (test(at)) return at;
  return 0;
}

function repeated(unit: Uint8Array, times: number): Uint8Array {
  const out = new Uint8Array(unit.length * times);
  for (let i = 0; i < out.length; i++) out[i] = unit[i % unit.length]!;
  return out;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.of(...bytes, rest);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function inserted(packet: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  return joined(packet.subarray(0, at), bytes, packet.subarray(at));
}

function written(packet: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  return joined(packet.subarray(0, at), bytes, packet.subarray(at + bytes.length));
}
