/** The query port over the memory store: every endpoint, parameter and documented error. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startQueryServer } from "../../src/api/query-server.ts";
import type { QueryServerOptions } from "../../src/api/query-server.ts";
import { systemClock } from "../../src/base/clock.ts";
import { CounterTable } from "../../src/base/counters.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import type { SpanStore } from "../../src/core/store.ts";
import type { HttpServer } from "../../src/net/http-server.ts";
import { QueryService } from "../../src/query/query-service.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { decodeOtlpJson } from "../../src/wire/otlp-json-decode.ts";

const NOW_MS = 1_700_000_100_000;
const START_NS = 1_700_000_000_000_000_000n;
const LONG_ID = "0af7651916cd43dd8448eb211c80319c";
const SHORT_ID = "00000000000000ab";

interface Sent {
  readonly trace: string;
  readonly span: string;
  readonly parent?: string;
  readonly service: string;
  readonly name: string;
  readonly kind?: number;
  readonly status?: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

const SPANS: readonly Sent[] = [
  {
    trace: LONG_ID,
    span: "a1",
    service: "shop",
    name: "GET /",
    kind: 2,
    startMs: 0,
    durationMs: 100,
  },
  {
    trace: LONG_ID,
    span: "a2",
    parent: "a1",
    service: "cart",
    name: "load",
    kind: 3,
    status: 2,
    startMs: 10,
    durationMs: 20,
    attributes: { "http.status": 500, customer: "c:1" },
  },
  {
    trace: SHORT_ID,
    span: "b1",
    service: "shop",
    name: "GET /",
    kind: 2,
    startMs: 50,
    durationMs: 5,
  },
  {
    trace: SHORT_ID,
    span: "b2",
    parent: "b1",
    service: "shop",
    name: "a/b c",
    kind: 1,
    startMs: 51,
    durationMs: 1,
    attributes: { "http.status": 200, customer: "c:1" },
  },
  { trace: "cd", span: "c1", service: "a/b é", name: "tick", startMs: 60, durationMs: 0 },
];

function otlpJson(spans: readonly Sent[]): string {
  const value = (v: string | number) =>
    typeof v === "string" ? { stringValue: v } : { intValue: String(v) };
  return JSON.stringify({
    resourceSpans: spans.map((span) => ({
      resource: { attributes: [{ key: "service.name", value: value(span.service) }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: span.trace.padStart(32, "0"),
              spanId: span.span.padStart(16, "0"),
              parentSpanId: span.parent?.padStart(16, "0") ?? "",
              name: span.name,
              kind: span.kind ?? 0,
              startTimeUnixNano: String(START_NS + BigInt(span.startMs) * 1_000_000n),
              endTimeUnixNano: String(
                START_NS + BigInt(span.startMs + span.durationMs) * 1_000_000n,
              ),
              status: { code: span.status ?? 0 },
              attributes: Object.entries(span.attributes ?? {}).map(([key, v]) => ({
                key,
                value: value(v),
              })),
            },
          ],
        },
      ],
    })),
  });
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

let store: SpanStore;
let server: HttpServer;

async function start(options: Partial<QueryServerOptions> = {}): Promise<HttpServer> {
  const counters = new CounterTable();
  return await startQueryServer({
    host: "127.0.0.1",
    port: 0,
    query: new QueryService({ store, counters, clock: systemClock }),
    counters,
    clock: { ...systemClock, nowMs: () => NOW_MS },
    ...options,
  });
}

async function call(path: string, init: RequestInit = {}, to = server): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${to.port}${path}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function data(path: string): Promise<unknown> {
  const reply = await call(path);
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.headers.get("content-type"), "application/json");
  return JSON.parse(reply.text).data;
}

/** Trace ids a search finds, in order. */
async function found(query: string): Promise<string[]> {
  const traces = (await data(`/api/traces?${query}`)) as { traceID: string }[];
  return traces.map(({ traceID }) => traceID);
}

before(async () => {
  store = openMemoryStore();
  const { batch } = decodeOtlpJson(Buffer.from(otlpJson(SPANS)), new BatchBuilder());
  await store.write(batch);
  await store.settle();
  server = await start();
});

after(async () => {
  await server.close();
  await store.close();
});

