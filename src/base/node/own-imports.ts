/** Finds the program's own modules without asking the disk where each is. */

import { registerHooks } from "node:module";

/** src/ of a checkout, lib/ of the installed package; packages' modules are elsewhere. */
const ROOT = new URL("../../", import.meta.url).href;
const IS_SOURCE = import.meta.url.endsWith(".ts");
const SUFFIX = IS_SOURCE ? ".ts" : ".js";
const FORMAT = IS_SOURCE ? "module-typescript" : "module";

/**
 * From now on a relative import of ours is the file it says. Node looks up its package, its real
 * path and its format first, for each of the 250 modules of a server: 70 of 240 ms of CPU.
 */
export function resolveOwnImports(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      if (!specifier.startsWith(".") || !specifier.endsWith(SUFFIX))
        return next(specifier, context);
      if (parentURL?.startsWith(ROOT) !== true) return next(specifier, context);
      return { url: new URL(specifier, parentURL).href, format: FORMAT, shortCircuit: true };
    },
  });
}
