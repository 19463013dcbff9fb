/** Says what a measurement was made on, and keeps this process off the server's core. */

import { spawnSync } from "node:child_process";
import * as os from "node:os";
import { pin } from "./process-stats.ts";
import { loadCore } from "./server-run.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** Load average when the measurement began: the machine may not have been ours alone. */
  readonly loadBefore: number;
  readonly pinned: boolean;
}

/** Describes the machine and pins this process (and the load it starts) beside the server. */
export function takeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model ?? "unknown",
    cores: cpus.length,
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    loadBefore: os.loadavg()[0] ?? 0,
    pinned: cpus.length > 1 && pin(process.pid, loadCore),
  };
}

/** The checkout's commit, with a word when files differ from it. */
export function commitOf(checkout: string): string {
  const git = (...args: string[]): string =>
    spawnSync("git", ["-C", checkout, ...args], { encoding: "utf8" }).stdout.trim();
  const hash = git("rev-parse", "--short", "HEAD");
  return git("status", "--porcelain", "--untracked-files=no") === "" ? hash : `${hash} and changes`;
}
