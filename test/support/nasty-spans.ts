/** Seeded spans and queries shaped like production where it hurts: ties, retries, mixed types. */

import type { Random } from "../../src/base/clock.ts";
import type { AttributeLevel, CompareOp, Filter, FilterValue } from "../../src/core/filter.ts";
import type { SpanField, Target } from "../../src/core/filter.ts";
import type { FindOrder, FindQuery } from "../../src/core/store.ts";
import { NO_PARENT, bool, double, int, serviceResource, text } from "./plain-spans.ts";
import type {
  PlainAttribute,
  PlainAttributes,
  PlainResource,
  PlainScope,
  PlainSpan,
} from "./plain-spans.ts";

const BASE_NS = 1_700_000_000_000_000_000n;
const SERVICES = ["cart", "checkout", "frontend", "payments", "Ünï", ""];
const NAMES = ["GET /", "GET /cart", "POST /pay", "", "q\u{1f98a}", "q\uff5e", "poll"];
const TEXTS = ["ok", "200", "500", "1e3", "error: timeout", "", "true", "\uff5e", "\u{1f98a}"];
const NUMBERS = [0n, 1n, -1n, 200n, 500n, 1000n, 9007199254740993n, 2n ** 63n - 1n, -(2n ** 63n)];
const DOUBLES = [0, -0, 0.5, 200, 1000, 9007199254740992, NaN, Infinity, -1e-7, 1e21, 0.1];
/** Keys that all spans have, some have and few have; types of the first are mixed. */
const KEYS = ["status", "http.url", "retry", "tenant", "rare.a", "rare.b", "ключ"];
const LEVELS: readonly AttributeLevel[] = ["span", "resource", "scope", "event", "link"];
const FIELDS: readonly SpanField[] = [
  "service",
  "name",
  "kind",
  "status",
  "statusMessage",
  "duration",
  "start",
  "traceId",
  "spanId",
  "parentSpanId",
  "traceState",
  "scopeName",
  "scopeVersion",
  "eventName",
  "linkTraceId",
  "linkSpanId",
  "isRoot",
];
const PATTERNS = ["^GET", "o", "\\d+", "(?i)ERROR", "time|pay", "^$", "[^a-z]", "cart.*7", "x{2}"];

export class Dice {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  below(count: number): number {
    return Math.floor(this.random() * count);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  hex(bytes: number): string {
    return Array.from({ length: bytes }, () => this.below(256).toString(16).padStart(2, "0")).join(
      "",
    );
  }
}

/** A world of traces, services and span ids that batches are drawn from. */
export class NastySpans {
  readonly dice: Dice;
  readonly traceHexes: readonly string[];
  readonly spanHexes: readonly string[];
  readonly resources: readonly PlainResource[];
  readonly scopes: readonly PlainScope[];
  /** All spans made so far, to be sent again. */
  readonly made: PlainSpan[] = [];

  constructor(random: Random, traceCount: number) {
    const dice = new Dice(random);
    this.dice = dice;
    const shared = dice.hex(8);
    this.traceHexes = Array.from({ length: traceCount }, (_, n) => {
      // Some share their upper or lower half, and 64-bit ids have an upper half of zeros.
      if (n % 7 === 0) return shared + dice.hex(8);
      if (n % 7 === 1) return dice.hex(8) + shared;
      return n % 7 === 2 ? NO_PARENT + dice.hex(8) : dice.hex(16);
    });
    this.spanHexes = Array.from({ length: 24 }, () => dice.hex(8));
    this.resources = [
      ...SERVICES.map((name) => serviceResource(name)),
      ...SERVICES.map((name) => ({
        attributes: this.#resourceAttributes(name),
        schemaUrl: dice.of(["", "https://s/1"]),
      })),
      { attributes: [], schemaUrl: "" },
      { attributes: [["service.name", int(7)]], schemaUrl: "" },
    ];
    this.scopes = [
      { name: "", version: "", attributes: [] },
      { name: "http", version: "1.2", attributes: [["tenant", text("ok")]] },
      { name: "db", version: "1.2", attributes: [["status", int(500)]] },
    ];
  }

