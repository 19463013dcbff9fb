/** CommandPalette: every command by name, on Ctrl/Cmd+K; pages register theirs. */

import { signal, useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import type { JSX } from "preact";

export interface Command {
  readonly group: string;
  readonly title: string;
  /** As shown: `g t`, `Ctrl+B`. */
  readonly keys: string;
  readonly run: () => void;
}

/** Listed at once: more cannot be looked through. */
const MAX_LISTED = 40;

const registered = signal<readonly (readonly Command[])[]>([]);
const isOpen = signal(false);

/** Offers commands until the returned function is called. */
export function registerCommands(commands: readonly Command[]): () => void {
  registered.value = [...registered.peek(), commands];
  return () => {
    registered.value = registered.peek().filter((other) => other !== commands);
  };
}

export function openPalette(): void {
  isOpen.value = true;
}

/** Listens for Ctrl/Cmd+K everywhere; the shell renders it once. */
export function CommandPalette(): JSX.Element | null {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
      if (event.defaultPrevented) return;
      event.preventDefault();
      isOpen.value = !isOpen.peek();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return isOpen.value ? <PaletteDialog /> : null;
}

/** Letters of the wish in this order, closest together first; -1 when they are not there. */
function distanceOf(text: string, wish: string): number {
  const lower = text.toLowerCase();
  const at = lower.indexOf(wish);
  if (at >= 0) return at;
  let place = -1;
  let first = -1;
  for (const letter of wish) {
    place = lower.indexOf(letter, place + 1);
    if (place < 0) return -1;
    if (first < 0) first = place;
  }
  return 100 + place - first;
}

function wishedOf(wish: string): Command[] {
  const wanted = wish.trim().toLowerCase();
  return registered.value
    .flat()
    .map((command) => ({
      command,
      distance: distanceOf(`${command.title} ${command.group}`, wanted),
    }))
    .filter(({ distance }) => distance >= 0)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, MAX_LISTED)
    .map(({ command }) => command);
}

function PaletteDialog(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const wish = useSignal("");
  const chosen = useSignal(0);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const commands = wishedOf(wish.value);
  const at = Math.min(chosen.value, commands.length - 1);
  useEffect(() => {
    dialog.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const close = (): void => {
    isOpen.value = false;
  };
  const run = (command: Command | undefined): void => {
    dialog.current?.close();
    close();
    command?.run();
  };
  const onKey = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) chosen.value = (at + by + commands.length) % Math.max(1, commands.length);
    else if (event.key === "Enter") run(commands[at]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      class="dialog palette"
      ref={dialog}
      aria-label="Commands"
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) run(undefined);
      }}
    >
      <input
        class="input"
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
        aria-autocomplete="list"
        placeholder="What do you want to do?"
        value={wish.value}
        onInput={(event) => {
          wish.value = event.currentTarget.value;
          chosen.value = 0;
        }}
        onKeyDown={onKey}
      />
      <ul role="listbox" id={`${id}-list`} aria-label="Commands">
        {commands.map((command, i) => (
          <li
            key={`${command.group} ${command.title} ${command.keys}`}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            onClick={() => run(command)}
          >
            <span>
              {command.title} <span class="soft">{command.group}</span>
            </span>
            <kbd>{command.keys}</kbd>
          </li>
        ))}
      </ul>
      {commands.length === 0 && <p class="hint">Nothing is called that.</p>}
    </dialog>
  );
}
