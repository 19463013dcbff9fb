/** One trace as stored, exactly: batch images (docs/formats/batch.md) one after the other. */

import type { SpanBatch } from "../core/batch.ts";
import { SpoorError } from "../core/errors.ts";
import type { HttpAnswer, HttpRequest, HttpRoute } from "../net/http-message.ts";
import { parseTraceId } from "./jaeger-trace-id.ts";
import { spoorFailure } from "./spoor-failure.ts";
import type { TraceSource } from "./trace-stream.ts";
import { TRACE_NOT_FOUND } from "./trace-stream.ts";

/** `GET /api/spoor/v1/traces/:traceId/batches`; `?archived=true` for the archive's copy. */
export function traceBatchesRoute(source: TraceSource): HttpRoute {
  return {
    method: "GET",
    path: "/api/spoor/v1/traces/:traceId/batches",
    failure: spoorFailure,
    handle: async (request) => {
      const traceId = parseTraceId(request.params["traceId"]!);
      return await answer(batchesOf(source, traceId, request));
    },
  };
}

function batchesOf(
  source: TraceSource,
  traceId: Uint8Array,
  request: HttpRequest,
): AsyncIterable<SpanBatch> {
  const archived = new URLSearchParams(request.query).get("archived") ?? "false";
  if (archived !== "true" && archived !== "false") {
    throw new SpoorError("bad-query", "archived must be true or false");
  }
  return archived === "true"
    ? source.getArchived(traceId, request.signal)
    : source.get([traceId], request.signal);
}

/** The first batch is awaited: an absent trace is a 404, not an empty stream. */
async function answer(batches: AsyncIterable<SpanBatch>): Promise<HttpAnswer> {
  const rest = batches[Symbol.asyncIterator]();
  const first = await rest.next();
  if (first.done === true) throw new SpoorError("not-found", TRACE_NOT_FOUND);
  const found = first.value;
  const body = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (let batch: SpanBatch | undefined = found; batch !== undefined;) {
        yield framed(batch.image);
        const next = await rest.next();
        batch = next.done === true ? undefined : next.value;
      }
    } finally {
      await rest.return?.();
    }
  };
  const headers = { "content-type": "application/x-spoor-batches", "cache-control": "no-store" };
  return { status: 200, headers, body: body() };
}

/** The image behind its length, u32 little-endian. */
function framed(image: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + image.length);
  new DataView(frame.buffer).setUint32(0, image.length, true);
  frame.set(image, 4);
  return frame;
}
