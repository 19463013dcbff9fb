/** TraceContext: what actions act on, wherever they are called from. */

import type { Signal } from "@preact/signals";
import type { AttributeText } from "../data/trace-source.ts";
import type { PlacedHint } from "./bar-hint.tsx";
import type { TraceFilters } from "./trace-filters.ts";
import type { TraceModel } from "./trace-model.ts";

export type TraceViewName = "timeline" | "json" | "json-raw";

export type DetailTab = "span" | "genai";

export interface TraceContext {
  readonly model: TraceModel;
  readonly filters: TraceFilters;
  /** Puts the focus on the row of the cursor. */
  readonly focusCursor: () => void;
  readonly focusFind: () => void;
  /** Closes what is open, else clears find. */
  readonly escape: () => void;
  /** Copies a link to a span, or without a row to the view as it is. */
  readonly copyLink: (row?: number) => void;
  /** The address of this view with a span selected and open. */
  readonly linkTo: (row: number) => string;
  /** `at` is a place on the screen, px; without it the menu opens at the row. */
  readonly openMenu: (row: number, at?: { readonly x: number; readonly y: number }) => void;
  readonly findAttribute: (attribute: AttributeText) => void;
  /** Shows a span of this trace by its id. */
  readonly showSpan: (spanIdHex: string) => void;
  /** ` (o)`: the key of an action by its title, as labels have it. */
  readonly keyHint: (title: string) => string;
  readonly openDialog: (name: "help" | "palette") => void;
  /** What the pointer is on that wants explaining. */
  readonly hint: Signal<PlacedHint | undefined>;
  /** Which tab the details of calls to models show. */
  readonly detailTab: Signal<DetailTab>;
  readonly showView: (name: TraceViewName) => void;
  readonly goToSearch: () => void;
}
