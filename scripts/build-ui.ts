/** Builds ui/ into dist/ui: hashed and precompressed files, sizes printed, budgets asserted. */

import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { BuildOptions, Metafile } from "esbuild";

/** What a browser loads before /search can be used: markup's scripts and styles, gzip. */
const CRITICAL_GZ_BYTES = 90_000;
/** All scripts of every page and worker, gzip. */
const ALL_JS_GZ_BYTES = 200_000;

/**
 * Chromium (since 136) compiles every function of such a file while it loads, on another thread,
 * instead of each when it is called first, on the page's: opening a trace of 10,000 spans takes
 * 104 ms of that thread instead of 120, loading the search 80 instead of 94. Others take it for a
 * comment.
 */
const COMPILE_ALL = "//# allFunctionsCalledOnLoad";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "dist", "ui");
const fresh = `${out}.new`;
const PAGE = "ui/index.html";
const ICON = "ui/favicon.svg";

const SHARED: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: ["chrome120", "firefox121", "safari17.2"],
  minify: true,
  metafile: true,
  write: true,
  outdir: join(fresh, "static"),
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  logLevel: "warning",
};

/** Output names by entry, as `view/main.tsx` → `main-ABC.js`. */
function outputsOf(metafile: Metafile): Map<string, string> {
  const names = new Map<string, string>();
  for (const [path, output] of Object.entries(metafile.outputs)) {
    if (output.entryPoint === undefined) continue;
    names.set(relative("ui", output.entryPoint), basename(path));
  }
  return names;
}

/** What the browser loads with the page: the entry's script and what that imports statically. */
function criticalScripts(metafile: Metafile, entry: string): Set<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const used of metafile.outputs[path]?.imports ?? []) {
      if (used.kind === "import-statement" && used.external !== true) visit(used.path);
    }
  };
  const path = Object.keys(metafile.outputs).find(
    (name) => metafile.outputs[name]?.entryPoint === entry,
  );
  if (path !== undefined) visit(path);
  return new Set([...found].map((name) => basename(name)));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Writes `<file>.gz` beside a file; the size of it. */
function compress(path: string): number {
  const packed = gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(`${path}.gz`, packed);
  return packed.length;
}

/** The file with its hash in the name, in static/; its new name. */
function hashed(path: string): string {
  const bytes = readFileSync(join(root, path));
  const extension = extname(path);
  const name = `${basename(path, extension)}-${sha256(bytes).slice(0, 8)}${extension}`;
  writeFileSync(join(fresh, "static", name), bytes);
  return name;
}

/** index.html with the names of the files it uses. */
function writePage(names: ReadonlyMap<string, string>): void {
  const text = readFileSync(join(root, PAGE), "utf8").replaceAll(
    /FILE_OF\(([^)]+)\)/g,
    (_all, entry: string) => {
      const name = names.get(entry);
      if (name === undefined) throw new Error(`${PAGE} uses ${entry}, which was not built`);
      return `static/${name}`;
    },
  );
  writeFileSync(join(fresh, "index.html"), text);
}

/** Prints each file's size, and says which budget is exceeded. */
function checkSizes(critical: ReadonlySet<string>): boolean {
  let criticalBytes = 0;
  let scriptBytes = 0;
  for (const path of globSync(join(fresh, "static", "*")).toSorted()) {
    if (!/\.(js|css)$/.test(path)) continue;
    const size = compress(path);
    const name = basename(path);
    const loadedFirst = critical.has(name) || name.endsWith(".css");
    if (loadedFirst) criticalBytes += size;
    if (name.endsWith(".js")) scriptBytes += size;
    const mark = loadedFirst ? " at first load" : "";
    process.stdout.write(`  ${(size / 1000).toFixed(1).padStart(7)} kB gz  ${name}${mark}\n`);
  }
  const line = (what: string, size: number, most: number): boolean => {
    const verdict = size <= most ? "" : ", TOO MUCH";
    process.stdout.write(
      `ui: ${what} ${(size / 1000).toFixed(1)} kB gz of ${most / 1000}${verdict}\n`,
    );
    return size <= most;
  };
  const first = line("first load of /search", criticalBytes, CRITICAL_GZ_BYTES);
  return line("all scripts", scriptBytes, ALL_JS_GZ_BYTES) && first;
}

/** What was built from what: scripts/prepare.mjs builds again when a hash differs. */
function writeInputs(metafiles: readonly Metafile[]): void {
  const paths = new Set([PAGE, ICON, "scripts/build-ui.ts"]);
  for (const metafile of metafiles) {
    for (const path of Object.keys(metafile.inputs)) paths.add(path);
  }
  const inputs: { [path: string]: string } = {};
  for (const path of [...paths].toSorted()) {
    // Packages are pinned by the lock file; their place differs between checkouts.
    if (path.includes("node_modules/") || path.startsWith("<")) continue;
    inputs[path] = sha256(readFileSync(join(root, path)));
  }
  writeFileSync(join(fresh, "build.json"), `${JSON.stringify({ inputs }, null, 1)}\n`);
}

rmSync(fresh, { recursive: true, force: true });
mkdirSync(join(fresh, "static"), { recursive: true });
const workers = await build({
  ...SHARED,
  entryPoints: globSync("ui/**/*-worker.ts", { cwd: root }).toSorted(),
  metafile: true,
});
const workerNames = Object.fromEntries(
  [...outputsOf(workers.metafile)].map(([entry, name]) => [basename(entry, ".ts"), name]),
);
const pages = await build({
  ...SHARED,
  entryPoints: ["ui/view/main.tsx", "ui/view/app.css"],
  splitting: true,
  banner: { js: COMPILE_ALL },
  define: { ...SHARED.define, WORKER_FILES: JSON.stringify(workerNames) },
  metafile: true,
});
// Other people's pages name it: its address does not change.
const elements = await build({
  ...SHARED,
  entryPoints: ["ui/view/spoor-trace.ts"],
  entryNames: "[name]",
  format: "iife",
  metafile: true,
});
writePage(new Map([...outputsOf(pages.metafile), ["favicon.svg", hashed(ICON)]]));
const fits = checkSizes(criticalScripts(pages.metafile, "ui/view/main.tsx"));
writeInputs([workers.metafile, pages.metafile, elements.metafile]);
rmSync(out, { recursive: true, force: true });
renameSync(fresh, out);
process.exitCode = fits ? 0 : 1;
