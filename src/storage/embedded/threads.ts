/** Where slow work runs: in worker threads, or (inline-threads.ts) on this one for tests. */

import type { Clock } from "../../base/clock.ts";
import type { Job, JobResult } from "./jobs.ts";
import type { Meters } from "./meters.ts";
import type { SearchBackend, SearchSide } from "./search-side.ts";
import type { StoreEvent } from "./store-options.ts";
import { WorkerThread, workerUrl } from "./worker-call.ts";

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

/** A seal worker and a search worker, each started again when it crashes. */
export function workerThreads(
  clock: Clock,
  meters: Meters,
  report: (event: StoreEvent) => void,
): Threads {
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
    void side?.start(backend);
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
