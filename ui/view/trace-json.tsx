/** The trace as JSON, adjusted or as stored: shown in pages of lines, downloaded whole. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import type { TraceModel } from "./trace-model.ts";
import { Notice, Waiting } from "./waiting.tsx";

/** Lines on screen at once; each page of a long trace is a press away. */
const PAGE_LINES = 400;
/** More text than this is offered as a download only: a string has a longest length. */
const MAX_SHOWN_BYTES = 64 * 1024 * 1024;

export interface TraceJsonProps {
  readonly model: TraceModel;
  readonly raw: boolean;
}

type Shown =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly why: string }
  | { readonly state: "big"; readonly bytes: number; readonly url: string }
  | { readonly state: "text"; readonly lines: readonly string[]; readonly url: string };

export function TraceJson({ model, raw }: TraceJsonProps): JSX.Element {
  const shown = useSignal<Shown>({ state: "loading" });
  const page = useSignal(0);
  const attempt = useSignal(0);
  useEffect(() => {
    const stop = new AbortController();
    let url = "";
    shown.value = { state: "loading" };
    page.value = 0;
    const show = async (): Promise<void> => {
      const blob = await model.source.json(raw, stop.signal);
      url = URL.createObjectURL(blob);
      if (blob.size > MAX_SHOWN_BYTES) shown.value = { state: "big", bytes: blob.size, url };
      else shown.value = { state: "text", lines: indented(await blob.text()), url };
    };
    show().catch((error: unknown) => {
      if (stop.signal.aborted) return;
      shown.value = {
        state: "failed",
        why: error instanceof Error ? error.message : String(error),
      };
    });
    return () => {
      stop.abort();
      URL.revokeObjectURL(url);
    };
  }, [model, raw, attempt.value]);
  const now = shown.value;
  const again = (): void => {
    attempt.value++;
  };
  if (now.state === "loading") return <Waiting label="Loading the JSON" onRetry={again} />;
  if (now.state === "failed") {
    return (
      <Notice>
        <p>
          <b>The JSON could not be loaded.</b> {now.why}
        </p>
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      </Notice>
    );
  }
  const name = `trace-${model.columns.value?.traceIdHex ?? ""}${raw ? "-raw" : ""}.json`;
  return (
    <section class="json-view" aria-label={raw ? "Trace as stored" : "Trace JSON"}>
      <div class="row-of-buttons">
        <a class="button" href={now.url} download={name}>
          Download
        </a>
        {now.state === "text" && <Pages page={page} lines={now.lines.length} />}
      </div>
      {now.state === "big" ? (
        <p class="soft">
          {(now.bytes / 1e6).toFixed(0)} MB of JSON: too much to show, download it.
        </p>
      ) : (
        <pre tabIndex={0} role="region" aria-label="JSON">
          {now.lines.slice(page.value * PAGE_LINES, (page.value + 1) * PAGE_LINES).join("\n")}
        </pre>
      )}
    </section>
  );
}

function indented(text: string): string[] {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).split("\n");
  } catch {
    return text.split("\n");
  }
}

interface PagesProps {
  readonly page: { value: number };
  readonly lines: number;
}

function Pages({ page, lines }: PagesProps): JSX.Element | null {
  const pages = Math.ceil(lines / PAGE_LINES);
  if (pages <= 1) return null;
  const go = (by: number): void => {
    page.value = Math.max(0, Math.min(pages - 1, page.value + by));
  };
  return (
    <>
      <button type="button" class="button" disabled={page.value === 0} onClick={() => go(-1)}>
        Previous lines
      </button>
      <button type="button" class="button" disabled={page.value >= pages - 1} onClick={() => go(1)}>
        Next lines
      </button>
      <span class="soft">
        lines {page.value * PAGE_LINES + 1}–{Math.min(lines, (page.value + 1) * PAGE_LINES)} of{" "}
        {lines.toLocaleString("en")}
      </span>
    </>
  );
}
