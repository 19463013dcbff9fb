/** Traces of files: read in a worker, shown above what the server found, opened without it. */

import { signal } from "@preact/signals";
import type { UploadedTraces } from "../data/uploaded-traces.ts";
import { goTo, place } from "./router.ts";
import { uploaded } from "./search-state.ts";
import { say } from "./toasts.tsx";

/** Whether files are being read. */
export const uploading = signal(false);
/** Whether files are held over the page. */
export const filesOver = signal(false);

/** The code that reads files is loaded with the first of them. */
async function openUploads(): Promise<UploadedTraces> {
  return (await import("../data/open-source.ts")).uploads;
}

/** Reads files and adds their traces to the results; what cannot be read is told. */
export async function uploadFiles(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  uploading.value = true;
  try {
    const read = await (await openUploads()).add(files, new AbortController().signal);
    const traces = read.traces.map((trace) => ({
      ...trace,
      durationUs: trace.endUs - trace.startUs,
      matchSpanIdHex: "",
      uploaded: true,
    }));
    const ids = new Set(traces.map(({ traceIdHex }) => traceIdHex));
    uploaded.value = [...traces, ...uploaded.value.filter((old) => !ids.has(old.traceIdHex))];
    for (const { file, message } of read.problems) say(`${file}: ${message}`, { bad: true });
    if (traces.length > 0) say(`${traces.length} ${traces.length === 1 ? "trace" : "traces"} read`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say(`The files could not be read: ${reason}`, { bad: true });
  } finally {
    uploading.value = false;
  }
}

/** Takes files wherever they are dropped: a browser would show them instead of this page. */
export function listenToDrops(): () => void {
  const stop = new AbortController();
  const { signal: until } = stop;
  const hasFiles = (event: DragEvent): boolean =>
    event.dataTransfer?.types.includes("Files") === true;
  const over = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    filesOver.value = true;
  };
  const leave = (event: DragEvent): void => {
    if (event.relatedTarget === null) filesOver.value = false;
  };
  const drop = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    filesOver.value = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    // A search clears what was uploaded: it begins before.
    if (place.peek().path !== "/search") goTo("/search");
    void uploadFiles(files);
  };
  addEventListener("dragover", over, { signal: until });
  addEventListener("dragleave", leave, { signal: until });
  addEventListener("drop", drop, { signal: until });
  return () => stop.abort();
}

/** An uploaded trace as Jaeger's JSON; undefined when it is not of a file. */
export async function uploadedJson(traceIdHex: string): Promise<unknown> {
  if (!uploaded.value.some((trace) => trace.traceIdHex === traceIdHex)) return undefined;
  const source = (await openUploads()).sourceOf(traceIdHex);
  const blob = await source?.json(false, new AbortController().signal);
  if (blob === undefined) return undefined;
  const json: { data?: unknown[] } = JSON.parse(await blob.text());
  return json.data?.[0];
}
