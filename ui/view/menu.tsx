/** A button that opens a menu: arrows move in it, Escape and a click outside close it. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";

interface MenuProps {
  /** The button's accessible name. */
  readonly label: string;
  /** What the button shows. */
  readonly button: ComponentChildren;
  /** Elements with role menuitem or menuitemradio. */
  readonly children: ComponentChildren;
}

const ITEMS = "[role=menuitem], [role=menuitemradio]";

/** The button and, while it is open, its menu. */
export function Menu({ label, button, children }: MenuProps): JSX.Element {
  const open = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    if (!open.value) return;
    root.current?.querySelector<HTMLElement>(ITEMS)?.focus();
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) {
        open.value = false;
      }
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  });
  const shut = (): void => {
    open.value = false;
    root.current?.querySelector("button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open.value) return;
    const items = [...(root.current?.querySelectorAll<HTMLElement>(ITEMS) ?? [])];
    const at = items.findIndex((item) => item === document.activeElement);
    if (event.key === "Escape") shut();
    else if (event.key === "ArrowDown") items[(at + 1) % items.length]?.focus();
    else if (event.key === "ArrowUp") items[(at + items.length - 1) % items.length]?.focus();
    else if (event.key === "Home") items[0]?.focus();
    else if (event.key === "End") items.at(-1)?.focus();
    else if (event.key === "Tab") open.value = false;
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="menu" ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class="button quiet"
        aria-haspopup="menu"
        aria-expanded={open.value}
        aria-label={label}
        title={label}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        {button}
      </button>
      {open.value && (
        <div class="popup" role="menu" aria-label={label} onClick={shut}>
          {children}
        </div>
      )}
    </div>
  );
}
