/** The colour of a service in lists, where no trace says which services there are besides it. */

import { huesOf } from "../layout/service-hues.ts";

const known = new Map<string, number>();
/** Names are strangers' texts: the map starts anew rather than growing for ever. */
const MOST_KNOWN = 5_000;

/** Its place in the palette (`--service-n`): where a trace would begin to look for one. */
export function hueOf(service: string): number {
  let hue = known.get(service);
  if (hue === undefined) {
    hue = huesOf([service])[0] ?? 0;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(service, hue);
  }
  return hue;
}
