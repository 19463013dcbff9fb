/** Pythons with stock clients, in virtual environments kept between runs. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const VERSION = "1.45.2";
const PACKAGES = [`opentelemetry-sdk==${VERSION}`, `opentelemetry-exporter-otlp==${VERSION}`];

const JAEGER_CLIENT = "4.8.0";
const PY_ZIPKIN = "1.2.8";
/** The last one that writes Thrift. */
const OLD_PY_ZIPKIN = "0.20.2";

const execute = promisify(execFile);
const made = new Map<string, Promise<string>>();

/** Path of an interpreter with OpenTelemetry's SDK; rejects when installing it fails. */
export function pythonWithOtel(): Promise<string> {
  return pythonWith(`python-otel-${VERSION}`, PACKAGES);
}

/** Path of an interpreter with Jaeger's client; rejects when installing it fails. */
export function pythonWithJaeger(): Promise<string> {
  const packages = [`jaeger-client==${JAEGER_CLIENT}`, "six", "setuptools<81"];
  return pythonWith(`python-jaeger-${JAEGER_CLIENT}`, packages);
}

/** Path of an interpreter with py_zipkin; rejects when installing it fails. */
export function pythonWithZipkin(): Promise<string> {
  return pythonWith(`python-zipkin-${PY_ZIPKIN}`, [`py_zipkin[protobuf]==${PY_ZIPKIN}`]);
}

/** The same with the py_zipkin that writes Thrift. */
export function pythonWithOldZipkin(): Promise<string> {
  return pythonWith(`python-zipkin-${OLD_PY_ZIPKIN}`, [`py_zipkin==${OLD_PY_ZIPKIN}`, "six"]);
}

function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  let python = made.get(name);
  if (python === undefined) {
    python = install(name, packages);
    made.set(name, python);
  }
  return python;
}

/** Two test files may come here at once: each makes its own, and the first to be done stays. */
async function install(name: string, packages: readonly string[]): Promise<string> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "spoor-test", name);
  const python = join(folder, "bin", "python3");
  if (existsSync(python)) return python;
  const part = `${folder}.${process.pid}`;
  await mkdir(join(folder, ".."), { recursive: true });
  await execute("python3", ["-m", "venv", part]);
  const quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await execute(join(part, "bin", "python3"), [...quiet, ...packages], { maxBuffer: 2 ** 26 });
  try {
    await rename(part, folder);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    if (!existsSync(python)) throw error;
  }
  return python;
}
