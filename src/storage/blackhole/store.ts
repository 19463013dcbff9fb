/** The blackhole store: takes every span and keeps none, to measure what is in front of it. */

import type { SpanStore, StoreCapabilities } from "../../core/store.ts";

const CAN: StoreCapabilities = {
  name: "blackhole",
  allServices: true,
  filters: true,
  orders: ["start", "duration", "spanCount"],
  cursor: true,
  totals: true,
  operationKinds: true,
  attributeKeys: true,
  attributeValues: true,
  links: true,
  changedSince: true,
  archive: true,
  delete: true,
};

/** Opens it. Every question is answered exactly: there is nothing. */
export function openBlackholeStore(): SpanStore {
  return {
    can: CAN,
    write: (batch) => Promise.resolve({ stored: batch.spanCount, deduplicated: 0 }),
    find: (query) =>
      Promise.resolve({
        traces: [],
        cursor: undefined,
        totals:
          query.totals === true ? { matchingSpans: 0, traces: 0, tracesExact: true } : undefined,
      }),
    get: nothing,
    getArchived: nothing,
    changedSince: () => Promise.resolve({ batch: undefined, token: "" }),
    services: () => Promise.resolve([]),
    operations: () => Promise.resolve([]),
    attributeKeys: () => Promise.resolve([]),
    attributeValues: () => Promise.resolve([]),
    links: () => Promise.resolve([]),
    archive: () => Promise.resolve(false),
    delete: () => Promise.resolve(false),
    settle: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function* nothing(): AsyncGenerator<never> {}
