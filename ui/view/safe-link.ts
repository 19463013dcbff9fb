/** Which addresses found in spans may become links: strangers write them. */

/** Longer texts are no addresses anybody follows. */
const MAX_ADDRESS = 4096;

/** The address when it is http, https or mailto; undefined for everything else. */
export function safeHref(text: string): string | undefined {
  if (text.length > MAX_ADDRESS || !/^(https?:\/\/|mailto:)[^\s]+$/i.test(text)) return undefined;
  try {
    const url = new URL(text);
    const known = ["http:", "https:", "mailto:"].includes(url.protocol);
    return known ? url.href : undefined;
  } catch {
    return undefined;
  }
}
