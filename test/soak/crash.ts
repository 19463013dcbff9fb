/** Kills a server at seeded moments under load and checks that acknowledged spans stay, once. */

import * as path from "node:path";
import { Dataset } from "../../bench/dataset.ts";
import type { Request } from "../../bench/dataset.ts";
import { HttpSender } from "../../bench/http-sender.ts";
import { Random } from "../../bench/random.ts";
import { RunningServer } from "../../bench/server-run.ts";
import type { ServerPlan } from "../../bench/servers.ts";
import { checkTraces } from "./check.ts";

export interface CrashOptions {
  readonly seed: number;
  readonly cycles: number;
  /** Requests acknowledged before a kill, at most. */
  readonly mostRequests: number;
  readonly connections: number;
  /** One line a cycle, for people. */
  readonly say: (line: string) => void;
}

export interface CrashReport {
  readonly kills: number;
  readonly acknowledgedSpans: number;
  readonly resentRequests: number;
  readonly checkedTraces: number;
  /** What was found wrong, in words; empty when nothing was lost or doubled. */
  readonly faults: readonly string[];
}

const root = path.join(import.meta.dirname, "..", "..");
/** Where Spoor's own checkout is, for the commands in bench/servers.ts. */
export const checkout = root;
const mostFaults = 20;
/** Acknowledged requests sent a second time after each restart, as a proxy's retry would. */
const repeated = 3;

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** One run: what was sent, what was acknowledged, what has to be sent again. */
class CrashRun {
  private readonly plan: ServerPlan;
  private readonly options: CrashOptions;
  private readonly random: Random;
  private readonly requests: Iterator<Request>;
  /** Span ids by trace id, of acknowledged requests only. */
  readonly acknowledged = new Map<string, Set<string>>();
  private touched = new Set<string>();
  private unanswered: Request[] = [];
  private recent: Request[] = [];
  private server: RunningServer | undefined;
  private ackCount = 0;
  spans = 0;
  kills = 0;
  resent = 0;
  checked = 0;
  readonly faults: string[] = [];

  constructor(plan: ServerPlan, options: CrashOptions) {
    this.plan = plan;
    this.options = options;
    this.random = new Random(options.seed);
    const dataset = new Dataset({
      spans: 20_000_000,
      seed: options.seed,
      endSeconds: Math.floor(Date.now() / 1000),
      seconds: 1200,
      sampleEvery: Number.MAX_SAFE_INTEGER,
    });
    this.requests = dataset.requests();
  }

  async start(): Promise<void> {
    this.server = new RunningServer(this.plan, { pinned: false });
    await this.server.healthy();
  }

  private get running(): RunningServer {
    if (this.server === undefined) throw new Error("no server is running");
    return this.server;
  }

  async kill(): Promise<void> {
    await this.running.stop("SIGKILL");
    this.kills += 1;
  }

  private note(request: Request): void {
    this.ackCount += 1;
    this.spans += request.spans;
    this.recent[this.ackCount % 64] = request;
    for (let i = 0; i < request.spans; i++) {
      const traceId = request.ids.toString("hex", i * 24, i * 24 + 16);
      const spanIds = this.acknowledged.get(traceId) ?? new Set();
      spanIds.add(request.ids.toString("hex", i * 24 + 16, i * 24 + 24));
      this.acknowledged.set(traceId, spanIds);
      this.touched.add(traceId);
    }
  }

  /** Sends until it is acknowledged; false when the server is gone before it answered. */
  private async deliver(sender: HttpSender, request: Request): Promise<boolean> {
    for (;;) {
      const reply = await sender.send(request.body).catch(() => undefined);
      if (reply === undefined) return false;
      if (reply.accepted && reply.bodyBytes <= 2) return true;
      if (reply.status === 408) {
        // Between two turns of a starved machine the server gave the connection up.
        sender.close();
        continue;
      }
      if (!reply.busy) throw new Error(`refused: ${reply.status} ${reply.text}`);
      await sleep(Math.min(Math.max(reply.retryAfterMs, 20), 1000));
    }
  }

