/** A measured stretch of time: how long it is, and zooming to it. */

import type { JSX } from "preact";
import { durationText } from "../layout/duration-text.ts";
import type { TraceModel } from "./trace-model.ts";

export function RangeBar({ model }: { model: TraceModel }): JSX.Element | null {
  const range = model.range.value;
  if (range === undefined) return null;
  return (
    <div class="range-bar" role="group" aria-label="Measured time">
      <b>{durationText(range.toNs - range.fromNs)}</b>
      <span class="soft">
        {durationText(range.fromNs)} – {durationText(range.toNs)}
      </span>
      <button
        type="button"
        class="button primary"
        onClick={() => {
          model.setWindow(range.fromNs, range.toNs);
          model.range.value = undefined;
        }}
      >
        Zoom in
      </button>
      <button
        type="button"
        class="button"
        onClick={() => {
          model.range.value = undefined;
        }}
      >
        Clear
      </button>
    </div>
  );
}