  /** The next batch: new spans, and some that were sent before, alone or as they were. */
  batch(): PlainSpan[] {
    const { dice } = this;
    const count = 1 + dice.below(dice.chance(0.1) ? 60 : 12);
    const spans: PlainSpan[] = [];
    for (let n = 0; n < count; n++) {
      const again = this.made.length > 0 && dice.chance(0.15);
      const span = again ? this.#again(dice.of(this.made)) : this.#span();
      spans.push(span);
      this.made.push(span);
    }
    return spans;
  }

  /** The same content in other objects, or the same ids with other content. */
  #again(span: PlainSpan): PlainSpan {
    const { dice } = this;
    if (dice.chance(0.6)) return { ...span, resource: { ...span.resource } };
    return { ...span, kind: dice.below(6), resource: dice.of(this.resources) };
  }

  #span(): PlainSpan {
    const { dice } = this;
    return {
      traceHex: dice.of(this.traceHexes),
      spanHex: dice.of(this.spanHexes),
      parentHex: this.#parentHex(),
      startNs: this.startNs(),
      durationNs: this.durationNs(),
      name: dice.of(NAMES),
      kind: dice.below(6),
      status: dice.below(3),
      statusMessage: dice.chance(0.2) ? dice.of(TEXTS) : "",
      traceState: dice.chance(0.1) ? "a=b" : "",
      flags: dice.of([0, 1, 0x101, 0x20001]),
      droppedAttributes: dice.chance(0.05) ? 3 : 0,
      attributes: this.#attributes(),
      events: Array.from({ length: dice.chance(0.2) ? 1 + dice.below(3) : 0 }, () => ({
        atNs: this.startNs(),
        name: dice.of(["exception", "retry", ""]),
        attributes: this.#attributes().slice(0, 2),
      })),
      links: Array.from({ length: dice.chance(0.1) ? 1 + dice.below(2) : 0 }, () => ({
        traceHex: dice.of(this.traceHexes),
        spanHex: dice.of(this.spanHexes),
        attributes: this.#attributes().slice(0, 1),
      })),
      resource: dice.of(this.resources),
      scope: dice.of(this.scopes),
    };
  }

  #parentHex(): string {
    const { dice } = this;
    if (dice.chance(0.3)) return NO_PARENT;
    return dice.chance(0.2) ? dice.hex(8) : dice.of(this.spanHexes);
  }

  /** Few distinct starts, so that there are ties; now and then one beyond what is sane. */
  startNs(): bigint {
    const { dice } = this;
    if (dice.chance(0.01)) return dice.of([0n, 2n ** 64n - 1n, -(2n ** 63n), 2n ** 63n + 12_345n]);
    const us = BigInt(dice.below(dice.chance(0.5) ? 40 : 1_000_000));
    return BASE_NS + us * 1000n + (dice.chance(0.3) ? BigInt(dice.below(1000)) : 0n);
  }

  durationNs(): bigint {
    const { dice } = this;
    if (dice.chance(0.01)) return dice.of([0n, -5000n, 2n ** 60n + 1n, -(2n ** 62n) - 7n]);
    return BigInt(dice.below(dice.chance(0.5) ? 20 : 5_000_000)) * 1000n;
  }

  #resourceAttributes(name: string): PlainAttributes {
    const { dice } = this;
    return [
      ["host", text(`host-${dice.below(3)}`)],
      ["service.name", text(name)],
      ["tenant", dice.of([text("ok"), int(1), bool(true)])],
    ];
  }

  #attributes(): PlainAttributes {
    const { dice } = this;
    const attributes: (readonly [string, PlainAttribute])[] = [];
    for (const [n, key] of KEYS.entries()) {
      if (!dice.chance([0.9, 0.6, 0.4, 0.3, 0.03, 0.01, 0.1][n]!)) continue;
      attributes.push([key, key === "http.url" ? this.#url() : this.#value()]);
      if (dice.chance(0.03)) attributes.push([key, this.#value()]);
    }
    return attributes;
  }

  #url(): PlainAttribute {
    return text(`https://shop/${this.dice.of(["cart", "pay"])}?id=${this.dice.below(10_000)}`);
  }

  #value(): PlainAttribute {
    const { dice } = this;
    switch (dice.below(9)) {
      case 0:
      case 1:
        return int(dice.of(NUMBERS));
      case 2:
        return double(dice.of(DOUBLES));
      case 3:
        return bool(dice.chance(0.5));
      case 4:
        return { type: "bytes", value: [10, 255, dice.below(3)] };
      case 5:
        return dice.chance(0.5) ? { type: "empty" } : { type: "array", value: ["a", "b"] };
      case 6:
        return { type: "raw", value: [0x6f, 0x6b, 0xff, 0x80 + dice.below(2)] };
      default:
        return text(dice.of(TEXTS));
    }
  }
}

