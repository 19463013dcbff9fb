/** Datagrams the kernel dropped because a socket's buffer was full, from /proc/net/udp{,6}. */

import { readFileSync } from "node:fs";

const FILES = ["/proc/net/udp", "/proc/net/udp6"];
/** Several sockets are asked in one scrape. */
const KEEP_MS = 500;

let readAtMs = Number.NEGATIVE_INFINITY;
let dropsOfPort: ReadonlyMap<number, number> = new Map();

/** Drops of all sockets bound to a port, since they were made; 0 where there is no /proc. */
export function kernelDrops(port: number): number {
  const nowMs = performance.now();
  if (nowMs - readAtMs > KEEP_MS) {
    dropsOfPort = parseDrops(FILES.map(textOf).join("\n"));
    readAtMs = nowMs;
  }
  return dropsOfPort.get(port) ?? 0;
}

/**
 * Drops by local port. A line's second field is `address:port` in hex, its last the drops;
 * the first line has names instead.
 */
export function parseDrops(text: string): Map<number, number> {
  const drops = new Map<number, number>();
  for (const line of text.split("\n")) {
    const match = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) .* (\d+)\s*$/.exec(line);
    if (match === null) continue;
    const port = Number.parseInt(match[1] ?? "", 16);
    drops.set(port, (drops.get(port) ?? 0) + Number(match[2]));
  }
  return drops;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
