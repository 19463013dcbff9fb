/** The search worker: answers reads over heads and segments on the machine's own files. */

import { parentPort } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import { resolveOwnImports } from "../../base/node/own-imports.ts";

resolveOwnImports();
const [{ nodeFiles }, { searchHandlers }, { serveCalls }] = await Promise.all([
  import("../../base/node/file-layer.ts"),
  import("./search-calls.ts"),
  import("./worker-call.ts"),
]);
assert(parentPort !== null, "runs as a worker thread");
serveCalls(parentPort, searchHandlers(nodeFiles));
