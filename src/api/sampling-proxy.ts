/** Sampling strategies from the collectors, kept for a while, for the clients of an agent. */

import type { Clock } from "../base/clock.ts";
import type { Counter, CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { SamplingSource, SamplingStrategy } from "../core/sampling.ts";
import type { GrpcCaller } from "../net/grpc-channel.ts";
import type { GrpcReply } from "../net/grpc-reply-reader.ts";
import { decodeSamplingResponse, encodeSamplingRequest } from "../wire/sampling-proto.ts";

const PATH = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";

/** Go's names of the codes: clients' logs have always had them. */
const CODE_NAMES = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

interface Known {
  readonly strategy: SamplingStrategy;
  readonly atMs: number;
}

/** Asks collectors, one call a service at a time, and remembers what they said. */
export class SamplingProxy implements SamplingSource {
  readonly #caller: GrpcCaller;
  readonly #clock: Clock;
  /** The service asked for longest ago comes first. */
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<SamplingStrategy>>();
  readonly #good: Counter;
  readonly #bad: Counter;

  constructor(options: {
    readonly caller: GrpcCaller;
    readonly counters: CounterTable;
    readonly clock: Clock;
  }) {
    this.#caller = options.caller;
    this.#clock = options.clock;
    const result = (value: string): Counter =>
      options.counters.counter(
        "jaeger_agent_collector_proxy_total",
        "Questions of clients that were passed on to a collector.",
        ["endpoint", "protocol", "result"],
        ["sampling", "grpc", value],
      );
    this.#good = result("ok");
    this.#bad = result("err");
  }

  /**
   * What a collector said at most `samplingFreshMs` ago. When none can be asked, what one said
   * at most `samplingStaleMs` ago. Rejects with the collector's error otherwise.
   */
  async strategyOf(service: string): Promise<SamplingStrategy> {
    const known = this.#known.get(service);
    const ageMs = known === undefined ? Infinity : this.#clock.monotonicMs() - known.atMs;
    if (known !== undefined && ageMs <= LIMITS.samplingFreshMs) return known.strategy;
    try {
      return await this.#ask(service);
    } catch (error) {
      if (known !== undefined && ageMs <= LIMITS.samplingStaleMs) return known.strategy;
      throw error;
    }
  }

  /** Many clients of one service start at once: they share a call. */
  #ask(service: string): Promise<SamplingStrategy> {
    let answer = this.#asking.get(service);
    if (answer === undefined) {
      answer = this.#call(service).finally(() => this.#asking.delete(service));
      this.#asking.set(service, answer);
    }
    return answer;
  }

  async #call(service: string): Promise<SamplingStrategy> {
    const request = encodeSamplingRequest(service);
    const reply = await this.#caller.call(PATH, request, LIMITS.samplingCallMs);
    if (reply.code !== 0) {
      this.#bad.value++;
      throw errorOf(reply);
    }
    try {
      const strategy = decodeSamplingResponse(reply.body);
      this.#good.value++;
      this.#remember(service, strategy);
      return strategy;
    } catch (error) {
      this.#bad.value++;
      throw error;
    }
  }

  #remember(service: string, strategy: SamplingStrategy): void {
    this.#known.delete(service);
    if (this.#known.size >= LIMITS.samplingServices) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(service, { strategy, atMs: this.#clock.monotonicMs() });
  }
}

function errorOf({ code, message }: GrpcReply): SpoorError {
  const name = CODE_NAMES[code] ?? `Code(${code})`;
  return new SpoorError("overloaded", `rpc error: code = ${name} desc = ${message}`);
}
