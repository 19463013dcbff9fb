/** Settings from flags, environment and file, each over the next, over the table's defaults. */

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { SpoorError } from "../core/errors.ts";
import { defaultOf, envOf } from "./flag.ts";
import type { Flag, RoleName } from "./flag.ts";
import { KIND_EXPECTS, READ_VALUE } from "./flag-values.ts";
import type { FlagValues } from "./flag-values.ts";
import { FLAGS } from "./flags.ts";
import { nearest } from "./nearest.ts";

type FlagRow = (typeof FLAGS)[number];

/** Every setting by its flag's name, read and checked; other roles' settings are at default. */
export type Config = {
  readonly [Row in FlagRow as Row["name"]]: FlagValues[Row["kind"]];
};

/** Where settings are read from. */
export interface ConfigSources {
  /** Arguments after the command. */
  readonly args: readonly string[];
  readonly env: { readonly [name: string]: string | undefined };
  /** Whose flags are known; default all-in-one. */
  readonly role?: RoleName;
}

/** A setting's text, and what to call its place in an error. */
interface Given {
  readonly text: string;
  readonly from: string;
}

const ROW_OF_NAME: ReadonlyMap<string, Flag> = new Map(FLAGS.map((row) => [row.name, row]));

/** The flags of a role, in the order of the table. */
export function flagsOf(role: RoleName): readonly Flag[] {
  return FLAGS.filter((row: Flag) => row.roles.includes(role));
}

/**
 * Reads all settings: flag over environment over file over default. Rejects with SpoorError
 * `config`, readable as it is, for an unknown name (with the nearest known one) or a value that
 * makes no sense.
 */
export async function readConfig(sources: ConfigSources): Promise<Config> {
  const role = sources.role ?? "all-in-one";
  const own = flagsOf(role);
  const flags = readFlags(sources.args, role, own);
  const env = readEnv(sources.env, own);
  const path = (flags.get("config-file") ?? env.get("config-file"))?.text ?? "";
  const file = path === "" ? new Map<string, Given>() : await readFile(path);
  const config: { [name: string]: unknown } = {};
  for (const row of FLAGS) {
    const standard = defaultOf(row, role);
    const mine = own.includes(row);
    const fromFile = mine ? file.get(row.name) : undefined;
    const given = flags.get(row.name) ?? env.get(row.name) ?? fromFile;
    config[row.name] = readSetting(row, standard, given ?? { text: standard, from: "default" });
  }
  // The loop above gave every row's name a value of the row's kind.
  return config as Config;
}

/** One setting's value. An empty environment variable counts as not set, as in Jaeger. */
function readSetting(row: Flag, standard: string, given: Given): unknown {
  const read = READ_VALUE[row.kind](given.text);
  const known = row.choices === undefined || row.choices.includes(given.text);
  if (read === undefined || !known) {
    const expects = row.choices?.join(", ") ?? KIND_EXPECTS[row.kind];
    throw new SpoorError("config", `${given.from}: "${given.text}" is not ${expects}`);
  }
  if (row.notYet === true && given.text !== standard) {
    const defaults = standard === "" ? "leave it out" : `only "${standard}" is possible`;
    throw new SpoorError("config", `${given.from} is not in this version of Spoor: ${defaults}`);
  }
  return read.value;
}

/** The error for a name nobody has, with the nearest one of `known`. */
function unknown(name: string, from: string, known: readonly Flag[]): SpoorError {
  const close = nearest(
    name,
    known.map((row) => row.name),
  );
  const hint = close === undefined ? "see --help" : `did you mean ${close}?`;
  return new SpoorError("config", `unknown ${from}; ${hint}`);
}

/** The role's row of a flag. A flag of another role is an error that says whose it is. */
function flagNamed(name: string, rawName: string, role: RoleName, own: readonly Flag[]): Flag {
  const row = ROW_OF_NAME.get(name);
  if (row === undefined) throw unknown(name, `flag ${rawName}`, own);
  if (own.includes(row)) return row;
  const owners = row.roles.join(", ");
  throw new SpoorError("config", `${rawName} is no flag of spoor ${role}, but of ${owners}`);
}

function readFlags(
  args: readonly string[],
  role: RoleName,
  own: readonly Flag[],
): Map<string, Given> {
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
    const row = flagNamed(token.name, token.rawName, role, own);
    const text = token.value ?? (row.kind === "boolean" ? "true" : undefined);
    if (text === undefined) {
      throw new SpoorError("config", `--${row.name} needs a value: ${KIND_EXPECTS[row.kind]}`);
    }
    given.set(row.name, { text, from: `--${row.name}` });
  }
  return given;
}

function readEnv(env: ConfigSources["env"], own: readonly Flag[]): Map<string, Given> {
  const given = new Map<string, Given>();
  for (const row of own) {
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

/**
 * Puts every leaf of nested maps under its dotted key. Lists become values with commas. One file
 * may serve several roles: each takes its own keys.
 */
function flatten(node: unknown, prefix: string, path: string, out: Map<string, Given>): void {
  const isMap = typeof node === "object" && node !== null && !Array.isArray(node);
  if (isMap) {
    for (const [key, child] of Object.entries(node)) {
      flatten(child, prefix === "" ? key : `${prefix}.${key}`, path, out);
    }
    return;
  }
  if (prefix === "") throw new SpoorError("config", `${path}: expected keys with values`);
  const row = ROW_OF_NAME.get(prefix);
  if (row === undefined) throw unknown(prefix, `key ${prefix} in ${path}`, FLAGS);
  const text = Array.isArray(node) ? node.map(textOf).join(",") : textOf(node);
  out.set(row.name, { text, from: `${row.name} in ${path}` });
}

/** A YAML scalar as a user would write it on the command line. */
function textOf(node: unknown): string {
  if (typeof node === "string") return node;
  return node === null || node === undefined ? "" : JSON.stringify(node);
}
