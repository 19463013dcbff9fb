/** Flags that put every server of a role on a free port of this machine alone. */

import { defaultOf } from "../../src/run/flag.ts";
import type { RoleName } from "../../src/run/flag.ts";
import { flagsOf } from "../../src/run/config.ts";

/** `--<name>=127.0.0.1:0` for every server that is on by default. */
export function freePortFlags(role: RoleName): string[] {
  return flagsOf(role)
    .filter((row) => row.kind === "host-port" && row.notYet !== true)
    .filter((row) => defaultOf(row, role) !== "")
    .map((row) => `--${row.name}=127.0.0.1:0`);
}
