/** Receives what Jaeger's clients send to their agent by UDP, one Thrift message a datagram. */

import type { Counter, CounterTable } from "../../base/counters.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { isSpoorError } from "../../core/errors.ts";
import type { Origin, Rejections, Sink } from "../../core/flow.ts";
import { startUdpServer } from "../../net/udp-server.ts";
import type { UdpServer } from "../../net/udp-server.ts";
import { decodeJaegerThriftMessage } from "../../wire/jaeger-thrift-decode.ts";
import type { JaegerThriftDecoded } from "../../wire/jaeger-thrift-decode.ts";
import type { OtlpDecoded } from "../../wire/otlp-decoded.ts";
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
  readonly rejections: Rejections;
  /** One for all processors of an agent. */
  readonly clients: ClientStatsMeter;
  readonly counters: CounterTable;
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

/** From datagrams to the sink. Nobody can be answered: all there is to do is count. */
class PacketIntake {
  readonly #options: JaegerUdpOptions;
  readonly #model: Model;
  readonly #protocol: Protocol;
  readonly #labels: readonly string[];
  readonly #results = new Map<string, Counter>();
  /** Decoding is synchronous, so one builder serves all packets. */
  readonly #builder = new BatchBuilder();
  #pushing = 0;
  #idle: (() => void) | undefined;

  constructor(options: JaegerUdpOptions, model: Model, protocol: Protocol) {
    this.#options = options;
    this.#model = model;
    this.#protocol = protocol;
    this.#labels = [model, protocol];
  }

  /** True when the packet was a message. */
  take(packet: Uint8Array): boolean {
    const decoded = this.#decode(packet);
    if (decoded === undefined) return false;
    const { batch, rejected, rejectedReasons, origin } = decoded;
    const { clients, rejections } = this.#options;
    const { traceId, spanId } = rejectedReasons;
    if (traceId > 0) rejections.rejected("trace-id", traceId, origin);
    if (spanId > 0) rejections.rejected("span-id", spanId, origin);
    if ("seqNo" in decoded) clients.received(batch, decoded.seqNo, decoded.stats);
    if (batch.spanCount === 0) this.#count(rejected === 0 ? "ok" : "partial");
    else void this.#push(decoded, origin);
    return true;
  }

  /** Resolves when every batch so far was taken or refused. */
  async settled(): Promise<void> {
    if (this.#pushing === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Zipkin's port takes both messages, as Jaeger's does. */
  #decode(packet: Uint8Array): Packet | undefined {
    const builder = this.#builder;
    const isZipkin = this.#model === "zipkin" && isZipkinMessage(packet);
    try {
      if (isZipkin) {
        return {
          ...decodeZipkinThriftMessage(packet, this.#protocol, { builder }),
          origin: ZIPKIN,
        };
      }
      const decoded = decodeJaegerThriftMessage(packet, this.#protocol, { builder });
      return { ...decoded, origin: JAEGER };
    } catch (error) {
      if (!isSpoorError(error)) throw error;
      const origin = isZipkin ? ZIPKIN : JAEGER;
      this.#options.rejections.rejected(error.code, builder.spanCount, origin);
      this.#count(error.code);
      return undefined;
    }
  }

  async #push({ batch, rejected }: Packet, origin: Origin): Promise<void> {
    this.#pushing++;
    try {
      await this.#options.sink.push(batch, origin);
      this.#count(rejected === 0 ? "ok" : "partial");
    } catch (error) {
      if (!isSpoorError(error)) this.#options.onFault?.(error);
      this.#count(isSpoorError(error) ? error.code : "fault");
    }
    if (--this.#pushing === 0) this.#idle?.();
  }

  #count(result: string): void {
    let counter = this.#results.get(result);
    if (counter === undefined) {
      const help = "Messages by UDP and what became of them: ok, partial, or an error's code.";
      const labels = ["model", "protocol", "result"];
      const values = [...this.#labels, result];
      const { counters } = this.#options;
      counter = counters.counter("spoor_udp_messages_total", help, labels, values);
      this.#results.set(result, counter);
    }
    counter.value++;
  }
}

const JAEGER = { format: "jaeger", transport: "udp" } as const satisfies Origin;
const ZIPKIN = { format: "zipkin", transport: "udp" } as const satisfies Origin;
const ZIPKIN_METHOD = "emitZipkinBatch";
/** A message's name comes after some bytes of kind, number and length. */
const NAME_END = 32;

/** A decoded packet, with what it was. */
type Packet =
  | (JaegerThriftDecoded & { readonly origin: typeof JAEGER })
  | (OtlpDecoded & { readonly origin: typeof ZIPKIN });

function isZipkinMessage(packet: Uint8Array): boolean {
  return String.fromCharCode(...packet.subarray(0, NAME_END)).includes(ZIPKIN_METHOD);
}
