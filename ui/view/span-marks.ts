/** What of a span's attributes is told in its row: kind of call, status, method, system. */

import { genAiKind } from "../data/gen-ai.ts";
import type { AttributeText, SpanDetail } from "../data/trace-source.ts";
import type { RowMark } from "./row-pool.ts";

/** An icon and what it stands for. */
export interface SpanSign {
  readonly icon: string;
  readonly title: string;
}

/** What is in a model's world. */
export const GEN_AI_SIGNS = {
  agent: { icon: "◎", title: "GenAI agent" },
  model: { icon: "✦", title: "GenAI model" },
  tool: { icon: "⚒", title: "GenAI tool" },
  retrieval: { icon: "▤", title: "GenAI retrieval" },
} as const;

/** Keys that tell the kind of call, first that is present wins. */
const SIGNS: readonly (readonly [RegExp, SpanSign])[] = [
  [/^db\.(system|system\.name|statement|query\.text)$/, { icon: "⛁", title: "Database" }],
  [/^messaging\./, { icon: "✉", title: "Messaging" }],
  [/^rpc\./, { icon: "⇄", title: "RPC" }],
  [/^(http|url)\./, { icon: "⊕", title: "HTTP" }],
];

/** Attributes shown as pills, by their keys old and new. */
const PILLS: readonly (readonly string[])[] = [
  ["http.response.status_code", "http.status_code"],
  ["http.request.method", "http.method"],
  ["db.system.name", "db.system"],
  ["rpc.system"],
  ["gen_ai.request.model"],
];

export function spanSign(detail: SpanDetail | undefined): SpanSign | undefined {
  if (detail === undefined) return undefined;
  const kind = genAiKind(detail.attributes);
  if (kind !== undefined) return GEN_AI_SIGNS[kind];
  for (const [key, sign] of SIGNS) {
    if (detail.attributes.some((attribute) => key.test(attribute.key))) return sign;
  }
  return undefined;
}

export function spanPills(detail: SpanDetail | undefined): RowMark[] {
  const pills: RowMark[] = [];
  if (detail === undefined) return pills;
  for (const [i, keys] of PILLS.entries()) {
    const found = firstOf(detail.attributes, keys);
    if (found === undefined) continue;
    const failed = i === 0 && Number(found.text) >= 500;
    pills.push({ text: found.text.slice(0, 24), tone: failed ? "error" : "" });
  }
  return pills;
}

/** The service on the other side when it sends no spans of its own. */
export function peerService(detail: SpanDetail | undefined): string {
  return detail === undefined
    ? ""
    : (firstOf(detail.attributes, ["peer.service", "service.peer.name"])?.text ?? "");
}

function firstOf(
  attributes: readonly AttributeText[],
  keys: readonly string[],
): AttributeText | undefined {
  for (const key of keys) {
    const found = attributes.find((attribute) => attribute.key === key);
    if (found !== undefined) return found;
  }
  return undefined;
}
