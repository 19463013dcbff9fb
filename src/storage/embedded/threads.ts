/** Where slow work runs: in worker threads, or inline on this one for tests. */

import type { Clock } from "../../base/clock.ts";
import type { FileLayer } from "../../base/node/file-layer.ts";
import { throwIfAborted } from "../../core/cancel.ts";
import { isSpoorError } from "../../core/errors.ts";
import { runJob } from "./jobs.ts";
import type { Job, JobResult } from "./jobs.ts";
import type { Meters } from "./meters.ts";
import { searchHandlers } from "./search-calls.ts";
import type { SearchBackend, SearchSide } from "./search-side.ts";
import type { StoreEvent } from "./store-options.ts";
import { Handover, WorkerThread, workerUrl } from "./worker-call.ts";

/**
 * The search worker starts this long after the store is open, or when it is asked something: its
 * 60 to 100 ms of CPU would make a server on one core healthy that much later.
 */
const SEARCH_START_MS = 400;

/** The two places of slow work. */
export interface Threads {
  run(job: Job): Promise<JobResult>;
  /** Connects the search side; nothing runs before. */
  start(search: SearchSide): void;
  close(): Promise<void>;
}

/** Everything on this thread. */
export function inlineThreads(files: FileLayer, report: (event: StoreEvent) => void): Threads {
  const failed = startFailure(report);
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
      search.start(backend).catch(failed);
      search.connect(backend);
    },
    close: async () => undefined,
  };
}

/** A seal worker and a search worker, each started again when it crashes. */
export function workerThreads(
  clock: Clock,
  meters: Meters,
  report: (event: StoreEvent) => void,
): Threads {
  const failed = startFailure(report);
  const thread = (name: string, onStart: (thread: WorkerThread) => void): WorkerThread =>
    new WorkerThread({
      name,
      url: workerUrl(`${name}-worker`, import.meta.url),
      clock,
      onStart,
      onCrash(message) {
        meters.workerRestarts.value++;
        report({ level: "error", message });
      },
    });
  const seal = thread("seal", () => undefined);
  let sealStarted = false;
  let side: SearchSide | undefined;
  const searcher = thread("search", () => {
    side?.start(backend).catch(failed);
  });
  let cancelStart = (): void => undefined;
  const backend: SearchBackend = {
    call: (method, args, signal) => searcher.call(method, args, [], signal),
    close: () => searcher.close(),
  };
  return {
    async run(job) {
      if (!sealStarted) seal.start();
      sealStarted = true;
      return (await seal.call("run", job)) as JobResult;
    },
    start(search) {
      side = search;
      const begin = (): void => {
        cancelStart();
        searcher.start();
        search.connect(backend);
      };
      search.connectWhenAsked(begin);
      cancelStart = clock.after(SEARCH_START_MS, begin);
    },
    async close() {
      cancelStart();
      await seal.close();
      await searcher.close();
    },
  };
}

function startFailure(report: (event: StoreEvent) => void): (error: unknown) => void {
  return (error) => {
    if (isSpoorError(error, "closed")) return;
    const reason = error instanceof Error ? error.message : String(error);
    report({ level: "error", message: `searching does not start: ${reason}` });
  };
}
