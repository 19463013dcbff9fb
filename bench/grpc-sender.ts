/** Sends requests, of OTLP unless told otherwise, as gRPC calls over one HTTP/2 connection. */

import * as http2 from "node:http2";
import type { Reply, Sender } from "./sender.ts";

const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const codes = { ok: 0, resourceExhausted: 8, unavailable: 14, unknown: 2 };

function retryDelayMs(details: string | undefined): number {
  if (details === undefined) return 0;
  // google.rpc.Status { details: Any { RetryInfo { Duration { seconds: 1, nanos: 2 } } } }:
  // the bench only needs to know that there is one, so it waits the shortest useful time.
  return Buffer.from(details, "base64").includes("RetryInfo") ? 100 : 0;
}

/** One HTTP/2 connection; calls may overlap. */
export class GrpcSender implements Sender {
  private readonly session: http2.ClientHttp2Session;
  private readonly path: string;
  private broken: Error | undefined;

  constructor(address: string, path: string = exportPath) {
    this.path = path;
    this.session = http2.connect(`http://${address}`, {
      settings: { initialWindowSize: 1 << 20 },
    });
    this.session.on("error", (reason: Error) => {
      this.broken = reason;
    });
  }

  send(body: Buffer): Promise<Reply> {
    if (this.broken !== undefined) return Promise.reject(this.broken);
    return new Promise((resolve, reject) => {
      const stream = this.session.request({
        ":method": "POST",
        ":path": this.path,
        "content-type": "application/grpc",
        te: "trailers",
      });
      let received = 0;
      let trailers: http2.IncomingHttpHeaders = {};
      stream.on("response", (headers) => {
        if (headers["grpc-status"] !== undefined) trailers = headers;
      });
      stream.on("trailers", (headers) => {
        trailers = headers;
      });
      stream.on("data", (chunk: Buffer) => {
        received += chunk.length;
      });
      stream.on("error", reject);
      stream.on("close", () => {
        const status = Number(trailers["grpc-status"] ?? codes.unknown);
        resolve({
          accepted: status === codes.ok,
          busy: status === codes.unavailable || status === codes.resourceExhausted,
          status,
          retryAfterMs: retryDelayMs(trailers["grpc-status-details-bin"]?.toString()),
          bodyBytes: Math.max(0, received - 5),
          text: trailers["grpc-message"]?.toString() ?? "",
        });
      });
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(body.length, 1);
      stream.write(prefix);
      stream.end(body);
    });
  }

  close(): void {
    this.session.destroy();
  }
}
