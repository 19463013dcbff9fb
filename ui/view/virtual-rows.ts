/** Which rows of a long list are in the page: those near the window, all of one height. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";

/** Rows `from ..< to` are rendered; the space of the others is kept before and after them. */
export interface VirtualRows {
  readonly from: number;
  readonly to: number;
  readonly before: number;
  readonly after: number;
  /** Of the element that scrolls, px. */
  readonly width: number;
}

/** An element once it is there. */
export interface ElementRef {
  readonly current: HTMLElement | null;
}

/** Rows beyond the window on either side, so that a short scroll shows no gap. */
const EXTRA = 8;
/** A page never has more, however tall the window. */
const MOST = 60;

/** Follows the scrolling of the element that holds the list. */
export function useVirtualRows(
  scroller: ElementRef,
  list: ElementRef,
  count: ReadonlySignal<number>,
  rowHeight: number,
): VirtualRows {
  const first = useSignal(0);
  const shown = useSignal(40);
  const width = useSignal(scroller.current?.clientWidth ?? 1200);
  useSignalEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    void count.value;
    const measure = (): void => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const hidden = element.getBoundingClientRect().top - top;
      first.value = Math.max(0, Math.floor(hidden / rowHeight) - EXTRA);
      width.value = element.clientWidth;
      shown.value = Math.min(MOST, Math.ceil(element.clientHeight / rowHeight) + 2 * EXTRA);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  });
  const from = Math.min(first.value, Math.max(0, count.value - shown.value));
  const to = Math.min(count.value, from + shown.value);
  const after = (count.value - to) * rowHeight;
  return { from, to, before: from * rowHeight, after, width: width.value };
}
