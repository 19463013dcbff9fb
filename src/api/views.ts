/** Views of the trace page that are too long for an address: kept by their hash, and given out. */

import { createHash } from "node:crypto";
import { utf8Bytes, utf8Strict } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { VIEW_ID } from "../core/views.ts";
import type { ViewStore } from "../core/views.ts";
import type { HttpRequest, HttpRoute } from "../net/http-message.ts";
import { jsonAnswer, wantsPretty } from "./answer.ts";
import { jsonObject, noOtherMembers } from "./json-body.ts";
import { spoorFailure } from "./spoor-failure.ts";
import type { TraceSource } from "./trace-stream.ts";

/** What a view may be of: nothing but our own pages of traces is ever led to. */
const PATH = /^\/trace\/[0-9a-f]{1,32}$/;

/** The routes, `/api/spoor/v1/views`. */
export function viewRoutes(source: TraceSource): HttpRoute[] {
  return [
    {
      method: "POST",
      path: "/api/spoor/v1/views",
      failure: spoorFailure,
      handle: async (request) => {
        const views = viewsOf(source);
        const bytes = utf8Bytes(JSON.stringify(parseView(request)));
        const id = idOf(bytes);
        await views.keep(id, bytes);
        return jsonAnswer(JSON.stringify({ id }), wantsPretty(new URLSearchParams(request.query)));
      },
    },
    {
      method: "GET",
      path: "/api/spoor/v1/views/:id",
      failure: spoorFailure,
      handle: async (request) => {
        const views = viewsOf(source);
        const id = request.params["id"]!;
        const bytes = VIEW_ID.test(id) ? await views.get(id) : undefined;
        if (bytes === undefined) {
          throw new SpoorError("not-found", "there is no such view here, or no longer");
        }
        const text = utf8Strict(bytes);
        if (text === undefined || idOf(bytes) !== id) {
          throw new SpoorError("corrupt", `the view ${id} is not as it was kept`);
        }
        return jsonAnswer(text, wantsPretty(new URLSearchParams(request.query)));
      },
    },
  ];
}

function viewsOf({ views, can }: TraceSource): ViewStore {
  if (views !== undefined) return views;
  throw new SpoorError("unsupported", `the ${can.name} store cannot keep views`);
}

/** The same view has the same id, and nobody can guess that of one he has not seen. */
function idOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
}

function parseView({ headers, body }: HttpRequest): { readonly path: string; query: string } {
  // Other sites' pages can post texts without asking first; JSON they cannot.
  const type = headers["content-type"];
  if (typeof type !== "string" || !/^application\/json\b/i.test(type)) {
    throw new SpoorError("bad-query", "content-type must be application/json");
  }
  if (body.length > LIMITS.viewBytes) {
    throw new SpoorError("too-large", `a view has at most ${LIMITS.viewBytes} bytes`);
  }
  const json = jsonObject(body);
  noOtherMembers(json, ["path", "query"]);
  const { path, query } = json;
  if (typeof path !== "string" || !PATH.test(path)) {
    throw new SpoorError("bad-query", "path must be that of a trace: /trace/<hex>");
  }
  if (typeof query !== "string") throw new SpoorError("bad-query", "query must be a text");
  return { path, query: new URLSearchParams(query).toString() };
}
