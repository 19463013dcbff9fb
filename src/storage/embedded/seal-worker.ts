/** The seal worker: runs jobs on segments, one after the other, on the machine's own files. */

import { parentPort } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import { nodeFiles } from "../../base/node/file-layer.ts";
import { runJob } from "./jobs.ts";
import type { Job } from "./jobs.ts";
import { serveCalls } from "./worker-call.ts";

assert(parentPort !== null, "runs as a worker thread");
serveCalls(parentPort, { run: (job: Job) => runJob(nodeFiles, job) });
