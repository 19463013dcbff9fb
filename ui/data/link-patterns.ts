/** Link patterns of the configuration: which links a tag, a log field or a trace has. */

/** What Jaeger's file may hold: `type`, `key` and `value` as text, list, RegExp or function. */
export type RawLinkPattern = Readonly<Record<string, unknown>>;

/** Where an attribute stands, in Jaeger's words. */
export type LinkPlace = "process" | "tags" | "logs" | "traces";

/** A pattern ready to be tried. */
export interface LinkPattern {
  readonly type: (place: string) => boolean;
  readonly key: (key: string) => boolean;
  readonly value: (value: LinkValue) => boolean;
  readonly url: Template;
  readonly text: Template;
}

export type LinkValue = string | number | boolean;

/** The value of a parameter as seen from where the link stands; undefined when there is none. */
export type LinkLookup = (parameter: string) => LinkValue | undefined;

export interface Link {
  /** http, https or mailto only. */
  readonly url: string;
  readonly text: string;
}

/** A text with `#{parameter | function argument}` in it. */
interface Template {
  readonly parts: readonly (string | Placeholder)[];
}

interface Placeholder {
  readonly parameter: string;
  readonly functions: readonly { readonly name: string; readonly args: readonly string[] }[];
}

/** OpenTelemetry's words for Jaeger's places. */
const ALIASES: Readonly<Record<string, string>> = {
  process: "resource",
  tags: "attributes",
  logs: "events",
  traces: "traces",
};
const FUNCTIONS = new Set(["epoch_micros_to_date_iso", "pad_start", "add"]);

/** Reads the patterns; one that cannot be used is left out and told in `warnings`. */
export function readLinkPatterns(raws: readonly RawLinkPattern[]): {
  readonly patterns: readonly LinkPattern[];
  readonly warnings: readonly string[];
} {
  const patterns: LinkPattern[] = [];
  const warnings: string[] = [];
  for (const [i, raw] of raws.entries()) {
    const { url, text } = raw;
    if (typeof url !== "string" || typeof text !== "string") {
      warnings.push(`linkPatterns[${i}] needs url and text`);
      continue;
    }
    const type = tester(raw["type"]);
    const key = tester(raw["key"]);
    const value = tester(raw["value"]);
    const templates = { url: templateOf(url), text: templateOf(text) };
    if (type === undefined || key === undefined || value === undefined) {
      warnings.push(`linkPatterns[${i}]: type, key and value are texts, lists or functions`);
      continue;
    }
    const unknown = [...templates.url.parts, ...templates.text.parts]
      .flatMap((part) => (typeof part === "string" ? [] : part.functions))
      .find(({ name }) => !FUNCTIONS.has(name));
    if (unknown !== undefined) {
      warnings.push(`linkPatterns[${i}]: there is no function ${unknown.name}`);
      continue;
    }
    patterns.push({
      type: (place) => type(place) || type(ALIASES[place] ?? place),
      key,
      value,
      ...templates,
    });
  }
  return { patterns, warnings };
}

/** Links of an attribute, or of a trace (`key` and `value` empty, place `traces`). */
export function linksOf(
  patterns: readonly LinkPattern[],
  place: LinkPlace,
  key: string,
  value: LinkValue,
  lookup: LinkLookup,
): Link[] {
  const links: Link[] = [];
  for (const pattern of patterns) {
    if (!pattern.type(place)) continue;
    if (place !== "traces" && !(pattern.key(key) && pattern.value(value))) continue;
    const url = fill(pattern.url, lookup, encodeURIComponent);
    const text = fill(pattern.text, lookup, String);
    if (url !== undefined && text !== undefined && isSafeUrl(url)) links.push({ url, text });
  }
  return links;
}

/** Whether a link may be followed: http, https or mailto; relative ones become http. */
export function isSafeUrl(url: string): boolean {
  try {
    return /^(https?|mailto):$/.test(new URL(url, "http://base.invalid/").protocol);
  } catch {
    return false;
  }
}

/** Jaeger's rule: nothing given holds for all; texts equal; lists hold; RegExp; function. */
function tester(given: unknown): ((value: LinkValue) => boolean) | undefined {
  if (given === undefined || given === null) return () => true;
  if (typeof given === "string") return (value) => value === given;
  if (Array.isArray(given)) return (value) => given.includes(value);
  if (given instanceof RegExp) {
    return (value) => {
      given.lastIndex = 0;
      return given.test(String(value));
    };
  }
  if (typeof given === "function") {
    return (value) => {
      try {
        return Boolean(given(value));
      } catch {
        return false;
      }
    };
  }
  return undefined;
}

function templateOf(text: string): Template {
  const parts: (string | Placeholder)[] = [];
  let from = 0;
  for (const match of text.matchAll(/#\{([^{}]*)\}/g)) {
    parts.push(text.slice(from, match.index));
    const [parameter = "", ...calls] = (match[1] ?? "").split("|").map((part) => part.trim());
    const functions = calls.map((call) => {
      const [name = "", ...args] = call.split(/\s+/);
      return { name, args };
    });
    parts.push({ parameter, functions });
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return { parts };
}

/** The text, or undefined when a parameter has no value. */
function fill(
  template: Template,
  lookup: LinkLookup,
  encode: (text: string) => string,
): string | undefined {
  let out = "";
  for (const part of template.parts) {
    if (typeof part === "string") {
      out += part;
      continue;
    }
    let value = lookup(part.parameter);
    if (value === undefined) return undefined;
    for (const { name, args } of part.functions) value = applied(name, args, value);
    out += encode(String(value));
  }
  return out;
}

/** One formatting function; a value it cannot work on stays as it is, as in Jaeger. */
function applied(name: string, args: readonly string[], value: LinkValue): LinkValue {
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  switch (name) {
    case "epoch_micros_to_date_iso":
      if (typeof number !== "number" || !Number.isFinite(number)) return value;
      return Math.abs(number) > 8.64e18 ? value : new Date(number / 1000).toISOString();
    case "pad_start":
      return String(value).padStart(Math.min(Number(args[0]) || 0, 1000), args[1] ?? " ");
    case "add":
      return typeof number === "number" ? number + (Number(args[0]) || 0) : value;
    default:
      return value;
  }
}
