// The end of a page, which browsers tell of only by hiding it.
import type { SpanQueue } from "./span-queue.ts";

interface Page {
  addEventListener?: (name: string, listener: () => void) => void;
  document?: { visibilityState?: string };
}

/** Sends what waits when the page is hidden: it may never be seen again. */
export function flushWhenHidden(queue: SpanQueue): void {
  const page = globalThis as Page;
  page.addEventListener?.("visibilitychange", () => {
    if (page.document?.visibilityState === "hidden") queue.flush();
  });
  page.addEventListener?.("pagehide", () => queue.flush());
}
