/** The slow work of a store on the caller's thread: for tests, and for files of memory. */

import type { FileLayer } from "../../base/node/file-layer.ts";
import { throwIfAborted } from "../../core/cancel.ts";
import { runJob } from "./jobs.ts";
import { searchHandlers } from "./search-calls.ts";
import type { SearchBackend } from "./search-side.ts";
import type { Threads } from "./threads.ts";
import { Handover } from "./worker-call.ts";

/** Everything on this thread. */
export function inlineThreads(files: FileLayer): Threads {
  const handlers = searchHandlers(files);
  const backend: SearchBackend = {
    async call(method, args, signal) {
      throwIfAborted(signal);
      const handler = handlers[method];
      if (handler === undefined) throw new Error(`no method ${method}`);
      const never = new AbortController().signal;
      const result = await handler(args as never, signal ?? never);
      return result instanceof Handover ? result.value : result;
    },
    close: async () => undefined,
  };
  return {
    run: async (job) => runJob(files, job),
    start(search) {
      // Changes until here are in `everything`; later ones are told one by one.
      void search.start(backend);
      search.connect(backend);
    },
    close: async () => undefined,
  };
}
