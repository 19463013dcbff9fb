/** A bounded buffer of encoded spans and the calls that empty it: each delivered or counted. */

import { Backoff } from "../base/backoff.ts";
import { releaseBytes } from "../base/bytes.ts";
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
  /** Parcels of one group are behind each other in a call: together they are the shortest. */
  readonly group: string;
  /** Bytes it takes in a call whose first parcel is of another group. */
  readonly strangerBytes: number;
}

/** What a delivery does that depends on the protocol. */
export interface DeliveryProtocol {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Codes that ask for another attempt later. */
  readonly retryCodes: ReadonlySet<number>;
  /** The message that carries all these parcels. */
  join(parcels: readonly Parcel[]): Uint8Array;
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

/**
 * Calls that take longer share a link that has no more to give: further ones would only make all
 * of them late, and what is late is sent again.
 */
const QUICK_MS = LIMITS.deliveryMs / 5;

/** What became of a message. */
interface Outcome {
  /** Why it was given up, or how many of its spans a server refused. */
  readonly ended: DropReason | number;
  /** Whether nobody needs its memory any more. */
  readonly isSent: boolean;
}

/** Takes parcels and makes calls of them until each is delivered or given up. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #meters: DeliveryMeters;
  /** What waits, by group; the group that waits longest comes first. */
  readonly #groups = new Map<string, Parcel[]>();
  #waitingBytes = 0;
  #calls = 0;
  /** Calls that may be under way while each is full: grows as they are taken. */
  #fullCalls: number = LIMITS.deliveryCalls;
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
    for (const parcel of parcels) this.#enqueue(parcel);
    this.#begin();
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

  #enqueue(parcel: Parcel): void {
    const group = this.#groups.get(parcel.group);
    if (group === undefined) this.#groups.set(parcel.group, [parcel]);
    else group.push(parcel);
    this.#waitingBytes += parcel.bytes.length;
  }

  /**
   * Whether another call may begin. Some go out whatever they carry; more of them while each is
   * full, so that a collector far away is not waited for.
   */
  #mayCall(): boolean {
    if (this.#calls < LIMITS.deliveryCalls) return true;
    return this.#calls < this.#fullCalls && this.#waitingBytes >= LIMITS.deliveryCallBytes;
  }

  /** Begins as many calls as there may be. */
  #begin(): void {
    while (this.#groups.size > 0 && this.#mayCall()) void this.#call();
  }

  async #call(): Promise<void> {
    this.#calls++;
    await this.#send(this.#next());
    this.#calls--;
    this.#begin();
    if (this.#spans === 0) this.#idle?.();
  }

  /**
   * What the next call carries: as many parcels of the first group as fit, and other groups that
   * fit whole. So many processes of few spans each are no more calls than one.
   */
  #next(): readonly Parcel[] {
    const parcels: Parcel[] = [];
    let left: number = LIMITS.deliveryCallBytes;
    for (const [key, group] of this.#groups) {
      const isFirst = parcels.length === 0;
      const count = isFirst ? fitting(group, left) : group.length;
      const bytes = bytesOf(group, count, isFirst);
      if (!isFirst && bytes > left) continue;
      left -= bytes;
      this.#groups.delete(key);
      for (let i = 0; i < count; i++) {
        parcels.push(group[i]!);
        this.#waitingBytes -= group[i]!.bytes.length;
      }
      // The rest of a busy group waits behind the others.
      if (count < group.length) this.#groups.set(key, group.slice(count));
    }
    return parcels;
  }

  async #send(parcels: readonly Parcel[]): Promise<void> {
    // The message is a copy: none is made while nobody can be called.
    await this.#options.channel.ready();
    const message = this.#options.protocol.join(parcels);
    const { ended, isSent } = await this.#deliver(message);
    if (ended === "refused" && parcels.length > 1) {
      await this.#sendEach(parcels);
      return;
    }
    this.#settle(parcels, ended);
    if (isSent) releaseBytes(message);
    // Where there are several the message was a copy of them.
    if (parcels.length > 1) for (const { bytes } of parcels) releaseBytes(bytes);
  }

  /** What is wrong with one parcel must not cost the others it travelled with. */
  async #sendEach(parcels: readonly Parcel[]): Promise<void> {
    for (const parcel of parcels) {
      const { ended } = await this.#deliver(this.#options.protocol.join([parcel]));
      this.#settle([parcel], ended);
    }
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

  /** Calls until the message is taken or given up. */
  async #deliver(message: Uint8Array): Promise<Outcome> {
    const { channel, clock, protocol, retries, random } = this.#options;
    const { deliveryRetryMs: baseMs, deliveryRetryMostMs: maxMs } = LIMITS;
    const backoff = new Backoff({ baseMs, maxMs, random });
    let refusals = 0;
    let losses = 0;
    for (;;) {
      if (!(await channel.ready()) || this.#cut) return { ended: "shutdown", isSent: false };
      const startMs = clock.monotonicMs();
      const reply = await channel.call(protocol.path, message, LIMITS.deliveryMs);
      if (reply.code === GRPC_STATUS.OK && reply.from === "server") {
        const isQuick = clock.monotonicMs() - startMs < QUICK_MS;
        this.#fullCalls = isQuick
          ? Math.min(this.#fullCalls + 1, LIMITS.deliveryFullCalls)
          : LIMITS.deliveryCalls;
        return { ended: protocol.rejectedBy(reply.body), isSent: reply.isSent };
      }
      this.#meters.failed(reply);
      // A server that is busy or gone is not pressed.
      this.#fullCalls = LIMITS.deliveryCalls;
      // While there is no connection nothing is sent, and waiting is no attempt.
      if (reply.from === "unsent") continue;
      if (reply.from === "nobody") {
        if (++losses > LIMITS.deliveryLosses) return { ended: "connection-lost", isSent: false };
        continue;
      }
      if (!protocol.retryCodes.has(reply.code)) return { ended: "refused", isSent: false };
      if (++refusals > retries) return { ended: "retries-exhausted", isSent: false };
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

/** Bytes that the first `count` parcels of a group take in a call, which begins with it or not. */
function bytesOf(group: readonly Parcel[], count: number, isFirst: boolean): number {
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    bytes += isFirst ? group[i]!.bytes.length : group[i]!.strangerBytes;
  }
  return bytes;
}

/** How many of the parcels, from the first, are within the bytes; at least one. */
function fitting(parcels: readonly Parcel[], mostBytes: number): number {
  let count = 0;
  let bytes = 0;
  for (const parcel of parcels) {
    bytes += parcel.bytes.length;
    if (count > 0 && bytes > mostBytes) break;
    count++;
  }
  return count;
}
