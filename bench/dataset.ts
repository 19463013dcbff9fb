/** The bench's dataset: a stream of OTLP export requests shaped like production, from one seed. */

import { encodeSpan } from "./encode-span.ts";
import type { EncodeContext, SpanTags } from "./encode-span.ts";
import { ProtoWriter } from "./proto-writer.ts";
import { Random } from "./random.ts";
import { buildServices, schemaUrl, scopeOf, scopes } from "./shape.ts";
import type { Service } from "./shape.ts";
import { drawTrace } from "./traces.ts";
import type { Draft, DraftTrace } from "./traces.ts";

export interface DatasetOptions {
  readonly spans: number;
  readonly seed: number;
  /** The moment the last trace starts, unix seconds. */
  readonly endSeconds: number;
  /** How much time the traces are spread over. */
  readonly seconds: number;
  /** A sample is noted every so many spans. */
  readonly sampleEvery: number;
}

/** One export request; its bytes and ids are valid until the generator goes on. */
export interface Request {
  readonly body: Buffer;
  readonly spans: number;
  /** 24 bytes a span: trace id, span id. */
  readonly ids: Buffer;
}

/** A span of which the queries know all there is to ask. */
export interface Sample {
  readonly ordinal: number;
  readonly traceId: string;
  readonly traceSpans: number;
  readonly service: string;
  readonly operation: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tags: SpanTags;
  /** The trace is whole once so many requests were sent. */
  wholeAfter: number;
}

export const datasetVersion = 4;
const mostSpans = 256;
const fewestSpans = 192;
const tracesAtOnce = 64;

/** What an SDK's batch processor in one instance holds until it exports. */
class Exporter {
  readonly parts: readonly ProtoWriter[] = scopes.map(() => new ProtoWriter(1 << 17));
  readonly ids = Buffer.alloc(mostSpans * 24);
  spans = 0;
  target: number;

  constructor(target: number) {
    this.target = target;
  }
}

interface Pending {
  readonly trace: DraftTrace;
  readonly draft: Draft;
  readonly endNs: number;
}

/** Makes the requests one after the other; `samples` fills up on the way. */
export class Dataset {
  readonly options: DatasetOptions;
  readonly services: readonly Service[];
  readonly samples: Sample[] = [];
  /** Durations in µs of every 37th span, to choose thresholds from. */
  readonly durationsUs: number[] = [];
  readonly startSeconds: number;

  private readonly random: Random;
  private readonly exporters: readonly Exporter[];
  private readonly body = new ProtoWriter(1 << 18);
  private readonly part = new ProtoWriter(1 << 18);
  private readonly context: EncodeContext;
  private ordinal = 0;
  private sent = 0;
  /** Samples of traces of which exporters (by index) may still hold spans. */
  private unfinished: { readonly sample: Sample; readonly exporters: Set<number> }[] = [];

  constructor(options: DatasetOptions) {
    this.options = options;
    this.startSeconds = options.endSeconds - options.seconds;
    const random = new Random(options.seed);
    this.random = random;
    this.services = buildServices(random);
    this.exporters = this.services.flatMap(() =>
      [0, 1, 2].map(() => new Exporter(fewestSpans + random.below(mostSpans - fewestSpans + 1))),
    );
    this.context = {
      random,
      services: this.services,
      baseSeconds: this.startSeconds,
      tags: { url: "", userId: "", requestId: "", status: 0 },
      traceId: new Uint8Array(16),
      parentId: undefined,
    };
  }

  *requests(): Generator<Request> {
    const { options, random } = this;
    let drawn = 0;
    while (drawn < options.spans) {
      const pending: Pending[] = [];
      for (let i = 0; i < tracesAtOnce && drawn < options.spans; i++) {
        const startNs = Math.floor((drawn / options.spans) * options.seconds * 1e9);
        const jitterNs = random.below(5_000_000);
        const trace = drawTrace(random, this.services, startNs + jitterNs, options.spans - drawn);
        drawn += trace.spans.length;
        for (const draft of trace.spans) {
          pending.push({ trace, draft, endNs: draft.startNs + draft.durationNs });
        }
      }
      // An SDK exports spans in the order they end, those of concurrent traces mixed.
      pending.sort((a, b) => a.endNs - b.endNs);
      const known = this.samples.length;
      for (const each of pending) {
        const exporter = this.put(each);
        if (exporter.spans === exporter.target) yield this.flush(exporter);
      }
      this.watch(pending, known);
    }
    for (const exporter of this.exporters) if (exporter.spans > 0) yield this.flush(exporter);
    for (const { sample } of this.unfinished) sample.wholeAfter = this.sent;
  }

