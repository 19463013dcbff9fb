/** Calls to a group of gRPC servers: a few connections kept, used in turn, replaced when lost. */

import { Backoff } from "../base/backoff.ts";
import type { Clock, Random } from "../base/clock.ts";
import { LIMITS } from "../core/limits.ts";
import { GrpcConnection } from "./grpc-connection.ts";
import type { GrpcAddress, GrpcTls } from "./grpc-connection.ts";
import { unsent } from "./grpc-reply-reader.ts";
import type { GrpcReply } from "./grpc-reply-reader.ts";
import { addressKey, resolveTargets, systemLookup } from "./grpc-targets.ts";
import type { GrpcTarget, Lookup } from "./grpc-targets.ts";

export interface GrpcChannelOptions {
  /** A name may stand for many servers. Without any all calls fail. */
  readonly targets: readonly GrpcTarget[];
  /** Connections kept at a time, of all servers there are. */
  readonly peers: number;
  readonly tls?: GrpcTls;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: the system's. */
  readonly lookup?: Lookup;
  /** Told in a line when a server is reached or lost, for the log. */
  readonly report?: (line: string) => void;
}

/** What callers need; tests and senders take this. */
export interface GrpcCaller {
  /** True once a call has a connection to go over, false when there will be none: closed. */
  ready(): Promise<boolean>;
  /** A unary call. Never rejects: what went wrong is the reply's code. */
  call(path: string, message: Uint8Array, deadlineMs: number): Promise<GrpcReply>;
  /** No more calls; those that are running end with UNAVAILABLE. */
  close(): void;
}

/** One server: connected, connecting, waiting until it is tried again, or not in use. */
interface Peer {
  readonly address: GrpcAddress;
  readonly backoff: Backoff;
  connection: GrpcConnection | undefined;
  cancelWait: (() => void) | undefined;
  /** The failure told last: the same again and again is one line of the log. */
  told: string;
}

/** The connections to a group of servers. */
export class GrpcChannel implements GrpcCaller {
  readonly #options: GrpcChannelOptions;
  readonly #peers = new Map<string, Peer>();
  #open: Peer[] = [];
  #turn = 0;
  #waiting: ((isOpen: boolean) => void)[] = [];
  #closed = false;
  #resolving = false;
  #lastResolveMs = Number.NEGATIVE_INFINITY;
  #lastFailure: string;
  #toldUnresolved = "";
  #cancelRefresh: () => void = () => {};

  constructor(options: GrpcChannelOptions) {
    this.#options = options;
    this.#lastFailure = options.targets.length === 0 ? "no server is named" : "not connected yet";
    void this.#resolve();
  }

  /** Servers that calls go to now. */
  get openPeers(): number {
    return this.#open.length;
  }

  /** Why the last connection failed or ended. */
  get lastFailure(): string {
    return this.#lastFailure;
  }

