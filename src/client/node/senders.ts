// jaeger-client's senders by their names and options, for applications that build a reporter.
import { SpanQueue } from "../span-queue.ts";
import { keepFlushed, queueOptionsFor } from "./platform.ts";
import type { Logger } from "../types.ts";

export interface UDPSenderOptions {
  host?: string;
  port?: number;
  socketType?: string;
  /** `binary` or `compact`. */
  protocol?: string;
  logger?: Logger;
}

export interface HTTPSenderOptions {
  endpoint: string;
  username?: string;
  password?: string;
  authToken?: string;
  headers?: Record<string, string>;
  timeoutMs?: number;
  logger?: Logger;
}

/** Sends to an agent. */
export class UDPSender extends SpanQueue {
  constructor(options: UDPSenderOptions = {}) {
    const { host, port, socketType, protocol, logger } = options;
    const config = {
      agentHost: host,
      agentPort: port,
      agentSocketType: socketType,
      agentProtocol: protocol,
    };
    super({ ...queueOptionsFor(config), logger });
    keepFlushed(this);
  }
}

/** Sends to a collector: Thrift, or OTLP when the endpoint's path ends in `/v1/traces`. */
export class HTTPSender extends SpanQueue {
  constructor({ endpoint, logger, ...rest }: HTTPSenderOptions) {
    super({ ...queueOptionsFor({ ...rest, collectorEndpoint: endpoint }), logger });
    keepFlushed(this);
  }
}
