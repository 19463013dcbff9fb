/** Reading a settled store without HTTP: CPU time of finding, fetching and encoding. */

import { parseArgs } from "node:util";
import { nodeFiles } from "../src/base/node/file-layer.ts";
import { viewBatch } from "../src/core/batch.ts";
import type { FindQuery } from "../src/core/store.ts";
import { adjustTrace } from "../src/core/trace/adjust.ts";
import { viewTrace } from "../src/core/trace/view.ts";
import { parseFilter } from "../src/api/filter-json.ts";
import { parseTraceSearch } from "../src/api/jaeger-params.ts";
import { parseTraceId } from "../src/api/jaeger-trace-id.ts";
import { systemClock } from "../src/base/clock.ts";
import { openCatalog } from "../src/storage/embedded/catalog.ts";
import { SearchEngine } from "../src/storage/embedded/search-engine.ts";
import type { SearchChange } from "../src/storage/embedded/search-change.ts";
import { encodeJaegerTrace } from "../src/wire/jaeger-json.ts";
import { JsonWriter } from "../src/wire/json-writer.ts";
import { prepareDataset } from "./dataset-file.ts";
import type { Sample } from "./dataset.ts";
import { summarize } from "./latency.ts";
import { ownKinds } from "./own-queries.ts";
import { jaegerKinds, searchLimit } from "./query-kinds.ts";
import type { Query } from "./query-kinds.ts";
import { storedDataset } from "./stored-dataset.ts";

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "3000000" },
    stored: { type: "string" },
    count: { type: "string", default: "200" },
    seconds: { type: "string", default: "5" },
    kinds: { type: "string", default: "" },
  },
});

/** The search side over the segments of a data directory. */
function openEngine(directory: string): SearchEngine {
  const engine = new SearchEngine(nodeFiles);
  const { catalog } = openCatalog(nodeFiles, `${directory}/segments`);
  const change: SearchChange = {
    reset: true,
    addHeads: [],
    removeHeads: [],
    addSegments: catalog.list.flatMap(({ name, parts }) => {
      return parts.map(({ place }) => ({ fileName: name, ...place }));
    }),
    removeSegments: [],
    addArchived: [],
    removeArchived: [],
    tombstones: undefined,
  };
  engine.change(change);
  return engine;
}

/** What the HTTP layer would ask the store: traces by id, or a search. */
function questionOf(query: Query): Uint8Array | FindQuery {
  const whole = { startMinUs: -Infinity, startMaxUs: Infinity, order: "start" } as const;
  if (query.body !== undefined) {
    const { filter } = JSON.parse(query.body) as { filter: unknown };
    return { ...whole, filter: parseFilter(filter), limit: searchLimit };
  }
  const url = new URL(query.url);
  const id = /\/traces\/([0-9a-f]+)$/.exec(url.pathname)?.[1];
  if (id !== undefined) return parseTraceId(id);
  const { filter, startMinUs, startMaxUs, limit } = parseTraceSearch(url.searchParams, systemClock);
  return { filter, startMinUs, startMaxUs, limit, order: "start" };
}

/** CPU time of this thread, ms. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

interface Times {
  readonly find: number[];
  readonly get: number[];
  readonly encode: number[];
  traces: number;
  spans: number;
}

async function ask(engine: SearchEngine, question: Uint8Array | FindQuery, times: Times) {
  const started = cpuMs();
  let ids = [question as Uint8Array];
  if (!(question instanceof Uint8Array)) {
    const found = await engine.find(question);
    ids = found.traces.map(({ traceId }) => traceId);
  }
  const found = cpuMs();
  const images = ids.length === 0 ? [] : await engine.get(ids);
  const got = cpuMs();
  const writer = new JsonWriter();
  for (const image of images) {
    const view = viewTrace([viewBatch(image)]);
    times.spans += view.spanCount;
    adjustTrace(view, { maxClockSkewNs: 0 });
    for (const _ of encodeJaegerTrace(writer, view)) for (const _part of writer.take());
  }
  times.find.push(found - started);
  times.get.push(got - found);
  times.encode.push(cpuMs() - got);
  times.traces += ids.length;
}

const spans = Number(values.spans);
const dataset = prepareDataset(spans, Math.floor(Date.now() / 1000));
const stored = Number(values.stored ?? spans);
const directory = await storedDataset(dataset, stored);
const engine = openEngine(directory);
const doors = { query: "http://spoor/api", find: "http://spoor/find" };
const kinds = [...jaegerKinds(doors as never, dataset), ...ownKinds(doors as never)].filter(
  ({ name }) => !/^(services|operations)$/.test(name) && name.includes(values.kinds),
);
const whole = dataset.samples.filter(({ ordinal }) => ordinal < stored * 0.99);
const mixed = whole.map((_, i) => whole[(i * 7919) % whole.length] as Sample);
const row = (cells: readonly (string | number)[]): void => {
  const text = (cell: string | number): string =>
    typeof cell === "number" ? cell.toFixed(2).padStart(9) : cell;
  console.log(cells.map(text).join(" "));
};
console.log(
  `CPU ms of one thread at ${stored} spans: mean, p50, p95 of all; then means of the parts`,
);
row([
  "question".padEnd(30),
  ...["mean", "p50", "p95", "find", "get", "encode", "traces", "spans", "n"].map((name) =>
    name.padStart(9),
  ),
]);
for (const kind of kinds) {
  const samples = mixed.filter(kind.of);
  const times: Times = { find: [], get: [], encode: [], traces: 0, spans: 0 };
  const started = performance.now();
  const count = Number(values.count);
  for (let i = 0; i < count + 10; i++) {
    if (i === 10) {
      for (const list of [times.find, times.get, times.encode]) list.length = 0;
      times.traces = times.spans = 0;
    }
    const late = performance.now() - started > Number(values.seconds) * 1000;
    if (late && times.find.length >= 5 && i > 10) break;
    await ask(engine, questionOf(kind.query(samples[i % samples.length] as Sample, i)), times);
  }
  const n = times.find.length;
  const all = times.find.map((find, i) => find + times.get[i]! + times.encode[i]!);
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / n;
  const { p50, p95 } = summarize(all);
  const parts = [mean(times.find), mean(times.get), mean(times.encode)];
  row([kind.name.padEnd(30), mean(all), p50, p95, ...parts, times.traces / n, times.spans / n, n]);
}
const rss = process.memoryUsage().rss / 2 ** 20;
console.log(`rss ${rss.toFixed(0)} MiB`);