  ready(): Promise<boolean> {
    if (this.#open.length > 0 || this.#closed) return Promise.resolve(!this.#closed);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async call(path: string, message: Uint8Array, deadlineMs: number): Promise<GrpcReply> {
    const peer = this.#next();
    if (peer?.connection === undefined) {
      return unsent(`no connection: ${this.#lastFailure}`);
    }
    const reply = await peer.connection.call(path, message, deadlineMs);
    if (reply.from === "server") peer.backoff.reset();
    return reply;
  }

  /** Ends every connection; calls that are still running end with UNAVAILABLE. */
  close(): void {
    this.#closed = true;
    this.#cancelRefresh();
    for (const peer of this.#peers.values()) this.#drop(peer);
    this.#peers.clear();
    this.#wake();
  }

  /** The open peers in turn. */
  #next(): Peer | undefined {
    if (this.#open.length === 0) return undefined;
    this.#turn = (this.#turn + 1) % this.#open.length;
    return this.#open[this.#turn];
  }

  /** Looks the names up, takes new servers in and lets go of those that are gone. */
  async #resolve(): Promise<void> {
    if (this.#resolving || this.#closed) return;
    this.#resolving = true;
    const { targets, lookup = systemLookup, clock } = this.#options;
    this.#cancelRefresh();
    const { addresses, failed } = await resolveTargets(targets, lookup);
    this.#resolving = false;
    if (this.#closed) return;
    this.#lastResolveMs = clock.monotonicMs();
    this.#unresolved(failed);
    // A resolver that is down for a moment must not cost the connections there are.
    if (addresses.length > 0 && failed.length === 0) this.#forget(addresses);
    for (const address of shuffled(addresses, this.#options.random)) this.#learn(address);
    const nextMs = addresses.length === 0 ? LIMITS.grpcBackoffMs : LIMITS.grpcResolveMs;
    this.#cancelRefresh = clock.after(nextMs, () => void this.#resolve());
    this.#fill();
  }

  #learn(address: GrpcAddress): void {
    const key = addressKey(address);
    if (this.#peers.has(key)) return;
    const { random } = this.#options;
    const backoff = new Backoff({ baseMs: 100, maxMs: LIMITS.grpcBackoffMs, random });
    this.#peers.set(key, {
      address,
      backoff,
      connection: undefined,
      cancelWait: undefined,
      told: "",
    });
  }

  #forget(addresses: readonly GrpcAddress[]): void {
    const present = new Set(addresses.map(addressKey));
    for (const [key, peer] of this.#peers) {
      if (present.has(key)) continue;
      this.#peers.delete(key);
      peer.cancelWait?.();
      peer.connection?.retire();
    }
  }

  /** Opens connections to servers not in use until as many are under way as are wanted. */
  #fill(): void {
    let wanted = this.#options.peers;
    for (const peer of this.#peers.values()) if (peer.connection !== undefined) wanted--;
    for (const peer of this.#peers.values()) {
      if (wanted <= 0) return;
      if (peer.connection !== undefined || peer.cancelWait !== undefined) continue;
      wanted--;
      this.#connect(peer);
    }
  }

  #connect(peer: Peer): void {
    const { clock, tls } = this.#options;
    const connection: GrpcConnection = new GrpcConnection({
      address: peer.address,
      tls,
      clock,
      opened: () => this.#opened(peer),
      ended: (reason) => {
        if (peer.connection === connection) this.#lost(peer, reason);
      },
    });
    peer.connection = connection;
  }

  #opened(peer: Peer): void {
    this.#open.push(peer);
    peer.told = "";
    this.#lastFailure = "";
    this.#options.report?.(`connected to ${nameOf(peer.address)}`);
    this.#wake();
  }

  #lost(peer: Peer, reason: string): void {
    const { clock } = this.#options;
    peer.connection = undefined;
    this.#open = this.#open.filter((other) => other !== peer);
    if (this.#closed) return;
    this.#lastFailure = `${nameOf(peer.address)}: ${reason}`;
    if (reason !== peer.told) this.#options.report?.(this.#lastFailure);
    peer.told = reason;
    if (this.#peers.get(addressKey(peer.address)) === peer) {
      peer.cancelWait = clock.after(peer.backoff.next(), () => {
        peer.cancelWait = undefined;
        this.#fill();
      });
    }
    // Perhaps the servers have moved.
    const sinceMs = clock.monotonicMs() - this.#lastResolveMs;
    if (sinceMs > LIMITS.grpcResolveAgainMs) void this.#resolve();
    this.#fill();
  }

  #unresolved(failed: readonly string[]): void {
    const reason = failed.length === 0 ? "" : `cannot resolve ${failed.join(", ")}`;
    if (reason !== "") {
      this.#lastFailure = reason;
      if (reason !== this.#toldUnresolved) this.#options.report?.(reason);
    }
    this.#toldUnresolved = reason;
  }

  #drop(peer: Peer): void {
    peer.cancelWait?.();
    peer.connection?.destroy();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(!this.#closed);
  }
}

function nameOf({ host, ip, port }: GrpcAddress): string {
  const name = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return host === ip ? name : `${name} (${ip})`;
}

/** A new order, so that a thousand agents do not all choose the same servers. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}
