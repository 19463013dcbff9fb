/** Copies a text, also where the clipboard's API is not given (plain http). */

import { say } from "./toasts.tsx";

/** Copies, and says what became of it; `said` is for what needs more words. */
export function copyText(text: string, said = "Copied"): void {
  const clipboard: Clipboard | undefined = navigator.clipboard;
  const done = (): void => say(said, { brief: true });
  const bySelection = (): void => {
    if (copyBySelection(text)) done();
    else say(`This browser does not let the page copy. It is: ${text}`, { bad: true });
  };
  if (clipboard === undefined) return bySelection();
  clipboard.writeText(text).then(done, bySelection);
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
