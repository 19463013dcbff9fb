// A sender for pages that report Thrift: imported by its name, so that no other page carries it.
import { systemTimers } from "./clock.ts";
import { FetchTransport } from "./fetch-transport.ts";
import { PAGE_BATCH_BYTES } from "./limits.ts";
import { OtlpFormat } from "./otlp-format.ts";
import { SpanQueue } from "./span-queue.ts";
import { flushWhenHidden } from "./page.ts";
import { ThriftFormat } from "./thrift-format.ts";
import type { HttpTransportOptions } from "./http-result.ts";
import type { Logger } from "./types.ts";

export interface HTTPSenderOptions extends Omit<HttpTransportOptions, "contentType"> {
  logger?: Logger | undefined;
}

/** The same as on Node: Thrift, or OTLP when the endpoint's path ends in `/v1/traces`. */
export class HTTPSender extends SpanQueue {
  constructor({ logger, ...options }: HTTPSenderOptions) {
    const isOtlp = options.endpoint.split(/[?#]/, 1)[0]!.endsWith("/v1/traces");
    const format = isOtlp ? new OtlpFormat() : new ThriftFormat("binary", false);
    const transport = new FetchTransport({ ...options, contentType: format.contentType });
    super({ format, transport, timers: systemTimers, maxBatchBytes: PAGE_BATCH_BYTES, logger });
    flushWhenHidden(this);
  }
}
