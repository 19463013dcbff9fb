/** One trace: header, timeline, details. */

import type { JSX } from "preact";

export interface TracePageProps {
  /** As the address has it; canonical once the trace is there. */
  readonly traceIdHex: string;
}

/** The page of one trace. */
export function TracePage({ traceIdHex }: TracePageProps): JSX.Element {
  return <h1>Trace {traceIdHex}</h1>;
}
