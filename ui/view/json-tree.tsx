/** JsonTree: a JSON value as an expandable tree; every text is a text node. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";

/** Longer texts are not tried as JSON: parsing them would hold up the page. */
const MAX_PARSED = 200_000;
/** Members shown of one array or object before "show more". */
const MEMBERS_SHOWN = 50;
const OPEN_LEVELS = 1;

/** An attribute's text as an array or object, or undefined when it is neither. */
export function jsonOf(text: string): object | undefined {
  const first = text.trimStart()[0];
  if ((first !== "{" && first !== "[") || text.length > MAX_PARSED) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

export interface JsonTreeProps {
  readonly value: unknown;
  readonly level?: number;
}

export function JsonTree({ value, level = 0 }: JsonTreeProps): JSX.Element {
  if (typeof value === "object" && value !== null) return <Branch value={value} level={level} />;
  const kind = value === null ? "null" : typeof value;
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return <span class={`json-value json-${kind}`}>{text}</span>;
}

function Branch({ value, level }: { value: object; level: number }): JSX.Element {
  const open = useSignal(level < OPEN_LEVELS);
  const shown = useSignal(MEMBERS_SHOWN);
  const isArray = Array.isArray(value);
  const members = Object.entries(value);
  const summary = isArray ? `[${members.length}]` : `{${members.length}}`;
  if (members.length === 0) return <span class="json-value">{isArray ? "[]" : "{}"}</span>;
  return (
    <span class="json-branch">
      <button
        type="button"
        class="json-toggle"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        {open.value ? "▾" : "▸"} {summary}
      </button>
      {open.value && (
        <ul class="json-members">
          {members.slice(0, shown.value).map(([key, member]) => (
            <li key={key}>
              <span class="json-key">{key}</span>
              {": "}
              <JsonTree value={member} level={level + 1} />
            </li>
          ))}
          {members.length > shown.value && (
            <li>
              <button
                type="button"
                class="json-toggle"
                onClick={() => {
                  shown.value += MEMBERS_SHOWN * 4;
                }}
              >
                {members.length - shown.value} more
              </button>
            </li>
          )}
        </ul>
      )}
    </span>
  );
}
