/** A UDP socket whose datagrams wait in a bounded queue of ours: the kernel's stays empty. */

import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { releaseBytes } from "../base/bytes.ts";
import type { CounterTable } from "../base/counters.ts";
import { LIMITS } from "../core/limits.ts";
import { listenError } from "./listen.ts";
import type { ListenOptions } from "./listen.ts";
import { kernelDrops } from "./udp-kernel-drops.ts";
import { UdpMeters } from "./udp-meters.ts";

export interface UdpServerOptions extends ListenOptions {
  /** Values of Jaeger's labels `model` and `protocol`. */
  readonly model: string;
  readonly protocol: string;
  /** Larger datagrams are dropped and counted. */
  readonly maxPacketBytes: number;
  /** Datagrams that may wait; later ones are dropped and counted. */
  readonly queuePackets: number;
  /** What the kernel is asked to hold for the socket, at most what the system allows. */
  readonly receiveBufferBytes: number;
  readonly counters: CounterTable;
  /**
   * Takes one datagram, whose bytes are gone once it returns. True when it was understood, false
   * when it was refused and counted by the taker; what it throws is our own bug.
   */
  readonly take: (packet: Uint8Array) => boolean;
  /** Told of what `take` throws. */
  readonly onFault?: (error: unknown) => void;
}

/** A bound socket. */
export interface UdpServer {
  readonly host: string;
  /** The actual port. */
  readonly port: number;
  /** Stops receiving, and takes what waits. Idempotent. */
  close(): Promise<void>;
}

/** Binds; rejects with SpoorError `in-use` or `config` when it cannot. */
export async function startUdpServer(options: UdpServerOptions): Promise<UdpServer> {
  const socket = await bind(options);
  const { port } = socket.address();
  const meters = new UdpMeters(options.counters, options.model, options.protocol, port);
  const queue = new PacketQueue(options, meters);
  meters.watch({
    queuedPackets: () => queue.length,
    kernelDrops: () => kernelDrops(port),
    receiveBufferBytes: () => receiveBufferOf(socket),
  });
  socket.on("message", (packet) => queue.push(packet));
  socket.on("error", () => meters.readError());
  let closed: Promise<void> | undefined;
  return {
    host: options.host,
    port,
    close() {
      closed ??= close(socket, queue, meters);
      return closed;
    },
  };
}

async function close(socket: Socket, queue: PacketQueue, meters: UdpMeters): Promise<void> {
  const startMs = performance.now();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  queue.takeAll();
  meters.closed((performance.now() - startMs) / 1000);
}

/**
 * Datagrams between the socket and their taker. Decoding takes longer than receiving: the loop
 * goes back to the socket after every slice, as what overflows the kernel's buffer is lost.
 */
class PacketQueue {
  readonly #options: UdpServerOptions;
  readonly #meters: UdpMeters;
  #packets: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;
  #scheduled = false;

  constructor(options: UdpServerOptions, meters: UdpMeters) {
    this.#options = options;
    this.#meters = meters;
  }

  get length(): number {
    return this.#packets.length - this.#head;
  }

  push(packet: Uint8Array): void {
    const { maxPacketBytes, queuePackets } = this.#options;
    this.#meters.received(packet.length);
    if (packet.length > maxPacketBytes) {
      this.#meters.dropped("too-large");
      releaseBytes(packet);
      return;
    }
    const full = this.length >= queuePackets;
    if (full || this.#bytes + packet.length > LIMITS.udpQueueBytes) {
      this.#meters.dropped("queue-full");
      releaseBytes(packet);
      return;
    }
    this.#packets.push(packet);
    this.#bytes += packet.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#takeSlice());
  }

  /** Takes whatever waits. */
  takeAll(): void {
    while (this.length > 0) this.#takeNext();
  }

  #takeSlice(): void {
    const endMs = performance.now() + LIMITS.udpSliceMs;
    do this.#takeNext();
    while (this.length > 0 && performance.now() < endMs);
    this.#scheduled = this.length > 0;
    if (this.#scheduled) setImmediate(() => this.#takeSlice());
  }

  #takeNext(): void {
    const packet = this.#packets[this.#head];
    if (packet === undefined) return;
    this.#head++;
    if (this.#head === this.#packets.length) {
      this.#packets = [];
      this.#head = 0;
    }
    this.#bytes -= packet.length;
    try {
      this.#meters.taken(this.#options.take(packet));
    } catch (error) {
      this.#meters.taken(false);
      this.#options.onFault?.(error);
    }
    releaseBytes(packet);
  }
}

/** An empty host is every address, of both families where the machine has both. */
function bind(options: UdpServerOptions): Promise<Socket> {
  const { host, port, receiveBufferBytes } = options;
  const sixth = host.includes(":") || (host === "" && hasIpv6());
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: sixth ? "udp6" : "udp4" });
    const failed = (cause: NodeJS.ErrnoException): void => {
      socket.close();
      reject(listenError(cause, options));
    };
    socket.once("error", failed);
    socket.bind({ port, ...(host === "" ? {} : { address: host }), exclusive: true }, () => {
      socket.off("error", failed);
      socket.setRecvBufferSize(receiveBufferBytes);
      resolve(socket);
    });
  });
}

function hasIpv6(): boolean {
  const all = Object.values(networkInterfaces()).flat();
  return all.some((one) => one?.family === "IPv6");
}

/** The kernel's number is twice what was asked for: it counts its own bookkeeping. */
function receiveBufferOf(socket: Socket): number {
  try {
    return socket.getRecvBufferSize();
  } catch {
    return 0;
  }
}
