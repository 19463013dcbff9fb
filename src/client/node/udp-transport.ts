// Sends packets to an agent over a connected UDP socket, also in the last moment of a process.
import { createSocket } from "node:dgram";
import { lookup as resolveName } from "node:dns";
import { isIP } from "node:net";
import { UDP_PACKETS_IN_FLIGHT } from "../limits.ts";
import type { Socket, SocketType } from "node:dgram";
import type { SendResult, Transport } from "../span-queue.ts";

export interface UdpTransportOptions {
  host: string;
  port: number;
  socketType: SocketType;
  /** How often the agent's name is resolved again; 0 never. */
  resolveIntervalMs?: number | undefined;
}

/** How often the agent's name is resolved again: agents move, as jaeger-client-go found. */
const RESOLVE_INTERVAL_MS = 30_000;

type LookupDone = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** Names that need no resolver are answered at once, so that the socket is ready at once. */
function lookupFor(type: SocketType): (host: string, options: unknown, done: LookupDone) => void {
  const family = type === "udp6" ? 6 : 4;
  return (host, _options, done) => {
    if (isIP(host) !== 0) done(null, host, isIP(host));
    else if (host === "localhost") done(null, family === 6 ? "::1" : "127.0.0.1", family);
    else resolveName(host, { family }, done);
  };
}

/** UDP loses packets silently: 'sent' means that the kernel took one. */
export class UdpTransport implements Transport {
  readonly parallel: number = UDP_PACKETS_IN_FLIGHT;
  readonly #options: UdpTransportOptions;
  #socket: Socket;
  #connected = false;
  /** The agent's name could not be resolved: packets fail until it can be, instead of waiting. */
  #unresolved = false;
  #closed = false;
  #address = "";
  #resolvedMs: number = Date.now();
  #waiting: (() => void)[] = [];

  constructor(options: UdpTransportOptions) {
    this.#options = options;
    this.#socket = this.#open();
  }

  #open(): Socket {
    const { host, port, socketType } = this.#options;
    const socket = createSocket({ type: socketType, lookup: lookupFor(socketType) });
    socket.on("error", () => {});
    // The event comes a tick late: by then the socket may be closed, or another in its place.
    socket.on("connect", () => {
      if (this.#isConnected()) this.#sendWaiting();
    });
    // An address that cannot be resolved fails the packets that wait for it, not the application.
    this.#unresolved = false;
    socket.connect(port, host, (error?: Error) => {
      if (!error) return;
      this.#unresolved = true;
      this.#sendWaiting();
    });
    socket.unref();
    return socket;
  }

  #sendWaiting(): void {
    for (const send of this.#waiting.splice(0)) send();
  }

  send(bytes: Uint8Array, done: (result: SendResult, reason?: string) => void): void {
    if (this.#closed) {
      done("refused", "closed");
      return;
    }
    this.#resolveAgain();
    if (this.#isConnected() || this.#unresolved) this.#sendNow(bytes, done);
    else this.#waiting.push(() => this.#sendNow(bytes, done));
  }

  /** The connect event comes a tick after the connection; at exit there is no tick more. */
  #isConnected(): boolean {
    if (this.#connected) return true;
    try {
      this.#address = this.#socket.remoteAddress().address;
      this.#connected = true;
    } catch {
      return false;
    }
    return true;
  }

  #sendNow(bytes: Uint8Array, done: (result: SendResult, reason?: string) => void): void {
    const failed = (error: Error): void =>
      done("refused", `sending spans over UDP: ${error.message}`);
    try {
      this.#socket.send(bytes, (error) => {
        if (error) failed(error);
        else done("sent");
      });
    } catch (error) {
      failed(error as Error);
    }
  }

  #resolveAgain(): void {
    const { host, socketType, resolveIntervalMs = RESOLVE_INTERVAL_MS } = this.#options;
    if (resolveIntervalMs <= 0) return;
    if (isIP(host) !== 0 || host === "localhost") return;
    if (Date.now() - this.#resolvedMs < resolveIntervalMs) return;
    this.#resolvedMs = Date.now();
    resolveName(host, { family: socketType === "udp6" ? 6 : 4 }, (error, address) => {
      if (error || this.#closed || (this.#connected && address === this.#address)) return;
      const before = this.#socket;
      this.#connected = false;
      this.#socket = this.#open();
      before.close();
    });
  }

  close(callback: () => void): void {
    if (this.#closed) {
      callback();
      return;
    }
    this.#closed = true;
    this.#socket.close(callback);
    this.#sendWaiting();
  }

  toString(): string {
    return `UDPSender(${this.#options.host}:${this.#options.port})`;
  }
}
