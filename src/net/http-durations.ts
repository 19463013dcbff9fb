/** How long requests took, by method, path and status, as Jaeger's servers measure them. */

import type { CounterTable } from "../base/counters.ts";

const LABELS = ["method", "path", "status"];
/** Path of requests to none of the routes: strangers choose it, so it is no label. */
const OTHER_PATH = "other";

/** Told of every answered request. */
export type ObserveRequest = (method: string, path: string, status: number, ms: number) => void;

/** Counts requests into the histogram `name`; 404s share one path. */
export function requestDurations(counters: CounterTable, name: string): ObserveRequest {
  const known = new Map<string, (seconds: number) => void>();
  const help = "Seconds until a request was answered.";
  return (method, path, status, ms) => {
    const values = [method, status === 404 ? OTHER_PATH : path, String(status)];
    const key = values.join(" ");
    let observe = known.get(key);
    if (observe === undefined) {
      observe = counters.histogram(name, help, LABELS, values);
      known.set(key, observe);
    }
    observe(ms / 1000);
  };
}
