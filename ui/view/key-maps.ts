/** Key maps: Jaeger's keys, and those that hands used to vim or Chrome's DevTools expect. */

import { TRACE_ACTIONS } from "./trace-actions.ts";
import type { TraceAction } from "./trace-actions.ts";

export type KeyMapName = "jaeger" | "vim" | "devtools";

export interface KeyMap {
  readonly name: KeyMapName;
  readonly title: string;
  /** By title of the action: keys that replace Jaeger's. In the list of spans keys stay. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

export const KEY_MAPS: readonly KeyMap[] = [
  { name: "jaeger", title: "Jaeger: WASD scrolls and pans, arrows zoom", keys: {} },
  {
    name: "vim",
    title: "vim: gg G, H L pan, z folds, ]e errors",
    keys: {
      "Scroll down": ["Ctrl+d"],
      "Scroll up": ["Ctrl+u"],
      "First row": ["g g", "Home"],
      "Last row": ["G", "End"],
      "Next span or match": ["w"],
      "Previous span or match": ["b"],
      "Pan left": ["ArrowLeft"],
      "Pan right": ["ArrowRight"],
      "Pan left, far": ["H", "Shift+ArrowLeft"],
      "Pan right, far": ["L", "Shift+ArrowRight"],
      "Zoom to the span": ["z z"],
      "Collapse all": ["z M"],
      "Expand all": ["z R"],
      "Collapse a level": ["z m"],
      "Expand a level": ["z r"],
      "Collapse, or to the parent": ["h", "z c"],
      "Expand, or to the first child": ["l", "z o"],
      "Next error": ["] e", "e"],
      "Previous error": ["[ e", "E"],
    },
  },
  {
    name: "devtools",
    title: "DevTools: W S zoom, A D pan, arrows move among rows",
    keys: {
      "Scroll down": ["Shift+ArrowDown"],
      "Scroll up": ["Shift+ArrowUp"],
      "Next row": ["j", "ArrowDown"],
      "Previous row": ["k", "ArrowUp"],
      "Pan left": ["A", "ArrowLeft"],
      "Pan right": ["D", "ArrowRight"],
      "Pan left, far": ["a", "Shift+ArrowLeft"],
      "Pan right, far": ["d", "Shift+ArrowRight"],
      "Zoom in": ["W"],
      "Zoom out": ["S"],
      "Zoom in, far": ["w", "+"],
      "Zoom out, far": ["s", "-"],
      Find: ["/", "Ctrl+f", "Ctrl+b"],
    },
  },
];

/** The map of a name; Jaeger's for an unknown one. */
export function keyMapOf(name: string | undefined): KeyMap {
  return KEY_MAPS.find((map) => map.name === name) ?? KEY_MAPS[0]!;
}

/** The page's actions with the keys of a map. */
export function actionsIn(map: KeyMap): readonly TraceAction[] {
  return TRACE_ACTIONS.map((action) => {
    const keys = action.inTree === true ? undefined : map.keys[action.title];
    return keys === undefined ? action : { ...action, keys };
  });
}

/** Actions by what is pressed. */
export interface BoundKeys {
  readonly anywhere: ReadonlyMap<string, TraceAction>;
  /** Only while a row has the focus; these win. */
  readonly inTree: ReadonlyMap<string, TraceAction>;
  /** First keys of sequences. */
  readonly prefixes: ReadonlySet<string>;
}

export function boundKeys(actions: readonly TraceAction[]): BoundKeys {
  const anywhere = new Map<string, TraceAction>();
  const inTree = new Map<string, TraceAction>();
  const prefixes = new Set<string>();
  for (const action of actions) {
    for (const key of action.keys) {
      (action.inTree === true ? inTree : anywhere).set(key, action);
      const [first = "", second] = key.split(/(?<=.) /);
      if (second !== undefined) prefixes.add(first);
    }
  }
  return { anywhere, inTree, prefixes };
}
