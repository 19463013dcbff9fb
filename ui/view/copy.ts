/** Copies a text, also where the clipboard's API is not given (plain http). */

import { announce } from "./announce.ts";

/** Copies, and says so politely. */
export function copyText(text: string): void {
  const done = (): void => announce("Copied");
  const clipboard: Clipboard | undefined = navigator.clipboard;
  if (clipboard === undefined) {
    if (copyBySelection(text)) done();
    return;
  }
  clipboard.writeText(text).then(done, () => {
    if (copyBySelection(text)) done();
  });
}

/** The old way: select a text field and copy it. */
function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  field.setAttribute("aria-hidden", "true");
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
