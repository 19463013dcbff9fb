/** The first stage: enters batches into the ledger and counts Jaeger's collector metrics. */

import type { Counter, CounterTable } from "../base/counters.ts";
import { isZero, utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { isSpoorError } from "../core/errors.ts";
import type { Origin, PushResult, Sink, Stage } from "../core/flow.ts";
import { dictEntry, dictText } from "../core/read.ts";
import type { Ledger } from "./ledger.ts";
import { ServiceLabels } from "./service-labels.ts";

const DEBUG_BIT = 2 << JAEGER_FLAGS.SHIFT;
const SAMPLER_TYPE_KEY = utf8Bytes("sampler.type");
const SAMPLER_TYPES = ["const", "probabilistic", "lowerbound", "ratelimiting"];
const UNRECOGNIZED = "unrecognized";

/** What of a batch falls on one service and one value of the debug flag. */
interface Share {
  readonly svc: string;
  readonly debug: string;
  spans: number;
  /** Root spans by sampler type. */
  readonly roots: Map<string, number>;
}

/** A stage that counts every batch; put it before all others. */
export function countStage(options: {
  readonly counters: CounterTable;
  readonly ledger: Ledger;
  /** Value of Jaeger's `host` label. Default "". */
  readonly host?: string;
}): Stage {
  const { counters, host = "", ledger } = options;
  const metrics = new CollectorMetrics(counters, host);
  return (next: Sink): Sink => ({
    async push(batch, origin, signal) {
      const shares = metrics.received(batch, origin);
      const spanCount = batch.spanCount;
      ledger.began(spanCount);
      let result: PushResult;
      try {
        result = await next.push(batch, origin, signal);
      } catch (error) {
        ledger.refused(spanCount, isSpoorError(error) ? error.code : "fault");
        metrics.refused(shares, origin);
        throw error;
      }
      ledger.ended(spanCount, result);
      metrics.saved(shares);
      return result;
    },
  });
}

/** Jaeger's per-service counters, counted per resource row rather than per span. */
class CollectorMetrics {
  readonly #counters: CounterTable;
  readonly #labels = new ServiceLabels();
  readonly #series = new Map<string, Counter>();
  #rowSpans = new Uint32Array(64);

  constructor(counters: CounterTable, host: string) {
    this.#counters = counters;
    const name = "jaeger_collector_spans_serviceNames";
    const read = (): number => this.#labels.size;
    counters.gauge(name, "Distinct service names seen.", read, ["host"], [host]);
  }

  received(batch: SpanBatch, origin: Origin): Share[] {
    const shares = this.#shares(batch);
    this.#countBoth("received", shares, origin);
    return shares;
  }

  refused(shares: readonly Share[], origin: Origin): void {
    this.#countBoth("rejected", shares, origin);
    this.#countSaved("err", shares);
  }

  saved(shares: readonly Share[]): void {
    this.#countSaved("ok", shares);
  }

  #countBoth(verb: string, shares: readonly Share[], origin: Origin): void {
    const { format, transport } = origin;
    for (const { debug, svc, spans, roots } of shares) {
      const names = ["debug", "format", "svc", "transport"];
      const values = [debug, format, svc, transport];
      this.#add(`jaeger_collector_spans_${verb}_total`, names, values, spans);
      for (const [sampler, count] of roots) {
        const rootNames = ["debug", "format", "sampler_type", "svc", "transport"];
        const rootValues = [debug, format, sampler, svc, transport];
        this.#add(`jaeger_collector_traces_${verb}_total`, rootNames, rootValues, count);
      }
    }
  }

  #countSaved(result: string, shares: readonly Share[]): void {
    for (const { debug, svc, spans, roots } of shares) {
      const names = ["debug", "result", "svc"];
      this.#add("jaeger_collector_spans_saved_by_svc_total", names, [debug, result, svc], spans);
      for (const [sampler, count] of roots) {
        const rootNames = ["debug", "result", "sampler_type", "svc"];
        const rootValues = [debug, result, sampler, svc];
        this.#add("jaeger_collector_traces_saved_by_svc_total", rootNames, rootValues, count);
      }
    }
  }

  #add(name: string, labels: readonly string[], values: readonly string[], count: number): void {
    const key = `${name} ${values.join(" ")}`;
    let counter = this.#series.get(key);
    if (counter === undefined) {
      const help = "As Jaeger's collector counts them, by service.";
      counter = this.#counters.counter(name, help, labels, values);
      this.#series.set(key, counter);
    }
    counter.value += count;
  }

  /** One share a resource; a second one of it when it has spans with the debug flag. */
  #shares(batch: SpanBatch): Share[] {
    const resources = batch.resourceCount;
    if (this.#rowSpans.length < resources * 2) this.#rowSpans = new Uint32Array(resources * 4);
    const rowSpans = this.#rowSpans;
    rowSpans.fill(0, 0, resources * 2);
    countRows(batch, rowSpans);
    const shares: (Share | undefined)[] = [];
    for (let r = 0; r < resources * 2; r++) {
      const spans = rowSpans[r]!;
      if (spans === 0) continue;
      const name = dictText(batch, batch.resourceServiceId[r >> 1]!);
      const debug = (r & 1) === 0 ? "false" : "true";
      shares[r] = { svc: this.#labels.of(name), debug, spans, roots: new Map() };
    }
    countRoots(batch, shares);
    return shares.filter((share) => share !== undefined);
  }
}

/** Adds up the spans of each resource row: without the debug flag at 2r, with it at 2r + 1. */
function countRows(batch: SpanBatch, rowSpans: Uint32Array): void {
  const { resourceRow, flags, spanCount } = batch;
  for (let i = 0; i < spanCount; i++) {
    const row = resourceRow[i]! * 2 + ((flags[i]! & DEBUG_BIT) === 0 ? 0 : 1);
    rowSpans[row] = rowSpans[row]! + 1;
  }
}

function countRoots(batch: SpanBatch, shares: readonly (Share | undefined)[]): void {
  const { resourceRow, flags, parentSpanId, spanCount } = batch;
  const samplerKey = findKey(batch, SAMPLER_TYPE_KEY);
  for (let i = 0; i < spanCount; i++) {
    if (!isZero(parentSpanId, i * 8, 8)) continue;
    const debug = (flags[i]! & DEBUG_BIT) === 0 ? 0 : 1;
    const roots = shares[resourceRow[i]! * 2 + debug]!.roots;
    const sampler = samplerKey < 0 ? UNRECOGNIZED : samplerOf(batch, i, samplerKey);
    roots.set(sampler, (roots.get(sampler) ?? 0) + 1);
  }
}

/** The batch's key of this name and type string, -1 when it has none. */
function findKey(batch: SpanBatch, name: Uint8Array): number {
  for (let k = 0; k < batch.keyCount; k++) {
    if (batch.keyType[k] !== ATTRIBUTE_TYPE.STRING) continue;
    const entry = dictEntry(batch, batch.keyNameId[k]!);
    if (entry.length === name.length && entry.every((byte, i) => byte === name[i])) return k;
  }
  return -1;
}

function samplerOf(batch: SpanBatch, span: number, key: number): string {
  const table = batch.spanAttributes;
  for (let a = table.offsets[span]!; a < table.offsets[span + 1]!; a++) {
    if (table.key[a] !== key) continue;
    const type = dictText(batch, table.value[a]!);
    return SAMPLER_TYPES.includes(type) ? type : UNRECOGNIZED;
  }
  return UNRECOGNIZED;
}
