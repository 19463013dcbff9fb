/** What a UDP server counts: the metrics of Jaeger's agent, and why datagrams were not taken. */

import type { Counter, CounterTable } from "../base/counters.ts";

const SERVER = "jaeger_agent_thrift_udp_server_";
const LABELS = ["model", "protocol"];

/** Numbers of a socket that are read when asked for. */
export interface UdpGauges {
  readonly queuedPackets: () => number;
  readonly kernelDrops: () => number;
  readonly receiveBufferBytes: () => number;
}

/** Counters of one socket. */
export class UdpMeters {
  readonly #counters: CounterTable;
  readonly #values: readonly string[];
  readonly #port: string;
  readonly #processed: Counter;
  readonly #handlerErrors: Counter;
  readonly #readErrors: Counter;
  readonly #allDropped: Counter;
  readonly #dropped = new Map<string, Counter>();
  readonly #closed: (seconds: number) => void;
  #lastBytes = 0;

  constructor(counters: CounterTable, model: string, protocol: string, port: number) {
    this.#counters = counters;
    this.#values = [model, protocol];
    this.#port = String(port);
    const counter = (name: string, help: string): Counter =>
      counters.counter(name, help, LABELS, this.#values);
    this.#processed = counter(`${SERVER}packets_processed_total`, "Datagrams taken to be decoded.");
    const droppedHelp = "Datagrams not decoded: too large, or too many waited.";
    this.#allDropped = counter(`${SERVER}packets_dropped_total`, droppedHelp);
    this.#readErrors = counter(`${SERVER}read_errors_total`, "Errors of the socket.");
    const closeTime = "jaeger_agent_thrift_udp_t_processor_close_time";
    const closeHelp = "Seconds a stop took, from the last datagram until all that came was taken.";
    this.#closed = counters.histogram(closeTime, closeHelp, LABELS, this.#values);
    const handler = "jaeger_agent_thrift_udp_t_processor_handler_errors_total";
    this.#handlerErrors = counter(handler, "Datagrams that are no valid message.");
  }

  /** Registers the numbers that are read when asked for. */
  watch(gauges: UdpGauges): void {
    const values = [...this.#values, this.#port];
    const labels = [...LABELS, "port"];
    const gauge = (name: string, help: string, read: () => number): void =>
      this.#counters.gauge(name, help, read, labels, values);
    const queueHelp = "Datagrams received and not decoded yet.";
    this.#counters.gauge(
      `${SERVER}queue_size`,
      queueHelp,
      gauges.queuedPackets,
      LABELS,
      this.#values,
    );
    const sizeHelp = "Bytes of the datagram received last.";
    const read = (): number => this.#lastBytes;
    this.#counters.gauge(`${SERVER}packet_size`, sizeHelp, read, LABELS, this.#values);
    const dropsHelp = "Datagrams the kernel dropped as the socket's buffer was full, from /proc.";
    gauge("spoor_udp_kernel_dropped_packets", dropsHelp, gauges.kernelDrops);
    const bufferHelp = "The socket's receive buffer as the kernel counts it.";
    gauge("spoor_udp_receive_buffer_bytes", bufferHelp, gauges.receiveBufferBytes);
  }

  received(bytes: number): void {
    this.#lastBytes = bytes;
  }

  taken(understood: boolean): void {
    this.#processed.value++;
    if (!understood) this.#handlerErrors.value++;
  }

  closed(seconds: number): void {
    this.#closed(seconds);
  }

  readError(): void {
    this.#readErrors.value++;
  }

  dropped(reason: "too-large" | "queue-full"): void {
    this.#allDropped.value++;
    let counter = this.#dropped.get(reason);
    if (counter === undefined) {
      const help = "Datagrams not decoded, by reason.";
      const name = "spoor_udp_dropped_packets_total";
      const labels = [...LABELS, "reason"];
      counter = this.#counters.counter(name, help, labels, [...this.#values, reason]);
      this.#dropped.set(reason, counter);
    }
    counter.value++;
  }
}
