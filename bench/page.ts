/** BENCHMARKS.md is written by several benches: each keeps what the others wrote. */

import * as fs from "node:fs";
import * as path from "node:path";

const page = path.join(import.meta.dirname, "..", "BENCHMARKS.md");

/** Sections in the order of the page; the first begins without a mark, for it has the title. */
const order = ["store", "doors", "client"] as const;

function mark(section: string): string {
  return `<!-- bench: ${section} -->\n`;
}

function readSections(): Map<string, string> {
  const sections = new Map<string, string>();
  let name: string = order[0];
  for (const line of fs.readFileSync(page, "utf8").split(/(?<=\n)/)) {
    const found = /^<!-- bench: (\w+) -->$/.exec(line.trimEnd());
    if (found === null) sections.set(name, (sections.get(name) ?? "") + line);
    else name = found[1]!;
  }
  return sections;
}

/** Puts `text` in place of a section of BENCHMARKS.md. */
export function writeSection(section: (typeof order)[number], text: string): void {
  const sections = readSections();
  sections.set(section, text);
  const parts = order.filter((name) => sections.has(name));
  const shown = parts.map((name) => (name === order[0] ? "" : mark(name)) + sections.get(name)!);
  fs.writeFileSync(page, `${shown.map((part) => part.trimEnd()).join("\n\n")}\n`);
}
