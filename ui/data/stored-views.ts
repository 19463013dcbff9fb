/** Views of traces that the server keeps, because they are too long for an address. */

import { ServerError, askJson } from "./ask-server.ts";

/** A page of a trace, as it was shared. */
export interface StoredView {
  /** `/trace/<hex>` */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Members of an address that a view holds for it: sets of spans, of any size. */
const LONG_KEYS: readonly string[] = ["c", "x", "go", "cho"];
const VIEW_ID = /^[\w-]{22}$/;

/** Those of this visit. */
const known = new Map<string, StoredView>();

/** Has the server keep a view; its id. Rejects with ServerError. */
export async function keepView(view: StoredView, signal: AbortSignal): Promise<string> {
  const { path, query } = view;
  const json = JSON.stringify({ path, query: query.toString() });
  const body = new Blob([json], { type: "application/json" });
  const { id } = (await askJson("api/spoor/v1/views", signal, body)) as { readonly id?: unknown };
  if (typeof id !== "string" || !VIEW_ID.test(id)) {
    throw new ServerError("The server's answer has no id", "bad-answer");
  }
  known.set(id, view);
  return id;
}

/** The view with this id. Rejects with ServerError. */
export async function loadView(id: string, signal: AbortSignal): Promise<StoredView> {
  const there = known.get(id);
  if (there !== undefined) return there;
  if (!VIEW_ID.test(id)) throw new ServerError("This is no view's address.", "not-found");
  const answer = await askJson(`api/spoor/v1/views/${id}`, signal);
  const { path, query } = answer as { readonly path?: unknown; readonly query?: unknown };
  if (typeof path !== "string" || typeof query !== "string" || !/^\/trace\/[0-9a-f]+$/.test(path)) {
    throw new ServerError("The server's answer is no view", "bad-answer");
  }
  const view = { path, query: new URLSearchParams(query) };
  known.set(id, view);
  return view;
}

/**
 * What a view that was loaded says of the long members; "" for what it does not. Undefined when
 * it is another trace's: put together by hand, an address may name any.
 */
export function longPartsOf(
  id: string,
  traceIdHex: string,
): { readonly [key: string]: string } | undefined {
  const view = known.get(id);
  if (view !== undefined && view.path !== `/trace/${traceIdHex}`) return undefined;
  return Object.fromEntries(LONG_KEYS.map((key) => [key, view?.query.get(key) ?? ""]));
}

/** The address that shows a view: it names it, and has all but the long members itself. */
export function addressOfView(id: string, { path, query }: StoredView): string {
  const short = new URLSearchParams(query);
  for (const key of LONG_KEYS) short.delete(key);
  short.set("more", id);
  return `${path}?${short}`;
}
