/** A Python with the stock OpenTelemetry SDK, in a virtual environment kept between runs. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
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

async function install(): Promise<string> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "spoor-test", `python-otel-${VERSION}`);
  const python = join(folder, "bin", "python3");
  const mark = join(folder, "installed");
  if (existsSync(mark)) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, ".."), { recursive: true });
  await execute("python3", ["-m", "venv", folder]);
  const quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await execute(python, [...quiet, ...PACKAGES], { maxBuffer: 2 ** 26 });
  await writeFile(`${mark}.part`, "");
  await rename(`${mark}.part`, mark);
  return python;
}
