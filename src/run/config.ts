/** Settings from flags, environment and file, each over the next, over the table's defaults. */

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { SpoorError } from "../core/errors.ts";
import { KIND_EXPECTS, READ_VALUE } from "./flag-values.ts";
import type { FlagValues } from "./flag-values.ts";
import { FLAGS, envOf } from "./flags.ts";
import type { Flag } from "./flags.ts";
import { nearest } from "./nearest.ts";

type FlagRow = (typeof FLAGS)[number];

/** Every setting by its flag's name, read and checked. */
export type Config = {
  readonly [Row in FlagRow as Row["name"]]: FlagValues[Row["kind"]];
};

/** Where settings are read from. */
export interface ConfigSources {
  /** Arguments after the command. */
  readonly args: readonly string[];
  readonly env: { readonly [name: string]: string | undefined };
}

/** A setting's text, and what to call its place in an error. */
interface Given {
  readonly text: string;
  readonly from: string;
}

const ROW_OF_NAME: ReadonlyMap<string, Flag> = new Map(FLAGS.map((row) => [row.name, row]));

/**
 * Reads all settings: flag over environment over file over default. Rejects with SpoorError
 * `config`, readable as it is, for an unknown name (with the nearest known one) or a value that
 * makes no sense.
 */
export async function readConfig(sources: ConfigSources): Promise<Config> {
  const flags = readFlags(sources.args);
  const env = readEnv(sources.env);
  const path = (flags.get("config-file") ?? env.get("config-file"))?.text ?? "";
  const file = path === "" ? new Map<string, Given>() : await readFile(path);
  const config: { [name: string]: unknown } = {};
  for (const row of FLAGS) {
    const given = flags.get(row.name) ?? env.get(row.name) ?? file.get(row.name);
    config[row.name] = readSetting(row, given ?? { text: row.default, from: "default" });
  }
  // The loop above gave every row's name a value of the row's kind.
  return config as Config;
}

/** One setting's value. An empty environment variable counts as not set, as in Jaeger. */
function readSetting(row: Flag, given: Given): unknown {
  const read = READ_VALUE[row.kind](given.text);
  const known = row.choices === undefined || row.choices.includes(given.text);
  if (read === undefined || !known) {
    const expects = row.choices?.join(", ") ?? KIND_EXPECTS[row.kind];
    throw new SpoorError("config", `${given.from}: "${given.text}" is not ${expects}`);
  }
  if (row.notYet === true && given.text !== row.default) {
    const defaults = row.default === "" ? "leave it out" : `only "${row.default}" is possible`;
    throw new SpoorError("config", `${given.from} is not in this version of Spoor: ${defaults}`);
  }
  return read.value;
}

/** The row of a name, or the error that names the nearest. */
function rowNamed(name: string, from: string): Flag {
  const row = ROW_OF_NAME.get(name);
  if (row !== undefined) return row;
  const close = nearest(name, [...ROW_OF_NAME.keys()]);
  const hint = close === undefined ? "see --help" : `did you mean ${close}?`;
  throw new SpoorError("config", `unknown ${from}; ${hint}`);
}

function readFlags(args: readonly string[]): Map<string, Given> {
  const options = Object.fromEntries(
    FLAGS.map((row) => [
      row.name,
      { type: row.kind === "boolean" ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const given = new Map<string, Given>();
  for (const token of tokens) {
    if (token.kind === "positional") {
      throw new SpoorError("config", `unexpected argument "${token.value}"; flags begin with --`);
    }
    if (token.kind === "option-terminator") continue;
    const row = rowNamed(token.name, `flag ${token.rawName}`);
    const text = token.value ?? (row.kind === "boolean" ? "true" : undefined);
    if (text === undefined) {
      throw new SpoorError("config", `--${row.name} needs a value: ${KIND_EXPECTS[row.kind]}`);
    }
    given.set(row.name, { text, from: `--${row.name}` });
  }
  return given;
}

function readEnv(env: ConfigSources["env"]): Map<string, Given> {
  const given = new Map<string, Given>();
  for (const row of FLAGS) {
    const text = env[envOf(row)];
    if (text !== undefined && text !== "") given.set(row.name, { text, from: envOf(row) });
  }
  return given;
}

/** The parser is loaded only when there is a file: it would be a tenth of the start. */
async function readFile(path: string): Promise<Map<string, Given>> {
  let content: unknown;
  try {
    const yaml = await import("yaml");
    content = yaml.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SpoorError("config", `--config-file ${path}: ${reason}`, { cause });
  }
  const given = new Map<string, Given>();
  if (content !== null && content !== undefined) flatten(content, "", path, given);
  return given;
}

/** Puts every leaf of nested maps under its dotted key. Lists become values with commas. */
function flatten(node: unknown, prefix: string, path: string, out: Map<string, Given>): void {
  const isMap = typeof node === "object" && node !== null && !Array.isArray(node);
  if (isMap) {
    for (const [key, child] of Object.entries(node)) {
      flatten(child, prefix === "" ? key : `${prefix}.${key}`, path, out);
    }
    return;
  }
  if (prefix === "") throw new SpoorError("config", `${path}: expected keys with values`);
  const row = rowNamed(prefix, `key ${prefix} in ${path}`);
  const text = Array.isArray(node) ? node.map(textOf).join(",") : textOf(node);
  out.set(row.name, { text, from: `${row.name} in ${path}` });
}

/** A YAML scalar as a user would write it on the command line. */
function textOf(node: unknown): string {
  if (typeof node === "string") return node;
  return node === null || node === undefined ? "" : JSON.stringify(node);
}
