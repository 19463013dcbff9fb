// Baggage restrictions that an agent publishes: `GET /baggageRestrictions?service=`.
import { BAGGAGE_KEYS_RESTRICTED, BAGGAGE_VALUE_LENGTH } from "./limits.ts";
import type { BaggageRestriction, BaggageRestrictions } from "./baggage.ts";
import type { Timers } from "./clock.ts";
import type { FetchText } from "./control.ts";
import type { Metrics } from "./metrics.ts";
import type { Logger } from "./types.ts";

export interface RemoteBaggageRestrictionsOptions {
  baseUrl: string;
  timers: Timers;
  fetchText: FetchText;
  refreshIntervalMs?: number | undefined;
  /** Refuse every key until the first answer, instead of allowing every key. */
  denyBaggageOnInitializationFailure?: boolean | undefined;
  metrics?: Metrics | null | undefined;
  logger?: Logger | undefined;
}

const REFRESH_INTERVAL_MS = 60_000;
const REFUSED: BaggageRestriction = { keyAllowed: false, maxValueLength: 0 };

export class RemoteBaggageRestrictions implements BaggageRestrictions {
  readonly #service: string;
  readonly #options: RemoteBaggageRestrictionsOptions;
  readonly #untilKnown: BaggageRestriction;
  #byKey: Map<string, BaggageRestriction> | null = null;
  #cancel: () => void;

  constructor(service: string, options: RemoteBaggageRestrictionsOptions) {
    this.#service = service;
    this.#options = options;
    this.#untilKnown = options.denyBaggageOnInitializationFailure
      ? REFUSED
      : { keyAllowed: true, maxValueLength: BAGGAGE_VALUE_LENGTH };
    this.#cancel = options.timers.after(0, () => this.#poll());
  }

  #poll(): void {
    this.refresh();
    const intervalMs = this.#options.refreshIntervalMs ?? REFRESH_INTERVAL_MS;
    this.#cancel = this.#options.timers.after(intervalMs, () => this.#poll());
  }

  /** Asks now; an answer that fails or is malformed leaves the restrictions as they are. */
  refresh(callback?: () => void): void {
    const { baseUrl, fetchText, metrics, logger } = this.#options;
    const query = `service=${encodeURIComponent(this.#service)}`;
    fetchText(`${baseUrl}/baggageRestrictions?${query}`, (error, body) => {
      try {
        if (error !== null) throw error;
        this.#take(JSON.parse(body));
        metrics?.baggageRestrictionsUpdateSuccess.increment(1);
      } catch (cause) {
        metrics?.baggageRestrictionsUpdateFailure.increment(1);
        logger?.error(`Error in fetching baggage restrictions: ${String(cause)}`);
      }
      callback?.();
    });
  }

  #take(answer: unknown): void {
    if (!Array.isArray(answer)) throw new Error("Malformed response");
    const byKey = new Map<string, BaggageRestriction>();
    for (const item of answer.slice(0, BAGGAGE_KEYS_RESTRICTED)) {
      const { baggageKey, maxValueLength } = item as Record<string, unknown>;
      byKey.set(String(baggageKey), { keyAllowed: true, maxValueLength: Number(maxValueLength) });
    }
    this.#byKey = byKey;
  }

  getRestriction(_service: string, key: string): BaggageRestriction {
    if (this.#byKey === null) return this.#untilKnown;
    return this.#byKey.get(key) ?? REFUSED;
  }

  close(): void {
    this.#cancel();
  }
}
