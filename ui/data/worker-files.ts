/** Where the built worker scripts are: their names carry a hash that only the build knows. */

/** `ui/data/trace-worker.ts` is built as `WORKER_FILES["trace-worker"]`, beside this script. */
declare const WORKER_FILES: Readonly<Record<string, string>>;

/** The address of a worker by the name of its file without `.ts`. */
export function workerUrl(name: string): URL {
  return new URL(`./${WORKER_FILES[name]}`, import.meta.url);
}
