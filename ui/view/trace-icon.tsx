/** The trace page's icons: 16 px line drawings in the colour of the text beside them. */

import type { JSX } from "preact";

const PATHS = {
  funnel: "M2 3h12l-4.5 5.5V13l-3-1.5v-3z",
  "expand-one": "M4 6l4 4 4-4",
  "collapse-one": "M6 4l4 4-4 4",
  "expand-all": "M4 3.5l4 4 4-4M4 8.5l4 4 4-4",
  "collapse-all": "M3.5 4l4 4-4 4M8.5 4l4 4-4 4",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 6h7v7H6zM3 10V3h7",
  link:
    "M7 9a2.5 2.5 0 003.5 0l2-2A2.5 2.5 0 009 3.5" +
    "M9 7a2.5 2.5 0 00-3.5 0l-2 2A2.5 2.5 0 007 12.5",
  focus:
    "M8 4.500a3.500 3.500 0 100 7 3.500 3.500 0 000-7M8 1.500v3M8 11.500v3M1.500 8h3M11.500 8h3",
  find: "M7 2.500a4.500 4.500 0 100 9 4.500 4.500 0 000-9M10.300 10.300L14 14",
  gear: "M3 4.500h6M12 4.500h1M3 11.500h1M7 11.500h6M10.500 3v3M5.500 10v3",
  archive: "M2.500 3h11v3h-11zM3.500 6v7h9V6M6.500 8.500h3",
  download: "M8 2.500v7.500M4.500 7L8 10.500 11.500 7M3 13.500h10",
  back: "M13 8H3M7 4L3 8l4 4",
  keys: "M1.500 4.500h13v7h-13zM4 7h.5M7 7h.5M10 7h.5M5 9.500h6",
  reset: "M3 8a5 5 0 101.500-3.500M3 2.500v3h3",
  open: "M9 3h4v4M13 3L7.500 8.500M11 9.500V13H3V5h3.500",
  colors: "M8 2c2.500 3 4 5 4 7.500a4 4 0 01-8 0C4 7 5.500 5 8 2z",
  panel: "M2.500 3h11v10h-11zM9.500 3v10",
  more: "M2.700 8h1.300M7.350 8h1.300M12 8h1.300",
  json: "M6 3c-2 0-1 4-3 5 2 1 1 5 3 5M10 3c2 0 1 4 3 5-2 1-1 5-3 5",
} as const;

export type TraceIconName = keyof typeof PATHS;

export function TraceIcon({ name }: { name: TraceIconName }): JSX.Element {
  return (
    <svg class="icon-svg" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
