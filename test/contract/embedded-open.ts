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

/** One that is closed and opened again whenever it is settled: all is read from disk. */
export async function openReopening(t: TestContext): Promise<SpanStore> {
  const directory = await mkdtemp(join(tmpdir(), "spoor-store-"));
  const open = () => openEmbeddedStore({ directory, retentionMs: 0, inline: true });
  let store: SpanStore = await open();
  t.after(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  const settle = async (): Promise<void> => {
    await store.close();
    store = await open();
    await store.settle();
  };
  return new Proxy(store, {
    get(_, name) {
      if (name === "settle") return settle;
      const value: unknown = Reflect.get(store, name);
      return typeof value === "function" ? value.bind(store) : value;
    },
  });
}
