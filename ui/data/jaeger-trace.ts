/** One whole trace in Jaeger's JSON, as results that are downloaded need it. */

import { askJson, ServerError } from "./ask-server.ts";

/** The first trace of the answer; rejects with `ServerError`, `not-found` when there is none. */
export async function fetchJaegerTrace(traceIdHex: string, signal: AbortSignal): Promise<unknown> {
  const answer = await askJson(`api/traces/${traceIdHex}`, signal);
  const data: unknown = (answer as Readonly<Record<string, unknown>> | null)?.["data"];
  const trace: unknown = Array.isArray(data) ? data[0] : undefined;
  if (trace === undefined) throw new ServerError("The trace is not there", "not-found");
  return trace;
}
