/** Messages that come and go: what was done, what failed. */

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { Icon } from "./icons.tsx";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly bad: boolean;
}

const SHOWN_MS = 8_000;
/** A word about what was just pressed needs no longer. */
const BRIEF_MS = 5_000;
/** More at once would cover the page. */
const MOST = 4;

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

export interface SayOptions {
  readonly bad?: boolean;
  readonly brief?: boolean;
}

/** Shows a message; bad ones stay until they are closed. */
export function say(text: string, { bad = false, brief = false }: SayOptions = {}): void {
  const id = ++lastId;
  toasts.value = [...toasts.peek(), { id, text, bad }].slice(-MOST);
  if (!bad) setTimeout(() => close(id), brief ? BRIEF_MS : SHOWN_MS);
}

function close(id: number): void {
  toasts.value = toasts.peek().filter((toast) => toast.id !== id);
}

/** Where the messages are shown. */
export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, bad }) => (
        <div key={id} class={bad ? "toast bad" : "toast"}>
          <span>{text}</span>
          <button
            type="button"
            class="button quiet icon"
            aria-label="Close message"
            onClick={() => close(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
