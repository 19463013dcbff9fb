/** The icons: strokes in a 16 × 16 box, drawn in the colour of the text beside them. */

import type { JSX } from "preact";

const PATHS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9zM10.5 10.5l3 3",
  close: "M4 4l8 8M12 4l-8 8",
  down: "M4 6l4 4 4-4",
  left: "M10 3L5 8l5 5",
  sun:
    "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15" +
    "M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z",
  clock: "M8 2a6 6 0 1 0 0 12a6 6 0 0 0 0-12zM8 4.5V8l2.5 1.5",
  error: "M8 2.5l6 11H2zM8 6.5v3.5M8 11.800v.2",
  upload: "M8 11V3M4.5 6L8 2.5 11.5 6M3 13.5h10",
  download: "M8 2.5V10.5M4.5 7.5L8 11l3.5-3.5M3 13.5h10",
  table: "M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6 6.5v6",
  list: "M2.5 4h11M2.5 8h11M2.5 12h7",
  dots: "M3 12.5h.01M5 8.5h.01M8 10.5h.01M10 5.5h.01M12.5 7.5h.01M7 4h.01",
  heat: "M2.5 2.5h5v5h-5zM8.5 2.5h5v5h-5zM2.5 8.5h5v5h-5zM8.5 8.5h5v5h-5z",
  compare: "M5 3v10M11 3v10M5 3L3 5M5 3l2 2M11 13l-2-2M11 13l2-2",
  reset: "M3 8a5 5 0 1 0 1.5-3.5M4.5 2v2.5H7",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon; the control it stands in carries the name. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon-svg" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

const PAW =
  "M12 10.5c3 0 6 4 6 7.2 0 2-1.5 2.8-3 2.8-1.2 0-1.8-.5-3-.5" +
  "s-1.8.5-3 .5c-1.5 0-3-.8-3-2.8 0-3.2 3-7.2 6-7.2z";

/** The mark: the track of a paw. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <ellipse cx="5" cy="11" rx="2" ry="2.8" />
      <ellipse cx="9.4" cy="6" rx="2" ry="3" />
      <ellipse cx="14.6" cy="6" rx="2" ry="3" />
      <ellipse cx="19" cy="11" rx="2" ry="2.8" />
      <path d={PAW} />
    </svg>
  );
}
