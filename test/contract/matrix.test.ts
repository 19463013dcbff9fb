/** The matrix protocol × field: one rich span, sent every way, is one Jaeger JSON. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { RICH_REQUESTS } from "../support/rich-span.ts";
import type { Protocol } from "../support/rich-span.ts";
import { sendWell } from "../support/rich-senders.ts";
import { reportTo, runAgent, runAllInOne, seenSpans, tracesOf } from "../support/running-roles.ts";
import type { SeenSpan } from "../support/running-roles.ts";

const PAGE = new URL("../../docs/differences.md", import.meta.url);

const OTHER = {
  refType: "FOLLOWS_FROM",
  traceID: "ff00000000000000000000000000000f",
  spanID: "000000000000abcd",
};
const PARENT = {
  refType: "CHILD_OF",
  traceID: "0af7651916cd43dd8448eb211c80319c",
  spanID: "00f067aa0ba902b7",
};

/** Said of every span whose parent is not in the trace, however it came. */
const ABSENT_PARENT = `invalid parent span IDs=${PARENT.spanID}; skipping clock skew adjustment`;

/** What every protocol that can say it all shows. */
const RICH: SeenSpan = {
  name: "GET /käse",
  parents: [PARENT, OTHER],
  startUs: 1_700_000_000_123_456,
  durationUs: 2345,
  flags: 3,
  tags: [
    'blob binary "AP8Q"',
    "error bool true",
    "half float64 0.5",
    "no bool false",
    'span.kind string "server"',
    'text string "schön"',
    'whole int64 "9007199254740993"',
  ],
  logs: [[1_700_000_000_124_456, 'event string "miss"', "attempt int64 2"]],
  service: "shop",
  process: ['zone string "eu"'],
};

/** Fields of a protocol that differ, and the row of docs/differences.md that tells of it. */
interface Difference {
  readonly protocols: readonly Protocol[];
  readonly fields: Partial<SeenSpan>;
  readonly told: string;
}

const OTLP: readonly Protocol[] = ["otlp-proto", "otlp-json"];
const ZIPKIN: readonly Protocol[] = [
  "zipkin-v2-json",
  "zipkin-v2-proto",
  "zipkin-v1-json",
  "zipkin-v1-thrift",
  "zipkin-udp-compact",
];

const DIFFERENCES: readonly Difference[] = [
  { protocols: OTLP, fields: { flags: 0 }, told: "OTLP has no Jaeger flags" },
  {
    protocols: OTLP,
    fields: { tags: [...RICH.tags, 'otel.status_code string "ERROR"'].toSorted() },
    told: "OTLP's status is shown beside the tag `error`",
  },
  { protocols: ZIPKIN, fields: { parents: [PARENT] }, told: "Zipkin has no links" },
  {
    protocols: ZIPKIN,
    fields: {
      tags: [
        "error bool true",
        'half string "0.5"',
        'no string "false"',
        'span.kind string "server"',
        'text string "schön"',
        'whole string "9007199254740993"',
      ],
    },
    told: "Zipkin's tags are texts; there are no bytes",
  },
  {
    protocols: ZIPKIN,
    fields: { logs: [[1_700_000_000_124_456, 'event string "miss"']] },
    told: "Zipkin's annotations are one text",
  },
  { protocols: ZIPKIN, fields: { process: [] }, told: "Zipkin's process is a service name" },
];

function expected(protocol: Protocol): SeenSpan {
  const own = DIFFERENCES.filter(({ protocols }) => protocols.includes(protocol));
  return own.reduce((span, { fields }) => ({ ...span, ...fields }), RICH);
}

const PROTOCOLS = Object.keys(RICH_REQUESTS) as Protocol[];

for (const protocol of PROTOCOLS) {
  test(`${protocol} into the collector`, async (t) => {
    const role = await runAllInOne(t);
    await sendWell(role, protocol, RICH_REQUESTS[protocol]);
    const [trace] = await tracesOf(role, "shop", 1);
    assert.equal(trace!.traceID, PARENT.traceID);
    assert.equal(trace!.spans[0]!.spanID, "b7ad6b7169203331");
    assert.deepEqual(seenSpans(trace!).get(RICH.name), expected(protocol));
    assert.deepEqual(trace!.spans[0]!.warnings, [ABSENT_PARENT]);
  });
}

for (const protocol of PROTOCOLS.filter((name) => name.includes("udp"))) {
  test(`${protocol} through an agent`, async (t) => {
    const role = await runAllInOne(t);
    const agent = await runAgent(t, [reportTo(role)]);
    await sendWell(agent, protocol, RICH_REQUESTS[protocol]);
    const [trace] = await tracesOf(role, "shop", 1);
    assert.deepEqual(seenSpans(trace!).get(RICH.name), expected(protocol));
  });
}

test("agent.tags are on every process that passes, once", async (t) => {
  const role = await runAllInOne(t);
  const tags = "--agent.tags=zone=eu,team=${TEAM:none},rack=${RACK:7}";
  const agent = await runAgent(t, [reportTo(role), tags], { TEAM: "core" });
  await sendWell(agent, "jaeger-udp-compact", RICH_REQUESTS["jaeger-udp-compact"]);
  const [trace] = await tracesOf(role, "shop", 1);
  const { process } = seenSpans(trace!).get(RICH.name)!;
  assert.deepEqual(process, ['rack string "7"', 'team string "core"', 'zone string "eu"']);
});

for (const protocol of PROTOCOLS) {
  test(`collector.tags are on the process of ${protocol}, once`, async (t) => {
    const role = await runAllInOne(t, ["--collector.tags=zone=eu,rack=7"]);
    await sendWell(role, protocol, RICH_REQUESTS[protocol]);
    const [trace] = await tracesOf(role, "shop", 1);
    const { process } = seenSpans(trace!).get(RICH.name)!;
    assert.deepEqual(process, ['rack string "7"', 'zone string "eu"']);
  });
}

test("what differs is told in docs/differences.md", () => {
  const page = readFileSync(PAGE, "utf8");
  for (const { told } of DIFFERENCES) assert(page.includes(`| ${told} |`), told);
});
