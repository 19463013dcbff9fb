/** Keeps a settled data directory of the bench's dataset, to measure reads alone. */

import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout } from "node:timers/promises";
import { BatchBuilder } from "../src/core/builder.ts";
import { openEmbeddedStore } from "../src/storage/embedded/store.ts";
import { SEGMENT_VERSION } from "../src/storage/embedded/segment-format.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { readBodies, requestsFor } from "./dataset-file.ts";
import type { PreparedDataset } from "./dataset-file.ts";

/** Requests decoded and written at once. */
const step = 32;

/** The directory that holds the first `spans` spans of the dataset; made when it is not there. */
export async function storedDataset(dataset: PreparedDataset, spans: number): Promise<string> {
  const folder = path.join(dataset.folder, `stored-v${SEGMENT_VERSION}-${spans}`);
  if (fs.existsSync(folder)) return folder;
  const part = `${folder}.part-${process.pid}`;
  const store = await openEmbeddedStore({ directory: part, fsync: "relaxed", roomWaitMs: 60_000 });
  const builder = new BatchBuilder();
  const end = requestsFor(dataset, spans);
  for (let at = 0; at < end; at += step) {
    const writes = readBodies(dataset, at, Math.min(at + step, end)).map((body) => {
      return store.write(decodeOtlpProto(body, builder).batch);
    });
    for (const write of writes) await write;
  }
  // A store left alone seals its head after three seconds.
  await setTimeout(5000);
  await store.settle();
  await store.close();
  fs.renameSync(part, folder);
  return folder;
}
