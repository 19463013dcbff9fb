/** The texts of --help, from the tables of commands and flags. */

import { FLAGS, FLAG_GROUPS, envOf } from "../run/flags.ts";
import type { Flag } from "../run/flags.ts";
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
  const head = `Usage: spoor ${command.name}${command.takesSettings ? " [flags]" : ""}`;
  if (!command.takesSettings) return `${head}\n\n${command.summary}\n`;
  const groups = Object.entries(FLAG_GROUPS).map(([group, title]) => {
    const rows: readonly Flag[] = FLAGS.filter((row) => row.group === group);
    return `${title}:\n${rows.filter(isUsable).map(flagHelp).join("\n")}`;
  });
  const sources = "A flag wins over its environment variable, that over --config-file.";
  return `${head}\n\n${command.summary}\n${sources}\n\n${groups.join("\n\n")}\n`;
}

function isUsable(row: Flag): boolean {
  return row.notYet !== true;
}

function flagHelp(row: Flag): string {
  const choices = row.choices === undefined ? "" : ` (${row.choices.join(", ")})`;
  const standard = row.default === "" ? "" : ` [${row.default}]`;
  return `  --${row.name} <${row.kind}>${standard}\n${INDENT}${row.help}${choices} ${envOf(row)}`;
}
