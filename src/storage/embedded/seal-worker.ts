/** The seal worker: runs jobs on segments, one after the other, on the machine's own files. */

import { parentPort } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import { resolveOwnImports } from "../../base/node/own-imports.ts";
import type { Job } from "./jobs.ts";

resolveOwnImports();
const [{ nodeFiles }, { runJob }, { serveCalls }] = await Promise.all([
  import("../../base/node/file-layer.ts"),
  import("./jobs.ts"),
  import("./worker-call.ts"),
]);
assert(parentPort !== null, "runs as a worker thread");
serveCalls(parentPort, { run: (job: Job) => runJob(nodeFiles, job) });
