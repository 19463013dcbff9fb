/** Posts bodies over one raw keep-alive HTTP/1.1 connection: a client that costs little CPU. */

import * as net from "node:net";
import type { Reply, Sender } from "./sender.ts";

const endOfHead = Buffer.from("\r\n\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (reason: Error) => void;
}

interface Head {
  readonly status: number;
  readonly length: number;
  readonly chunked: boolean;
  readonly closes: boolean;
  readonly retryAfterMs: number;
}

function parseHead(text: string): Head {
  const header = (name: string): string | undefined =>
    new RegExp(`^${name}: *(.*?)\\r?$`, "im").exec(text)?.[1];
  return {
    status: Number(text.slice(9, 12)),
    length: Number(header("content-length") ?? 0),
    chunked: /chunked/i.test(header("transfer-encoding") ?? ""),
    closes: /close/i.test(header("connection") ?? ""),
    retryAfterMs: Number(header("retry-after") ?? 0) * 1000,
  };
}

/** One connection, one request at a time; a broken connection is opened again on the next send. */
export class HttpSender implements Sender {
  private readonly url: URL;
  private socket: net.Socket | undefined;
  private waiting: Waiting | undefined;
  private received: Buffer = Buffer.alloc(0);
  private readonly headStart: string;

  constructor(url: string, type = "application/x-protobuf") {
    this.url = new URL(url);
    this.headStart =
      `POST ${this.url.pathname} HTTP/1.1\r\nHost: ${this.url.host}\r\n` +
      `Content-Type: ${type}\r\nContent-Length: `;
  }

  async send(body: Buffer): Promise<Reply> {
    const socket = this.socket ?? (await this.connect());
    const reply = new Promise<Reply>((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
    socket.cork();
    socket.write(`${this.headStart}${body.length}\r\n\r\n`, "latin1");
    socket.write(body);
    socket.uncork();
    return reply;
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }

  private async connect(): Promise<net.Socket> {
    const socket = net.connect({ host: this.url.hostname, port: Number(this.url.port) });
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    socket.removeAllListeners("error");
    socket.on("data", (chunk: Buffer) => this.take(chunk));
    const lost = (reason?: Error): void => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      this.received = Buffer.alloc(0);
      const { waiting } = this;
      this.waiting = undefined;
      waiting?.reject(reason ?? new Error("connection closed before the reply"));
    };
    socket.on("error", lost);
    socket.on("close", () => lost());
    this.socket = socket;
    return socket;
  }

  private take(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    const headEnd = this.received.indexOf(endOfHead);
    if (headEnd < 0) return;
    const head = parseHead(this.received.toString("latin1", 0, headEnd));
    const bodyStart = headEnd + 4;
    const complete = head.chunked
      ? this.received.subarray(-lastChunk.length).equals(lastChunk)
      : this.received.length >= bodyStart + head.length;
    if (!complete) return;
    const body = this.received.subarray(bodyStart);
    this.received = Buffer.alloc(0);
    const { waiting } = this;
    this.waiting = undefined;
    if (head.closes) this.close();
    waiting?.resolve({
      accepted: head.status >= 200 && head.status < 300,
      busy: head.status === 429 || head.status === 503,
      status: head.status,
      retryAfterMs: head.retryAfterMs,
      bodyBytes: head.chunked ? 0 : head.length,
      text: head.status >= 300 ? body.toString("utf8", 0, 200) : "",
    });
  }
}
