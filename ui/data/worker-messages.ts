/** What page and worker say to each other: one question, one answer, told by a number. */

import type { CriticalPath } from "../../src/core/trace/critical-path.ts";
import type { RowFind } from "../../src/core/trace/find-rows.ts";
import type { RowKey, RowValues } from "../../src/core/trace/row-values.ts";
import type { SkeletonColumns } from "../../src/core/trace/skeleton.ts";
import type { SpanDetail } from "../../src/core/trace/span-detail.ts";
import type { ShownAs } from "./trace-desk.ts";
import type { TraceLoadError } from "./trace-source.ts";
import type { UploadedFiles } from "./uploaded-traces.ts";

/** Questions by name, with what is asked and what is answered. */
export interface Questions {
  addFiles: [{ files: readonly Blob[]; names: readonly string[] }, UploadedFiles];
  fetchJaeger: [{ url: string }, string];
  open: [{ traceIdHex: string; from: "files" | "jaeger"; shown: ShownAs }, SkeletonColumns];
  criticalPath: [{ traceIdHex: string; token: string }, CriticalPath];
  details: [{ traceIdHex: string; token: string; rows: readonly number[] }, readonly SpanDetail[]];
  find: [{ traceIdHex: string; token: string; find: RowFind }, Uint8Array];
  keys: [{ traceIdHex: string; token: string }, readonly RowKey[]];
  values: [{ traceIdHex: string; token: string; key: string }, RowValues];
  json: [{ traceIdHex: string; raw: boolean }, Blob];
  clear: [Record<string, never>, undefined];
}

export type QuestionName = keyof Questions;

/** A question, or the wish that one be given up. */
export type ToWorker =
  | { readonly call: number; readonly name: QuestionName; readonly asked: unknown }
  | { readonly call: number; readonly name: "abort" };

/** The code of an error, when it has one the page knows; others are bugs. */
export interface ErrorWords {
  readonly code: TraceLoadError["code"] | "aborted" | "bug";
  readonly message: string;
}

export type FromWorker =
  | { readonly call: number; readonly answer: unknown }
  | { readonly call: number; readonly error: ErrorWords };
