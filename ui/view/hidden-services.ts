/** Services that a person hides in every trace, under Jaeger's key and in its form. */

import { readObject, writeObject } from "../data/settings.ts";

const KEY = "svcFilter.defaults";

/** Remembers the names: what "Save as default" does. */
export function saveHidden(names: readonly string[]): void {
  writeObject(KEY, { prunedServices: names });
}

/** By service: 1 for those that were saved. */
export function hiddenByDefault(services: readonly string[]): Uint8Array {
  const names = readObject(KEY)?.["prunedServices"];
  const hidden = new Set(Array.isArray(names) ? names : []);
  return Uint8Array.from(services, (name) => Number(hidden.has(name)));
}
