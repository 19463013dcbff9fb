/** Copies links to a trace; what is too long for an address the server keeps. */

import { keepView } from "../data/stored-views.ts";
import { readTraceAddress, writeTraceAddress } from "../layout/trace-address.ts";
import { linkIdOf } from "../layout/span-ids.ts";
import { copyText } from "./copy.ts";
import { serverFacts } from "./page-facts.ts";
import { hrefOf, place } from "./router.ts";
import type { TraceModel } from "./trace-model.ts";
import type { FollowedAddress } from "./trace-url.ts";

/** Mail programs and chats break longer addresses. */
const LONGEST = 1800;

/** Copies a link to a span, or without a row to the view as it is. */
export async function copyLink(
  model: TraceModel,
  address: FollowedAddress | undefined,
  row: number | undefined,
): Promise<void> {
  const whole = address?.tell() ?? true;
  const link = linkTo(model, row);
  if (whole && new URL(link).search.length <= LONGEST) return copyText(link, "Link copied");
  const kept = await keptLink(model, address, row);
  if (kept !== undefined) return copyText(kept, "Link copied; the server keeps what it shows");
  copyText(link, whole ? "Link copied" : "Link copied; it cannot hold all that is folded");
}

/** The address of this view, with a span selected and open when a row is given. */
export function linkTo(model: TraceModel, row: number | undefined): string {
  const { path, query } = place.peek();
  const text = (row === undefined ? query : withSpan(query, model, row)).toString();
  return new URL(text === "" ? hrefOf(path) : `${hrefOf(path)}?${text}`, location.href).href;
}

/** A link to a view that the server keeps; undefined where it does not. */
async function keptLink(
  model: TraceModel,
  address: FollowedAddress | undefined,
  row: number | undefined,
): Promise<string | undefined> {
  const full = address?.whole();
  const traceIdHex = model.columns.peek()?.traceIdHex;
  if (!serverFacts.isSpoor || full === undefined || traceIdHex === undefined) return undefined;
  const query = row === undefined ? full : withSpan(full, model, row);
  try {
    const id = await keepView({ path: `/trace/${traceIdHex}`, query }, model.signal);
    return new URL(hrefOf(`/v/${id}`), location.href).href;
  } catch {
    // A store that keeps none, or a view beyond its limit: the address has what it can.
    return undefined;
  }
}

/** The query with a span selected and open. */
function withSpan(query: URLSearchParams, model: TraceModel, row: number): URLSearchParams {
  const columns = model.columns.peek();
  if (columns === undefined || row < 0) return query;
  const hex = linkIdOf(columns, row);
  const address = { ...readTraceAddress(query), selectedHex: hex, openHex: [hex], topHex: "" };
  return writeTraceAddress(address, query);
}
