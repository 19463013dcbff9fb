/** The help of keys: what each does, and whether single keys do anything. */

import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";
import { Check } from "./find-box.tsx";
import { keyMapOf, KEY_MAPS } from "./key-maps.ts";
import type { TraceAction } from "./trace-actions.ts";
import type { TraceUi } from "./trace-ui.ts";
import { TraceIcon } from "./trace-icon.tsx";

const GROUPS: readonly TraceAction["group"][] = ["Move", "Time", "Tree", "Find", "Span", "Page"];
const SIGNS: ReadonlyMap<string, string> = new Map([
  [" ", "Space"],
  ["ArrowUp", "↑"],
  ["ArrowDown", "↓"],
  ["ArrowLeft", "←"],
  ["ArrowRight", "→"],
]);

/** What the pointer does, beside what everybody tries. */
const POINTER: readonly (readonly [how: string, what: string])[] = [
  ["Wheel", "Scroll rows"],
  ["Ctrl+Wheel", "Zoom at the pointer; two fingers do it too"],
  ["Shift+Wheel", "Pan"],
  ["Drag", "On bars: measure, then zoom. On the ruler: zoom, or pan when zoomed in"],
  ["Double click", "Zoom to a bar"],
  ["Alt+Click", "Fold the span and its siblings"],
  ["Right click", "What can be done with a span"],
];

/** A key as it is printed on keyboards. */
export function keyText(key: string): string {
  return key
    .split("+")
    .map(
      (part) =>
        SIGNS.get(part) ?? (part.length === 1 && key.length > 1 ? part.toUpperCase() : part),
    )
    .join("+");
}

export interface KeyHelpProps {
  readonly ui: TraceUi;
  readonly onClose: () => void;
}

/** Chooses the key map; remembered. */
export function KeyMapPicker({ ui }: { ui: TraceUi }): JSX.Element {
  return (
    <label class="field">
      <span class="label">Key map</span>
      <select
        class="select"
        value={ui.keyMap.value}
        onChange={(event) => {
          ui.keyMap.value = keyMapOf(event.currentTarget.value).name;
        }}
      >
        {KEY_MAPS.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

export function KeyHelp({ ui, onClose }: KeyHelpProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog class="dialog keys" ref={dialog} aria-label="Keys" onClose={onClose}>
      <div class="dialog-head">
        <h2>Keys</h2>
        <button
          type="button"
          class="button quiet icon"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
        >
          <TraceIcon name="close" />
        </button>
      </div>
      <Check
        name="Single keys act (off: only with Ctrl or in the list of spans)"
        on={ui.singleKeys}
      />
      <KeyMapPicker ui={ui} />
      <div class="key-groups">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {helpLines(ui.actions.value, group).map(({ keys, title, inTree }) => (
                <HelpLine key={title + keys.join()} keys={keys.map(keyText)} title={title}>
                  {inTree === true && <span class="soft"> in the list</span>}
                </HelpLine>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Pointer</h3>
          <dl>
            {POINTER.map(([how, what]) => (
              <HelpLine key={how} keys={[how]} title={what} />
            ))}
          </dl>
        </section>
      </div>
    </dialog>
  );
}

/** The actions of a group that have keys; the nine levels are one line. */
function helpLines(
  actions: readonly TraceAction[],
  group: TraceAction["group"],
): readonly Pick<TraceAction, "keys" | "title" | "inTree">[] {
  return actions
    .filter(({ group: of, keys, title }) => {
      return of === group && keys.length > 0 && !/^Show [2-9] levels$/.test(title);
    })
    .map((action) => {
      if (action.title !== "Show 1 level") return action;
      return { keys: ["1", "…", "9"], title: "Show so many levels" };
    });
}

interface HelpLineProps {
  readonly keys: readonly string[];
  readonly title: string;
  readonly children?: ComponentChildren;
}

function HelpLine({ keys, title, children }: HelpLineProps): JSX.Element {
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>
        {title}
        {children}
      </dd>
    </div>
  );
}