describe("names", () => {
  it("are listed in Jaeger's envelope", async () => {
    const { text } = await call("/api/services");
    assert.equal(
      text,
      '{"data":["a/b é","cart","shop"],"total":3,"limit":0,"offset":0,"errors":null}',
    );
    assert.deepEqual(await data("/api/services/shop/operations"), ["GET /", "a/b c"]);
    assert.deepEqual(await data("/api/services/a%2Fb%20%C3%A9/operations"), ["tick"]);
    assert.deepEqual(await data("/api/services/nobody/operations"), []);
  });

  it("of operations tell kinds and take one", async () => {
    assert.deepEqual(await data("/api/operations?service=shop"), [
      { name: "GET /", spanKind: "server" },
      { name: "a/b c", spanKind: "internal" },
    ]);
    assert.deepEqual(await data("/api/operations?service=a%2Fb+%C3%A9"), [
      { name: "tick", spanKind: "" },
    ]);
    assert.deepEqual(await data("/api/operations?service=shop&spanKind=server"), [
      { name: "GET /", spanKind: "server" },
    ]);
    assert.deepEqual(await data("/api/operations?service=shop&spanKind=unknown"), []);
  });
});

describe("search", () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ["by service, newest first", "service=shop", [SHORT_ID, LONG_ID]],
    ["limit", "service=shop&limit=1", [SHORT_ID]],
    ["limit 0 is the default", "service=shop&limit=0", [SHORT_ID, LONG_ID]],
    ["operation", "service=shop&operation=a%2Fb%20c", [SHORT_ID]],
    ["tag", "service=cart&tag=http.status:500", [LONG_ID]],
    ["tag value with a colon", "service=cart&tag=customer:c:1", [LONG_ID]],
    ["tags", "service=cart&tags=%7B%22http.status%22%3A%22500%22%7D", [LONG_ID]],
    [
      "tags win over tag",
      "service=cart&tag=customer:x&tags=%7B%22customer%22%3A%22c%3A1%22%7D",
      [LONG_ID],
    ],
    ["two tags on one span", "service=shop&tag=http.status:200&tag=customer:c:1", [SHORT_ID]],
    ["conditions of two spans do not add up", "service=shop&tag=http.status:500", []],
    ["error=true is a status", "service=cart&tag=error:true", [LONG_ID]],
    ["span.kind is a column", "service=shop&tag=span.kind:internal", [SHORT_ID]],
    ["otel.status_code is a column", "service=cart&tag=otel.status_code:ERROR", [LONG_ID]],
    ["minDuration", "service=shop&minDuration=6ms", [LONG_ID]],
    ["maxDuration", "service=shop&maxDuration=5ms", [SHORT_ID]],
    ["both, inclusive", "service=shop&minDuration=100ms&maxDuration=100ms", [LONG_ID]],
    ["start", "service=shop&start=1700000000000001", [SHORT_ID]],
    ["end, inclusive", "service=shop&end=1700000000000000", [LONG_ID]],
    ["no match", "service=nobody", []],
    ["lookback is ignored", "service=cart&lookback=nonsense", [LONG_ID]],
    ["ids", `traceID=ab&traceID=${LONG_ID}`, [SHORT_ID, LONG_ID]],
  ];
  for (const [what, query, expected] of cases) {
    it(what, async () => assert.deepEqual(await found(query), expected));
  }

  it("looks back two days when no start is given", async () => {
    const later = await start({
      clock: { ...systemClock, nowMs: () => NOW_MS + 3 * 86_400_000 },
    });
    const { text } = await call("/api/traces?service=shop", {}, later);
    await later.close();
    assert.equal(text, '{"data":[],"total":0,"limit":0,"offset":0,"errors":null}');
  });

  it("tells which ids it did not find", async () => {
    const { status, text } = await call("/api/traces?traceID=ab&traceID=99");
    assert.equal(status, 200);
    const end = '"errors":[{"msg":"trace not found","traceID":"0000000000000099"}]}';
    assert.ok(text.endsWith(`],"total":0,"limit":0,"offset":0,${end}`), text.slice(-200));
  });
});