  private async connection(): Promise<void> {
    const sender = new HttpSender(this.plan.doors.otlpHttp);
    for (;;) {
      const next = this.requests.next();
      if (next.done === true) throw new Error("the run is longer than its dataset");
      const request = next.value;
      if (!(await this.deliver(sender, request))) {
        this.unanswered.push(request);
        break;
      }
      this.note(request);
    }
    sender.close();
  }

  /** Loads the server and kills it after a seeded number of answers and a few milliseconds. */
  async loadAndKill(): Promise<void> {
    const stopAt = this.ackCount + 1 + this.random.below(this.options.mostRequests);
    const delayMs = this.random.unit() * 15;
    const connections = Array.from({ length: this.options.connections }, () => this.connection());
    const killer = (async (): Promise<void> => {
      while (this.ackCount < stopAt) await sleep(1);
      await sleep(delayMs);
      await this.kill();
    })();
    await Promise.all([...connections, killer]);
  }

  /** Starts it again, now and then killing it while it recovers, and sends the unanswered again. */
  async recover(): Promise<void> {
    while (this.random.unit() < 0.3) {
      this.server = new RunningServer(this.plan, { pinned: false });
      await sleep(this.random.unit() * 400);
      await this.kill();
    }
    await this.start();
    const sender = new HttpSender(this.plan.doors.otlpHttp);
    const again = this.unanswered;
    this.unanswered = [];
    for (const request of again) {
      if (!(await this.deliver(sender, request))) throw new Error("the server went by itself");
      this.note(request);
      this.resent += 1;
    }
    for (let i = 0; i < repeated; i++) {
      const request = this.recent[this.random.below(this.recent.length)];
      if (request !== undefined) await this.deliver(sender, request);
    }
    sender.close();
  }

  /** Compares the traces of this cycle (or all) with what was acknowledged. */
  async check(all: boolean): Promise<void> {
    const ids = all ? [...this.acknowledged.keys()] : [...this.touched];
    this.touched = new Set();
    const faults = await checkTraces(this.plan.doors.query, ids, this.acknowledged);
    this.checked += ids.length;
    for (const fault of faults) this.fault(fault);
  }

  /** Of this process's life: what came in is what was kept, refused, doubled or is under way. */
  async checkLedger(): Promise<void> {
    const text = await (await fetch(this.plan.doors.metrics)).text();
    const row = /^spoor_ledger_(?:spans_total\{state="(\w+)"[^}]*\}|in_flight_spans) (\d+)$/gm;
    let received: number | undefined;
    let accounted = 0;
    for (const [, state, count] of text.matchAll(row)) {
      if (state === "received") received = Number(count);
      else accounted += Number(count);
    }
    // A server without Spoor's own door is a peer, which keeps no ledger.
    if (received === undefined && this.plan.doors.find === undefined) return;
    if (received !== accounted)
      this.fault(`ledger: ${received} received, ${accounted} accounted for`);
  }

  private fault(text: string): void {
    if (this.faults.length < mostFaults) this.faults.push(text);
  }

  async stop(): Promise<void> {
    await this.server?.stop("SIGKILL");
  }

  serverLog(): string {
    return this.server?.log.join("").slice(-3000) ?? "";
  }
}

/** Kills the planned server `cycles` times; never throws for spans lost or doubled, it reports. */
export async function crashRepeatedly(
  plan: ServerPlan,
  options: CrashOptions,
): Promise<CrashReport> {
  const run = new CrashRun(plan, options);
  try {
    await run.start();
    for (let cycle = 1; cycle <= options.cycles; cycle++) {
      await run.loadAndKill();
      await run.recover();
      await run.check(false);
      await run.checkLedger();
      options.say(
        `cycle ${cycle}: ${run.kills} kills, ${run.spans} spans acknowledged, ` +
          `${run.resent} requests sent again, ${run.faults.length} faults`,
      );
      if (run.faults.length > 0) break;
    }
    if (run.faults.length === 0) await run.check(true);
  } catch (reason) {
    throw new Error(`seed ${options.seed}: ${run.serverLog()}`, { cause: reason });
  } finally {
    await run.stop();
  }
  return {
    kills: run.kills,
    acknowledgedSpans: run.spans,
    resentRequests: run.resent,
    checkedTraces: run.checked,
    faults: run.faults,
  };
}
