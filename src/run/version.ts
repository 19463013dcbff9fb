/** Which Spoor this is: read from the manifest above src/ or lib/. */

import { readFileSync } from "node:fs";

export interface Version {
  readonly version: string;
  /** Full hash of the commit a release was made from; "" in a checkout. */
  readonly commit: string;
  /** When a release was made, ISO 8601; "" in a checkout. */
  readonly buildDate: string;
}

/** Reads the version of the running code. */
export function readVersion(): Version {
  const path = new URL("../../package.json", import.meta.url);
  const manifest: { version?: string; gitHead?: string; buildDate?: string } = JSON.parse(
    readFileSync(path, "utf8"),
  );
  return {
    version: manifest.version ?? "unknown",
    commit: manifest.gitHead ?? "",
    buildDate: manifest.buildDate ?? "",
  };
}
