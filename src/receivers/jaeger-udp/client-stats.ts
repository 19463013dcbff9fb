/** What clients say they lost, from the counts they send along, as Jaeger's agent shows it. */

import type { Clock } from "../../base/clock.ts";
import type { Counter, CounterTable } from "../../base/counters.ts";
import { LIMITS } from "../../core/limits.ts";
import type { ClientStats } from "../../wire/jaeger-thrift-decode.ts";

const PREFIX = "jaeger_agent_client_stats_";
const NOTHING: ClientStats = {
  fullQueueDroppedSpans: 0,
  tooLargeDroppedSpans: 0,
  failedToEmitSpans: 0,
};

/** What a client last said; its counts are since its start. */
interface Client {
  seqNo: number;
  stats: ClientStats;
  seenMs: number;
}

/**
 * Adds up what clients lose. A client's first batch is where counting begins: what it lost
 * before this process started is not this process's to tell.
 */
export class ClientStatsMeter {
  readonly #clock: Clock;
  /** The one heard of longest ago comes first. */
  readonly #clients = new Map<string, Client>();
  readonly #batchesReceived: Counter;
  readonly #batchesSent: Counter;
  readonly #fullQueue: Counter;
  readonly #tooLarge: Counter;
  readonly #sendFailure: Counter;
  #cancelSweep: () => void = () => {};

  constructor(counters: CounterTable, clock: Clock) {
    this.#clock = clock;
    const received = "Batches with a number that came from clients.";
    this.#batchesReceived = counters.counter(`${PREFIX}batches_received_total`, received);
    const sent = "Batches that clients sent, by their own numbers; more than came were lost.";
    this.#batchesSent = counters.counter(`${PREFIX}batches_sent_total`, sent);
    const dropped = (cause: string): Counter => {
      const help = "Spans that clients dropped, by their own count and cause.";
      return counters.counter(`${PREFIX}spans_dropped_total`, help, ["cause"], [cause]);
    };
    this.#fullQueue = dropped("full-queue");
    this.#tooLarge = dropped("too-large");
    this.#sendFailure = dropped("send-failure");
    const connected = "Clients heard of within the last hour.";
    counters.gauge(`${PREFIX}connected_clients`, connected, () => this.#clients.size);
    this.#sweepLater();
  }

  /** Takes note of a batch; without a client's name, or a number, it tells nothing. */
  received(id: string | undefined, seqNo: number | undefined, stats: ClientStats | undefined) {
    if (id === undefined || seqNo === undefined) return;
    this.#batchesReceived.value++;
    const client = this.#clients.get(id);
    if (client === undefined) {
      this.#add(id, { seqNo, stats: stats ?? NOTHING, seenMs: this.#clock.monotonicMs() });
      return;
    }
    // Overtaken on the way: a later one has told all this already.
    if (seqNo <= client.seqNo) return;
    this.#batchesSent.value += seqNo - client.seqNo;
    client.seqNo = seqNo;
    if (stats !== undefined) this.#count(client, stats);
    client.seenMs = this.#clock.monotonicMs();
    this.#clients.delete(id);
    this.#clients.set(id, client);
  }

  /** Stops forgetting. */
  close(): void {
    this.#cancelSweep();
  }

  #count(client: Client, stats: ClientStats): void {
    const before = client.stats;
    const { fullQueueDroppedSpans, tooLargeDroppedSpans, failedToEmitSpans } = stats;
    this.#fullQueue.value += grown(before.fullQueueDroppedSpans, fullQueueDroppedSpans);
    this.#tooLarge.value += grown(before.tooLargeDroppedSpans, tooLargeDroppedSpans);
    this.#sendFailure.value += grown(before.failedToEmitSpans, failedToEmitSpans);
    client.stats = stats;
  }

  #add(id: string, client: Client): void {
    if (this.#clients.size >= LIMITS.udpClients) {
      for (const oldest of this.#clients.keys()) {
        this.#clients.delete(oldest);
        break;
      }
    }
    this.#clients.set(id, client);
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#clock.after(LIMITS.udpClientSweepMs, () => {
      const beforeMs = this.#clock.monotonicMs() - LIMITS.udpClientMs;
      for (const [id, { seenMs }] of this.#clients) {
        if (seenMs > beforeMs) break;
        this.#clients.delete(id);
      }
      this.#sweepLater();
    });
  }
}

/** Counts only go up; a client that says otherwise is not believed. */
function grown(before: number, now: number): number {
  return Math.max(0, now - before);
}
