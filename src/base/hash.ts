/** Fast non-cryptographic hashes over bytes. Seeds are fixed: files on disk depend on them. */

/**
 * 32-bit hash of `bytes[start, end)`. Four bytes a step with a multiply-rotate mix and a
 * murmur3 finaliser. Not resistant to chosen collisions: tables over it bound their probes.
 */
export function hash32(bytes: Uint8Array, start: number, end: number): number {
  let h = (end - start) ^ 0x9e3779b9;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let shift = 0; i < end; i++, shift += 8) tail |= bytes[i]! << shift;
  h ^= Math.imul(tail, 0xcc9e2d51);
  return mix32(h);
}

/**
 * The same hash of `length` bytes from `start` of a view, as an int32: four bytes in one load,
 * and a result that V8 hands on without a heap number.
 */
export function hashView32(view: DataView, start: number, length: number): number {
  let h = length ^ 0x9e3779b9;
  let i = start;
  const end = start + length;
  for (; i + 4 <= end; i += 4) {
    let k = Math.imul(view.getInt32(i, true), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let shift = 0; i < end; i++, shift += 8) tail |= view.getUint8(i) << shift;
  h ^= Math.imul(tail, 0xcc9e2d51);
  return mix32(h) | 0;
}

/** Copies `length` bytes from one view into another and returns their hash as an int32. */
export function copyHash32(
  from: DataView,
  start: number,
  length: number,
  to: DataView,
  at: number,
): number {
  let h = length ^ 0x9e3779b9;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k = from.getInt32(start + i, true);
    to.setInt32(at + i, k, true);
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let shift = 0; i < length; i++, shift += 8) {
    const byte = from.getUint8(start + i);
    to.setUint8(at + i, byte);
    tail |= byte << shift;
  }
  h ^= Math.imul(tail, 0xcc9e2d51);
  return mix32(h) | 0;
}

/** Murmur3's finaliser: spreads every input bit over the output. Unsigned result. */
export function mix32(value: number): number {
  let h = value | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}
