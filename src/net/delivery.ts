/** A bounded buffer of encoded spans and the calls that empty it: each delivered or counted. */

import { assert } from "../base/assert.ts";
import { Backoff } from "../base/backoff.ts";
import type { Clock, Random } from "../base/clock.ts";
import type { CounterTable } from "../base/counters.ts";
import { LIMITS } from "../core/limits.ts";
import { DeliveryMeters } from "./delivery-meters.ts";
import type { DropReason } from "./delivery-meters.ts";
import type { GrpcCaller } from "./grpc-channel.ts";
import { GRPC_STATUS } from "./grpc-status.ts";

/** Encoded spans that travel together. */
export interface Parcel {
  readonly bytes: Uint8Array;
  readonly spans: number;
  /** Value of Jaeger's `format` label: what the spans came in as. */
  readonly format: string;
}

/** The message of one call, and how many parcels it holds. */
export interface Joined {
  readonly message: Uint8Array;
  readonly count: number;
}

/** What a delivery does that depends on the protocol. */
export interface DeliveryProtocol {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Codes that ask for another attempt later. */
  readonly retryCodes: ReadonlySet<number>;
  /**
   * The message of as many parcels, from the first, as one call may carry: at least one, and no
   * more than `mostBytes` unless the first alone is larger.
   */
  join(parcels: readonly Parcel[], mostBytes: number): Joined;
  /** Spans that a good answer says were refused. */
  rejectedBy(answer: Uint8Array): number;
}

export interface DeliveryOptions {
  readonly channel: GrpcCaller;
  readonly protocol: DeliveryProtocol;
  /** Bounds of the buffer, calls under way included. */
  readonly maxBytes: number;
  readonly maxSpans: number;
  /** Times a call is made again after a server refused it with one of the retry codes. */
  readonly retries: number;
  readonly counters: CounterTable;
  readonly clock: Clock;
  readonly random: Random;
}

/** Takes parcels and makes calls of them until each is delivered or given up. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #meters: DeliveryMeters;
  #queue: Parcel[] = [];
  #head = 0;
  #calls = 0;
  #bytes = 0;
  #spans = 0;
  #closing = false;
  /** A stop waits no longer. */
  #cut = false;
  /** Wakes the calls that wait before another attempt. */
  readonly #pauses = new Set<() => void>();
  #idle: (() => void) | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#meters = new DeliveryMeters(options.counters, {
      spans: () => this.#spans,
      bytes: () => this.#bytes,
    });
  }

  /** Spans that are neither delivered nor given up. */
  get bufferedSpans(): number {
    return this.#spans;
  }

  /**
   * Takes the parcels whole, or none of them; those are counted as dropped. What is taken is
   * delivered, or counted as dropped later.
   */
  offer(parcels: readonly Parcel[]): "taken" | "buffer-full" | "shutdown" {
    let bytes = 0;
    let spans = 0;
    for (const parcel of parcels) {
      bytes += parcel.bytes.length;
      spans += parcel.spans;
    }
    this.#meters.received(spans);
    const { maxBytes, maxSpans } = this.#options;
    const full = this.#bytes + bytes > maxBytes || this.#spans + spans > maxSpans;
    if (this.#closing || full) {
      const reason = this.#closing ? "shutdown" : "buffer-full";
      for (const parcel of parcels) this.#meters.dropped(parcel, reason);
      return reason;
    }
    this.#bytes += bytes;
    this.#spans += spans;
    for (const parcel of parcels) this.#queue.push(parcel);
    while (this.#calls < LIMITS.deliveryCalls && this.#waiting > 0) void this.#work();
    return "taken";
  }

  /**
   * Takes nothing new, waits at most `drainMs` for what is there, counts the rest as dropped,
   * and closes the channel.
   */
  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    if (this.#spans > 0) {
      const idle = Promise.withResolvers<undefined>();
      this.#idle = () => idle.resolve(undefined);
      const cancel = this.#options.clock.after(drainMs, () => this.#cutOff());
      await idle.promise;
      cancel();
    }
    this.#options.channel.close();
  }

  #cutOff(): void {
    this.#cut = true;
    this.#options.channel.close();
    for (const wake of this.#pauses) wake();
  }

  get #waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Makes calls until nothing waits; at most `deliveryCalls` of these run at once. */
  async #work(): Promise<void> {
    this.#calls++;
    while (this.#waiting > 0) await this.#sendNext();
    this.#calls--;
    if (this.#spans === 0) this.#idle?.();
  }

  async #sendNext(): Promise<void> {
    const waiting = this.#queue.slice(this.#head, this.#head + LIMITS.deliveryParcels);
    const { message, count } = this.#options.protocol.join(waiting, LIMITS.deliveryCallBytes);
    assert(count >= 1 && count <= waiting.length, "a call holds at least one parcel");
    this.#forget(count);
    const parcels = waiting.slice(0, count);
    const ended = await this.#deliver(message);
    if (ended === "refused" && count > 1) await this.#sendEach(parcels);
    else this.#settle(parcels, ended);
  }

  /** What is wrong with one parcel must not cost the others it travelled with. */
  async #sendEach(parcels: readonly Parcel[]): Promise<void> {
    for (const parcel of parcels) {
      const { message } = this.#options.protocol.join([parcel], LIMITS.deliveryCallBytes);
      this.#settle([parcel], await this.#deliver(message));
    }
  }

  #forget(count: number): void {
    this.#head += count;
    if (this.#head < LIMITS.deliveryParcels && this.#head < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }

  /** `ended`: why the parcels were given up, or how many of their spans a server refused. */
  #settle(parcels: readonly Parcel[], ended: DropReason | number): void {
    let refused = typeof ended === "number" ? ended : 0;
    for (const parcel of parcels) {
      this.#bytes -= parcel.bytes.length;
      this.#spans -= parcel.spans;
      if (typeof ended === "string") {
        this.#meters.dropped(parcel, ended);
        continue;
      }
      const ofParcel = Math.min(refused, parcel.spans);
      refused -= ofParcel;
      this.#meters.delivered(parcel, ofParcel);
    }
  }

  /** Calls until the message is taken, but for a number of spans, or given up: then why. */
  async #deliver(message: Uint8Array): Promise<DropReason | number> {
    const { channel, protocol, retries, random } = this.#options;
    const { deliveryRetryMs: baseMs, deliveryRetryMostMs: maxMs } = LIMITS;
    const backoff = new Backoff({ baseMs, maxMs, random });
    let refusals = 0;
    let losses = 0;
    for (;;) {
      if (!(await channel.ready()) || this.#cut) return "shutdown";
      const reply = await channel.call(protocol.path, message, LIMITS.deliveryMs);
      if (reply.code === GRPC_STATUS.OK && reply.from === "server") {
        return protocol.rejectedBy(reply.body);
      }
      this.#meters.failed(reply);
      // While there is no connection nothing is sent, and waiting is no attempt.
      if (reply.from === "unsent") continue;
      if (reply.from === "nobody") {
        if (++losses > LIMITS.deliveryLosses) return "connection-lost";
        continue;
      }
      if (!protocol.retryCodes.has(reply.code)) return "refused";
      if (++refusals > retries) return "retries-exhausted";
      await this.#pause(backoff.next());
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#pauses.delete(wake);
        resolve();
      };
      const cancel = this.#options.clock.after(delayMs, wake);
      this.#pauses.add(wake);
    });
  }
}
