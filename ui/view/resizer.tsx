/** The line between two panels: drag it, or focus it and use the arrows. */

import type { JSX, TargetedPointerEvent } from "preact";

interface ResizerProps {
  readonly label: string;
  /** Width of the panel before it, px. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly onChange: (value: number) => void;
}

const STEP = 16;

/** A separator that can be moved. */
export function Resizer({ label, value, min, max, onChange }: ResizerProps): JSX.Element {
  const set = (next: number): void => onChange(Math.round(Math.max(min, Math.min(max, next))));
  const onPointerDown = (event: TargetedPointerEvent<HTMLDivElement>): void => {
    const bar = event.currentTarget;
    const from = event.clientX - value;
    bar.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => set(moved.clientX - from);
    const stop = (): void => {
      bar.removeEventListener("pointermove", move);
      bar.removeEventListener("pointerup", stop);
      bar.removeEventListener("pointercancel", stop);
    };
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", stop);
    bar.addEventListener("pointercancel", stop);
  };
  return (
    <div
      class="resizer"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") set(value - STEP);
        else if (event.key === "ArrowRight") set(value + STEP);
        else return;
        event.preventDefault();
      }}
    />
  );
}
