/** The kinds of values settings have: how their text is read, and what it is read into. */

/** Where a server listens: an empty host means the `--host` setting. Port 0 picks a free one. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What each kind of flag is read into. */
export interface FlagValues {
  readonly text: string;
  /** One of the flag's choices. */
  readonly choice: string;
  readonly boolean: boolean;
  /** A whole number, 0 or more. */
  readonly integer: number;
  /** From 0 to 1. */
  readonly ratio: number;
  /** Bytes. */
  readonly bytes: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Undefined: off. */
  readonly "host-port": HostPort | undefined;
  readonly list: readonly string[];
}

export type ValueKind = keyof FlagValues;

/** What the error text asks for. */
export const KIND_EXPECTS: { readonly [K in ValueKind]: string } = {
  text: "a text",
  choice: "one of the choices",
  boolean: "true or false",
  integer: "a whole number",
  ratio: "a number from 0 to 1",
  bytes: "a size such as 4194304, 64MiB or 10GB",
  duration: "a duration such as 500ms, 1h30m or 7d",
  "host-port": "host:port, :port or a port",
  list: "values with commas between",
};

const BYTES_OF_UNIT: { readonly [unit: string]: number } = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const MS_OF_UNIT: { readonly [unit: string]: number } = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Readers by kind. Each returns undefined for a text it does not understand. */
export const READ_VALUE: {
  readonly [K in ValueKind]: (text: string) => { readonly value: FlagValues[K] } | undefined;
} = {
  text: (text) => ({ value: text }),
  choice: (text) => ({ value: text }),
  boolean: readBoolean,
  integer: (text) => (/^\d{1,15}$/.test(text) ? { value: Number(text) } : undefined),
  ratio: readRatio,
  bytes: readBytes,
  duration: readDuration,
  "host-port": readHostPort,
  list: (text) => ({ value: text.split(",").map(trim).filter(isNotEmpty) }),
};

function trim(text: string): string {
  return text.trim();
}

function isNotEmpty(text: string): boolean {
  return text !== "";
}

/** Go's strconv.ParseBool, which Jaeger's flags go through. */
function readBoolean(text: string): { readonly value: boolean } | undefined {
  if (/^(1|t|true)$/i.test(text)) return { value: true };
  if (/^(0|f|false)$/i.test(text)) return { value: false };
  return undefined;
}

function readRatio(text: string): { readonly value: number } | undefined {
  const value = Number(text);
  return /^\d*\.?\d+$/.test(text) && value <= 1 ? { value } : undefined;
}

function readBytes(text: string): { readonly value: number } | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  const unit = BYTES_OF_UNIT[match?.[2]?.toLowerCase() ?? "?"];
  if (match === null || unit === undefined) return undefined;
  return { value: Math.round(Number(match[1]) * unit) };
}

/** Go's duration text, and `d` for days. A bare 0 is no time, as in Go. */
function readDuration(text: string): { readonly value: number } | undefined {
  if (text === "0") return { value: 0 };
  if (!/^(\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (MS_OF_UNIT[unit ?? ""] ?? 0);
  }
  return { value: totalMs };
}

function readHostPort(text: string): { readonly value: HostPort | undefined } | undefined {
  if (text === "") return { value: undefined };
  const match = /^(?:(?:\[([0-9a-f:.%]+)\]|([^:[\]]*)):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  if (match === null || !(port <= 65_535)) return undefined;
  return { value: { host: match[1] ?? match[2] ?? "", port } };
}
