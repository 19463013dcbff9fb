/** The texts of --help, from the tables of commands and flags. */

import { flagsOf } from "../run/config.ts";
import { defaultOf, envOf, FLAG_GROUPS } from "../run/flag.ts";
import type { Flag, RoleName } from "../run/flag.ts";
import type { Command } from "./commands.ts";

const INDENT = "      ";

/** The list of commands. */
export function commandsHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return [
    "Spoor: distributed tracing, compatible with Jaeger, OpenTelemetry and Zipkin.",
    "",
    "Usage: spoor <command> [flags]",
    "",
    ...lines,
    "",
    "spoor <command> --help lists its flags.",
    "",
  ].join("\n");
}

/** One command with its flags. */
export function commandHelp(command: Command): string {
  const role = command.settingsOf;
  const head = `Usage: spoor ${command.name}${role === undefined ? "" : " [flags]"}`;
  const about = command.about === undefined ? "" : `\n${command.about}`;
  if (role === undefined) return `${head}\n\n${command.summary}${about}\n`;
  const rows = flagsOf(role).filter(isUsable);
  const groups = Object.entries(FLAG_GROUPS).flatMap(([group, title]) => {
    const own = rows.filter((row) => row.group === group);
    return own.length === 0 ? [] : [`${title}:\n${own.map(flagHelp(role)).join("\n")}`];
  });
  const sources = "A flag wins over its environment variable, that over --config-file.";
  return `${head}\n\n${command.summary}${about}\n${sources}\n\n${groups.join("\n\n")}\n`;
}

function isUsable(row: Flag): boolean {
  return row.notYet !== true;
}

function flagHelp(role: RoleName): (row: Flag) => string {
  return (row) => {
    const choices = row.choices === undefined ? "" : ` (${row.choices.join(", ")})`;
    const value = defaultOf(row, role);
    const standard = value === "" ? "" : ` [${value}]`;
    return `  --${row.name} <${row.kind}>${standard}\n${INDENT}${row.help}${choices} ${envOf(row)}`;
  };
}
