/** Everything the trace page does by key: one table for keyboard, help and palette. */

import { announce } from "./announce.ts";
import type { TraceContext } from "./trace-context.ts";
import {
  chainState,
  foldLevel,
  hideSubtree,
  showHidden,
  shownAbove,
  toggleChain,
  toggleGroup,
} from "./tree-folding.ts";

export interface TraceAction {
  readonly group: "Move" | "Time" | "Tree" | "Find" | "Span" | "Page";
  readonly title: string;
  /**
   * As `KeyboardEvent.key`; Shift shows in letters' case, `g t` is one after the other. Without
   * any it is in the palette only.
   */
  readonly keys: readonly string[];
  /** Only while a row has the focus: there they win over the others. */
  readonly inTree?: boolean;
  readonly run: (context: TraceContext) => void;
}

/** Shares of the window for one press, and with Shift: Jaeger's. */
const STEP = 0.005;
const BIG_STEP = 0.05;
/** Share of a page that `s` and `w` scroll. */
const PAGE = 0.95;

function scrollPage(by: number): TraceAction["run"] {
  return ({ model }) => model.scrollBy(by * model.body.peek().height);
}

function pan(share: number): TraceAction["run"] {
  return ({ model }) => model.pan(share);
}

/** Takes a share off each side, or adds it. */
function zoom(share: number): TraceAction["run"] {
  return ({ model }) => {
    const { fromNs, toNs } = model.window.peek();
    const step = (toNs - fromNs) * share;
    model.setWindow(fromNs + step, toNs - step);
  };
}

/** Moves the cursor among visible rows. */
function moveRows(by: number): TraceAction["run"] {
  return (context) => {
    const { model } = context;
    const { rows } = model.visible.peek();
    if (rows.length === 0) return;
    const index = model.indexOf(model.cursorRow.peek());
    const next = Math.max(0, Math.min(rows.length - 1, Math.max(0, index) + by));
    model.showRow(rows[next]!);
    context.focusCursor();
  };
}

/** The next match while something is searched, else the next row. */
function nextSpan(by: 1 | -1): TraceAction["run"] {
  return (context) => {
    if (context.filters.found.peek() === undefined) moveRows(by)(context);
    else context.filters.step(by);
  };
}

function fold({ model }: TraceContext, on: boolean): void {
  const row = model.cursorRow.peek();
  const parent = shownAbove(model, row);
  if (chainState(model, row) === (on ? "open" : "folded")) toggleChain(model, row);
  else if (on && (!model.hasChildren(row) || model.isCollapsed(row)) && parent >= 0) {
    model.showRow(parent);
  } else if (!on && model.hasChildren(row) && !model.isCollapsed(row)) {
    model.showRow(row + 1);
  } else if (model.visible.peek().groups.has(row)) toggleGroup(model, row);
  else model.setCollapsed(row, on);
}

const move: readonly TraceAction[] = [
  { group: "Move", title: "Scroll down", keys: ["s"], run: scrollPage(PAGE) },
  { group: "Move", title: "Scroll up", keys: ["w"], run: scrollPage(-PAGE) },
  { group: "Move", title: "Next span or match", keys: ["f"], run: nextSpan(1) },
  { group: "Move", title: "Previous span or match", keys: ["b"], run: nextSpan(-1) },
  { group: "Move", title: "Next row", keys: ["j"], run: moveRows(1) },
  { group: "Move", title: "Previous row", keys: ["k"], run: moveRows(-1) },
  { group: "Move", title: "Next row", keys: ["ArrowDown"], inTree: true, run: moveRows(1) },
  { group: "Move", title: "Previous row", keys: ["ArrowUp"], inTree: true, run: moveRows(-1) },
  { group: "Move", title: "A page down", keys: ["PageDown"], run: scrollPage(PAGE) },
  { group: "Move", title: "A page up", keys: ["PageUp"], run: scrollPage(-PAGE) },
  { group: "Move", title: "First row", keys: ["Home"], run: moveRows(-Infinity) },
  { group: "Move", title: "Last row", keys: ["End"], run: moveRows(Infinity) },
  {
    group: "Move",
    title: "Up to the parent",
    keys: ["u"],
    run: (context) => {
      const { model } = context;
      const parent = shownAbove(model, model.cursorRow.peek());
      if (parent >= 0) model.showRow(parent);
      context.focusCursor();
    },
  },
  {
    group: "Move",
    title: "Next error",
    keys: ["e"],
    run: (context) => {
      context.filters.stepError(1);
      context.focusCursor();
    },
  },
  {
    group: "Move",
    title: "Previous error",
    keys: ["E"],
    run: (context) => {
      context.filters.stepError(-1);
      context.focusCursor();
    },
  },
  {
    group: "Move",
    title: "Along the critical path",
    keys: ["C"],
    run: (context) => {
      context.filters.stepCritical();
      context.focusCursor();
    },
  },
];

