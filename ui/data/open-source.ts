/** Where the traces of this page come from: our server, a plain Jaeger, or uploaded files. */

import { NoSkeletonsError, serverSource } from "./server-source.ts";
import type { ServerSourceOptions } from "./server-source.ts";
import type { TraceSource } from "./trace-source.ts";
import { UploadedTraces } from "./uploaded-traces.ts";
import { WorkerClient } from "./worker-client.ts";
import { workerUrl } from "./worker-files.ts";
import { jaegerSource } from "./worker-source.ts";

const client = new WorkerClient(() => new Worker(workerUrl("trace-worker"), { type: "module" }));

/** What was uploaded since the page was loaded. */
export const uploads: UploadedTraces = new UploadedTraces(client);

/** The source of a trace: an upload with this id, else the server's, whatever server it is. */
export function traceSource(options: ServerSourceOptions): TraceSource {
  const { adjusted = true, clockSkew = "off", traceId } = options;
  const uploaded = uploads.sourceOf(traceId, { adjusted, clockSkew });
  return uploaded ?? remoteSource(options, client);
}

/** A server's trace: by skeletons, or by Jaeger's JSON when it does not know them. */
export function remoteSource(options: ServerSourceOptions, worker: WorkerClient): TraceSource {
  let source = serverSource(options);
  return {
    async load(onProgress, signal) {
      try {
        return await source.load(onProgress, signal);
      } catch (error) {
        if (!(error instanceof NoSkeletonsError)) throw error;
        source = jaegerSource(worker, options);
        return await source.load(onProgress, signal);
      }
    },
    details: (columns, rows, signal) => source.details(columns, rows, signal),
    find: (columns, find, signal) => source.find(columns, find, signal),
    keys: (columns, signal) => source.keys(columns, signal),
    values: (columns, key, signal) => source.values(columns, key, signal),
    lateSpans: (columns, signal) => source.lateSpans(columns, signal),
    json: (raw, signal) => source.json(raw, signal),
  };
}