  /** Notes which exporters must send once more before the newest samples' traces are whole. */
  private watch(pending: readonly Pending[], from: number): void {
    for (const sample of this.samples.slice(from)) {
      const exporters = new Set<number>();
      for (const { trace, draft } of pending) {
        if (trace.traceId[0] !== Number.parseInt(sample.traceId.slice(0, 2), 16)) continue;
        const index = draft.service * 3 + draft.instance;
        if (this.exporters[index]?.spans !== 0) exporters.add(index);
      }
      this.unfinished.push({ sample, exporters });
    }
  }

  private put({ trace, draft }: Pending): Exporter {
    const exporter = this.exporters[draft.service * 3 + draft.instance] as Exporter;
    const { context } = this;
    const parent = draft.parent < 0 ? undefined : trace.spans[draft.parent];
    context.traceId = trace.traceId;
    context.parentId = parent?.spanId;
    const part = exporter.parts[scopeOf(draft.operation.role)] as ProtoWriter;
    encodeSpan(part, draft, context);
    exporter.ids.set(trace.traceId, exporter.spans * 24);
    exporter.ids.set(draft.spanId, exporter.spans * 24 + 16);
    exporter.spans += 1;
    if (this.ordinal % this.options.sampleEvery === 0) this.sample(trace, draft);
    if (this.ordinal % 37 === 0) this.durationsUs.push(Math.floor(draft.durationNs / 1000));
    this.ordinal += 1;
    return exporter;
  }

  private sample(trace: DraftTrace, draft: Draft): void {
    this.samples.push({
      ordinal: this.ordinal,
      traceId: Buffer.from(trace.traceId).toString("hex"),
      traceSpans: trace.spans.length,
      service: (this.services[draft.service] as Service).name,
      operation: draft.operation.name,
      startUs: this.startSeconds * 1e6 + Math.floor(draft.startNs / 1000),
      durationUs: Math.floor(draft.durationNs / 1000),
      tags: { ...this.context.tags },
      wholeAfter: Number.MAX_SAFE_INTEGER,
    });
  }

  private flush(exporter: Exporter): Request {
    const { body, part } = this;
    const index = this.exporters.indexOf(exporter);
    const service = this.services[Math.floor(index / 3)] as Service;
    body.reset();
    part.reset();
    part.bytesField(1, (service.instances[index % 3] as { resource: Buffer }).resource);
    for (let i = 0; i < scopes.length; i++) {
      const spans = exporter.parts[i] as ProtoWriter;
      if (spans.length === 0) continue;
      const scopeSpans = new ProtoWriter(spans.length + 256);
      scopeSpans.bytesField(1, scopes[i] as Buffer);
      scopeSpans.raw(spans.view());
      scopeSpans.bytesField(3, schemaUrl);
      part.bytesField(2, scopeSpans.view());
      spans.reset();
    }
    part.bytesField(3, schemaUrl);
    body.bytesField(1, part.view());
    const request = {
      body: Buffer.from(body.view()),
      spans: exporter.spans,
      ids: Buffer.from(exporter.ids.subarray(0, exporter.spans * 24)),
    };
    this.sent += 1;
    for (const { sample, exporters } of this.unfinished) {
      exporters.delete(index);
      if (exporters.size === 0) sample.wholeAfter = this.sent;
    }
    this.unfinished = this.unfinished.filter(({ exporters }) => exporters.size > 0);
    exporter.spans = 0;
    exporter.target = fewestSpans + this.random.below(mostSpans - fewestSpans + 1);
    return request;
  }
}
