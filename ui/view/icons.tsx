/** The icons: strokes in a 16 × 16 box, drawn in the colour of the text beside them. */

import type { JSX } from "preact";

const PATHS = {
  search: "M7 2.5a4.500 4.500 0 1 0 0 9a4.500 4.500 0 0 0 0-9zM10.500 10.500l3 3",
  close: "M4 4l8 8M12 4l-8 8",
  down: "M4 6l4 4 4-4",
  left: "M10 3L5 8l5 5",
  right: "M6 3l5 5-5 5",
  sun: "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500z",
  clock: "M8 2a6 6 0 1 0 0 12a6 6 0 0 0 0-12zM8 4.500V8l2.500 1.500",
  error: "M8 2.500l6 11H2zM8 6.500v3.500M8 11.800v.2",
  upload: "M8 11V3M4.500 6L8 2.500 11.500 6M3 13.500h10",
  download: "M8 2.500V10.500M4.500 7.500L8 11l3.500-3.500M3 13.500h10",
  table: "M2.500 3.500h11v9h-11zM2.500 6.500h11M2.500 9.500h11M6 6.500v6",
  list: "M2.500 4h11M2.500 8h11M2.500 12h7",
  dots: "M3 12.500h.01M5 8.500h.01M8 10.500h.01M10 5.500h.01M12.500 7.500h.01M7 4h.01",
  heat: "M2.500 2.500h5v5h-5zM8.500 2.500h5v5h-5zM2.500 8.500h5v5h-5zM8.500 8.500h5v5h-5z",
  help: "M6 6.200a2 2 0 1 1 2.600 1.900c-.5.200-.6.600-.6 1.400M8 11.800v.2M8 2a6 6 0 1 0 0 12a6 6 0 0 0 0-12z",
  menu: "M2.500 4h11M2.500 8h11M2.500 12h11",
  open: "M9.500 2.500h4v4M13.500 2.500L8 8M6.500 3.500h-4v10h10v-4",
  compare: "M5 3v10M11 3v10M5 3L3 5M5 3l2 2M11 13l-2-2M11 13l2-2",
  reset: "M3 8a5 5 0 1 0 1.500-3.500M4.500 2v2.500H7",
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

/** The mark: the track of a paw. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <ellipse cx="5" cy="11" rx="2" ry="2.8" />
      <ellipse cx="9.4" cy="6" rx="2" ry="3" />
      <ellipse cx="14.6" cy="6" rx="2" ry="3" />
      <ellipse cx="19" cy="11" rx="2" ry="2.8" />
      <path d="M12 10.500c3 0 6 4 6 7.200 0 2-1.500 2.800-3 2.800-1.200 0-1.800-.5-3-.5s-1.800.5-3 .5c-1.500 0-3-.8-3-2.800 0-3.200 3-7.200 6-7.200z" />
    </svg>
  );
}
