/** What the server wrote into the page: configuration, capabilities, version, itself. */

import { readUiConfig } from "./ui-config.ts";
import type { ReadConfig } from "./ui-config.ts";

/** What the server behind the page can do. */
export interface ServerFacts {
  /** Spoor's own API is there; else it is a Jaeger. */
  readonly isSpoor: boolean;
  readonly archiveStorage: boolean;
  readonly searchWithoutService: boolean;
  /** Where spans can be sent, by the server's name for the protocol. */
  readonly receivers: readonly {
    readonly protocol: string;
    readonly host: string;
    readonly port: number;
  }[];
  readonly version: string;
  readonly commit: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Calls one of the functions of index.html; undefined when it is absent or throws. */
function injected(name: string, warnings: string[]): unknown {
  const found: unknown = Reflect.get(globalThis, name);
  if (typeof found !== "function") return undefined;
  try {
    return found.call(globalThis);
  } catch (error) {
    warnings.push(`${name}() failed: ${String(error)}`);
    return undefined;
  }
}

/** Reads the configuration once; what could not be used is told in its warnings. */
export function readPageConfig(): ReadConfig {
  const warnings: string[] = [];
  const read = readUiConfig(injected("getJaegerUiConfig", warnings));
  return { config: read.config, warnings: [...warnings, ...read.warnings] };
}

/** Reads what the server says of itself. */
export function readServerFacts(): ServerFacts {
  const warnings: string[] = [];
  const spoor = objectOf(injected("getSpoorServer", warnings));
  const storage = objectOf(injected("getJaegerStorageCapabilities", warnings));
  const backend = objectOf(injected("getJaegerBackendCapabilities", warnings));
  const version = objectOf(injected("getJaegerVersion", warnings));
  return {
    isSpoor: spoor["api"] === 1,
    archiveStorage: (backend["archiveStorage"] ?? storage["archiveStorage"]) === true,
    searchWithoutService: backend["searchWithoutServiceName"] === true,
    receivers: Array.isArray(spoor["receivers"]) ? spoor["receivers"].flatMap(receiverOf) : [],
    version: textOf(version["gitVersion"]),
    commit: textOf(version["gitCommit"]),
  };
}

function receiverOf(value: unknown): ServerFacts["receivers"] {
  const { protocol, host, port } = objectOf(value);
  if (typeof protocol !== "string" || typeof host !== "string" || typeof port !== "number") {
    return [];
  }
  return [{ protocol, host, port }];
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
