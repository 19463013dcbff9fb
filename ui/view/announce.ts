/** What is said to screen readers without moving the focus, and shown for a moment. */

import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";

const said = signal("");

/** The text of the page's polite live region. */
export const announcement: ReadonlySignal<string> = said;

/** Says a text; the same text twice is said twice. */
export function announce(text: string): void {
  said.value = said.value === text ? `${text}\u00a0` : text;
}
