/** TraceResult: one trace of a search, whoever found it. */

import type { SearchForm } from "./search-form.ts";

/** One trace of a result. Counts a server does not tell are undefined. */
export interface TraceResult {
  /** 32 lower-case hex digits. */
  readonly traceIdHex: string;
  readonly rootService: string;
  readonly rootName: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly spanCount: number | undefined;
  readonly errorCount: number | undefined;
  readonly orphanCount: number | undefined;
  readonly services: readonly ServiceCount[];
  /** The matching span that ranks first; "" when the server does not say. */
  readonly matchSpanIdHex: string;
  /** It came from a file. */
  readonly uploaded: boolean;
}

export interface ServiceCount {
  readonly name: string;
  readonly spanCount: number;
  readonly errorCount: number;
}

/** Orders a server can search in. */
export interface ServerOrder {
  readonly by: "start" | "duration" | "spanCount";
  readonly descending: boolean;
}

export interface FoundTraces {
  readonly traces: readonly TraceResult[];
  /** Asks for the next page; undefined on the last, or when the server has none. */
  readonly cursor: string | undefined;
}

export interface FindRequest {
  readonly form: SearchForm;
  /** Bounds on the matching span's start, µs since 1970. */
  readonly times: { readonly startUs: number; readonly endUs: number };
  readonly order: ServerOrder;
  readonly cursor?: string;
}
