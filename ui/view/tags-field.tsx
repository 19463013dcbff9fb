/** The tags field: logfmt, with keys and values completed from what is stored. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useId, useRef } from "preact/hooks";
import { tagAtCaret, tagsText } from "../data/logfmt.ts";
import type { TagCaret } from "../data/logfmt.ts";
import { fetchKeys, fetchValues } from "../data/names.ts";

interface TagsFieldProps {
  readonly label: string;
  readonly value: string;
  /** Names are completed from this service's spans; "" from all. */
  readonly service: string;
  /** Whether the server can complete. */
  readonly completes: boolean;
  readonly problem: string | undefined;
  readonly onChange: (text: string) => void;
}

/** Typing pauses shorter than this do not ask the server. */
const PAUSE_MS = 120;

interface Offer {
  readonly caret: TagCaret;
  readonly words: readonly string[];
}

/** The field and, while there is something to complete, the list under it. */
export function TagsField(props: TagsFieldProps): JSX.Element {
  const { label, value, problem, onChange } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const offer = useSignal<Offer | undefined>(undefined);
  const active = useSignal(-1);
  const asking = useRef({ timer: 0, abort: new AbortController() });
  const ask = (): void => {
    const field = input.current;
    if (field === null || !props.completes) return;
    const { current } = asking;
    clearTimeout(current.timer);
    current.abort.abort();
    current.abort = new AbortController();
    const { signal } = current.abort;
    const caret = tagAtCaret(field.value, field.selectionStart ?? field.value.length);
    current.timer = window.setTimeout(() => {
      void wordsFor(caret, props.service, signal).then((words) => {
        if (signal.aborted || document.activeElement !== field) return;
        offer.value = words.length === 0 ? undefined : { caret, words };
        active.value = -1;
      });
    }, PAUSE_MS);
  };
  const shut = (): void => {
    clearTimeout(asking.current.timer);
    asking.current.abort.abort();
    offer.value = undefined;
  };
  const take = (word: string): void => {
    const field = input.current;
    if (field === null || offer.value === undefined) return;
    const { caret } = offer.value;
    const isKey = caret.key === undefined;
    const tag = tagsText([[caret.key ?? word, isKey ? "x" : word]]);
    const written = isKey ? tag.slice(0, -1) : `${tag} `;
    const text =
      field.value.slice(0, caret.from) + written + field.value.slice(caret.to).trimStart();
    onChange(text);
    field.value = text;
    field.setSelectionRange(caret.from + written.length, caret.from + written.length);
    shut();
    if (isKey) ask();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const words = offer.value?.words;
    if (words === undefined) {
      if (event.key === "Escape") shut();
      return;
    }
    if (event.key === "ArrowDown") active.value = Math.min(words.length - 1, active.value + 1);
    else if (event.key === "ArrowUp") active.value = Math.max(-1, active.value - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && active.value >= 0) {
      take(words[active.value] ?? "");
    } else if (event.key === "Escape") {
      event.stopPropagation();
      shut();
    } else return;
    event.preventDefault();
  };
  const words = offer.value?.words ?? [];
  return (
    <div class="field">
      <label for={id}>
        {label}
        <TagsHelp />
      </label>
      <div class="combo">
        <input
          ref={input}
          id={id}
          class="input mono"
          role="combobox"
          type="text"
          autocomplete="off"
          spellcheck={false}
          placeholder="http.status_code=200 error=true"
          aria-expanded={words.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={active.value >= 0 ? `${id}-${active.value}` : undefined}
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
          value={value}
          onInput={(event) => {
            onChange(event.currentTarget.value);
            ask();
          }}
          onFocus={ask}
          onClick={ask}
          onKeyDown={onKeyDown}
          onBlur={shut}
        />
        {words.length > 0 && (
          <div class="popup" id={`${id}-list`} role="listbox" aria-label={`${label}: completions`}>
            {words.map((word, i) => (
              <div
                key={word}
                id={`${id}-${i}`}
                role="option"
                class="mono"
                aria-selected={i === active.value}
                onPointerDown={(event) => {
                  event.preventDefault();
                  take(word);
                }}
              >
                {word}
              </div>
            ))}
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

function TagsHelp(): JSX.Element {
  const text =
    "key=value, several separated by blanks: all must hold on one span. " +
    'Quotes around blanks and "=": db.statement="select * from user". Values match exactly.';
  return (
    <span class="help" title={text}>
      <span class="unseen">{text}</span>?
    </span>
  );
}

/** Completions; none when the server cannot tell. */
async function wordsFor(
  { key, prefix }: TagCaret,
  service: string,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    if (key === undefined) return await fetchKeys(service, prefix, signal);
    return await fetchValues(service, key, prefix, signal);
  } catch {
    return [];
  }
}
