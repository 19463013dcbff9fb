/** Embedded stores made small, on file systems of tests, with time that does not wait. */

import type { Clock } from "../../src/base/clock.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import { DEFAULTS } from "../../src/storage/embedded/store-options.ts";
import type {
  EmbeddedStore,
  EmbeddedStoreOptions,
} from "../../src/storage/embedded/store-options.ts";
import type { FaultyFiles } from "./faulty-files.ts";

/** What is done every so often is not done by itself in these tests. */
const NEVER: ReadonlySet<number> = new Set([DEFAULTS.tickMs, DEFAULTS.idleMs]);

/** Time that stands still at `nowMs`; waits end at once, but for the store's regular rounds. */
export function standingClock(): Clock & { ms: number } {
  const clock = {
    ms: 1_700_000_000_000,
    nowMs: () => clock.ms,
    monotonicMs: () => clock.ms,
    after(delayMs: number, run: () => void) {
      if (NEVER.has(delayMs)) return () => undefined;
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    },
  };
  return clock;
}

/** Opens a store on one thread, without a lock. */
export function openOn(
  files: FaultyFiles,
  options: Partial<EmbeddedStoreOptions> = {},
): Promise<EmbeddedStore> {
  return openEmbeddedStore({
    directory: "data",
    files,
    inline: true,
    clock: standingClock(),
    lock: async () => ({ release: async () => undefined }),
    ...options,
  });
}

/** The trace id with this number. */
export function traceIdOf(trace: number): Uint8Array {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, trace + 1);
  return id;
}

/** A batch of spans `first` and on of the trace with this number. */
export function batchOf(trace: number, spans = 4, first = 0): SpanBatch {
  const builder = new BatchBuilder();
  const resource = builder.addResource();
  const name = builder.text("service.name");
  builder.resourceAttributes.add(builder.key(name, 1), builder.text(`service-${trace % 3}`));
  const scope = builder.addScope();
  for (let s = 0; s < spans; s++) {
    const i = builder.addSpan(resource, scope);
    builder.nameId[i] = builder.text(`name-${first + s}`);
    builder.startUs[i] = 1_700_000_000_000_000 + trace * 1000 + s;
    builder.traceId.set(traceIdOf(trace), i * 16);
    new DataView(builder.spanId.buffer).setUint32(i * 8 + 4, trace * 1000 + first + s + 1);
  }
  return builder.finish();
}

/** How many spans come. */
export async function spansOf(batches: AsyncIterable<SpanBatch>): Promise<number> {
  let spans = 0;
  for await (const batch of batches) spans += batch.spanCount;
  return spans;
}
