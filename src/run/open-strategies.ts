/** Opens the sampling strategies of a role from its settings: the file's, or the default. */

import { open } from "node:fs/promises";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { SamplingSource } from "../core/sampling.ts";
import { FileStrategies } from "../sampling/file-strategies.ts";
import type { Schedule } from "../sampling/file-strategies.ts";
import type { RoleParts } from "./role.ts";

const MAX_BYTES = LIMITS.strategiesBytes;

/** Opens them; rejects with SpoorError `config` when the file cannot be read or understood. */
export async function openStrategies(parts: RoleParts): Promise<SamplingSource> {
  const { clock, closers, config, context, counters, health } = parts;
  const place = config["sampling.strategies-file"];
  const source = await FileStrategies.open({
    load: place === "" ? () => Promise.resolve("null") : loaderOf(place),
    place,
    defaultProbability: config["sampling.default-sampling-probability"],
    reloadMs: place === "" ? 0 : config["sampling.strategies-reload-interval"],
    schedule: everyInterval,
    clock,
    counters,
    report(level, message) {
      if (place !== "") context.log[level]({}, message);
    },
  });
  health.addNotes(() => source.notes());
  closers.add(() => {
    source.close();
    return Promise.resolve();
  });
  return source;
}

const everyInterval: Schedule = (run, everyMs) => {
  const timer = setInterval(run, everyMs);
  timer.unref();
  return () => clearInterval(timer);
};

function loaderOf(place: string): () => Promise<string | undefined> {
  return /^https?:\/\//i.test(place) ? () => download(place) : () => readFile(place);
}

async function readFile(path: string): Promise<string> {
  let file;
  try {
    file = await open(path);
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length > MAX_BYTES) break;
    }
    if (length > MAX_BYTES) throw tooLarge();
    return bytes.toString("utf8", 0, length);
  } catch (cause) {
    const text = `failed to read strategies file ${path}: ${reasonOf(cause)}`;
    throw new SpoorError("config", text, { cause });
  } finally {
    await file?.close();
  }
}

/** The text; undefined when the server says that it has none now (503), as in Jaeger. */
async function download(url: string): Promise<string | undefined> {
  let status: string;
  let text: string;
  try {
    const signal = AbortSignal.timeout(LIMITS.strategiesDownloadMs);
    const response = await fetch(url, { signal });
    text = await boundedText(response);
    if (response.status === 200) return text;
    if (response.status === 503) return undefined;
    status = `${response.status} ${response.statusText}`;
  } catch (cause) {
    const problem = `failed to download sampling strategies: ${reasonOf(cause)}`;
    throw new SpoorError("config", problem, { cause });
  }
  const problem = `receiving ${status} while downloading strategies file: ${text}`;
  throw new SpoorError("config", problem);
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge(): SpoorError {
  return new SpoorError("config", `it is larger than ${MAX_BYTES} bytes`);
}

/** fetch says why only in the cause of what it throws. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
