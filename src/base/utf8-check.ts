/** Whether bytes are UTF-8, without making a string of them. Hot: every text of every batch. */

/**
 * Whether `bytes[start, end)` is well-formed UTF-8: no overlong forms, no surrogates, nothing
 * beyond U+10FFFF. ASCII passes at once.
 */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at++]!;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const followers = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (at + followers > end) return false;
    const second = bytes[at]!;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return false;
    for (let f = 1; f < followers; f++) if ((bytes[at + f]! & 0xc0) !== 0x80) return false;
    at += followers;
  }
  return true;
}
