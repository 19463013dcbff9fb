/** The UI's configuration: Jaeger UI's own file, read as it is, with its defaults. */

import type { RawLinkPattern } from "./link-patterns.ts";

/** An entry of the top bar's menu: a link, or a group of them. */
export interface MenuEntry {
  readonly label: string;
  readonly url?: string;
  /** Default `_self`. */
  readonly anchorTarget?: string;
  readonly items?: readonly MenuEntry[];
}

/** A choice of the look-back: "2 Days", "2d". */
export interface LookbackLabel {
  readonly label: string;
  readonly value: string;
}

/** What the pages of today read. Keys of pages to come are accepted and kept aside. */
export interface UiConfig {
  readonly archiveEnabled: boolean;
  readonly criticalPathEnabled: boolean;
  /** Replaces ours when given. */
  readonly menu: readonly MenuEntry[] | undefined;
  readonly search: {
    readonly defaultLookback: string;
    readonly maxLookback: LookbackLabel;
    readonly maxLimit: number;
    /** How far the end of a search is moved back on demand, as "1m"; "" hides the switch. */
    readonly adjustEndTime: string;
  };
  readonly scripts: readonly string[];
  readonly traceIdDisplayLength: number;
  readonly topTagPrefixes: readonly string[];
  readonly linkPatterns: readonly RawLinkPattern[];
  readonly disableFileUploadControl: boolean;
  readonly disableJsonView: boolean;
  readonly forbidNewPage: boolean;
  readonly themesEnabled: boolean;
  readonly traceTimeline: {
    readonly enableSidePanel: boolean;
    readonly defaultDetailPanelMode: "inline" | "sidepanel";
    readonly spanPillsEnabled: boolean;
  };
  /** Whether words are OpenTelemetry's (attributes, events) or Jaeger's (tags, logs). */
  readonly useOpenTelemetryTerms: boolean;
}

/** The configuration, and what in it could not be used. */
export interface ReadConfig {
  readonly config: UiConfig;
  readonly warnings: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** Keys of Jaeger UI that ask for nothing that is here, and are no mistake. */
const QUIET_KEYS = new Set([
  "dependencies",
  "monitor",
  "deepDependencies",
  "qualityMetrics",
  "traceGraph",
  "traceDiff",
  "pathAgnosticDecorations",
  "tracking",
  "tracing",
  "storageCapabilities",
  "backendCapabilities",
  "dependenciesMenuEnabled",
  "gaTrackingID",
]);

/** Reads what `getJaegerUiConfig()` returned; null and undefined are the defaults. */
export function readUiConfig(given: unknown): ReadConfig {
  const reader = new ConfigReader(isObject(given) ? given : {});
  if (given !== null && given !== undefined && !isObject(given)) {
    reader.warnings.push("the configuration is no object");
  }
  const search = reader.object("search");
  const timeline = reader.object("traceTimeline");
  const themes = reader.object("themes");
  const config: UiConfig = {
    archiveEnabled: reader.flag("archiveEnabled", true),
    criticalPathEnabled: reader.flag("criticalPathEnabled", true),
    menu: reader.given("menu") ? menuOf(reader.list("menu")) : undefined,
    search: {
      defaultLookback: search.text("defaultLookback", "1h"),
      maxLookback: lookbackOf(search.object("maxLookback")),
      maxLimit: search.number("maxLimit", 1500),
      adjustEndTime: search.text("adjustEndTime", ""),
    },
    scripts: scriptsOf(reader.list("scripts")),
    traceIdDisplayLength: reader.number("traceIdDisplayLength", 7),
    topTagPrefixes: reader.list("topTagPrefixes").filter((prefix) => typeof prefix === "string"),
    linkPatterns: reader.list("linkPatterns").filter(isObject),
    disableFileUploadControl: reader.flag("disableFileUploadControl", false),
    disableJsonView: reader.flag("disableJsonView", false),
    forbidNewPage: reader.flag("forbidNewPage", false),
    themesEnabled: themes.flag("enabled", true),
    traceTimeline: {
      enableSidePanel: timeline.flag("enableSidePanel", true),
      defaultDetailPanelMode:
        timeline.text("defaultDetailPanelMode", "inline") === "sidepanel" ? "sidepanel" : "inline",
      spanPillsEnabled: timeline.flag("spanPillsEnabled", true),
    },
    useOpenTelemetryTerms: reader.flag("useOpenTelemetryTerms", true),
  };
  reader.deprecated("dependenciesMenuEnabled", "dependencies.menuEnabled");
  reader.deprecated("gaTrackingID", "tracking.gaID");
  reader.unknownKeys();
  return { config, warnings: reader.warnings };
}

/** Reads members of one object, with a warning where a value is of another kind. */
class ConfigReader {
  readonly warnings: string[];
  readonly #json: Json;
  readonly #path: string;
  readonly #known = new Set<string>();

  constructor(json: Json, path = "", warnings: string[] = []) {
    this.#json = json;
    this.#path = path;
    this.warnings = warnings;
  }

  given(key: string): boolean {
    return this.#json[key] !== undefined && this.#json[key] !== null;
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.#member(key);
    if (value === undefined) return otherwise;
    if (typeof value === "boolean") return value;
    return this.#wrong(key, "true or false", otherwise);
  }

  number(key: string, otherwise: number): number {
    const value = this.#member(key);
    if (value === undefined) return otherwise;
    if (typeof value === "number" && value > 0) return value;
    return this.#wrong(key, "a positive number", otherwise);
  }

  text(key: string, otherwise: string): string {
    const value = this.#member(key);
    if (value === undefined) return otherwise;
    if (typeof value === "string") return value;
    return this.#wrong(key, "a text", otherwise);
  }

  list(key: string): readonly unknown[] {
    const value = this.#member(key);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    return this.#wrong(key, "a list", []);
  }

  object(key: string): ConfigReader {
    const value = this.#member(key);
    const path = `${this.#path}${key}.`;
    if (value === undefined) return new ConfigReader({}, path, this.warnings);
    if (isObject(value)) return new ConfigReader(value, path, this.warnings);
    return this.#wrong(key, "an object", new ConfigReader({}, path, this.warnings));
  }

  deprecated(key: string, instead: string): void {
    if (this.given(key)) this.warnings.push(`${key} is deprecated: use ${instead}`);
  }

  unknownKeys(): void {
    for (const key of Object.keys(this.#json)) {
      if (!this.#known.has(key) && !QUIET_KEYS.has(key)) this.warnings.push(`${key} is not known`);
    }
  }

  #member(key: string): unknown {
    this.#known.add(key);
    return this.#json[key] ?? undefined;
  }

  #wrong<T>(key: string, expected: string, otherwise: T): T {
    this.warnings.push(`${this.#path}${key} must be ${expected}`);
    return otherwise;
  }
}

function menuOf(list: readonly unknown[]): MenuEntry[] {
  return list.filter(isObject).map((entry) => ({
    label: textOf(entry["label"]) ?? "",
    ...optional("url", textOf(entry["url"])),
    ...optional("anchorTarget", textOf(entry["anchorTarget"])),
    ...(Array.isArray(entry["items"]) ? { items: menuOf(entry["items"]) } : {}),
  }));
}

function lookbackOf(reader: ConfigReader): LookbackLabel {
  const value = reader.text("value", "2d");
  return { label: reader.text("label", value === "2d" ? "2 Days" : value), value };
}

function scriptsOf(list: readonly unknown[]): string[] {
  return list.filter(isObject).flatMap((script) => {
    const text = textOf(script["text"]);
    return text === undefined || script["type"] !== "inline" ? [] : [text];
  });
}

function optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: string });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
