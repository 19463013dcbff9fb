// The throttler that spends credits a server hands out.
import { THROTTLED_OPERATIONS } from "./limits.ts";
import type { Timers } from "./clock.ts";
import type { FetchText } from "./control.ts";
import type { Metrics } from "./metrics.ts";
import type { Logger, Tag, Throttler } from "./types.ts";

const REFRESH_INTERVAL_MS = 5_000;
const CREDIT_OF_A_SPAN = 1;

export interface RemoteThrottlerOptions {
  baseUrl: string;
  refreshIntervalMs?: number | undefined;
  timers: Timers;
  fetchText: FetchText;
  metrics: Metrics | null;
  logger: Logger;
}

/** Spends credits that a server hands out per operation: `GET /credits?service=&uuid=`. */
export class RemoteThrottler implements Throttler {
  readonly #service: string;
  readonly #options: RemoteThrottlerOptions;
  readonly #credits = new Map<string, number>();
  #uuid = "";
  #cancel: () => void;

  constructor(service: string, options: RemoteThrottlerOptions) {
    this.#service = service;
    this.#options = options;
    this.#cancel = this.#schedule();
  }

  #schedule(): () => void {
    const interval = this.#options.refreshIntervalMs ?? REFRESH_INTERVAL_MS;
    return this.#options.timers.after(interval, () => {
      this.refresh();
      this.#cancel = this.#schedule();
    });
  }

  setProcess(process: { serviceName: string; tags: Tag[]; uuid: string }): void {
    this.#uuid = process.uuid;
  }

  /** A first-seen operation has no credit; its balance is asked for at once. */
  isAllowed(operation: string): boolean {
    const credit = this.#credits.get(operation);
    if (credit === undefined) {
      if (this.#credits.size < THROTTLED_OPERATIONS) {
        this.#credits.set(operation, 0);
        this.#ask([operation]);
      }
    } else if (credit >= CREDIT_OF_A_SPAN) {
      this.#credits.set(operation, credit - CREDIT_OF_A_SPAN);
      return true;
    }
    this.#options.metrics?.throttledDebugSpans.increment(1);
    return false;
  }

  refresh(): void {
    if (this.#credits.size > 0) this.#ask([...this.#credits.keys()]);
  }

  #ask(operations: readonly string[]): void {
    const { baseUrl, fetchText, logger, metrics } = this.#options;
    const query = [`service=${encodeURIComponent(this.#service)}`];
    query.push(`uuid=${encodeURIComponent(this.#uuid)}`);
    for (const operation of operations) query.push(`operations=${encodeURIComponent(operation)}`);
    fetchText(`${baseUrl}/credits?${query.join("&")}`, (error, body) => {
      try {
        if (error !== null) throw error;
        this.#take(JSON.parse(body));
        metrics?.throttlerUpdateSuccess.increment(1);
      } catch (cause) {
        metrics?.throttlerUpdateFailure.increment(1);
        logger.error(`Error in fetching throttling credits: ${String(cause)}`);
      }
    });
  }

  #take(answer: { balances?: { operation: string; balance: number }[] }): void {
    if (!Array.isArray(answer.balances)) throw new Error("Malformed response");
    for (const { operation, balance } of answer.balances) {
      const before = this.#credits.get(operation);
      if (before !== undefined && balance > 0) this.#credits.set(operation, before + balance);
    }
  }

  close(callback?: () => void): void {
    this.#cancel();
    callback?.();
  }
}
