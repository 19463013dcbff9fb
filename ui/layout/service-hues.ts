/** Which of the palette's colours each service has: the same for everybody who opens the trace. */

/** Colours of the palette (`--service-0` to `--service-23` of tokens.css). */
export const HUES = 24;

/**
 * A hue for each name of an ascending list: where a hash of the name points, or the next one
 * that is free while there are free ones.
 */
export function huesOf(services: readonly string[]): Uint8Array {
  const hues = new Uint8Array(services.length);
  let taken = new Uint8Array(HUES);
  let free = HUES;
  for (const [i, name] of services.entries()) {
    if (free === 0) {
      taken = new Uint8Array(HUES);
      free = HUES;
    }
    let hue = hashOf(name) % HUES;
    while (taken[hue] === 1) hue = (hue + 1) % HUES;
    taken[hue] = 1;
    free--;
    hues[i] = hue;
  }
  return hues;
}

/** FNV-1a over UTF-16 units, and a last mix so that names ending alike spread. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
