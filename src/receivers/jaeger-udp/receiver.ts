/** Receives what Jaeger's clients send to their agent by UDP, one Thrift message a datagram. */

import type { Clock } from "../../base/clock.ts";
import type { Counter, CounterTable } from "../../base/counters.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { isSpoorError } from "../../core/errors.ts";
import type { Origin, Rejections, Sink } from "../../core/flow.ts";
import { LIMITS } from "../../core/limits.ts";
import { startUdpServer } from "../../net/udp-server.ts";
import type { UdpServer } from "../../net/udp-server.ts";
import { JaegerThriftMessages } from "../../wire/jaeger-thrift-messages.ts";
import type { RejectedReasons } from "../../wire/otlp-decoded.ts";
import { decodeZipkinThriftMessage } from "../../wire/zipkin-thrift-decode.ts";
import type { ClientStatsMeter } from "./client-stats.ts";

/** The doors of an agent, by the names of their flags. */
export type UdpProcessor = "zipkin-compact" | "jaeger-compact" | "jaeger-binary";

export interface JaegerUdpOptions {
  readonly processor: UdpProcessor;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly maxPacketBytes: number;
  readonly queuePackets: number;
  readonly receiveBufferBytes: number;
  readonly sink: Sink;
  /** Whether the sink has no more use for a batch once its push has resolved. */
  readonly sinkLetsGo?: boolean;
  readonly rejections: Rejections;
  /** One for all processors of an agent. */
  readonly clients: ClientStatsMeter;
  readonly counters: CounterTable;
  readonly clock: Clock;
  /** Told of errors that are our own bugs. */
  readonly onFault?: (error: unknown) => void;
}

/** Starts a processor; rejects with SpoorError `in-use` or `config` when it cannot bind. */
export async function startJaegerUdp(options: JaegerUdpOptions): Promise<UdpServer> {
  const [model, protocol] = PARTS[options.processor];
  const intake = new PacketIntake(options, model, protocol);
  const { host, port, maxPacketBytes, queuePackets, receiveBufferBytes, counters } = options;
  const server = await startUdpServer({
    host,
    port,
    flag: `processor.${options.processor}.server-host-port`,
    model,
    protocol,
    maxPacketBytes,
    queuePackets,
    receiveBufferBytes,
    counters,
    take: (packet) => intake.take(packet),
    ...(options.onFault === undefined ? {} : { onFault: options.onFault }),
  });
  return {
    host: server.host,
    port: server.port,
    async close() {
      await server.close();
      await intake.settled();
    },
  };
}

type Model = "jaeger" | "zipkin";
type Protocol = "compact" | "binary";

const PARTS: { readonly [P in UdpProcessor]: readonly [Model, Protocol] } = {
  "zipkin-compact": ["zipkin", "compact"],
  "jaeger-compact": ["jaeger", "compact"],
  "jaeger-binary": ["jaeger", "binary"],
};

/** What became of messages of one batch. */
interface Messages {
  ok: number;
  /** Some of their spans were left out. */
  partial: number;
}

/**
 * From datagrams to the sink; those that come within some milliseconds are one batch. Nobody can
 * be answered: all there is to do is count.
 */
class PacketIntake {
  readonly #options: JaegerUdpOptions;
  readonly #model: Model;
  readonly #protocol: Protocol;
  readonly #labels: readonly string[];
  readonly #results = new Map<string, Counter>();
  readonly #messages: JaegerThriftMessages;
  /** What is being collected, and the end of the wait for more. */
  #collected: Messages = { ok: 0, partial: 0 };
  #collectedBytes = 0;
  #cancelWait: (() => void) | undefined;
  #lastImage = new Uint8Array(0);
  /** Decoding is synchronous, so one builder serves all of Zipkin's packets. */
  readonly #zipkin = new BatchBuilder();
  #pushing = 0;
  #idle: (() => void) | undefined;

  constructor(options: JaegerUdpOptions, model: Model, protocol: Protocol) {
    this.#options = options;
    this.#model = model;
    this.#protocol = protocol;
    this.#labels = [model, protocol];
    this.#messages = new JaegerThriftMessages(protocol);
  }

