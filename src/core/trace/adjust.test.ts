/** Tests of the adjusters: Jaeger's clock arithmetic and warnings, Zipkin's ids, doubles. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../base/bytes.ts";
import { seededRandom } from "../../base/clock.ts";
import { ATTRIBUTE_TYPE, SPAN_KIND } from "../batch.ts";
import { BatchBuilder } from "../builder.ts";
import { adjustTrace } from "./adjust.ts";
import { ipText, ipv4Text } from "./host-key.ts";
import { viewsByTrace, viewTrace } from "./view.ts";
import type { TraceView } from "./view.ts";

interface TestSpan {
  readonly id: number;
  readonly parent?: number;
  readonly startMs?: number;
  readonly durationMs?: number;
  readonly host?: string | number | Uint8Array;
  readonly kind?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly emptyLink?: boolean;
  readonly trace?: number;
}

function view(...spans: readonly TestSpan[]): TraceView {
  const builder = build(spans);
  return viewTrace([builder.finish()]);
}

function build(spans: readonly TestSpan[]): BatchBuilder {
  const builder = new BatchBuilder();
  const scope = builder.addScope();
  for (const span of spans) {
    const resource = builder.addResource();
    if (span.host !== undefined) addHost(builder, span.host);
    const i = builder.addSpan(resource, scope);
    builder.traceId.fill(span.trace ?? 1, i * 16, i * 16 + 16);
    builder.spanId[i * 8 + 7] = span.id;
    builder.parentSpanId[i * 8 + 7] = span.parent ?? 0;
    builder.startUs[i] = (span.startMs ?? 0) * 1000;
    builder.durationNs[i] = (span.durationMs ?? 0) * 1e6;
    builder.kind[i] = span.kind ?? 0;
    for (const [key, value] of Object.entries(span.tags ?? {})) {
      const number = builder.key(builder.text(key), ATTRIBUTE_TYPE.STRING);
      builder.spanAttributes.add(number, builder.text(value));
    }
    if (span.emptyLink === true) builder.linkSpanId[builder.addLink() * 8 + 7] = 0xab;
  }
  return builder;
}

function addHost(builder: BatchBuilder, host: string | number | Uint8Array): void {
  const { STRING, INT, BYTES } = ATTRIBUTE_TYPE;
  const type = typeof host === "string" ? STRING : typeof host === "number" ? INT : BYTES;
  const key = builder.key(builder.text("ip"), type);
  const value =
    typeof host === "string"
      ? builder.text(host)
      : typeof host === "number"
        ? builder.int(BigInt(host))
        : builder.bytes(host);
  builder.resourceAttributes.add(key, value);
}

const SECOND = 1e9;
const DISABLED = "clock skew adjustment disabled; not applying calculated delta of";

describe("clock skew", () => {
  const cases: readonly {
    readonly what: string;
    readonly parent: readonly [number, number];
    readonly child: readonly [number, number];
    readonly deltaMs: number;
    readonly text: string;
  }[] = [
    {
      what: "a child within its parent stays",
      parent: [10, 100],
      child: [20, 50],
      deltaMs: 0,
      text: "",
    },
    {
      what: "a child as long as its parent stays",
      parent: [10, 100],
      child: [10, 100],
      deltaMs: 0,
      text: "",
    },
    {
      what: "a child before its parent is centred",
      parent: [10, 100],
      child: [0, 50],
      deltaMs: 35,
      text: "35ms",
    },
    {
      what: "a child that ends after its parent is centred",
      parent: [10, 100],
      child: [100, 50],
      deltaMs: -65,
      text: "-65ms",
    },
    {
      what: "a longer child before its parent begins with it",
      parent: [10, 100],
      child: [0, 200],
      deltaMs: 10,
      text: "10ms",
    },
    {
      what: "a longer child after its parent's start stays",
      parent: [10, 100],
      child: [20, 200],
      deltaMs: 0,
      text: "",
    },
  ];
  for (const { what, parent, child, deltaMs, text } of cases) {
    it(what, () => {
      const trace = view(
        { id: 1, startMs: parent[0], durationMs: parent[1], host: "a" },
        { id: 2, parent: 1, startMs: child[0], durationMs: child[1], host: "b" },
      );
      adjustTrace(trace, { maxClockSkewNs: SECOND });
      assert.equal(trace.shiftNs?.[1] ?? 0, deltaMs * 1e6);
      const expected =
        text === "" ? undefined : [`This span's timestamps were adjusted by ${text}`];
      assert.deepEqual(trace.warnings.get(1), expected);
      assert.equal(trace.warnings.get(0), undefined);
    });
  }

  it("moves spans of the same host with their parent, others by themselves", () => {
    const trace = view(
      { id: 1, startMs: 100, durationMs: 100, host: "a" },
      { id: 2, parent: 1, startMs: 0, durationMs: 50, host: "b" },
      { id: 3, parent: 2, startMs: 10, durationMs: 10, host: "b" },
      { id: 4, parent: 2, startMs: 10, durationMs: 10, host: "c" },
      { id: 5, parent: 2, startMs: 10, durationMs: 10 },
    );
    adjustTrace(trace, { maxClockSkewNs: SECOND });
    assert.deepEqual([...trace.shiftNs!], [0, 125e6, 125e6, 135e6, 135e6]);
  });

  it("only warns when switched off or beyond its bound", () => {
    const spans: TestSpan[] = [
      { id: 1, startMs: 100, durationMs: 100, host: "a" },
      { id: 2, parent: 1, startMs: 0, durationMs: 50, host: "b" },
    ];
    const off = view(...spans);
    adjustTrace(off);
    assert.deepEqual(off.warnings.get(1), [`${DISABLED} 125ms`]);
    const bounded = view(...spans);
    adjustTrace(bounded, { maxClockSkewNs: 1e6 });
    const text =
      "max clock skew adjustment delta of 1ms exceeded; not applying calculated delta of";
    assert.deepEqual(bounded.warnings.get(1), [`${text} 125ms`]);
    assert.equal(off.shiftNs, undefined);
    assert.equal(bounded.shiftNs, undefined);
  });

  it("tells of missing parents and double ids", () => {
    const trace = view({ id: 1, parent: 0xab, tags: { a: "1" } }, { id: 1, tags: { a: "2" } });
    adjustTrace(trace);
    assert.deepEqual(
      [...trace.warnings],
      [
        [0, ["invalid parent span IDs=00000000000000ab; skipping clock skew adjustment"]],
        [1, ["duplicate span IDs; skipping clock skew adjustment"]],
      ],
    );
  });

  it("knows a host by text, number and bytes", () => {
    const hosts = ["1.2.3.4", 0x01020304, Uint8Array.of(1, 2, 3, 4)];
    const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4);
    for (const host of [...hosts, mapped]) {
      const trace = view(
        { id: 1, startMs: 100, durationMs: 100, host: "1.2.3.4" },
        { id: 2, parent: 1, startMs: 0, durationMs: 50, host },
      );
      adjustTrace(trace, { maxClockSkewNs: SECOND });
      assert.equal(trace.shiftNs, undefined);
    }
  });

  it("ends on circles of parents", () => {
    const trace = view({ id: 1, parent: 2 }, { id: 2, parent: 1 }, { id: 3, parent: 3 });
    adjustTrace(trace, { maxClockSkewNs: SECOND });
    assert.equal(trace.warnings.size, 0);
  });
});

describe("addresses", () => {
  it("are written as Go writes them", () => {
    assert.equal(ipv4Text(0x7f000001), "127.0.0.1");
    assert.equal(ipv4Text(0xffffffff), "255.255.255.255");
    const v6 = (...groups: number[]): string =>
      ipText(Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255])));
    assert.equal(v6(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1");
    assert.equal(v6(0, 0, 0, 0, 0, 0, 0, 1), "::1");
    assert.equal(v6(1, 0, 2, 0, 3, 0, 4, 0), "1:0:2:0:3:0:4:0");
    assert.equal(v6(1, 0, 0, 0, 0, 0, 0, 0), "1::");
    assert.equal(ipText(new Uint8Array(5)), "");
  });
});

describe("Zipkin's shared ids", () => {
  const ids = (trace: TraceView): string[] =>
    Array.from({ length: trace.spanCount }, (_, v) => {
      const hex = (words: Uint32Array): string =>
        toHex(new Uint8Array(words.buffer, words.byteOffset + v * 8, 8)).replace(/^0+/, "");
      return `${hex(trace.spanIds)}<${hex(trace.parentIds)}`;
    });

  it("are told apart: the server gets the lowest free id and the client as parent", () => {
    const trace = view(
      { id: 1, kind: SPAN_KIND.CLIENT },
      { id: 1, kind: SPAN_KIND.SERVER },
      { id: 2, parent: 1 },
      { id: 7, kind: SPAN_KIND.SERVER, parent: 2 },
    );
    adjustTrace(trace, { maxClockSkewNs: SECOND });
    assert.deepEqual(ids(trace), ["1<", "3<1", "2<3", "7<2"]);
    assert.equal(trace.warnings.size, 0);
  });

  it("stay when no client has them", () => {
    const trace = view(
      { id: 1, kind: SPAN_KIND.SERVER, tags: { a: "1" } },
      { id: 1, kind: SPAN_KIND.SERVER, tags: { a: "2" } },
    );
    adjustTrace(trace);
    assert.deepEqual(ids(trace), ["1<", "1<"]);
  });
});

describe("doubles", () => {
  it("in another order of attributes are removed, different spans stay", () => {
    const trace = view(
      { id: 1, tags: { a: "1", b: "2" } },
      { id: 2, tags: { c: "3" } },
      { id: 1, tags: { b: "2", a: "1" } },
      { id: 1, tags: { b: "2", a: "x" } },
    );
    adjustTrace(trace);
    assert.equal(trace.spanCount, 3);
    assert.deepEqual([...trace.row.subarray(0, 3)], [0, 1, 3]);
    assert.deepEqual([...trace.warnings.keys()], [2]);
  });
});

describe("clock skew of random traces", () => {
  it("is what Jaeger's way from the roots down finds", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const below = (limit: number): number => Math.floor(random() * limit);
      const spans = Array.from({ length: 2 + below(40) }, (_, i) => ({
        id: i + 1,
        parent: random() < 0.1 ? below(60) : below(i + 1),
        startMs: 1000 + below(40),
        durationMs: below(30),
        ...(random() < 0.7 ? { host: `host-${below(3)}` } : {}),
      }));
      const maxClockSkewNs = seed % 3 === 0 ? 0 : seed % 3 === 1 ? Infinity : 5e6;
      const adjusted = view(...spans);
      adjustTrace(adjusted, { maxClockSkewNs });
      const { shifts, corrected } = skewsFromTheRoots(spans, maxClockSkewNs / 1e6);
      spans.forEach((_, v) => {
        assert.equal((adjusted.shiftNs?.[v] ?? 0) / 1e6, shifts[v], `seed ${seed}, span ${v}`);
        const told = (adjusted.warnings.get(v) ?? []).filter((text) => !text.startsWith("invalid"));
        assert.equal(told.length, corrected[v] ? 1 : 0, `seed ${seed}, span ${v}: ${told.join()}`);
      });
    }
  });
});

/** ms each span is shifted by, and whether it is told of a correction; parents before children. */
function skewsFromTheRoots(
  spans: readonly Required<Pick<TestSpan, "id" | "parent" | "startMs" | "durationMs">>[],
  maxMs: number,
): { readonly shifts: readonly number[]; readonly corrected: readonly boolean[] } {
  const shifts = spans.map(() => 0);
  const deltas = spans.map(() => 0);
  const corrected = spans.map(() => false);
  const adjust = (p: number): void => {
    spans.forEach((child, c) => {
      if (child.parent !== spans[p]!.id || c === p) return;
      const parent = spans[p]!;
      const [host, parentHost] = [child, parent].map((span) => (span as TestSpan).host);
      const after = child.startMs - parent.startMs - shifts[p]!;
      const room = parent.durationMs - child.durationMs;
      if (host !== undefined && host === parentHost) deltas[c] = deltas[p]!;
      else if (room < 0) deltas[c] = after < 0 ? -after : 0;
      else if (after < 0 || after > room) deltas[c] = room / 2 - after;
      corrected[c] = deltas[c] !== 0;
      if (Math.abs(deltas[c]!) <= maxMs) shifts[c] = deltas[c]!;
      adjust(c);
    });
  };
  spans.forEach(({ parent }, v) => {
    if (!spans.some(({ id }) => id === parent)) adjust(v);
  });
  return { shifts, corrected };
}

describe("references", () => {
  it("without a trace id give a warning", () => {
    const trace = view({ id: 1, emptyLink: true });
    adjustTrace(trace);
    const reference = "{TraceID:0000000000000000 SpanID:00000000000000ab RefType:FOLLOWS_FROM}";
    assert.deepEqual(trace.warnings.get(0), [`Invalid span reference removed ${reference}`]);
  });
});

describe("views", () => {
  it("take the traces of a mixed batch apart", () => {
    const batch = build([
      { id: 1, trace: 1 },
      { id: 2, trace: 2 },
      { id: 3, trace: 1, parent: 1 },
    ]).finish();
    const [first, second] = viewsByTrace([batch]);
    assert.deepEqual([...first!.row], [0, 2]);
    assert.deepEqual([...second!.row], [1]);
    assert.deepEqual([...first!.parentIds], [0, 0, first!.spanIds[0], first!.spanIds[1]]);
  });
});
