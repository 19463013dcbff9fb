/** Finds a file beside a module whether it runs as TypeScript or compiled, for worker threads. */

/**
 * The URL of the module `name` (without extension) in the folder of the module at `moduleUrl`,
 * with its extension: `.ts` in a checkout, `.js` where it is installed. The compiler rewrites
 * imports, but not URLs.
 */
export function siblingUrl(name: string, moduleUrl: string): URL {
  return new URL(`${name}${moduleUrl.slice(moduleUrl.lastIndexOf("."))}`, moduleUrl);
}
