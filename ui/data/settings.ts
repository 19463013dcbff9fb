/** What this browser remembers: in local storage, under Jaeger's keys, or in memory. */

/** What was kept under the keys this session, for browsers that keep nothing. */
const session = new Map<string, string>();

/** The text kept under a key. */
export function readSetting(key: string): string | undefined {
  const own = session.get(key);
  if (own !== undefined) return own;
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a text, at least until the page is left; undefined forgets it. */
export function writeSetting(key: string, text: string | undefined): void {
  if (text === undefined) session.delete(key);
  else session.set(key, text);
  try {
    if (text === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
    session.delete(key);
  } catch {
    // Blocked or full: the map above has it.
  }
}

/** The object kept under a key as JSON; undefined when there is none or it is no object. */
export function readObject(key: string): Readonly<Record<string, unknown>> | undefined {
  const text = readSetting(key);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** Keeps an object as JSON. */
export function writeObject(key: string, value: Readonly<Record<string, unknown>>): void {
  writeSetting(key, JSON.stringify(value));
}

/** Calls back when another tab changes a key; the text is undefined when it was removed. */
export function onSettingChanged(heard: (key: string, text: string | undefined) => void): void {
  addEventListener("storage", (event) => {
    if (event.key !== null) heard(event.key, event.newValue ?? undefined);
  });
}
