/** The help of keys: what each does, and whether single keys do anything. */

import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
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
              {ui.actions.value
                .filter(({ group: of, keys }) => of === group && keys.length > 0)
                .map((action) => (
                  <div key={action.title + action.keys.join()}>
                    <dt>
                      {action.keys.map((key) => (
                        <kbd key={key}>{keyText(key)}</kbd>
                      ))}
                    </dt>
                    <dd>
                      {action.title}
                      {action.inTree === true && <span class="soft"> in the list</span>}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
