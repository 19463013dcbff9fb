/** A row of tabs; arrows move between them. */

import type { JSX, TargetedKeyboardEvent } from "preact";

interface TabsProps<Key extends string> {
  readonly label: string;
  readonly tabs: readonly (readonly [key: Key, label: string])[];
  readonly value: Key;
  readonly onChange: (key: Key) => void;
}

/** The tab of key k controls the panel with id `panel-k`, named by `tab-k`. */
export function Tabs<Key extends string>(props: TabsProps<Key>): JSX.Element {
  const { label, tabs, value, onChange } = props;
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const at = tabs.findIndex(([key]) => key === value);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    onChange(next[0]);
    document.getElementById(`tab-${next[0]}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map(([key, text]) => (
        <button
          key={key}
          id={`tab-${key}`}
          type="button"
          role="tab"
          aria-selected={key === value}
          aria-controls={key === value ? `panel-${key}` : undefined}
          tabIndex={key === value ? 0 : -1}
          onClick={() => onChange(key)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
