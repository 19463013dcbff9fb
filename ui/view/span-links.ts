/** Links of the operator's patterns for a span's attributes and for a trace. */

import { linksOf, readLinkPatterns } from "../data/link-patterns.ts";
import type { Link, LinkPlace, LinkValue } from "../data/link-patterns.ts";
import type { AttributeText, SpanDetail } from "../data/trace-source.ts";
import { uiConfig } from "./page-facts.ts";
import type { TraceModel } from "./trace-model.ts";

const { patterns } = readLinkPatterns(uiConfig.linkPatterns);

const PLACES = { attributes: "tags", resource: "process", events: "logs" } as const;

/** Links of one attribute; parameters are other attributes of the span, its resource, the trace. */
export function linksOfAttribute(
  model: TraceModel,
  detail: SpanDetail,
  where: "attributes" | "resource" | "events" | "scope",
  attribute: AttributeText,
): readonly Link[] {
  if (patterns.length === 0 || where === "scope") return [];
  const place: LinkPlace = PLACES[where];
  const others = [attribute, ...detail.attributes, ...detail.resource];
  return linksOf(patterns, place, attribute.key, valueOf(attribute), (parameter) => {
    const found = others.find(({ key }) => key === parameter);
    return found === undefined ? traceParameter(model, parameter) : valueOf(found);
  });
}

/** Links of the whole trace. */
export function linksOfTrace(model: TraceModel): readonly Link[] {
  if (patterns.length === 0) return [];
  return linksOf(patterns, "traces", "", "", (name) => traceParameter(model, name));
}

function valueOf({ type, text }: AttributeText): LinkValue {
  if (type === "bool") return text === "true";
  const number = Number(text);
  return (type === "int" && Number.isSafeInteger(number)) || type === "double" ? number : text;
}

/** Jaeger's names of a trace's own values; times are µs. */
function traceParameter(model: TraceModel, parameter: string): LinkValue | undefined {
  const columns = model.columns.peek();
  if (columns === undefined) return undefined;
  const durationUs = Math.round(columns.durationNs / 1000);
  switch (parameter.replace(/^trace\./, "")) {
    case "traceID":
      return columns.traceIdHex;
    case "startTime":
      return columns.startUs;
    case "duration":
      return durationUs;
    case "endTime":
      return columns.startUs + durationUs;
    case "traceName":
      return [columns.services[columns.service[0]!], columns.names[columns.name[0]!]].join(": ");
    default:
      return undefined;
  }
}