const time: readonly TraceAction[] = [
  { group: "Time", title: "Pan left", keys: ["a", "ArrowLeft"], run: pan(-STEP) },
  { group: "Time", title: "Pan right", keys: ["d", "ArrowRight"], run: pan(STEP) },
  { group: "Time", title: "Pan left, far", keys: ["A", "Shift+ArrowLeft"], run: pan(-BIG_STEP) },
  { group: "Time", title: "Pan right, far", keys: ["D", "Shift+ArrowRight"], run: pan(BIG_STEP) },
  { group: "Time", title: "Zoom in", keys: ["ArrowUp"], run: zoom(STEP) },
  { group: "Time", title: "Zoom out", keys: ["ArrowDown"], run: zoom(-STEP) },
  { group: "Time", title: "Zoom in, far", keys: ["Shift+ArrowUp", "+"], run: zoom(BIG_STEP) },
  { group: "Time", title: "Zoom out, far", keys: ["Shift+ArrowDown", "-"], run: zoom(-BIG_STEP) },
  {
    group: "Time",
    title: "Zoom to the span",
    keys: ["z"],
    run: ({ model }) => model.zoomToRow(model.cursorRow.peek()),
  },
  { group: "Time", title: "Zoom out by half", keys: ["Z"], run: zoom(-0.5) },
  { group: "Time", title: "Whole trace", keys: ["0"], run: ({ model }) => model.resetWindow() },
];

const tree: readonly TraceAction[] = [
  {
    group: "Tree",
    title: "Collapse all",
    keys: ["]"],
    run: ({ model }) => model.collapseFrom(0),
  },
  {
    group: "Tree",
    title: "Expand all",
    keys: ["["],
    run: ({ model }) => model.collapseFrom(Infinity),
  },
  { group: "Tree", title: "Collapse a level", keys: ["p"], run: (c) => foldLevel(c.model, -1) },
  { group: "Tree", title: "Expand a level", keys: ["o"], run: (c) => foldLevel(c.model, 1) },
  ...Array.from({ length: 9 }, (_, i): TraceAction => {
    return {
      group: "Tree",
      title: `Show ${i + 1} level${i === 0 ? "" : "s"}`,
      keys: [String(i + 1)],
      run: ({ model }) => model.collapseFrom(i),
    };
  }),
  {
    group: "Tree",
    title: "Collapse, or to the parent",
    keys: ["h"],
    run: (context) => {
      fold(context, true);
      context.focusCursor();
    },
  },
  {
    group: "Tree",
    title: "Expand, or to the first child",
    keys: ["l"],
    run: (context) => {
      fold(context, false);
      context.focusCursor();
    },
  },
  {
    group: "Tree",
    title: "Collapse, or to the parent",
    keys: ["ArrowLeft"],
    inTree: true,
    run: (context) => {
      fold(context, true);
      context.focusCursor();
    },
  },
  {
    group: "Tree",
    title: "Expand, or to the first child",
    keys: ["ArrowRight"],
    inTree: true,
    run: (context) => {
      fold(context, false);
      context.focusCursor();
    },
  },
  {
    group: "Tree",
    title: "Hide the span and what is below it",
    keys: ["x"],
    run: (context) => {
      hideSubtree(context.model, context.model.cursorRow.peek());
      context.focusCursor();
    },
  },
  {
    group: "Tree",
    title: "Show hidden spans again",
    keys: ["X"],
    run: ({ model }) => showHidden(model),
  },
  {
    group: "Tree",
    title: "Group repeated siblings on or off",
    keys: ["r"],
    run: ({ model }) => {
      model.grouped.value = !model.grouped.peek();
      model.keepCursor();
      announce(model.grouped.peek() ? "Repeated siblings grouped" : "Repeated siblings shown");
    },
  },
  {
    group: "Tree",
    title: "Fold chains of single children on or off",
    keys: ["R"],
    run: ({ model }) => {
      model.chained.value = !model.chained.peek();
      model.keepCursor();
      announce(model.chained.peek() ? "Chains folded" : "Chains shown");
    },
  },
];

