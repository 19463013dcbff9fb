/** From keys pressed to actions of the trace page. */

import type { BoundKeys } from "./key-maps.ts";
import type { TraceAction } from "./trace-actions.ts";
import type { TraceContext } from "./trace-context.ts";

/** The second key of `g t` follows within this, ms. */
const SEQUENCE_MS = 1500;
/** Actions that keys do while somebody types. */
const LEADING: readonly TraceAction["group"][] = ["Find", "Page"];

export interface KeyOptions {
  readonly keys: () => BoundKeys;
  /** Whether keys without Ctrl do anything. */
  readonly singleKeys: () => boolean;
}

/** Listens on the document until the returned function is called. */
export function listenToKeys(
  context: TraceContext,
  rows: () => HTMLElement | undefined,
  { keys, singleKeys }: KeyOptions,
): () => void {
  let prefix = "";
  let prefixAt = 0;
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    const name = keyName(event);
    const typing = isTyping(event.target);
    const chord = name.startsWith("Ctrl+");
    if ((typing && !chord && name !== "Escape") || (!chord && !singleKeys() && isPrinting(event))) {
      return;
    }
    const fresh = event.timeStamp - prefixAt < SEQUENCE_MS;
    const bound = keys();
    const pressed = fresh && prefix !== "" ? `${prefix} ${name}` : name;
    const action = actionOf(bound, pressed, event, rows());
    prefix = pressed === name && bound.prefixes.has(name) ? name : "";
    prefixAt = event.timeStamp;
    // In a field chords are the field's own, but for those that lead elsewhere.
    if (action === undefined || (typing && !LEADING.includes(action.group))) return;
    event.preventDefault();
    action.run(context);
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

function actionOf(
  { anywhere, inTree }: BoundKeys,
  name: string,
  event: KeyboardEvent,
  rows: HTMLElement | undefined,
): TraceAction | undefined {
  const target = event.target instanceof Element ? event.target : null;
  const focused = rows !== undefined && target !== null && rows.contains(target);
  if (focused && inTree.has(name)) return inTree.get(name);
  // Buttons and links keep the keys that press them and move among them.
  const pressed = name === "Enter" || name === " ";
  if (pressed && target?.closest("button, a, summary, [role=tab]") !== null) return undefined;
  if (
    name.includes("Arrow") &&
    target?.closest("[role=separator], [role=slider], [role=menu], [role=tablist]")
  ) {
    return undefined;
  }
  return anywhere.get(name);
}

/** `Ctrl+k`, `Shift+ArrowLeft`, `E`: Shift is in the letter where there is one. */
function keyName(event: KeyboardEvent): string {
  if (event.ctrlKey || event.metaKey) return `Ctrl+${event.key.toLowerCase()}`;
  return event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
}

function isPrinting(event: KeyboardEvent): boolean {
  return event.key.length === 1;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio"].includes(target.type);
  return target.isContentEditable || target.matches("textarea, select, [role=combobox]");
}
