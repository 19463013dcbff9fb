/** The queries the bench asks through Jaeger's HTTP API, each with what a right answer is. */

import type { PreparedDataset } from "./dataset-file.ts";
import type { Sample } from "./dataset.ts";
import type { Doors } from "./servers.ts";

export interface Answer {
  readonly data: readonly unknown[] | null;
}

export interface Query {
  readonly url: string;
  /** Posted as JSON; a GET without it. */
  readonly body?: string;
  /** Asked after the first answer, within the same measured time; its answer is checked. */
  readonly follow?: (firstAnswer: string) => string | undefined;
  /** Undefined when the answer is right, else what is wrong with it. */
  readonly check: (answer: Answer) => string | undefined;
}

export interface Kind {
  readonly name: string;
  /** Which samples it can be asked about. */
  readonly of: (sample: Sample) => boolean;
  readonly query: (sample: Sample, index: number) => Query;
}

interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly unknown[];
}

export const searchLimit = 20;
export const anySample = (): boolean => true;
const withUser = (sample: Sample): boolean => sample.tags.userId !== "";

function traces(answer: Answer): JaegerTrace[] {
  return (answer.data ?? []) as JaegerTrace[];
}

export function atMost(answer: Answer, count: number): string | undefined {
  return traces(answer).length > count ? `${traces(answer).length} traces` : undefined;
}

/** The search found something, and no more than it was asked for. */
export function some(answer: Answer): string | undefined {
  return traces(answer).length === 0 ? "no trace" : atMost(answer, searchLimit);
}

function holds(traceId: string, answer: Answer): string | undefined {
  const ids = traces(answer).map((trace) => trace.traceID.padStart(32, "0"));
  return ids.includes(traceId)
    ? atMost(answer, searchLimit)
    : `${ids.length} traces without ${traceId}`;
}

function count(answer: Answer, expected: number): string | undefined {
  const found = answer.data?.length ?? 0;
  return found === expected ? undefined : `${found} instead of ${expected}`;
}

function lookups(doors: Doors): Kind[] {
  const byId = (sample: Sample): Query => ({
    url: `${doors.query}/traces/${sample.traceId}`,
    check: (answer) => {
      const found = traces(answer)[0]?.spans.length ?? 0;
      return found === sample.traceSpans ? undefined : `${found} of ${sample.traceSpans} spans`;
    },
  });
  const services = (): Query => ({
    url: `${doors.query}/services`,
    check: (answer) => count(answer, 20),
  });
  const operations = (sample: Sample): Query => ({
    url: `${doors.query}/services/${sample.service}/operations`,
    check: (answer) => count(answer, 10),
  });
  return [
    { name: "trace by id", of: anySample, query: byId },
    { name: "services", of: anySample, query: services },
    { name: "operations", of: anySample, query: operations },
  ];
}

type Search = (service: string, more: Readonly<Record<string, string>>) => string;

function tagSearches(search: Search): Kind[] {
  const tag = (service: string, key: string, value: string): string =>
    search(service, { tags: JSON.stringify({ [key]: value }) });
  const rare = ({ service, tags, traceId }: Sample): Query => ({
    url: tag(service, "user.id", tags.userId),
    check: (answer) => holds(traceId, answer),
  });
  const unique = ({ service, tags, traceId }: Sample): Query => ({
    url: tag(service, "request.id", tags.requestId),
    check: (answer) => holds(traceId, answer),
  });
  const frequent = ({ service }: Sample, index: number): Query => ({
    url: tag(service, "http.method", index % 2 === 0 ? "GET" : "POST"),
    check: some,
  });
  const nowhere = ({ service }: Sample, index: number): Query => ({
    url: tag(service, "user.id", `nobody-${index}`),
    check: (answer) => atMost(answer, 0),
  });
  return [
    { name: "rare tag (user.id)", of: withUser, query: rare },
    { name: "unique tag (request.id)", of: withUser, query: unique },
    { name: "frequent tag (http.method)", of: anySample, query: frequent },
    { name: "value that exists nowhere", of: anySample, query: nowhere },
  ];
}

/** What every server is asked; searches ask for the newest 20 whole traces of all the time. */
export function jaegerKinds(doors: Doors, dataset: PreparedDataset): Kind[] {
  const start = String((dataset.startSeconds - 3600) * 1e6);
  const end = String((dataset.endSeconds + 3600) * 1e6);
  const search: Search = (service, more) => {
    const limit = String(searchLimit);
    const parameters = new URLSearchParams({ service, start, end, limit, ...more });
    return `${doors.query}/traces?${parameters.toString()}`;
  };
  const slow = `${Math.round(dataset.durationsUs["p999"] as number)}us`;
  const ofService = ({ service }: Sample): Query => ({ url: search(service, {}), check: some });
  const ofOperation = ({ service, operation }: Sample): Query => ({
    url: search(service, { operation }),
    check: some,
  });
  const ofDuration = ({ service }: Sample): Query => ({
    url: search(service, { minDuration: slow }),
    check: (answer) => atMost(answer, searchLimit),
  });
  return [
    ...lookups(doors),
    { name: "service", of: anySample, query: ofService },
    { name: "service and operation", of: anySample, query: ofOperation },
    ...tagSearches(search),
    { name: "minimum duration (p99.9)", of: anySample, query: ofDuration },
  ];
}
