/** Checks the rules of STYLE.md that a program can see; its T marks say which those are. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename } from "node:path";
import { sourceFiles } from "./source-files.ts";
import type { SourceFile } from "./source-files.ts";

const MAX_FILE_LINES = 500;
const MAX_COLUMNS = 100;
const MAX_COMMITTED_BYTES = 1024 * 1024;
/** The two entries of what is published. */
const INDEX_FILES = new Set(["src/client/index.ts", "src/client/node/index.ts"]);
const EMPTY_NAMES = /(^|-)(utils?|helpers?|common|managers?|impl|misc)(-|\.|$)/;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|worker|d))?\.tsx?$/;
/** A comment that is a statement: ends like one and begins like one. */
const DEAD_CODE =
  /^\s*\/\/\s*(const|let|return|import|export|if \(|for \(|await|\w+\(.*\);$).*[;{]$/;
// Written in pieces, so that this file does not hold what it looks for.
const UNFINISHED = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME"].join("|")})\\b(?!\\(#\\d+\\))`);
const UNCHECKED = new RegExp(`@ts-(${["ignore", "nocheck"].join("|")})`);
const PLACES = new RegExp(`/(${["work", "farm", "root"].join("|")})/[a-z]`);
const HOSTS = new RegExp(
  `https?://(${["registry", "repo1?", "proxy", "static", "deb"].join("|")})\\.[a-z]`,
);
const TEXT_FILE = /\.(ts|tsx|mjs|js|json|md|yaml|yml|sh|html|css)$|(^|\/)(run|spoor)$/;

const problems: string[] = [];

function complain(path: string, line: number, text: string): void {
  problems.push(`${path}:${line} ${text}`);
}

function checkName(path: string): void {
  const name = basename(path);
  if (!KEBAB.test(name)) complain(path, 1, "file names are kebab-case");
  if (EMPTY_NAMES.test(name)) complain(path, 1, "a file is named for what it holds");
  if (name === "index.ts" && !INDEX_FILES.has(path)) complain(path, 1, "no index.ts here");
}

function checkLines(file: SourceFile): void {
  const length = file.lines.length - 1;
  if (length > MAX_FILE_LINES) complain(file.path, 1, `${length} lines, over ${MAX_FILE_LINES}`);
  const first = file.lines[0] ?? "";
  if (!/^(\/\*\*?|\/\/) ?\S/.test(first) && !/^\/\*\*$/.test(first)) {
    complain(file.path, 1, "the first line says what the file is for");
  }
  for (const [i, line] of file.lines.entries()) {
    if (line.length > MAX_COLUMNS) complain(file.path, i + 1, `${line.length} columns`);
    if (UNFINISHED.test(line)) complain(file.path, i + 1, "name its issue, or do it");
    if (DEAD_CODE.test(line)) complain(file.path, i + 1, "no commented-out code");
    if (UNCHECKED.test(line)) complain(file.path, i + 1, "types are not switched off");
  }
}

function checkImports(file: SourceFile): void {
  for (const found of file.imports) {
    const relative = found.specifier.startsWith(".");
    if (relative && !/\.(ts|tsx|mjs|json|css)$/.test(found.specifier)) {
      complain(file.path, found.line, "relative imports end in .ts");
    }
    if (found.reExport && !INDEX_FILES.has(file.path)) {
      complain(file.path, found.line, "no re-exports: import from where it is");
    }
  }
}

/** Every dependency has an exact version and its line in the ADR. */
function checkDependencies(): void {
  const manifest: { [field: string]: { [name: string]: string } } = JSON.parse(
    readFileSync("package.json", "utf8"),
  );
  const adr = readdirSync("docs/adr", { withFileTypes: true }).find((file) =>
    file.name.startsWith("002"),
  );
  const text = adr === undefined ? "" : readFileSync(`docs/adr/${adr.name}`, "utf8");
  for (const field of ["dependencies", "optionalDependencies", "devDependencies"]) {
    for (const [name, version] of Object.entries(manifest[field] ?? {})) {
      if (!/^\d+\.\d+\.\d+$/.test(version)) complain("package.json", 1, `${name} is not exact`);
      if (!text.includes(name)) complain("package.json", 1, `${name} has no line in ADR 002`);
    }
  }
}

/** What must not be in a commit: places of one machine, registries, big files. */
function checkCommitted(): void {
  const paths = execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" }).split("\0");
  for (const path of paths) {
    if (path === "" || !existsSync(path)) continue;
    if (statSync(path).size > MAX_COMMITTED_BYTES && !path.startsWith("test/fixtures/")) {
      complain(path, 1, "over 1 MiB");
    }
    if (!TEXT_FILE.test(path)) continue;
    for (const [i, line] of readFileSync(path, "utf8").split("\n").entries()) {
      if (PLACES.test(line)) complain(path, i + 1, "a path of one machine");
      if (HOSTS.test(line)) complain(path, i + 1, "the host of a registry");
    }
  }
}

for (const file of sourceFiles()) {
  checkName(file.path);
  checkLines(file);
  checkImports(file);
}
checkDependencies();
checkCommitted();
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`tidy: ${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
