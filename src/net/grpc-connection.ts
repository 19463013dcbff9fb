/** One HTTP/2 connection of a gRPC client: its calls, and how it is found to be dead. */

import * as http2 from "node:http2";
import * as net from "node:net";
import * as tls from "node:tls";
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../core/limits.ts";
import { messagePrefix } from "./grpc-messages.ts";
import { ReplyReader, unanswered, unsent } from "./grpc-reply-reader.ts";
import type { GrpcReply } from "./grpc-reply-reader.ts";
import { GRPC_STATUS } from "./grpc-status.ts";

/** One resolved server. */
export interface GrpcAddress {
  /** What is connected to: an IP address. */
  readonly ip: string;
  readonly port: number;
  /** The name it was found by: for `:authority` and the certificate. */
  readonly host: string;
}

/** How to trust the server, and who we are. PEM texts. */
export interface GrpcTls {
  /** Default: the authorities Node knows. */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Name the certificate must have. Default: the host's. */
  readonly serverName?: string;
  /** Takes any certificate. */
  readonly skipHostVerify?: boolean;
}

export interface GrpcConnectionOptions {
  readonly address: GrpcAddress;
  readonly tls: GrpcTls | undefined;
  readonly clock: Clock;
  /** Called once when calls can be made. */
  readonly opened: () => void;
  /** Called once, with the reason in a few words, when no new call can be made. */
  readonly ended: (reason: string) => void;
}

/** A connection from its first packet to its last. */
export class GrpcConnection {
  readonly address: GrpcAddress;
  readonly #session: http2.ClientHttp2Session;
  readonly #clock: Clock;
  readonly #secure: boolean;
  readonly #authority: string;
  readonly #ended: (reason: string) => void;
  readonly #cancelTimeout: () => void;
  #isOpen = false;
  #hasEnded = false;

  constructor(options: GrpcConnectionOptions) {
    const { address, clock } = options;
    this.address = address;
    this.#clock = clock;
    this.#secure = options.tls !== undefined;
    this.#ended = options.ended;
    const name = net.isIPv6(address.host) ? `[${address.host}]` : address.host;
    this.#authority = `${name}:${address.port}`;
    const socket = openSocket(address, options.tls);
    // A TLS connection that ends before HTTP/2 has begun is told by the socket alone.
    socket.on("error", (error) => this.#end(reasonOf(error)));
    socket.on("close", () => this.#end("the server closed the connection"));
    this.#session = http2.connect(`${this.#secure ? "https" : "http"}://${this.#authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: LIMITS.grpcWindowBytes },
    });
    this.#cancelTimeout = clock.after(LIMITS.grpcConnectMs, () => {
      this.#end(`no connection within ${LIMITS.grpcConnectMs} ms`);
    });
    // "connect" comes once the preface is sent; a server that speaks no HTTP/2 ends it soon.
    this.#session.on("remoteSettings", () => {
      if (this.#isOpen || this.#hasEnded) return;
      this.#isOpen = true;
      this.#cancelTimeout();
      options.opened();
    });
    this.#session.on("error", (error: Error) => this.#end(reasonOf(error)));
    this.#session.on("goaway", () => this.#retire("the server is going away"));
    this.#session.on("close", () => this.#end("the server closed the connection"));
  }

  /** Whether calls can be made now. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#hasEnded;
  }

  /** Makes a unary call. Never rejects: what went wrong is the reply's code. */
  call(path: string, message: Uint8Array, deadlineMs: number): Promise<GrpcReply> {
    return new Promise((resolve) => {
      const session = this.#session;
      if (!this.isOpen || session.closed || session.destroyed) {
        resolve(unsent("no connection"));
        return;
      }
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        ":scheme": this.#secure ? "https" : "http",
        ":authority": this.#authority,
        "content-type": "application/grpc",
        te: "trailers",
        "user-agent": "grpc-spoor",
        "grpc-timeout": `${Math.ceil(deadlineMs)}m`,
      });
      const reader = new ReplyReader(stream, LIMITS.grpcReplyBytes, (reply) => {
        cancel();
        resolve(reply);
      });
      const cancel = this.#clock.after(deadlineMs, () => {
        const text = `no answer within ${deadlineMs} ms`;
        reader.fail(unanswered(GRPC_STATUS.DEADLINE_EXCEEDED, text));
        stream.close(http2.constants.NGHTTP2_CANCEL);
        this.#probe();
      });
      // Together in one write, without a copy of the message.
      stream.cork();
      stream.write(messagePrefix(message.length));
      stream.end(message);
      stream.uncork();
    });
  }

  /** Ends it; calls that are still running end with UNAVAILABLE. */
  destroy(): void {
    this.#end("closed");
  }

  /** Lets running calls finish, then ends it. */
  retire(): void {
    this.#retire("closed");
  }

  #retire(reason: string): void {
    if (this.#hasEnded) return;
    this.#finish(reason);
    this.#session.close();
  }

  /**
   * After a call without an answer: is anybody there? Only then, as servers end connections
   * that ping without need.
   */
  #probe(): void {
    if (this.#hasEnded) return;
    const cancel = this.#clock.after(LIMITS.grpcPingMs, () => this.#end("a ping was not answered"));
    this.#session.ping(() => cancel());
  }

  #end(reason: string): void {
    this.#finish(reason);
    this.#session.destroy();
  }

  #finish(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelTimeout();
    this.#ended(reason);
  }
}

function openSocket(address: GrpcAddress, options: GrpcTls | undefined): net.Socket {
  const { ip, port, host } = address;
  const socket =
    options === undefined
      ? net.connect({ host: ip, port, noDelay: true })
      : tls.connect({ host: ip, port, ALPNProtocols: ["h2"], ...tlsSettings(options, host) });
  // A peer that vanished without a word is noticed by the kernel even when no call is made.
  socket.setKeepAlive(true, LIMITS.grpcKeepAliveMs);
  return socket;
}

function tlsSettings(options: GrpcTls, host: string): tls.ConnectionOptions {
  const { ca, cert, key, serverName = host, skipHostVerify = false } = options;
  const servername = net.isIP(serverName) === 0 ? serverName : "";
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    servername,
    rejectUnauthorized: !skipHostVerify,
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(serverName, certificate),
    minVersion: "TLSv1.2",
  };
}

function reasonOf(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const message = error.message.trim();
  return message.includes(code) ? message : `${message} (${code})`;
}
