/** Flags of roles under test: ports that are free, and waits that a busy machine may need. */

import { createServer } from "node:net";
import { defaultOf } from "../../src/run/flag.ts";
import type { RoleName } from "../../src/run/flag.ts";
import { flagsOf } from "../../src/run/config.ts";
import { PATIENCE_MS } from "./patience.ts";

/** `--<name>=127.0.0.1:0` for every server that is on by default. */
export function freePortFlags(role: RoleName): string[] {
  return flagsOf(role)
    .filter((row) => row.kind === "host-port" && row.notYet !== true)
    .filter((row) => defaultOf(row, role) !== "")
    .map((row) => `--${row.name}=127.0.0.1:0`);
}

/** Two seconds for a request's head, as in Jaeger, pass where client and server stand still. */
export function patientFlags(role: RoleName): string[] {
  return flagsOf(role)
    .filter((row) => row.name.endsWith(".read-header-timeout"))
    .map((row) => `--${row.name}=${PATIENCE_MS}ms`);
}

/** Below what systems give to connections and to whoever asks for any port: Linux from 32,768. */
const FIRST = 10_000;
const LAST = 30_000;
/** Each process of a test run has so many of its own. */
const A_PROCESS = 16;

let given = 0;

/**
 * A port that nobody has and that nobody is given by chance, so that a server can leave it and
 * come back. Where a port that the system chose is left, another test may be given it, or a
 * client that knocks at it again and again meet itself.
 */
export async function keptPort(host = "127.0.0.1"): Promise<number> {
  for (;;) {
    const slot = process.pid * A_PROCESS + given++;
    const port = FIRST + (slot % (LAST - FIRST));
    if (await isFree(port, host)) return port;
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
