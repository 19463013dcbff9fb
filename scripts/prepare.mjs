// Makes a checkout ready to run: installs what is missing, finds a Node that is new enough, and
// builds the UI when its sources changed.
// Plain JavaScript without packages, because it runs on whatever Node came with the machine.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE_MAJOR = 24;
const HEARTBEAT_MS = 5000;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = join(root, "node_modules", ".bin");

/** Prints one line on stderr, so that a program's own output stays clean. */
function say(line) {
  process.stderr.write(`spoor: ${line}\n`);
}

/** A lock file's packages without the entries that differ between it and what npm installed. */
function lockedVersions(path) {
  const versions = new Map();
  const packages = JSON.parse(readFileSync(path, "utf8")).packages || {};
  for (const [name, entry] of Object.entries(packages)) {
    if (name !== "" && !entry.link) versions.set(name, entry);
  }
  return versions;
}

/** Why an installation is needed, or undefined when node_modules is as the lock file says. */
function whyInstall() {
  const installedPath = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installedPath)) return "no packages are installed yet";
  const installed = lockedVersions(installedPath);
  for (const [name, wanted] of lockedVersions(join(root, "package-lock.json"))) {
    const found = installed.get(name);
    if (found === undefined && (wanted.optional || wanted.devOptional)) continue;
    if (found === undefined) return `${name} is missing`;
    if (found.version !== wanted.version) return `${name} is not at ${wanted.version}`;
  }
  return undefined;
}

/** The npm that runs us, or the one on the PATH. */
function npmCommand(args) {
  const npm = process.env.npm_execpath;
  if (npm && /\.c?js$/.test(npm)) return [process.execPath, [npm, ...args]];
  return ["npm", args];
}

/** Runs npm and tells every few seconds that it still runs. */
function install(reason) {
  const verb = existsSync(join(root, "node_modules")) ? "install" : "ci";
  say(`${reason}: running npm ${verb} (about 100 MB with the pinned Node; once)`);
  const started = Date.now();
  const [command, args] = npmCommand([verb, "--ignore-scripts", "--no-audit", "--no-fund"]);
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const heartbeat = setInterval(() => say(`still installing, ${seconds()} s`), HEARTBEAT_MS);
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    const finish = (problem) => {
      clearInterval(heartbeat);
      if (problem) say(`npm ${verb} failed (${problem}); its message is above`);
      else say(`installed in ${seconds()} s`);
      resolve(!problem);
    };
    child.on("error", (error) => finish(error.message));
    child.on("close", (code) => finish(code === 0 ? "" : `exit code ${code}`));
  });
}

/** The version a Node binary reports, or "" when it does not run here. */
function versionOf(command) {
  const found = spawnSync(command, ["-p", "process.versions.node"], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : "";
}

/**
 * Whether `node` on the PATH of an npm script will be new enough. The pinned binary is taken away
 * from the PATH where it does not run (it needs glibc), so that it does not hide a system Node.
 */
function findNode() {
  const pinned = join(bin, "node");
  if (existsSync(pinned)) {
    if (versionOf(pinned) !== "") return true;
    rmSync(pinned);
    say("the pinned Node does not run on this system; looking for another");
  }
  const version = versionOf("node") || process.versions.node;
  if (parseInt(version, 10) >= OLDEST_NODE_MAJOR) return true;
  const where = `${process.platform}-${process.arch}`;
  say(`there is no pinned Node for ${where}, and the Node found is ${version}.`);
  say(`install Node ${OLDEST_NODE_MAJOR} or newer (nodejs.org, brew, apk, nvm) and try again.`);
  return false;
}

/** Why the UI must be built, or undefined when dist/ui is of the sources as they are. */
function whyBuild() {
  const record = join(root, "dist", "ui", "build.json");
  if (!existsSync(record)) return "the UI is not built yet";
  for (const [path, wanted] of Object.entries(JSON.parse(readFileSync(record, "utf8")).inputs)) {
    if (!existsSync(join(root, path))) return `${path} is gone`;
    const found = createHash("sha256")
      .update(readFileSync(join(root, path)))
      .digest("hex");
    if (found !== wanted) return `${path} changed`;
  }
  return undefined;
}

/** Builds the UI with the pinned Node, or the one on the PATH. */
function buildUi(reason) {
  say(`${reason}: building the UI`);
  const started = Date.now();
  const pinned = join(bin, "node");
  const command = existsSync(pinned) ? pinned : "node";
  const script = join(root, "scripts", "build-ui.ts");
  const done = spawnSync(command, [script], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  if (done.status === 0) say(`built in ${Math.round((Date.now() - started) / 100) / 10} s`);
  else say(`the build of the UI failed; its message is above\n${String(done.stdout)}`);
  return done.status === 0;
}

const reason = whyInstall();
const ready = (reason === undefined || (await install(reason))) && findNode();
const stale = ready ? whyBuild() : undefined;
const built = stale === undefined || buildUi(stale);
process.exitCode = ready && built ? 0 : 1;