const find: readonly TraceAction[] = [
  { group: "Find", title: "Find", keys: ["/", "Ctrl+b"], run: (context) => context.focusFind() },
  { group: "Find", title: "Next match", keys: ["n"], run: ({ filters }) => filters.step(1) },
  { group: "Find", title: "Previous match", keys: ["N"], run: ({ filters }) => filters.step(-1) },
  { group: "Find", title: "Clear find, close", keys: ["Escape"], run: (c) => c.escape() },
];

const span: readonly TraceAction[] = [
  {
    group: "Span",
    title: "Details",
    keys: [" "],
    run: ({ model }) => model.toggleDetails(model.cursorRow.peek()),
  },
  {
    group: "Span",
    title: "Details",
    keys: ["Enter"],
    inTree: true,
    run: ({ model }) => model.toggleDetails(model.cursorRow.peek()),
  },
  {
    group: "Span",
    title: "Copy link to the span",
    keys: ["y"],
    run: (context) => context.copyLink(context.model.cursorRow.peek()),
  },
  {
    group: "Span",
    title: "Actions of the span",
    keys: [".", "ContextMenu", "Shift+F10"],
    run: (context) => context.openMenu(context.model.cursorRow.peek()),
  },
];

const COLORINGS = [
  ["service", "service"],
  ["kind", "kind"],
  ["status", "status"],
  ["self", "self time"],
] as const;

const page: readonly TraceAction[] = [
  {
    group: "Page",
    title: "Critical path on or off",
    keys: ["c"],
    run: ({ model }) => {
      model.criticalShown.value = !model.criticalShown.peek();
      announce(model.criticalShown.peek() ? "Critical path shown" : "Critical path hidden");
    },
  },
  ...COLORINGS.map(([by, name]): TraceAction => {
    return {
      group: "Page",
      title: `Colour by ${name}`,
      keys: [],
      run: ({ model }) => model.colors.choose(by),
    };
  }),
  { group: "Page", title: "Timeline", keys: ["g t"], run: (c) => c.showView("timeline") },
  { group: "Page", title: "Trace JSON", keys: ["g j"], run: (c) => c.showView("json") },
  { group: "Page", title: "Search", keys: ["g s"], run: (c) => c.goToSearch() },
  { group: "Page", title: "Keys", keys: ["?"], run: (c) => c.openDialog("help") },
  { group: "Page", title: "Commands", keys: ["Ctrl+k"], run: (c) => c.openDialog("palette") },
];

/** All actions in the order of the help, with the keys of Jaeger's map. */
export const TRACE_ACTIONS: readonly TraceAction[] = [
  ...move,
  ...time,
  ...tree,
  ...find,
  ...span,
  ...page,
];
