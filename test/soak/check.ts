/** Fetches traces through Jaeger's HTTP API and compares their spans with the acknowledged ones. */

interface JaegerAnswer {
  readonly data: readonly { traceID: string; spans: readonly { spanID: string }[] }[] | null;
}

const tracesAtOnce = 40;

function compare(
  traceId: string,
  stored: readonly string[],
  expected: ReadonlySet<string>,
): string | undefined {
  const distinct = new Set(stored);
  const lost = [...expected].filter((id) => !distinct.has(id));
  const unknown = [...distinct].filter((id) => !expected.has(id));
  const doubled = stored.length - distinct.size;
  if (lost.length === 0 && unknown.length === 0 && doubled === 0) return undefined;
  return (
    `trace ${traceId}: of ${expected.size} acknowledged spans ${lost.length} lost` +
    `${lost.length > 0 ? ` (first ${lost[0]})` : ""}, ${doubled} stored more than once, ` +
    `${unknown.length} never acknowledged`
  );
}

/** What is wrong with those traces on the server, in words; empty when every span is there once. */
export async function checkTraces(
  queryBase: string,
  traceIds: readonly string[],
  acknowledged: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<string[]> {
  const faults: string[] = [];
  for (let from = 0; from < traceIds.length; from += tracesAtOnce) {
    const ids = traceIds.slice(from, from + tracesAtOnce);
    // `raw` leaves out the adjusters: one of Jaeger's would hide a span stored twice.
    const query = ids.map((id) => `traceID=${id}`).join("&");
    const reply = await fetch(`${queryBase}/traces?${query}&raw=true`);
    const text = await reply.text();
    if (reply.status !== 200) throw new Error(`status ${reply.status}: ${text.slice(0, 300)}`);
    const answer = JSON.parse(text) as JaegerAnswer;
    const stored = new Map<string, string[]>();
    for (const trace of answer.data ?? []) {
      const spanIds = trace.spans.map((span) => span.spanID.padStart(16, "0"));
      const key = trace.traceID.padStart(32, "0");
      stored.set(key, [...(stored.get(key) ?? []), ...spanIds]);
    }
    for (const id of ids) {
      const fault = compare(id, stored.get(id) ?? [], acknowledged.get(id) ?? new Set());
      if (fault !== undefined) faults.push(fault);
    }
  }
  return faults;
}
