/** The entry of `spoor`. */

import { resolveOwnImports } from "../base/node/own-imports.ts";

resolveOwnImports();
const { runCommandLine } = await import("./command-line.ts");
process.exit(await runCommandLine(process.argv.slice(2)));
