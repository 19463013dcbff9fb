/** Service names as values of Jaeger's `svc` label: normalised, and boundedly many. */

import { LIMITS } from "../core/limits.ts";

/** Label of spans whose service is empty or unknown. */
export const NO_SERVICE_LABEL = "__unknown";
/** Label of services beyond the limit. */
export const OTHER_SERVICES_LABEL = "other-services";

/** Label values of names; the first `limit` distinct ones keep theirs. */
export class ServiceLabels {
  readonly #labels = new Map<string, string>();
  readonly #distinct = new Set<string>();
  readonly #limit: number;

  constructor(limit: number = LIMITS.serviceLabels) {
    this.#limit = limit;
  }

  /** Number of distinct labels handed out so far, other-services apart. */
  get size(): number {
    return this.#distinct.size;
  }

  /** The label of a service name. */
  of(name: string): string {
    const known = this.#labels.get(name);
    if (known !== undefined) return known;
    const label = normalised(name);
    if (!this.#distinct.has(label)) {
      if (this.#distinct.size >= this.#limit) return OTHER_SERVICES_LABEL;
      this.#distinct.add(label);
    }
    if (this.#labels.size < this.#limit) this.#labels.set(name, label);
    return label;
  }
}

/** Lower case; what is not in `a-z0-9-.` becomes `_`, as Jaeger does it. */
function normalised(name: string): string {
  return name === "" ? NO_SERVICE_LABEL : name.toLowerCase().replace(/[^a-z0-9.-]/gu, "_");
}
