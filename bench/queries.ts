/** Asks a running server every query of the bench over HTTP, checks the answers, and times them. */

import * as http from "node:http";
import { requestsFor } from "./dataset-file.ts";
import type { PreparedDataset } from "./dataset-file.ts";
import type { Sample } from "./dataset.ts";
import { summarize } from "./latency.ts";
import type { Summary } from "./latency.ts";
import { ownKinds } from "./own-queries.ts";
import { jaegerKinds } from "./query-kinds.ts";
import type { Answer, Kind, Query } from "./query-kinds.ts";
import type { Doors } from "./servers.ts";

export interface QueryTimes {
  readonly kind: string;
  readonly ms: Summary;
  /** Mean bytes of an answer. */
  readonly answerBytes: number;
  /** Answers that were not what the dataset says; with the first of them. */
  readonly wrong: number;
  readonly firstWrong: string;
}

export interface QueryOptions {
  readonly dataset: PreparedDataset;
  /** Spans of the dataset the server holds. */
  readonly spans: number;
  /** Timed queries of each kind, at most. */
  readonly count: number;
  /** No kind is asked for longer than this once it has been asked five times. */
  readonly secondsPerKind: number;
}

const warmUp = 10;
const fewest = 5;

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly bytes: number;
}

function send(agent: http.Agent, url: string, body?: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const request = http.request(url, { agent, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const all = Buffer.concat(parts);
        const status = response.statusCode ?? 0;
        resolve({ status, text: all.toString("utf8"), bytes: all.length });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** One query with what follows from its answer. */
async function ask(agent: http.Agent, query: Query): Promise<Reply> {
  const first = await send(agent, query.url, query.body);
  if (query.follow === undefined || first.status !== 200) return first;
  const url = query.follow(first.text);
  return url === undefined ? { ...first, text: '{"data":[]}' } : send(agent, url);
}

async function timeKind(
  agent: http.Agent,
  kind: Kind,
  samples: readonly Sample[],
  options: QueryOptions,
): Promise<QueryTimes> {
  const times: number[] = [];
  let answerBytes = 0;
  let wrong = 0;
  let firstWrong = "";
  const startedMs = performance.now();
  for (let i = 0; i < warmUp + options.count; i++) {
    const late = performance.now() - startedMs > options.secondsPerKind * 1000;
    if (late && times.length >= fewest) break;
    const query = kind.query(samples[i % samples.length] as Sample, i);
    const askedMs = performance.now();
    const { status, text, bytes } = await ask(agent, query);
    const tookMs = performance.now() - askedMs;
    if (i < warmUp && !late) continue;
    times.push(tookMs);
    answerBytes += bytes;
    const fault =
      status === 200 ? query.check(JSON.parse(text) as Answer) : `${status}: ${text.slice(0, 80)}`;
    if (fault === undefined) continue;
    wrong += 1;
    firstWrong ||= `${query.url.slice(query.url.indexOf("/api"))}: ${fault}`;
  }
  return {
    kind: kind.name,
    ms: summarize(times),
    answerBytes: answerBytes / times.length,
    wrong,
    firstWrong,
  };
}

/** Times of every kind of query, one request at a time over one kept connection. */
export async function measureQueries(doors: Doors, options: QueryOptions): Promise<QueryTimes[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  // The last traces of a part of the dataset are not whole in it: ask about the earlier ones.
  const sent = requestsFor(options.dataset, options.spans);
  const whole = options.dataset.samples.filter(({ wholeAfter }) => wholeAfter <= sent);
  if (whole.length === 0) throw new Error("too few spans: no sample of the dataset is whole");
  const mixed = whole.map((_, i) => whole[(i * 7919) % whole.length] as Sample);
  const results: QueryTimes[] = [];
  for (const kind of [...jaegerKinds(doors, options.dataset), ...ownKinds(doors)]) {
    results.push(await timeKind(agent, kind, mixed.filter(kind.of), options));
  }
  agent.destroy();
  return results;
}