  /** True when the packet was a message. */
  take(packet: Uint8Array): boolean {
    // Zipkin's port takes both messages, as Jaeger's does.
    const isZipkin = this.#model === "zipkin" && isZipkinMessage(packet);
    try {
      if (isZipkin) this.#takeZipkin(packet);
      else this.#takeJaeger(packet);
      return true;
    } catch (error) {
      if (!isSpoorError(error)) throw error;
      const spans = isZipkin ? this.#zipkin.spanCount : this.#messages.spansRead;
      this.#options.rejections.rejected(error.code, spans, isZipkin ? ZIPKIN : JAEGER);
      this.#count(error.code, 1);
      return false;
    }
  }

  /** Resolves when every batch so far was taken or refused. */
  async settled(): Promise<void> {
    this.#flush();
    if (this.#pushing === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #takeZipkin(packet: Uint8Array): void {
    const options = { builder: this.#zipkin };
    const decoded = decodeZipkinThriftMessage(packet, this.#protocol, options);
    const messages = { ok: 0, partial: 0 };
    this.#note(decoded.rejectedReasons, messages, ZIPKIN);
    void this.#push(decoded.batch, messages, ZIPKIN);
  }

  #takeJaeger(packet: Uint8Array): void {
    const { clients, clock } = this.#options;
    const { rejectedReasons, client, seqNo, stats } = this.#messages.add(packet);
    this.#note(rejectedReasons, this.#collected, JAEGER);
    clients.received(client, seqNo, stats);
    this.#collectedBytes += packet.length;
    if (this.#collectedBytes >= LIMITS.udpBatchBytes) this.#flush();
    else this.#cancelWait ??= clock.after(LIMITS.udpBatchMs, () => this.#flush());
  }

  #note({ traceId, spanId }: RejectedReasons, messages: Messages, origin: Origin): void {
    const { rejections } = this.#options;
    if (traceId > 0) rejections.rejected("trace-id", traceId, origin);
    if (spanId > 0) rejections.rejected("span-id", spanId, origin);
    messages[traceId + spanId === 0 ? "ok" : "partial"]++;
  }

  /** Pushes what is collected. */
  #flush(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    const { ok, partial } = this.#collected;
    if (ok + partial === 0) return;
    this.#collected = { ok: 0, partial: 0 };
    this.#collectedBytes = 0;
    const reuse = this.#options.sinkLetsGo === true && this.#pushing === 0;
    const batch = this.#messages.finish(reuse ? (size) => this.#image(size) : undefined);
    void this.#push(batch, { ok, partial }, JAEGER);
  }

  /** Memory of the batch before: new for each had V8 collect its heap 7 times a second. */
  #image(sizeBytes: number): Uint8Array {
    if (this.#lastImage.length < sizeBytes) this.#lastImage = new Uint8Array(sizeBytes * 2);
    return this.#lastImage.subarray(0, sizeBytes);
  }

  async #push(batch: SpanBatch, { ok, partial }: Messages, origin: Origin): Promise<void> {
    this.#pushing++;
    try {
      if (batch.spanCount > 0) await this.#options.sink.push(batch, origin);
      this.#count("ok", ok);
      this.#count("partial", partial);
    } catch (error) {
      if (!isSpoorError(error)) this.#options.onFault?.(error);
      this.#count(isSpoorError(error) ? error.code : "fault", ok + partial);
    }
    if (--this.#pushing === 0) this.#idle?.();
  }

  #count(result: string, messages: number): void {
    if (messages === 0) return;
    let counter = this.#results.get(result);
    if (counter === undefined) {
      const help = "Messages by UDP and what became of them: ok, partial, or an error's code.";
      const labels = ["model", "protocol", "result"];
      const values = [...this.#labels, result];
      const { counters } = this.#options;
      counter = counters.counter("spoor_udp_messages_total", help, labels, values);
      this.#results.set(result, counter);
    }
    counter.value += messages;
  }
}

const JAEGER = { format: "jaeger", transport: "udp" } as const satisfies Origin;
const ZIPKIN = { format: "zipkin", transport: "udp" } as const satisfies Origin;
const ZIPKIN_METHOD = "emitZipkinBatch";
/** A message's name comes after some bytes of kind, number and length. */
const NAME_END = 32;

function isZipkinMessage(packet: Uint8Array): boolean {
  return String.fromCharCode(...packet.subarray(0, NAME_END)).includes(ZIPKIN_METHOD);
}
