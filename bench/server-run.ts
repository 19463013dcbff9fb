/** Starts a server pinned to its core, watches what it uses, waits until it has settled. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpuSeconds, diskBytes, memory, threadSeconds } from "./process-stats.ts";
import type { ServerPlan } from "./servers.ts";

const serverCore = 0;
export const loadCore = 1;

export interface Usage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
}

export interface Settled extends Usage {
  /** Moment it went quiet, on performance.now()'s clock: the wait to be sure is not in it. */
  readonly atMs: number;
  readonly diskBytes: number;
  readonly diskByKind: Readonly<Record<string, number>>;
  readonly threads: Readonly<Record<string, number>>;
}

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));
const quietMs = 3000;
const quietShare = 0.02;
const settleLimitMs = 15 * 60_000;
const startLimitMs = 120_000;

const alive = new Set<ChildProcess>();

/** A bench that is stopped takes its servers with it. */
function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

function stopWith(signal: "SIGINT" | "SIGTERM", status: number): void {
  process.once(signal, () => {
    killAll();
    process.exit(status);
  });
}

process.once("exit", killAll);
stopWith("SIGINT", 130);
stopWith("SIGTERM", 143);

/** A running server process; `pid` is the server itself (launchers exec). */
export class RunningServer {
  readonly plan: ServerPlan;
  readonly child: ChildProcess;
  readonly startedMs: number;
  readonly log: string[] = [];

  constructor(plan: ServerPlan, options: { readonly pinned?: boolean } = {}) {
    this.plan = plan;
    this.startedMs = performance.now();
    const pinned = options.pinned ?? true;
    const command = pinned ? ["taskset", "-c", String(serverCore), ...plan.command] : plan.command;
    this.child = spawn(command[0] as string, command.slice(1), {
      env: { ...process.env, ...plan.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    alive.add(this.child);
    this.child.once("exit", () => alive.delete(this.child));
    const note = (chunk: Buffer): void => {
      this.log.push(chunk.toString("utf8"));
      if (this.log.length > 200) this.log.shift();
    };
    this.child.stdout?.on("data", note);
    this.child.stderr?.on("data", note);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  private ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves with the milliseconds from the start until the admin door says it is healthy. */
  async healthy(): Promise<number> {
    while (performance.now() - this.startedMs < startLimitMs) {
      if (this.ended())
        throw new Error(`${this.plan.name} ended: ${this.log.join("").slice(-2000)}`);
      const reply = await fetch(this.plan.doors.health).catch(() => undefined);
      await reply?.arrayBuffer();
      if (reply?.status === 200) return performance.now() - this.startedMs;
      await sleep(5);
    }
    throw new Error(`${this.plan.name} was not healthy after ${startLimitMs} ms`);
  }

  /** Resolves with the milliseconds from the start until it has accepted that request. */
  async firstAccepted(body: Buffer): Promise<number> {
    while (performance.now() - this.startedMs < startLimitMs) {
      const reply = await fetch(this.plan.doors.otlpHttp, {
        method: "POST",
        headers: { "content-type": "application/x-protobuf" },
        body: new Uint8Array(body),
      }).catch(() => undefined);
      await reply?.arrayBuffer();
      if (reply?.status === 200) return performance.now() - this.startedMs;
      await sleep(5);
    }
    throw new Error(`${this.plan.name} took no spans after ${startLimitMs} ms`);
  }

  usage(): Usage {
    const { rss, peak } = memory(this.pid);
    return { cpuSeconds: cpuSeconds(this.pid), rssBytes: rss, peakRssBytes: peak };
  }

  /** Values of the metrics of that name (all labels), or none when it is not exported. */
  async metric(name: string): Promise<number[]> {
    const text = await (await fetch(this.plan.doors.metrics)).text();
    const line = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm");
    return [...text.matchAll(line)].map((match) => Number(match[1]));
  }

  /** Bytes a span takes in its final form; undefined when the server does not say. */
  async keptBytesPerSpan(): Promise<number | undefined> {
    const { keptGauges } = this.plan;
    if (keptGauges === undefined) return undefined;
    const [bytes] = await this.metric(keptGauges.bytes);
    const [spans] = await this.metric(keptGauges.spans);
    return bytes === undefined || spans === undefined || spans === 0 ? undefined : bytes / spans;
  }

  private async gaugesQuiet(): Promise<boolean> {
    for (const name of this.plan.settledGauges) {
      if ((await this.metric(name)).some((value) => value !== 0)) return false;
    }
    return true;
  }

  /** The share of a core it uses with nothing to do, over one second. */
  async idleShare(): Promise<number> {
    const before = cpuSeconds(this.pid);
    await sleep(1000);
    return cpuSeconds(this.pid) - before;
  }

  /**
   * Waits until it used less than 2 % of its core for 3 s and says itself that nothing waits.
   * What it is known to use when idle (a profiler, say) comes on top of the 2 %.
   */
  async settled(idleShare = 0): Promise<Settled> {
    const allowed = (quietShare + idleShare * 1.2) * (quietMs / 1000);
    const giveUpMs = performance.now() + settleLimitMs;
    while (performance.now() < giveUpMs) {
      const atMs = performance.now();
      const before = this.usage();
      let quiet = true;
      while (quiet && performance.now() - atMs < quietMs) {
        await sleep(250);
        const used = cpuSeconds(this.pid) - before.cpuSeconds;
        quiet = used < allowed;
      }
      if (!quiet || !(await this.gaugesQuiet())) continue;
      const disk = this.plan.dataFolder === undefined ? undefined : diskBytes(this.plan.dataFolder);
      return {
        ...before,
        peakRssBytes: this.usage().peakRssBytes,
        atMs,
        diskBytes: disk?.total ?? 0,
        diskByKind: Object.fromEntries(disk?.byKind ?? []),
        threads: Object.fromEntries(threadSeconds(this.pid)),
      };
    }
    throw new Error(`${this.plan.name} did not settle`);
  }

  /** Asks it to stop and waits; kills it when it takes longer than a minute. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.ended()) return;
    const exit = once(this.child, "exit");
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 60_000);
    await exit;
    clearTimeout(timer);
  }
}
