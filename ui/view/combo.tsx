/** A select with search: type to narrow, arrows to move, Enter to choose; free text if allowed. */

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useId, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";

export interface ComboOption {
  readonly value: string;
  readonly label: string;
}

export interface ComboProps {
  readonly label: string;
  /** How many there are, beside the label. */
  readonly count?: number;
  readonly value: string;
  readonly options: readonly ComboOption[];
  readonly onChange: (value: string) => void;
  /** Whether a text that is no option may be chosen. */
  readonly freeText?: boolean;
  readonly placeholder?: string;
  readonly problem?: string | undefined;
  /** Said under the options: loading, why there are none. */
  readonly note?: string;
}

/** More rows than these make the page slow and are read by nobody. */
const MOST_SHOWN = 100;

/** The options a text leaves, those that begin with it first. */
function matching(options: readonly ComboOption[], text: string): ComboOption[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [...options];
  const begins: ComboOption[] = [];
  const holds: ComboOption[] = [];
  for (const option of options) {
    const at = option.label.toLowerCase().indexOf(wanted);
    if (at === 0) begins.push(option);
    else if (at > 0) holds.push(option);
  }
  return [...begins, ...holds];
}

/** Label, field and, while it is open, the list. */
export function Combo(props: ComboProps): JSX.Element {
  const { label, count, value, options, onChange, freeText = false, placeholder, problem } = props;
  const id = useId();
  const open = useSignal(false);
  /** What is typed; undefined shows the chosen option. */
  const typed = useSignal<string | undefined>(undefined);
  const active = useSignal(0);
  const input = useRef<HTMLInputElement>(null);
  const isOpen = useComputed(() => open.value);
  const shown = open.value ? matching(options, typed.value ?? "").slice(0, MOST_SHOWN) : [];
  const more = open.value ? matching(options, typed.value ?? "").length - shown.length : 0;
  const note = noteOf(props, shown.length, more, typed.value);
  const chosen = options.find((option) => option.value === value)?.label ?? value;
  const show = (): void => {
    if (isOpen.value) return;
    open.value = true;
    active.value = Math.max(
      0,
      options.findIndex((option) => option.value === value),
    );
  };
  const shut = (): void => {
    open.value = false;
    typed.value = undefined;
  };
  const choose = (text: string): void => {
    onChange(text);
    shut();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open.value) return show();
      const step = event.key === "ArrowDown" ? 1 : -1;
      active.value = Math.max(0, Math.min(shown.length - 1, active.value + step));
    } else if (event.key === "Enter" && open.value) {
      event.preventDefault();
      const option = shown[active.value];
      const text = typed.value?.trim() ?? "";
      if (freeText && text !== "" && option?.label !== text && active.value === 0) choose(text);
      else if (option !== undefined) choose(option.value);
      else if (freeText && text !== "") choose(text);
    } else if (event.key === "Escape" && open.value) {
      event.preventDefault();
      event.stopPropagation();
      shut();
    }
  };
  const onBlur = (): void => {
    const text = typed.value?.trim() ?? "";
    if (freeText && open.value && text !== "") choose(text);
    else shut();
  };
  return (
    <div class="field">
      <label for={id}>
        {label}
        {count !== undefined && count > 0 && <span class="soft">({count})</span>}
      </label>
      <div class="combo">
        <input
          ref={input}
          id={id}
          class="input combo-input"
          role="combobox"
          type="text"
          autocomplete="off"
          spellcheck={false}
          aria-expanded={open.value}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={
            open.value && shown.length > 0 ? `${id}-${active.value}` : undefined
          }
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
          placeholder={placeholder}
          value={typed.value ?? chosen}
          title={chosen}
          onFocus={(event) => event.currentTarget.select()}
          onClick={show}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            open.value = true;
            active.value = 0;
          }}
          onKeyDown={onKeyDown}
          onBlur={onBlur}
        />
        <span class="combo-mark">
          <Icon name="down" />
        </span>
        {open.value && (
          <div class="popup" id={`${id}-list`} role="listbox" aria-label={label}>
            {shown.map((option, i) => (
              <div
                key={option.value}
                id={`${id}-${i}`}
                role="option"
                aria-selected={i === active.value}
                ref={i === active.value ? scrollIntoList : null}
                onPointerDown={(event) => {
                  event.preventDefault();
                  choose(option.value);
                }}
              >
                {option.label}
              </div>
            ))}
            {note !== "" && (
              <div class="note" role="presentation">
                {note}
              </div>
            )}
          </div>
        )}
      </div>
      {problem !== undefined && (
        <p class="hint bad" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}

function scrollIntoList(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

function noteOf(
  { freeText = false, note }: ComboProps,
  shown: number,
  more: number,
  typed: string | undefined,
): string {
  if (more > 0) return `${more} more: type to narrow`;
  if (shown > 0) return "";
  if (freeText && typed !== undefined && typed !== "") return `Enter takes “${typed}” as it is`;
  return note ?? "Nothing matches";
}
