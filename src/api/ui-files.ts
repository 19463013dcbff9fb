/** The UI at the query port: its page with what the server knows, its files with long lives. */

import { createHash, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Clock } from "../base/clock.ts";
import { SpoorError, isSpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { HttpAnswer, HttpRequest, HttpRoute } from "../net/http-message.ts";
import { definesUiConfig, writePage } from "./ui-page.ts";
import type { SpoorServerFacts, UiConfigText, UiFacts } from "./ui-page.ts";

export interface UiFilesOptions {
  /** The folder with index.html and static/. */
  readonly folder: string;
  /** Somebody else's build: sent without our content security policy, which it may not meet. */
  readonly foreign: boolean;
  /** `--query.ui-config`, "" for none. */
  readonly configPath: string;
  readonly version: UiFacts["version"];
  readonly archiveStorage: () => boolean;
  readonly server: () => SpoorServerFacts;
  /** Sent with every answer of the page and its files; they win over ours. */
  readonly additionalHeaders: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly onFault?: (error: unknown) => void;
}

/** A file of static/, ready to be sent. */
interface UiFile {
  readonly plain: Uint8Array;
  /** Absent where compressing does not help. */
  readonly packed?: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
}

const gzipped = promisify(gzip);

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".gif": "image/gif",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webp": "image/webp",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
};
const COMPRESSIBLE = new Set([".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".wasm"]);
/** A hash in the name, as ours and Jaeger's builds have it: the content never changes. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;
const SAFE_PATH = /^(?!.*\.\.)[\w@.-]+(\/[\w@.-]+)*$/;
const NOT_BUILT = `The UI is not built in this checkout: \`npm start\` builds it, and so does
\`node scripts/build-ui.ts\`. The API below /api/ works without it.
`;

/**
 * The routes of the page and its files, to be put last: they take every GET. Rejects with `config`
 * when the operator's configuration cannot be used.
 */
export async function uiRoutes(options: UiFilesOptions, basePath: string): Promise<HttpRoute[]> {
  const files = new UiFiles(options, basePath);
  await files.readConfig();
  return [
    { method: "GET", path: "/static/*", handle: (request) => files.file(request) },
    { method: "GET", path: "/*", handle: () => files.page() },
  ];
}

class UiFiles {
  readonly #options: UiFilesOptions;
  readonly #basePath: string;
  readonly #files = new Map<string, UiFile>();
  #keptBytes = 0;
  #template = "";
  #templateMs = -1;
  #config: UiConfigText | undefined;
  #configReadMs = 0;

  constructor(options: UiFilesOptions, basePath: string) {
    this.#options = options;
    this.#basePath = basePath;
  }

  async page(): Promise<HttpAnswer> {
    const { additionalHeaders, foreign, server, version, archiveStorage } = this.#options;
    const template = await this.#readTemplate();
    if (template === undefined) {
      const headers = { "content-type": "text/plain; charset=utf-8" };
      return { status: 503, headers: { ...headers, ...additionalHeaders }, body: NOT_BUILT };
    }
    await this.#readConfigAgain();
    const nonce = randomBytes(16).toString("base64");
    const facts: UiFacts = {
      config: this.#config,
      version,
      archiveStorage: archiveStorage(),
      server: server(),
    };
    return {
      status: 200,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-cache",
        ...(foreign ? {} : policyHeaders(nonce)),
        ...lowerCased(additionalHeaders),
      },
      body: writePage(template, this.#basePath, nonce, facts),
    };
  }

  async file(request: HttpRequest): Promise<HttpAnswer> {
    const file = await this.#readFile(request.params["*"] ?? "");
    const { additionalHeaders } = this.#options;
    if (file === undefined) {
      const headers = { "content-type": "text/plain; charset=utf-8", ...additionalHeaders };
      return { status: 404, headers, body: "404 page not found\n" };
    }
    const headers = { ...file.headers, ...lowerCased(additionalHeaders) };
    if (request.headers["if-none-match"] === file.etag) return { status: 304, headers };
    const packed = acceptsGzip(request) ? file.packed : undefined;
    if (packed === undefined) return { status: 200, headers, body: file.plain };
    return { status: 200, headers: { ...headers, "content-encoding": "gzip" }, body: packed };
  }

  /** Reads the configuration file; `config` when it cannot be used. */
  async readConfig(): Promise<void> {
    this.#configReadMs = this.#options.clock.monotonicMs();
    const path = this.#options.configPath;
    if (path !== "") this.#config = await readUiConfig(path);
  }

  /** As Jaeger: a changed file is seen within ten seconds; a broken one leaves the last. */
  async #readConfigAgain(): Promise<void> {
    const ageMs = this.#options.clock.monotonicMs() - this.#configReadMs;
    if (ageMs < LIMITS.uiConfigAgeMs) return;
    try {
      await this.readConfig();
    } catch (error) {
      if (!isSpoorError(error)) throw error;
      this.#options.onFault?.(error);
    }
  }

  /** index.html, read again when it changed (a new build beside a running server). */
  async #readTemplate(): Promise<string | undefined> {
    const path = join(this.#options.folder, "index.html");
    try {
      const { mtimeMs } = await stat(path);
      if (mtimeMs !== this.#templateMs) {
        this.#template = await readFile(path, "utf8");
        this.#templateMs = mtimeMs;
        this.#files.clear();
        this.#keptBytes = 0;
      }
      return this.#template;
    } catch {
      return undefined;
    }
  }

  async #readFile(name: string): Promise<UiFile | undefined> {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const type = TYPES[extname(name)];
    if (type === undefined || !SAFE_PATH.test(name)) return undefined;
    const path = join(this.#options.folder, "static", name);
    let plain: Uint8Array;
    try {
      plain = await readFile(path);
    } catch {
      return undefined;
    }
    const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
    const lasting = HASHED.test(name) ? "public, max-age=31536000, immutable" : "no-cache";
    const headers = {
      "content-type": type,
      "cache-control": lasting,
      "x-content-type-options": "nosniff",
      vary: "accept-encoding",
      etag,
    };
    const packed = COMPRESSIBLE.has(extname(name)) ? await readPacked(path, plain) : undefined;
    const file = { plain, headers, etag, ...(packed === undefined ? {} : { packed }) };
    const size = plain.length + (packed?.length ?? 0);
    if (this.#keptBytes + size <= LIMITS.uiFileBytes) {
      this.#keptBytes += size;
      this.#files.set(name, file);
    }
    return file;
  }
}

/** What the build compressed already, else compressed now. */
async function readPacked(path: string, plain: Uint8Array): Promise<Uint8Array> {
  try {
    return await readFile(`${path}.gz`);
  } catch {
    return await gzipped(plain);
  }
}

/** The operator's configuration: Jaeger's files, checked as Jaeger does. */
async function readUiConfig(path: string): Promise<UiConfigText> {
  const wrong = (text: string, cause?: unknown): SpoorError =>
    new SpoorError("config", `--query.ui-config: ${path} ${text}`, { cause });
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw wrong(`cannot be read: ${(cause as Error).message}`, cause);
  }
  if (text.length > LIMITS.uiConfigBytes) throw wrong(`is over ${LIMITS.uiConfigBytes} bytes`);
  const extension = extname(path).toLowerCase();
  if (extension === ".js") {
    if (definesUiConfig(text)) return { kind: "script", text };
    throw wrong("must define a function UIConfig() {…}");
  }
  if (extension !== ".json") throw wrong("must end in .json or .js");
  try {
    return { kind: "json", text: JSON.stringify(JSON.parse(text)) };
  } catch (cause) {
    throw wrong(`is not JSON: ${(cause as Error).message}`, cause);
  }
}

function acceptsGzip(request: HttpRequest): boolean {
  const accepted = request.headers["accept-encoding"];
  return typeof accepted === "string" && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\b)/.test(accepted);
}

/** Header names of the operator meet ours: `Content-Security-Policy` replaces it. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/**
 * What the page may do: our scripts, and those the server wrote into it. Framing is left open, as
 * in Jaeger, whose users embed traces in their own pages; an additional header can close it.
 */
function policyHeaders(nonce: string): Readonly<Record<string, string>> {
  return {
    "content-security-policy":
      `default-src 'self'; script-src 'self' 'nonce-${nonce}'; style-src 'self'; ` +
      "img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
  };
}
