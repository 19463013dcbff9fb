/** Hidden services as texts for an address: Jaeger's `svcFilter`, and one that growth survives. */

import { hashOfName } from "./span-hashes.ts";

/** Characters of a mask: four services each. */
const MASK = /^([0-9a-f]{1,4})\.([0-9a-f]{1,16384})$/i;
/** Bytes of a name's hash. */
const HASH_BYTES = 3;

/**
 * Jaeger's text of the services shown: a checksum of all names and one bit a service as hex, the
 * names in ascending UTF-16 order. "" when all are shown.
 */
export function servicesText(services: readonly string[], hidden: Uint8Array): string {
  if (!hidden.some((hide) => hide === 1)) return "";
  const sorted = sortedNumbers(services);
  let mask = 0n;
  for (const [bit, service] of sorted.entries()) {
    if (hidden[service] !== 1) mask |= 1n << BigInt(bit);
  }
  return `${checksumOf(sorted.map((service) => services[service]!))}.${mask.toString(16)}`;
}

/**
 * The hidden services of such a text. undefined when it is malformed, of other services (Jaeger
 * discards it then, and shows all), or would hide everything or nothing.
 */
export function servicesHidden(text: string, services: readonly string[]): Uint8Array | undefined {
  const [, checksum = "", maskText = "0"] = MASK.exec(text) ?? [];
  const sorted = sortedNumbers(services);
  if (checksum !== checksumOf(sorted.map((service) => services[service]!))) return undefined;
  const mask = BigInt(`0x${maskText}`);
  const hidden = new Uint8Array(services.length);
  let count = 0;
  for (const [bit, service] of sorted.entries()) {
    if (((mask >> BigInt(bit)) & 1n) === 1n) continue;
    hidden[service] = 1;
    count++;
  }
  return count === 0 || count === services.length ? undefined : hidden;
}

/** The hidden services by hashes of their names: it fits the trace with more services, too. */
export function hiddenNamesText(services: readonly string[], hidden: Uint8Array): string {
  let bytes = "";
  for (const [service, name] of services.entries()) {
    if (hidden[service] !== 1) continue;
    const hash = hashOfName(name);
    bytes += String.fromCharCode(hash & 255, (hash >> 8) & 255, hash >> 16);
  }
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_");
}

/** The hidden services of such a text; undefined when it is malformed or hides none. */
export function namesHidden(text: string, services: readonly string[]): Uint8Array | undefined {
  if (!/^(?:[\w-]{4})+$/.test(text)) return undefined;
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const hashes = new Set<number>();
  for (let at = 0; at < bytes.length; at += HASH_BYTES) {
    const [a, b, c] = [0, 1, 2].map((i) => bytes.charCodeAt(at + i));
    hashes.add(a! | (b! << 8) | (c! << 16));
  }
  const hidden = Uint8Array.from(services, (name) => Number(hashes.has(hashOfName(name))));
  return hidden.includes(1) ? hidden : undefined;
}

/** Places of the names in the order Jaeger sorts them: by UTF-16 code units. */
function sortedNumbers(services: readonly string[]): number[] {
  const order = services.map((_, service) => service);
  return order.toSorted((a, b) => (services[a]! < services[b]! ? -1 : 1));
}

/** Jaeger's checksum: 16 bits after the manner of FNV, as hex without leading zeros. */
function checksumOf(names: readonly string[]): string {
  const text = names.join("\0");
  let hash = 0x811c;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x0101) & 0xffff;
  }
  return hash.toString(16);
}
