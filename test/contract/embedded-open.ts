/** Embedded stores for the batteries: a directory of their own, small sizes, closed at the end. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { SpanStore } from "../../src/core/store.ts";
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import type { EmbeddedStoreOptions } from "../../src/storage/embedded/store-options.ts";

/** Opens one for a test. */
export async function openEmbedded(
  t: TestContext,
  options: Partial<EmbeddedStoreOptions> = {},
): Promise<SpanStore> {
  const directory = await mkdtemp(join(tmpdir(), "spoor-store-"));
  const store = await openEmbeddedStore({ directory, retentionMs: 0, ...options });
  t.after(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  return store;
}
