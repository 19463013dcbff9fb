/** The store battery over every store that needs nothing but this process. */

import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { openEmbedded, openReopening } from "./embedded-open.ts";
import { runStoreBattery } from "./store-battery.ts";

runStoreBattery("memory", async () => openMemoryStore());
runStoreBattery("embedded", (t) => openEmbedded(t));
runStoreBattery("embedded, opened again", openReopening);
