/** Download of the results: each trace whole, six at a time, into one file of Jaeger's JSON. */

import { signal } from "@preact/signals";
import { fetchJaegerTrace } from "../data/jaeger-trace.ts";
import { uploadedJson } from "./uploads.ts";
import { say } from "./toasts.tsx";

/** Requests at once, as browsers allow to one host. */
const AT_ONCE = 6;

/** How far the running download is; undefined when none is. */
export const downloadProgress = signal<{ readonly done: number; readonly all: number } | undefined>(
  undefined,
);

/** Fetches the traces and hands the file to the browser; what is missing is told. */
export async function downloadResults(ids: readonly string[]): Promise<void> {
  if (downloadProgress.value !== undefined) return;
  const { signal: never } = new AbortController();
  const parts: string[] = [];
  const waiting = [...ids];
  let failed = 0;
  downloadProgress.value = { done: 0, all: ids.length };
  const worker = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        parts.push(JSON.stringify((await uploadedJson(id)) ?? (await fetchJaegerTrace(id, never))));
      } catch {
        failed++;
      }
      downloadProgress.value = { done: parts.length + failed, all: ids.length };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  downloadProgress.value = undefined;
  if (parts.length > 0) saveAs(`traces-${Date.now()}.json`, joined(parts));
  if (failed > 0) say(`${failed} of ${ids.length} traces could not be fetched`, { bad: true });
}

/** `{"data":[…]}` without one text of it all: traces are large. */
function joined(parts: readonly string[]): Blob {
  const pieces: string[] = ['{"data":['];
  for (const [i, part] of parts.entries()) pieces.push(i === 0 ? part : `,${part}`);
  pieces.push("]}");
  return new Blob(pieces, { type: "application/json" });
}

function saveAs(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
