// Baggage: which keys may be set, how long values may be, and the log each change leaves.
import {
  BAGGAGE_ITEMS,
  BAGGAGE_KEYS_CACHED,
  BAGGAGE_LENGTH,
  BAGGAGE_VALUE_LENGTH,
} from "./limits.ts";
import type { Metrics } from "./metrics.ts";
import type { Span } from "./span.ts";
import type { SpanContext } from "./span-context.ts";

export interface BaggageRestriction {
  readonly keyAllowed: boolean;
  readonly maxValueLength: number;
}

/** Says what may be done with a key; asked at every `setBaggageItem`. */
export interface BaggageRestrictions {
  getRestriction(service: string, key: string): BaggageRestriction;
  /** Stops asking for restrictions. */
  close?(): void;
}

/** Allows every key, with values up to one length. */
export class FixedBaggageRestrictions implements BaggageRestrictions {
  readonly #restriction: BaggageRestriction;

  constructor(maxValueLength = BAGGAGE_VALUE_LENGTH) {
    this.#restriction = { keyAllowed: true, maxValueLength };
  }

  getRestriction(): BaggageRestriction {
    return this.#restriction;
  }
}

/** True when one more item would make a baggage that others cut or refuse. */
export function baggageIsFull(
  baggage: Readonly<Record<string, string>>,
  key: string,
  value: string,
): boolean {
  let items = 1;
  let length = key.length + value.length;
  for (const other in baggage) {
    if (other === key) continue;
    items++;
    length += other.length + baggage[other]!.length;
  }
  return items > BAGGAGE_ITEMS || length > BAGGAGE_LENGTH;
}

/** Sets baggage items under the restrictions and logs each change on a sampled span. */
export class BaggageSetter {
  readonly #restrictions: BaggageRestrictions;
  readonly #metrics: Metrics | null;
  readonly #normalized = new Map<string, string>();

  constructor(restrictions: BaggageRestrictions, metrics: Metrics | null) {
    this.#restrictions = restrictions;
    this.#metrics = metrics;
  }

  /** Keys travel in header names: lower case, with dashes. */
  normalize(key: string): string {
    const known = this.#normalized.get(key);
    if (known !== undefined) return known;
    const normalized = String(key).replace(/_/g, "-").toLowerCase();
    if (this.#normalized.size < BAGGAGE_KEYS_CACHED) this.#normalized.set(key, normalized);
    return normalized;
  }

  /** The context with the item, or the span's own when the item is refused. */
  set(span: Span, rawKey: string, rawValue: string): SpanContext {
    const key = this.normalize(rawKey);
    const context = span.context();
    const { baggage } = context;
    const restriction = this.#restrictions.getRestriction(span.serviceName, key);
    let value = String(rawValue);
    const cut = value.length > restriction.maxValueLength;
    if (cut) value = value.slice(0, restriction.maxValueLength);
    const allowed =
      restriction.keyAllowed && key !== "__proto__" && !baggageIsFull(baggage, key, value);
    const previous = Object.hasOwn(baggage, key) ? baggage[key] : undefined;
    this.#log(span, { key, value, previous, cut: cut && allowed, invalid: !allowed });
    if (!allowed) {
      this.#metrics?.baggageUpdateFailure.increment(1);
      return context;
    }
    if (cut) this.#metrics?.baggageTruncate.increment(1);
    this.#metrics?.baggageUpdateSuccess.increment(1);
    return context.withBaggageItem(key, value);
  }

  #log(
    span: Span,
    change: { key: string; value: string; previous: unknown; cut: boolean; invalid: boolean },
  ): void {
    if (!span.context().isSampled()) return;
    const fields: Record<string, string> = {
      event: "baggage",
      key: change.key,
      value: change.value,
    };
    if (change.previous !== undefined) fields["override"] = "true";
    if (change.cut) fields["truncated"] = "true";
    if (change.invalid) fields["invalid"] = "true";
    span.log(fields);
  }
}
