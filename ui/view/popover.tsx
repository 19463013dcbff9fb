/** A button with a panel that opens beneath it, closed by Escape or a press elsewhere. */

import { useEffect, useRef } from "preact/hooks";
import type { Signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";

export interface PopoverProps {
  readonly label: string;
  readonly open: Signal<boolean>;
  readonly button: ComponentChildren;
  /** Marks that what the panel sets is not as at first. */
  readonly pressed?: boolean;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

/** A panel is no lower than this: then it scrolls within itself, px. */
const LEAST_HEIGHT = 160;

/** Keeps a panel above the lower edge of the screen, which it cannot be scrolled beyond. */
function fitPanel(panel: HTMLElement | undefined): void {
  if (panel === undefined) return;
  const { top, bottom } = panel.getBoundingClientRect();
  if (bottom <= innerHeight - 4) return;
  panel.style.maxHeight = `${Math.max(LEAST_HEIGHT, innerHeight - 4 - top)}px`;
}

export function Popover(props: PopoverProps): JSX.Element {
  const { label, open, button, pressed = false, wide = false, children } = props;
  const box = useRef<HTMLDivElement>(null);
  const isOpen = open.value;
  useEffect(() => {
    if (!isOpen) return undefined;
    const away = (event: Event): void => {
      const target = event.target instanceof Node ? event.target : null;
      if (box.current?.contains(target) !== true) open.value = false;
    };
    document.addEventListener("pointerdown", away);
    fitPanel(box.current?.querySelector<HTMLElement>(".pop") ?? undefined);
    box.current?.querySelector<HTMLElement>(".pop input, .pop button, .pop a")?.focus();
    return () => document.removeEventListener("pointerdown", away);
  }, [isOpen]);
  return (
    <div
      class="pop-box"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open.peek()) return;
        event.preventDefault();
        event.stopPropagation();
        open.value = false;
        box.current?.querySelector("button")?.focus();
      }}
    >
      <button
        type="button"
        class={`button quiet ${wide ? "" : "icon"} ${pressed ? "is-on" : ""}`}
        title={label}
        aria-label={wide ? undefined : label}
        aria-expanded={isOpen}
        onClick={() => {
          open.value = !open.peek();
        }}
      >
        {button}
      </button>
      {isOpen && (
        <div class="pop popup" role="dialog" aria-label={label}>
          {children}
        </div>
      )}
    </div>
  );
}
