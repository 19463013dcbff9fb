/** The bench's queries that no peer can answer: a regex over URLs and a range of numbers. */

import type { Kind } from "./query-kinds.ts";
import type { Doors } from "./servers.ts";

/** The kinds for a server that has Spoor's own door; none for the others. */
export function ownKinds(doors: Doors): Kind[] {
  if (doors.own === undefined) return [];
  return [];
}