/** A random filter whose constants come from what the spans hold. */
export function randomFilter(dice: Dice, depth = 3): Filter {
  const kind = depth === 0 ? 9 : dice.below(10);
  const parts = (): Filter[] =>
    Array.from({ length: dice.below(4) }, () => randomFilter(dice, depth - 1));
  if (kind === 0) return { op: "and", all: parts() };
  if (kind === 1) return { op: "or", any: parts() };
  if (kind === 2) return { op: "not", filter: randomFilter(dice, depth - 1) };
  return randomLeaf(dice);
}

function randomLeaf(dice: Dice): Filter {
  const target = randomTarget(dice);
  switch (dice.below(8)) {
    case 0:
      return { op: "exists", target };
    case 1:
      return { op: "regex", target, pattern: dice.of(PATTERNS) };
    case 2: {
      const values = Array.from({ length: dice.below(4) }, () => constantFor(dice, target));
      return { op: "in", target, values };
    }
    case 3: {
      const value = String(constantFor(dice, target));
      return { op: "=", target, value, untyped: true };
    }
    default: {
      const value = constantFor(dice, target);
      const ops: CompareOp[] = ["=", "!=", "<", "<=", ">", ">="];
      const op = dice.of(typeof value === "boolean" ? ops.slice(0, 2) : ops);
      return { op, target, value };
    }
  }
}

function randomTarget(dice: Dice): Target {
  if (dice.chance(0.5)) return { field: dice.of(FIELDS) };
  const attribute = dice.of([...KEYS, "host", "service.name", "nowhere"]);
  if (dice.chance(0.6)) return { attribute };
  return { attribute, levels: LEVELS.filter(() => dice.chance(0.4)) };
}

function constantFor(dice: Dice, target: Target): FilterValue {
  const field = "field" in target ? target.field : "";
  if (field === "start") {
    const us = 1_700_000_000_000_000 + dice.below(dice.chance(0.5) ? 40 : 1_000_000);
    return dice.of([us, us + 0.5, BigInt(us), 18_446_744_073_709_551n, 0]);
  }
  if (field === "duration") return dice.of([0, dice.below(20) * 1000, -1, 2n ** 60n + 1n, 2 ** 60]);
  if (dice.chance(0.1)) return dice.chance(0.5);
  if (field === "kind" || field === "status" || field === "isRoot") return dice.below(4);
  if (dice.chance(0.3)) return dice.of<FilterValue>([...NUMBERS, ...DOUBLES]);
  return dice.of([...TEXTS, ...SERVICES, ...NAMES, "exception", "ok\ufffd\ufffd", "1.2", "+1e3"]);
}

const ORDERS: readonly FindOrder[] = ["start", "duration", "spanCount"];

/** A random search; its page is small so that there are many pages. */
export function randomQuery(dice: Dice): FindQuery {
  const from = 1_700_000_000_000_000 + dice.below(30);
  const bounded = dice.chance(0.4);
  return {
    ...(dice.chance(0.85) ? { filter: randomFilter(dice) } : {}),
    startMinUs: bounded ? from : -Infinity,
    startMaxUs: bounded ? from + dice.below(dice.chance(0.5) ? 20 : 500_000) : Infinity,
    order: dice.of(ORDERS),
    ...(dice.chance(0.3) ? { descending: dice.chance(0.5) } : {}),
    limit: 1 + dice.below(dice.chance(0.3) ? 40 : 5),
    totals: true,
  };
}
