/** The bench's queries that no peer can answer: a regex over URLs and a range of numbers. */

import type { Sample } from "./dataset.ts";
import { anySample, atMost, searchLimit, some } from "./query-kinds.ts";
import type { Kind, Query } from "./query-kinds.ts";
import type { Doors } from "./servers.ts";

interface FindAnswer {
  readonly traces: readonly { readonly traceId: string }[];
}

const idInUrl = /(\/[a-z]+\/[0-9]{4})[0-9]/;

/** Searches by Spoor's filter tree, each followed by fetching the traces it found, whole. */
export function ownKinds(doors: Doors): Kind[] {
  const { find } = doors;
  if (find === undefined) return [];
  const search = (filter: unknown): Omit<Query, "check"> => ({
    url: find,
    body: JSON.stringify({ limit: searchLimit, filter }),
    follow: (firstAnswer) => {
      const found = JSON.parse(firstAnswer) as FindAnswer;
      const ids = found.traces.map(({ traceId }) => `traceID=${traceId}`);
      return ids.length === 0 ? undefined : `${doors.query}/traces?${ids.join("&")}`;
    },
  });
  const regex = ({ tags }: Sample): Query => {
    const pattern = `${idInUrl.exec(tags.url)?.[1] ?? ""}[0-9]+`;
    const filter = { op: "regex", target: { attribute: "http.url" }, pattern };
    return { ...search(filter), check: some };
  };
  const range = (_: Sample, index: number): Query => {
    const target = { attribute: "http.response_content_length" };
    const least = 15_000 + index * 10;
    const all = [
      { op: ">=", target, value: least },
      { op: "<", target, value: least + 500 },
    ];
    return {
      ...search({ op: "and", all }),
      check: (answer) => atMost(answer, searchLimit),
    };
  };
  return [
    { name: "regex over http.url", of: ({ tags }) => idInUrl.test(tags.url), query: regex },
    { name: "number range (content length)", of: anySample, query: range },
  ];
}
