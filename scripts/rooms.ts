/** Checks who imports whom: the table of rooms in ARCHITECTURE.md, import cycles, packages. */

import { sourceFiles, targetOf } from "./source-files.ts";
import type { Import, SourceFile } from "./source-files.ts";

/** What the files of a room may import besides their own room. */
interface Room {
  /** A folder; `x/*` makes every folder in it a room of its own. */
  readonly folder: string;
  readonly rooms: readonly string[];
  /** Whether `node:` modules (and base/node) may be used. */
  readonly node: boolean;
  /** Packages at home here; "package in file.ts" for one file only. */
  readonly packages: readonly string[];
}

const EVERYTHING = [
  "base",
  "net",
  "core",
  "wire",
  "client",
  "client/node",
  "receivers/*",
  "pipeline",
  "exporters/*",
  "sampling",
  "storage/*",
  "query",
  "api",
];

/** The first row whose folder holds a file is its room. */
const ROOMS: readonly Room[] = [
  { folder: "src/base/node", rooms: ["base"], node: true, packages: [] },
  { folder: "src/base", rooms: [], node: false, packages: ["re2js in regex.ts"] },
  {
    folder: "src/net",
    rooms: ["base", "core"],
    node: true,
    packages: ["@grpc/grpc-js", "@grpc/proto-loader", "fastify", "undici"],
  },
  { folder: "src/core", rooms: ["base"], node: false, packages: [] },
  { folder: "src/wire", rooms: ["base", "core"], node: false, packages: [] },
  {
    folder: "src/client/node",
    rooms: ["base", "core", "wire", "client"],
    node: true,
    packages: ["opentracing"],
  },
  {
    folder: "src/client",
    rooms: ["base", "core", "wire", "client/node"],
    node: false,
    packages: ["opentracing"],
  },
  {
    folder: "src/receivers/*",
    rooms: ["base", "net", "core", "wire"],
    node: true,
    packages: [],
  },
  {
    folder: "src/exporters/*",
    rooms: ["base", "net", "core", "wire"],
    node: true,
    packages: [],
  },
  {
    folder: "src/storage/*",
    rooms: ["base", "net", "core", "wire"],
    node: true,
    packages: [],
  },
  { folder: "src/pipeline", rooms: ["base", "core"], node: false, packages: [] },
  { folder: "src/query", rooms: ["base", "core"], node: false, packages: [] },
  { folder: "src/sampling", rooms: ["base", "core"], node: false, packages: [] },
  {
    folder: "src/api",
    rooms: ["base", "net", "core", "wire", "query", "sampling"],
    node: true,
    packages: [],
  },
  {
    folder: "src/run",
    rooms: EVERYTHING,
    node: true,
    packages: ["pino in logging.ts", "prom-client in metrics-text.ts", "yaml in config.ts"],
  },
  {
    folder: "src/tools",
    rooms: ["base", "net", "core", "wire", "client", "client/node", "run"],
    node: true,
    packages: [],
  },
  { folder: "src/cli", rooms: ["base", "core", "run", "tools"], node: true, packages: [] },
  {
    folder: "ui",
    rooms: ["base", "core", "wire"],
    node: false,
    packages: ["preact", "@preact/signals", "@dagrejs/dagre", "d3-force"],
  },
];

/** Folders that may use all rooms and development packages. */
const FREE = /^(test|bench|scripts)\//;
const TEST_FILE = /\.test\.tsx?$|\/testing\//;

const problems: string[] = [];

/** The room of a file: its folder below src/ (`storage/memory`), "" for the free folders. */
function roomNameOf(path: string): string {
  const room = ROOMS.find((row) => inFolder(path, row.folder));
  if (room === undefined) return "";
  const depth = room.folder.split("/").length;
  return path
    .split("/")
    .slice(0, depth)
    .join("/")
    .replace(/^src\//, "");
}

function inFolder(path: string, folder: string): boolean {
  if (!folder.endsWith("/*")) return path.startsWith(`${folder}/`);
  const parent = folder.slice(0, -1);
  return path.startsWith(parent) && path.slice(parent.length).includes("/");
}

function complain(file: SourceFile, found: Import, text: string): void {
  problems.push(`${file.path}:${found.line} ${text} (${found.specifier})`);
}

function checkFile(file: SourceFile): void {
  const room = ROOMS.find((row) => inFolder(file.path, row.folder));
  for (const found of file.imports) {
    if (found.specifier.startsWith(".")) checkRelative(file, room, found);
    else if (room !== undefined) checkPackage(file, room, found);
  }
}

function checkRelative(file: SourceFile, room: Room | undefined, found: Import): void {
  const target = targetOf(file, found);
  if (room === undefined) {
    if (!FREE.test(file.path)) complain(file, found, "this folder has no row in the room table");
    return;
  }
  if (TEST_FILE.test(file.path) && FREE.test(target)) return;
  const from = roomNameOf(file.path);
  const to = roomNameOf(target);
  if (to === from) return;
  const allowed = to === "base/node" ? room.node : allows(room, to);
  if (!allowed) complain(file, found, `${from} may not import ${to === "" ? target : to}`);
}

function allows(room: Room, to: string): boolean {
  return room.rooms.some((name) =>
    name.endsWith("/*") ? to.startsWith(name.slice(0, -1)) : name === to,
  );
}

function checkPackage(file: SourceFile, room: Room, found: Import): void {
  if (TEST_FILE.test(file.path)) return;
  if (found.specifier.startsWith("node:")) {
    if (!room.node) complain(file, found, "no node: modules in this room");
    return;
  }
  const parts = found.specifier.split("/");
  const name = parts.slice(0, found.specifier.startsWith("@") ? 2 : 1).join("/");
  const here = file.path.slice(file.path.lastIndexOf("/") + 1);
  // The client instruments libraries that users bring: it may name their types.
  if (found.typeOnly && room.folder === "src/client/node") return;
  const home = room.packages.some((row) => row === name || row === `${name} in ${here}`);
  if (!home) complain(file, found, `${name} is not at home in ${roomNameOf(file.path)}`);
}

/**
 * Walks imports depth first; an import of a file still being walked closes a cycle. Imports of
 * types do not count: they are gone when the program runs, and an interface may name its maker.
 */
function checkCycles(files: ReadonlyMap<string, SourceFile>): void {
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (path: string): void => {
    const file = files.get(path);
    if (file === undefined || done.has(path)) return;
    if (open.includes(path)) {
      problems.push(`cycle: ${[...open.slice(open.indexOf(path)), path].join(" → ")}`);
      return;
    }
    open.push(path);
    for (const found of file.imports) {
      if (found.specifier.startsWith(".") && !found.typeOnly) visit(targetOf(file, found));
    }
    open.pop();
    done.add(path);
  };
  for (const path of files.keys()) visit(path);
}

const files = new Map(sourceFiles().map((file) => [file.path, file]));
for (const file of files.values()) checkFile(file);
checkCycles(files);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`rooms: ${files.size} files, ${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
