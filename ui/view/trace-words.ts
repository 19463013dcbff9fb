/** What the parts of a span are called: OpenTelemetry's words or Jaeger's, as the operator says. */

export interface SpanWords {
  readonly attributes: string;
  readonly resource: string;
  readonly events: string;
  readonly links: string;
}

export function spanWords(openTelemetryTerms: boolean): SpanWords {
  return openTelemetryTerms
    ? { attributes: "Attributes", resource: "Resource", events: "Events", links: "Links" }
    : { attributes: "Tags", resource: "Process", events: "Logs", links: "References" };
}
