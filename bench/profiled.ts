/** One ingest under V8's profiler: microseconds a span for each file of the source. */

import * as fs from "node:fs";
import type { PreparedDataset } from "./dataset-file.ts";
import { measureIngest, newDataFolder } from "./ingest.ts";
import { readStages } from "./profile-stages.ts";
import type { StageTime } from "./profile-stages.ts";
import { RunningServer } from "./server-run.ts";
import type { Build } from "./servers.ts";

export interface StageCosts {
  readonly spans: number;
  readonly cpuMicrosecondsPerSpan: number;
  readonly files: readonly StageTime[];
  readonly functions: readonly StageTime[];
}

/**
 * Profiles an ingest. The profiler samples by the wall clock, in which two threads on one core wait
 * for each other: its times are scaled so that their sum is the CPU time the process used.
 */
export async function profileIngest(
  build: Build,
  plan: {
    readonly checkout: string;
    readonly dataset: PreparedDataset;
    readonly spans: number;
    readonly protocol?: "http" | "grpc";
    /** What a span costs without the profiler, where that was measured; else this run's time. */
    readonly cpuMicrosecondsPerSpan?: number;
  },
): Promise<StageCosts> {
  const folder = newDataFolder();
  const profiles = newDataFolder();
  const planned = await build(folder, plan.checkout);
  const flags = `--cpu-prof --cpu-prof-dir=${profiles}`;
  const env = { ...planned.env, NODE_OPTIONS: flags };
  const server = new RunningServer({ ...planned, env });
  try {
    const healthyMs = await server.healthy();
    const idleShare = await server.idleShare();
    const result = await measureIngest(server, plan, healthyMs, idleShare);
    await server.stop();
    const perSpan = plan.cpuMicrosecondsPerSpan ?? result.cpuSecondsPerMillion;
    const { files, functions } = readStages(profiles);
    const total = files.reduce((sum, row) => sum + row.microseconds, 0);
    const scaled = (row: StageTime): StageTime => ({
      ...row,
      microseconds: (row.microseconds / total) * perSpan,
    });
    return {
      spans: result.load.spans,
      cpuMicrosecondsPerSpan: perSpan,
      files: files.map(scaled),
      functions: functions.map(scaled),
    };
  } finally {
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
    fs.rmSync(profiles, { recursive: true, force: true });
  }
}
