/** A Python with the stock OpenTelemetry SDK, in a virtual environment kept between runs. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const VERSION = "1.45.2";
const PACKAGES = [`opentelemetry-sdk==${VERSION}`, `opentelemetry-exporter-otlp==${VERSION}`];

const execute = promisify(execFile);
let made: Promise<string> | undefined;

/** Path of the interpreter; installs the SDK the first time. Rejects when that fails. */
export function pythonWithOtel(): Promise<string> {
  made ??= install();
  return made;
}

/** Two test files may come here at once: each makes its own, and the first to be done stays. */
async function install(): Promise<string> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "spoor-test", `python-otel-${VERSION}`);
  const python = join(folder, "bin", "python3");
  if (existsSync(python)) return python;
  const part = `${folder}.${process.pid}`;
  await mkdir(join(folder, ".."), { recursive: true });
  await execute("python3", ["-m", "venv", part]);
  const quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await execute(join(part, "bin", "python3"), [...quiet, ...PACKAGES], { maxBuffer: 2 ** 26 });
  try {
    await rename(part, folder);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    if (!existsSync(python)) throw error;
  }
  return python;
}
