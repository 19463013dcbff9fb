/** What the search side can be asked, over an engine: the same inline and in a worker. */

import type { FileLayer } from "../../base/node/file-layer.ts";
import type { AttributeScope, ChangeToken, FindQuery } from "../../core/store.ts";
import { SearchEngine } from "./search-engine.ts";
import type { SearchChange } from "./search-change.ts";
import { Handover } from "./worker-call.ts";
import type { Handlers } from "./worker-call.ts";

/** Handlers of all calls over a new engine on these files. */
export function searchHandlers(files: FileLayer): Handlers {
  const engine = new SearchEngine(files);
  return {
    change: (change: SearchChange) => engine.change(change),
    find: ({ query }: { readonly query: FindQuery }, signal) => engine.find(query, signal),
    get: ({ traceIds }: Traces, signal) => handover(engine.get(traceIds, signal)),
    getArchived: ({ traceIds }: Traces, signal) => handover(engine.getArchived(traceIds, signal)),
    changedSince: ({ traceId, token }: Since) => engine.changedSince(traceId, token),
    services: () => engine.services(),
    operations: ({ service, kind }: { readonly service: string; readonly kind?: number }) =>
      engine.operations(service, kind),
    attributeKeys: ({ scope }: { readonly scope: AttributeScope }, signal) =>
      engine.attributeKeys(scope, signal),
    attributeValues: (asked: { readonly key: string; readonly scope: AttributeScope }, signal) =>
      engine.attributeValues(asked.key, asked.scope, signal),
    links: (range: { readonly startMinUs: number; readonly startMaxUs: number }, signal) =>
      engine.links(range.startMinUs, range.startMaxUs, signal),
  };
}

interface Traces {
  readonly traceIds: readonly Uint8Array[];
}

interface Since {
  readonly traceId: Uint8Array;
  readonly token: ChangeToken | undefined;
}

/** Hands the images' memory over; each has a buffer of its own. */
async function handover(images: Promise<Uint8Array<ArrayBuffer>[]>): Promise<Handover> {
  const made = await images;
  return new Handover(
    made,
    made.map((image) => image.buffer),
  );
}
