/** The tags field: logfmt, `key=value key="a value with blanks"`, everything a text. */

/** Tags in the order written, or what is wrong with the text. */
export type ParsedTags =
  | { readonly tags: readonly (readonly [key: string, value: string])[] }
  | { readonly error: string };

/** Parses; a key alone is `true`, as logfmt has it. A later key replaces an earlier one. */
export function parseTags(text: string): ParsedTags {
  const tags = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? "")) {
      at++;
      continue;
    }
    const key = word(text, at, true);
    if ("error" in key) return key;
    if (key.value === "") return { error: `a key is missing before "${text.slice(at, at + 12)}"` };
    at = key.end;
    if (text[at] !== "=") {
      tags.set(key.value, "true");
      continue;
    }
    const value = word(text, at + 1, false);
    if ("error" in value) return value;
    tags.set(key.value, value.value);
    at = value.end;
  }
  return { tags: [...tags] };
}

type Word = { readonly value: string; readonly end: number } | { readonly error: string };

/** A bare word, or one in quotes with \" and \\ in it. */
function word(text: string, from: number, isKey: boolean): Word {
  if (text[from] === '"') {
    let value = "";
    for (let i = from + 1; i < text.length; i++) {
      if (text[i] === '"') return { value, end: i + 1 };
      if (text[i] === "\\" && i + 1 < text.length) i++;
      value += text[i];
    }
    return { error: "a quote is not closed" };
  }
  let end = from;
  while (end < text.length && !/\s/.test(text[end] ?? "") && !(isKey && text[end] === "=")) end++;
  return { value: text.slice(from, end), end };
}

/** Writes tags so that `parseTags` reads the same. */
export function tagsText(tags: Iterable<readonly [key: string, value: string]>): string {
  return [...tags].map(([key, value]) => `${quoted(key)}=${quoted(value)}`).join(" ");
}

function quoted(text: string): string {
  if (text !== "" && !/[\s="\\]/.test(text)) return text;
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** What is being written at the caret: a key, or the value of one; for completion. */
export interface TagCaret {
  /** Undefined while a key is written. */
  readonly key: string | undefined;
  /** What of it is there already. */
  readonly prefix: string;
  /** The part of the text a completion replaces. */
  readonly from: number;
  readonly to: number;
}

/** The word the caret is in. */
export function tagAtCaret(text: string, caret: number): TagCaret {
  let from = 0;
  let open = false;
  for (let i = 0; i < caret; i++) {
    if (text[i] === "\\" && open) i++;
    else if (text[i] === '"') open = !open;
    else if (!open && /\s/.test(text[i] ?? "")) from = i + 1;
  }
  let to = caret;
  while (to < text.length && (open || !/\s/.test(text[to] ?? ""))) {
    if (open && text[to] === '"') open = false;
    to++;
  }
  const written = text.slice(from, caret);
  const quotedKey = /^"(?:[^"\\]|\\.)*"/.exec(written)?.[0].length ?? 0;
  const equals = written.startsWith('"')
    ? quotedKey > 0 && written[quotedKey] === "="
      ? quotedKey
      : -1
    : written.indexOf("=");
  if (equals < 0) return { key: undefined, prefix: bare(written), from, to };
  const key = bare(written.slice(0, equals));
  return { key, prefix: bare(written.slice(equals + 1)), from, to };
}

/** Without the quotes of an unfinished word. */
function bare(text: string): string {
  return text.replace(/^"/, "").replace(/"$/, "").replaceAll(/\\(.)/g, "$1");
}
