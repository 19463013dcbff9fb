/** The repository's TypeScript files and what they import, for the checks. */

import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** One import, export-from or import() of a file. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  readonly line: number;
  /** Nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
  /** It passes on what it imports. */
  readonly reExport: boolean;
}

export interface SourceFile {
  /** From the root of the repository, with /. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly imports: readonly Import[];
}

const FOLDERS = ["src", "test", "bench", "scripts", "ui"];
const NOT_OURS = /(^|\/)(node_modules|dist)\//;

/** Every .ts and .tsx file, in order of path. */
export function sourceFiles(): SourceFile[] {
  return globSync(FOLDERS.flatMap((folder) => [`${folder}/**/*.ts`, `${folder}/**/*.tsx`]))
    .filter((path) => !NOT_OURS.test(path))
    .toSorted()
    .map(readSource);
}

/** Where a relative import leads, from the root of the repository. */
export function targetOf(from: SourceFile, found: Import): string {
  return normalize(join(dirname(from.path), found.specifier));
}

function readSource(path: string): SourceFile {
  const text = readFileSync(path, "utf8");
  return { path, text, lines: text.split("\n"), imports: importsOf(text) };
}

const STATEMENT = /^(import|export)\s+(type\s)?(?:[\w$*\s{},]*?\sfrom\s+)?["']([^"'\n]+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"'\n]+)["']/g;

function importsOf(text: string): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, blanked);
  const found: Import[] = [];
  for (const match of code.matchAll(STATEMENT)) {
    found.push({
      specifier: match[3] ?? "",
      line: lineAt(code, match.index),
      typeOnly: match[2] !== undefined,
      reExport: match[1] === "export",
    });
  }
  for (const match of code.matchAll(DYNAMIC)) {
    const line = lineAt(code, match.index);
    found.push({ specifier: match[1] ?? "", line, typeOnly: false, reExport: false });
  }
  return found;
}

/** Spaces in place of a comment, so that lines stay where they are. */
function blanked(comment: string): string {
  return comment.replaceAll(/[^\n]/g, " ");
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
