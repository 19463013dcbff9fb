/** The search worker: answers reads over heads and segments on the machine's own files. */

import { parentPort } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import { nodeFiles } from "../../base/node/file-layer.ts";
import { searchHandlers } from "./search-calls.ts";
import { serveCalls } from "./worker-call.ts";

assert(parentPort !== null, "runs as a worker thread");
serveCalls(parentPort, searchHandlers(nodeFiles));