describe("a trace by id", () => {
  it("is found by every writing of its id", async () => {
    const base64 = Buffer.from(LONG_ID, "hex").toString("base64");
    const writings = [LONG_ID, LONG_ID.toUpperCase(), encodeURIComponent(base64)];
    writings.push(base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
    for (const writing of writings) {
      const [trace] = (await data(`/api/traces/${writing}`)) as { traceID: string }[];
      assert.equal(trace!.traceID, LONG_ID);
    }
    for (const writing of ["ab", "00ab", SHORT_ID, `${"0".repeat(16)}${SHORT_ID}`]) {
      const [trace] = (await data(`/api/traces/${writing}`)) as { traceID: string }[];
      assert.equal(trace!.traceID, SHORT_ID);
    }
  });

  it("takes times in µs and ms, and raw", async () => {
    type Trace = { spans: { warnings: unknown; tags: { key: string }[] }[] };
    const [adjusted] = (await data(
      "/api/traces/ab?start=1700000000000&end=1700000100000",
    )) as Trace[];
    const [raw] = (await data("/api/traces/ab?raw=true&start=1700000000000000")) as Trace[];
    assert.deepEqual(
      adjusted!.spans[1]!.tags.map(({ key }) => key),
      ["customer", "http.status", "span.kind"],
    );
    assert.deepEqual(
      raw!.spans[1]!.tags.map(({ key }) => key),
      ["http.status", "customer", "span.kind"],
    );
  });

  it("is indented when asked", async () => {
    const { text } = await call("/api/traces/ab");
    const { text: pretty } = await call("/api/traces/ab?prettyPrint=true");
    const { text: plain } = await call("/api/traces/ab?prettyPrint=false");
    assert.equal(pretty, JSON.stringify(JSON.parse(text), null, 4));
    assert.equal(plain, text);
  });

  it("is archived, deleted and still found", async () => {
    const spans: Sent[] = [
      { trace: "ef", span: "e1", service: "old", name: "n", startMs: 0, durationMs: 1 },
    ];
    const { batch } = decodeOtlpJson(Buffer.from(otlpJson(spans)), new BatchBuilder());
    await store.write(batch);
    const { status, text } = await call("/api/archive/ef", { method: "POST" });
    assert.equal(status, 200);
    assert.equal(text, '{"data":[],"total":0,"limit":0,"offset":0,"errors":[]}');
    assert.equal(((await data("/api/traces/ef")) as unknown[]).length, 1);
    await store.delete(Buffer.from("ef".padStart(32, "0"), "hex"));
  });
});

describe("other endpoints", () => {
  it("dependencies are calls between services", async () => {
    const expected = [{ parent: "shop", child: "cart", callCount: 1 }];
    const range = `endTs=${NOW_MS}&lookback=200000`;
    assert.deepEqual(await data(`/api/dependencies?${range}`), expected);
    assert.deepEqual(await data(`/api/dependencies?${range}&service=cart`), expected);
    assert.deepEqual(await data(`/api/dependencies?${range}&service=nobody`), []);
    assert.deepEqual(await data("/api/dependencies?endTs=1&lookback=1"), []);
  });

  it("an upload of OTLP JSON comes back as Jaeger's", async () => {
    const body = otlpJson(SPANS);
    const { text, status } = await call("/api/transform", { method: "POST", body });
    assert.equal(status, 200);
    const ids = JSON.parse(text).data.map((trace: { traceID: string }) => trace.traceID);
    assert.deepEqual(ids, [LONG_ID, SHORT_ID, "00000000000000cd"]);
  });

  it("an upload of Jaeger's JSON comes back as it was", async () => {
    const { text: body } = await call(`/api/traces/${LONG_ID}?raw=true`);
    const { text } = await call("/api/transform", { method: "POST", body });
    assert.equal(text, body);
  });

  it("the pages without data of ours answer in their form", async () => {
    const deep = await call("/api/deep-dependencies");
    assert.equal(deep.text, '{"dependencies":[]}');
    const quality = JSON.parse((await call("/api/quality-metrics")).text);
    assert.deepEqual(quality.metrics, []);
    assert.equal(quality.bannerText.value, "Spoor does not measure trace quality.");
  });

  it("everything moves below a base path", async () => {
    const based = await start({ basePath: "/jaeger/" });
    assert.equal((await call("/jaeger/api/services", {}, based)).status, 200);
    assert.equal((await call("/api/services", {}, based)).status, 404);
    await based.close();
    await assert.rejects(start({ basePath: "jaeger" }), { code: "config" });
  });
});

describe("errors", () => {
  const wrong = (path: string, status: number, message: string, init: RequestInit = {}): void => {
    it(`${init.method ?? "GET"} ${path.slice(0, 70)}`, async () => {
      const reply = await call(path, init);
      assert.equal(reply.status, status);
      assert.equal(reply.headers.get("content-type"), "text/plain; charset=utf-8");
      assert.equal(reply.headers.get("x-content-type-options"), "nosniff");
      const errors = `[{"code":${status},"msg":${JSON.stringify(message)}}]`;
      assert.equal(reply.text, `{"data":null,"total":0,"limit":0,"offset":0,"errors":${errors}}\n`);
    });
  };
  const number = (text: string): string => `strconv.ParseInt: parsing "${text}": invalid syntax`;
  wrong("/api/traces", 400, "parameter 'service' is required");
  wrong("/api/operations", 400, "parameter 'service' is required");
  wrong("/api/traces?service=s&start=abc", 400, `unable to parse param 'start': ${number("abc")}`);
  wrong("/api/traces?service=s&end=1.5", 400, `unable to parse param 'end': ${number("1.5")}`);
  wrong("/api/traces?service=s&limit=x", 400, number("x"));
  wrong(
    "/api/traces?service=s&limit=2147483648",
    400,
    'strconv.ParseInt: parsing "2147483648": value out of range',
  );
  wrong(
    "/api/traces?service=s&minDuration=x",
    400,
    `unable to parse param 'minDuration': time: invalid duration "x"`,
  );
  wrong(
    "/api/traces?service=s&maxDuration=20",
    400,
    `unable to parse param 'maxDuration': time: missing unit in duration "20"`,
  );
  wrong(
    "/api/traces?service=s&minDuration=20s&maxDuration=1s",
    400,
    "'maxDuration' should be greater than 'minDuration'",
  );
  wrong(
    "/api/traces?service=s&tag=k",
    400,
    "malformed 'tag' parameter, expecting key:value, received: k",
  );
  wrong(
    "/api/traces?service=s&tags=json",
    400,
    "malformed 'tags' parameter, cannot unmarshal JSON: " +
      "invalid character 'j' looking for beginning of value",
  );
  wrong(
    "/api/traces?service=s&raw=maybe",
    400,
    `unable to parse param 'raw': strconv.ParseBool: parsing "maybe": invalid syntax`,
  );
  wrong(
    "/api/traces?traceID=100&traceID=x200",
    400,
    'cannot parse traceID param: strconv.ParseUint: parsing "x200": invalid syntax',
  );
  wrong("/api/traces/xyz", 400, 'strconv.ParseUint: parsing "xyz": invalid syntax');
  wrong(
    "/api/traces/0123456789abcdef0123456789abcdef0",
    400,
    "TraceID cannot be longer than 32 hex characters: 0123456789abcdef0123456789abcdef0",
  );
  wrong("/api/traces/ab?start=x", 400, `unable to parse param 'start': ${number("x")}`);
  wrong(
    "/api/traces/ab?raw=maybe",
    400,
    `unable to parse param 'raw': strconv.ParseBool: parsing "maybe": invalid syntax`,
  );
  wrong("/api/traces/1234", 404, "trace not found");
  wrong("/api/archive/1234", 404, "trace not found", { method: "POST" });
  wrong("/api/dependencies?endTs=x", 400, `unable to parse param 'endTs': ${number("x")}`);
  wrong("/api/dependencies?lookback=x", 400, `unable to parse param 'lookback': ${number("x")}`);
  wrong(
    "/api/metrics/calls",
    400,
    "unable to parse param 'service': please provide at least one service name",
  );
  wrong(
    "/api/metrics/latencies?service=s",
    400,
    `unable to parse param 'quantile': strconv.ParseFloat: parsing "": invalid syntax`,
  );
  wrong(
    "/api/metrics/errors?service=s&spanKind=SERVER",
    400,
    "unable to parse param 'spanKind': unsupported span kind: 'SERVER'",
  );
  wrong("/api/metrics/calls?service=s", 501, "metrics querying is currently disabled");
  wrong("/api/metrics/minstep", 501, "metrics querying is currently disabled");
  wrong("/api/nothing", 404, "404 page not found");
  wrong("/api/transform", 400, "OTLP JSON: the request is no object", {
    method: "POST",
    body: "[]",
  });
});
