/** Traces of any shape and size: mixed, deep, flat, random with circles and lost parents. */

import { seededRandom } from "../../src/base/clock.ts";
import { ATTRIBUTE_TYPE } from "../../src/core/batch.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";

/** Spans by number; a span's id is its number + 1 unless `idOf` says otherwise. */
export interface Shape {
  readonly spans: number;
  /** Number of the parent, -1 for none, -2 for one that is not in the trace. */
  readonly parentOf: (span: number) => number;
  /** Offset from the trace's start, and duration, ns. */
  readonly startOf: (span: number) => number;
  readonly durationOf: (span: number) => number;
  readonly idOf?: (span: number) => number;
  /** Attributes of a span beside its service; default 0. */
  readonly attributes?: number;
  readonly services?: number;
}

const START_US = 1_700_000_000_000_000;
/** Spans of one batch: `get` gives traces beyond it in several. */
const MOST_SPANS = 65_536;

/** The batches of one trace of this shape. */
export function shapeBatches(shape: Shape): SpanBatch[] {
  const batches: SpanBatch[] = [];
  for (let from = 0; from < shape.spans; from += MOST_SPANS) {
    batches.push(shapeBatch(shape, from, Math.min(shape.spans, from + MOST_SPANS)));
  }
  return batches;
}

function shapeBatch(shape: Shape, from: number, to: number): SpanBatch {
  const builder = new BatchBuilder();
  const { services = 20, attributes = 0, idOf = (span: number) => span } = shape;
  const string = (key: string): number => builder.key(builder.text(key), ATTRIBUTE_TYPE.STRING);
  for (let s = 0; s < services; s++) {
    builder.addResource();
    builder.resourceAttributes.add(string("service.name"), builder.text(`service-${s}`));
  }
  const scope = builder.addScope();
  const keys = Array.from({ length: attributes }, (_, a) => string(`attribute.${a}`));
  const names = Array.from({ length: 50 }, (_, n) => builder.text(`GET /api/things/${n}`));
  const view = (column: Uint8Array): DataView => new DataView(column.buffer);
  for (let span = from; span < to; span++) {
    const i = builder.addSpan((span * 7) % services, scope);
    builder.traceId.fill(7, i * 16, i * 16 + 16);
    writeId(view(builder.spanId), i, idOf(span));
    const parent = shape.parentOf(span);
    if (parent >= 0) writeId(view(builder.parentSpanId), i, idOf(parent));
    else if (parent === -2) view(builder.parentSpanId).setUint32(i * 8, 0xdead, true);
    const startNs = shape.startOf(span);
    builder.startUs[i] = START_US + Math.floor(startNs / 1000);
    builder.startNs[i] = startNs - Math.floor(startNs / 1000) * 1000;
    builder.durationNs[i] = shape.durationOf(span);
    builder.nameId[i] = names[(span * 31) % 50]!;
    builder.kind[i] = 1 + (span % 5);
    builder.status[i] = span % 97 === 5 ? 2 : 0;
    for (let a = 0; a < attributes; a++) {
      // Some values are shared by many spans, one is each span's own.
      const value = a === 0 ? `value of span ${span}` : `value ${(span * (a + 3)) % 1000}`;
      builder.spanAttributes.add(keys[a]!, builder.text(value));
    }
    if (span % 50 === 3) builder.addEvent(builder.startUs[i]!, 5, names[0]!);
  }
  return builder.finish();
}

/** Ids look random, as those of real clients: they decide how well a skeleton compresses. */
function writeId(view: DataView, i: number, id: number): void {
  const spread = Math.imul(id + 1, 0x9e3779b1);
  view.setUint32(i * 8, spread, true);
  view.setUint32(i * 8 + 4, Math.imul(spread ^ (spread >>> 15), 0x85ebca6b) ^ id, true);
}

/** A request over some services: a few children each, about 12 levels, as most traces are. */
export function mixedShape(spans: number, attributes = 0): Shape {
  const parents = new Int32Array(spans);
  const depth = new Uint16Array(spans);
  const random = seededRandom(42);
  const starts = new Float64Array(spans);
  const durations = new Float64Array(spans);
  const total = spans * 40_000 + 1_000_000;
  parents[0] = -1;
  durations[0] = total;
  for (let span = 1; span < spans; span++) {
    let parent = Math.floor(random() * Math.min(span, 2000)) + Math.max(0, span - 2000);
    while (depth[parent]! > 11) parent = parents[parent]!;
    parents[span] = parent;
    depth[span] = depth[parent]! + 1;
    // Long enough within their parents that few starts are equal at the twelfth level.
    starts[span] = starts[parent]! + Math.floor(random() * durations[parent]! * 0.3);
    const left = durations[parent]! - (starts[span]! - starts[parent]!);
    durations[span] = Math.floor(left * (0.5 + 0.5 * random()));
  }
  return {
    spans,
    attributes,
    parentOf: (span) => parents[span]!,
    startOf: (span) => starts[span]!,
    durationOf: (span) => durations[span]!,
  };
}

/** Every span is the child of the one before. */
export function deepShape(spans: number, attributes = 0): Shape {
  return {
    spans,
    attributes,
    parentOf: (span) => span - 1,
    startOf: (span) => span * 1000 + 17,
    durationOf: (span) => (2 * spans - span) * 1000,
  };
}

/** One parent, all others its children one after the other. */
export function flatShape(spans: number, attributes = 0): Shape {
  return {
    spans,
    attributes,
    parentOf: (span) => (span === 0 ? -1 : 0),
    startOf: (span) => span * 1000 + (span % 7) * 31,
    durationOf: (span) => (span === 0 ? spans * 1001 : 700 + (span % 300)),
  };
}

/** Anything: circles, lost parents, equal ids, equal starts, overflowing children. */
export function randomShape(seed: number, spans: number): Shape {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const circles = random() < 0.5;
  const reach = 1 + below(8);
  const parents = Array.from({ length: spans }, (_, span) => {
    const kind = random();
    if (kind < 0.05) return -1;
    if (kind < 0.1) return -2;
    if (circles && kind < 0.2) return below(spans);
    return span === 0 ? -1 : Math.max(0, span - 1 - below(reach));
  });
  const starts = Array.from({ length: spans }, () => below(20) * below(1000));
  const durations = Array.from({ length: spans }, () => below(10) * below(5000));
  const ids = Array.from({ length: spans }, (_, span) => (random() < 0.9 ? span : below(spans)));
  return {
    spans,
    services: 3,
    parentOf: (span) => parents[span]!,
    startOf: (span) => starts[span]!,
    durationOf: (span) => durations[span]!,
    idOf: (span) => ids[span]!,
  };
}
