/** Names of servers to addresses: a list of host:port, each name looked up again and again. */

import { promises as dns } from "node:dns";
import { isIP } from "node:net";
import { SpoorError } from "../core/errors.ts";
import type { GrpcAddress } from "./grpc-connection.ts";

/** A server by name. */
export interface GrpcTarget {
  readonly host: string;
  readonly port: number;
}

/** Finds every IP address of a name. Rejects when there is none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

const SCHEME = "dns:///";

/**
 * Reads `host:port` and `dns:///host:port`, with brackets around IPv6 addresses. Throws `config`,
 * naming the flag.
 */
export function parseTarget(text: string, flag: string): GrpcTarget {
  const rest = text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text;
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i.exec(rest);
  const port = Number(match?.[3] ?? 0);
  if (match === null || port === 0 || port > 65_535) {
    throw new SpoorError("config", `--${flag}: "${text}" is not host:port`);
  }
  return { host: match[1] ?? match[2] ?? "", port };
}

/** What the system says: /etc/hosts, then DNS, all addresses. */
export const systemLookup: Lookup = async (host) => {
  const found = await dns.lookup(host, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
};

/** What the names resolve to, each address once, and the names that do not resolve. */
export interface Resolved {
  readonly addresses: readonly GrpcAddress[];
  readonly failed: readonly string[];
}

/** Looks every target up. Never rejects. */
export async function resolveTargets(
  targets: readonly GrpcTarget[],
  lookup: Lookup,
): Promise<Resolved> {
  const addresses = new Map<string, GrpcAddress>();
  const failed: string[] = [];
  const found = await Promise.all(targets.map((target) => ipsOf(target, lookup)));
  for (const [i, { host, port }] of targets.entries()) {
    const ips = found[i] ?? [];
    if (ips.length === 0) failed.push(host);
    for (const ip of ips) addresses.set(addressKey({ ip, port }), { ip, port, host });
  }
  return { addresses: [...addresses.values()], failed };
}

/** What tells addresses apart. */
export function addressKey({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return `${ip} ${port}`;
}

async function ipsOf({ host }: GrpcTarget, lookup: Lookup): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    return await lookup(host);
  } catch {
    return [];
  }
}
