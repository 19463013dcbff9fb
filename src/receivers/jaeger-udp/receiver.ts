/** Receives what Jaeger's clients send to their agent by UDP, one Thrift message a datagram. */

import type { Clock } from "../../base/clock.ts";
import type { Counter, CounterTable } from "../../base/counters.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { isSpoorError } from "../../core/errors.ts";
import type { Origin, Rejections, Sink } from "../../core/flow.ts";
import { LIMITS } from "../../core/limits.ts";
import { startUdpServer } from "../../net/udp-server.ts";
import type { UdpServer } from "../../net/udp-server.ts";
import { JaegerThriftMessages } from "../../wire/jaeger-thrift-messages.ts";
import type { RejectedReasons } from "../../wire/otlp-decoded.ts";
import { ZipkinThriftMessages } from "../../wire/zipkin-thrift-messages.ts";
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

/** What reads messages of a kind into one batch. */
interface Reader {
  readonly spansRead: number;
  add(packet: Uint8Array): { readonly rejectedReasons: RejectedReasons };
  finish(allocate?: (sizeBytes: number) => Uint8Array): SpanBatch;
}

/**
 * From datagrams to the sink; those that come within some milliseconds are one batch. Nobody can
 * be answered: all there is to do is count.
 */
class PacketIntake {
  readonly #options: JaegerUdpOptions;
  readonly #model: Model;
  readonly #labels: readonly string[];
  readonly #results = new Map<string, Counter>();
  readonly #jaeger: Joined<JaegerThriftMessages>;
  readonly #zipkin: Joined<ZipkinThriftMessages>;

  constructor(options: JaegerUdpOptions, model: Model, protocol: Protocol) {
    this.#options = options;
    this.#model = model;
    this.#labels = [model, protocol];
    const count = (result: string, messages: number): void => this.#count(result, messages);
    this.#jaeger = new Joined(new JaegerThriftMessages(protocol), JAEGER, options, count);
    this.#zipkin = new Joined(new ZipkinThriftMessages(protocol), ZIPKIN, options, count);
  }

  /** True when the packet was a message. */
  take(packet: Uint8Array): boolean {
    // Zipkin's port takes both messages, as Jaeger's does.
    if (this.#model === "zipkin" && isZipkinMessage(packet)) {
      return this.#zipkin.take(packet) !== undefined;
    }
    const message = this.#jaeger.take(packet);
    if (message === undefined) return false;
    this.#options.clients.received(message.client, message.seqNo, message.stats);
    return true;
  }

  /** Resolves when every batch so far was taken or refused. */
  async settled(): Promise<void> {
    await Promise.all([this.#jaeger.settled(), this.#zipkin.settled()]);
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

/** Messages of one kind until they are a batch, and the batches on their way. */
class Joined<R extends Reader> {
  readonly #reader: R;
  readonly #origin: Origin;
  readonly #options: JaegerUdpOptions;
  readonly #count: (result: string, messages: number) => void;
  /** Messages that are being collected; of the partial ones some spans were left out. */
  #ok = 0;
  #partial = 0;
  #bytes = 0;
  /** Ends the wait for more. */
  #cancelWait: (() => void) | undefined;
  #lastImage = new Uint8Array(0);
  #pushing = 0;
  #idle: (() => void) | undefined;

  constructor(
    reader: R,
    origin: Origin,
    options: JaegerUdpOptions,
    count: (result: string, messages: number) => void,
  ) {
    this.#reader = reader;
    this.#origin = origin;
    this.#options = options;
    this.#count = count;
  }

  /** What the message told; undefined when it was none, which is counted. */
  take(packet: Uint8Array): ReturnType<R["add"]> | undefined {
    const { clock, rejections } = this.#options;
    try {
      const message = this.#reader.add(packet) as ReturnType<R["add"]>;
      this.#note(message.rejectedReasons);
      this.#bytes += packet.length;
      if (this.#bytes >= LIMITS.udpBatchBytes) this.#flush();
      else this.#cancelWait ??= clock.after(LIMITS.udpBatchMs, () => this.#flush());
      return message;
    } catch (error) {
      if (!isSpoorError(error)) throw error;
      rejections.rejected(error.code, this.#reader.spansRead, this.#origin);
      this.#count(error.code, 1);
      return undefined;
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

  #note({ traceId, spanId }: RejectedReasons): void {
    const { rejections } = this.#options;
    if (traceId > 0) rejections.rejected("trace-id", traceId, this.#origin);
    if (spanId > 0) rejections.rejected("span-id", spanId, this.#origin);
    if (traceId + spanId === 0) this.#ok++;
    else this.#partial++;
  }

  /** Pushes what is collected. */
  #flush(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    const [ok, partial] = [this.#ok, this.#partial];
    if (ok + partial === 0) return;
    this.#ok = 0;
    this.#partial = 0;
    this.#bytes = 0;
    const reuse = this.#options.sinkLetsGo === true && this.#pushing === 0;
    const batch = this.#reader.finish(reuse ? (size) => this.#image(size) : undefined);
    void this.#push(batch, ok, partial);
  }

  /** Memory of the batch before: new for each had V8 collect its heap 7 times a second. */
  #image(sizeBytes: number): Uint8Array {
    if (this.#lastImage.length < sizeBytes) this.#lastImage = new Uint8Array(sizeBytes * 2);
    return this.#lastImage.subarray(0, sizeBytes);
  }

  async #push(batch: SpanBatch, ok: number, partial: number): Promise<void> {
    this.#pushing++;
    try {
      if (batch.spanCount > 0) await this.#options.sink.push(batch, this.#origin);
      this.#count("ok", ok);
      this.#count("partial", partial);
    } catch (error) {
      if (!isSpoorError(error)) this.#options.onFault?.(error);
      this.#count(isSpoorError(error) ? error.code : "fault", ok + partial);
    }
    if (--this.#pushing === 0) this.#idle?.();
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
