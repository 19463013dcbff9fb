/** Settings that are lists of pairs: headers (`Name: value`) and tags (`key=value`). */

import { SpoorError } from "../core/errors.ts";
import type { Tag } from "../pipeline/enrich.ts";

/** Headers from `query.additional-headers`. */
export function headersOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.map((text) => pair("query.additional-headers", text, ":")));
}

/**
 * Tags from `collector.tags` or `agent.tags`. A value `${VARIABLE:default}` is the variable's, or
 * the default when it is not set or empty.
 */
export function tagsOf(
  flag: "collector.tags" | "agent.tags",
  texts: readonly string[],
  env: { readonly [name: string]: string | undefined },
): Tag[] {
  return texts.map((text) => {
    const [key, raw] = pair(flag, text, "=");
    const [, variable = "", standard = ""] = /^\$\{([^:}]+)(?::([^}]*))?\}$/.exec(raw) ?? [];
    if (variable === "") return { key, value: raw };
    const found = env[variable] ?? "";
    return { key, value: found === "" ? standard : found };
  });
}

function pair(flag: string, text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  throw new SpoorError("config", `--${flag}: "${text}" is not a name, "${separator}" and a value`);
}
