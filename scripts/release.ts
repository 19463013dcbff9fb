/** `npm run pack`: compiles and packs the server and the client into dist/*.tgz. */

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sourceFiles } from "./source-files.ts";

/** The fields of a manifest that packing reads or writes. */
interface Manifest {
  readonly version: string;
  readonly dependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** Where packages are put together; `--to` names another folder, `--only` one package. */
const { values } = parseArgs({
  options: { to: { type: "string", default: "dist" }, only: { type: "string" } },
});
const dist = resolve(root, values.to);
const EVERYWHERE = ["README.md", "LICENSE", "CHANGELOG.md"];

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", 2] });
}

/** Compiles with the project's settings; what the compiler says goes to the terminal. */
function compile(project: string, outDir: string): void {
  const tsc = join(root, "node_modules", ".bin", "tsc");
  execFileSync(tsc, ["-p", project, "--outDir", outDir], { cwd: root, stdio: "inherit" });
}

/** Starts a package's folder anew with what every package has. */
function freshFolder(name: string): string {
  const folder = join(dist, "unpacked", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of EVERYWHERE) {
    const own = join(root, "npm", name, file);
    const source = existsSync(own) ? own : join(root, file);
    if (existsSync(source)) copyFileSync(source, join(folder, file));
  }
  return folder;
}

/** Writes the manifest and packs the folder into dist/; returns the tarball's path. */
function pack(name: string, folder: string, manifest: object): string {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const out = run("npm", "pack", folder, "--pack-destination", dist, "--json", "--ignore-scripts");
  const [packed]: { filename: string; size: number }[] = JSON.parse(out);
  if (packed === undefined) throw new Error(`npm packed nothing for ${name}`);
  const tarball = join(dist, packed.filename);
  process.stdout.write(`${tarball}: ${Math.round(packed.size / 1024)} KiB\n`);
  return tarball;
}

/** What the running code imports: the server needs these packages, and no others. */
function importedPackages(): Set<string> {
  const found = new Set<string>();
  for (const file of sourceFiles()) {
    const runs = file.path.startsWith("src/") && !/\.test\.ts$|^src\/client\//.test(file.path);
    if (!runs) continue;
    for (const { specifier, typeOnly } of file.imports) {
      if (typeOnly || specifier.startsWith(".") || specifier.startsWith("node:")) continue;
      found.add(specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
    }
  }
  return found;
}

/** The commit of a clean checkout, so that a release can say what it was made from. */
function commit(): string {
  try {
    return run("git", "rev-parse", "HEAD").trim();
  } catch {
    return "";
  }
}

function packServer(): void {
  const folder = freshFolder("spoor");
  compile("npm/spoor/tsconfig.json", join(folder, "lib"));
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(root, "bin", "spoor"), join(folder, "bin", "spoor"));
  chmodSync(join(folder, "bin", "spoor"), 0o755);
  // Builds the UI unless it is of the sources as they are.
  execFileSync(process.execPath, ["scripts/prepare.mjs"], { cwd: root, stdio: ["ignore", 2, 2] });
  cpSync(join(root, "dist", "ui"), join(folder, "dist", "ui"), { recursive: true });
  rmSync(join(folder, "dist", "ui", "build.json"));
  const workspace = readManifest("package.json");
  const used = importedPackages();
  const dependencies = Object.fromEntries(
    Object.entries(workspace.dependencies ?? {}).filter(([name]) => used.has(name)),
  );
  pack("spoor", folder, {
    ...readManifest("npm/spoor/package.json"),
    version: workspace.version,
    gitHead: commit(),
    buildDate: new Date().toISOString(),
    dependencies,
    optionalDependencies: workspace.optionalDependencies,
  });
}

/** The client twice: ES modules with types, and CommonJS; each folder says which it is. */
function packClient(): void {
  const folder = freshFolder("client");
  compile("npm/client/tsconfig.json", join(folder, "esm"));
  compile("npm/client/tsconfig.commonjs.json", join(folder, "cjs"));
  const kinds = { esm: "module", cjs: "commonjs" };
  for (const [kind, type] of Object.entries(kinds)) {
    const content = `${JSON.stringify({ type })}\n`;
    writeFileSync(join(folder, kind, "package.json"), content);
  }
  // jaeger-client is one object to `import`; ours is that, too, besides its names.
  const entry = `export * from "./client/node/index.js";\n`;
  const everything = `import * as everything from "./client/node/index.js";\n`;
  for (const file of ["entry.js", "entry.d.ts"]) {
    const content = `${entry}${everything}export default everything;\n`;
    writeFileSync(join(folder, "esm", file), content);
  }
  const workspace = readManifest("package.json");
  pack("client", folder, {
    ...readManifest("npm/client/package.json"),
    version: workspace.version,
    dependencies: { opentracing: workspace.dependencies?.["opentracing"] },
  });
}

if (values.only !== "client") packServer();
if (values.only !== "spoor") packClient();
