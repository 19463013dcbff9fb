// Requests whose caller does not sample: the trace goes on, and can be sampled after all.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import http from "node:http";
import { after, before, beforeEach, describe, it } from "node:test";
import { instrumentHttp, tracedListener } from "../../src/client/node/instrument-http.ts";
import {
  ConstSampler,
  InMemoryReporter,
  TestUtils,
  initTracer,
} from "../../src/client/node/index.ts";
import { UNTRACED } from "../../src/client/node/untraced.ts";
import { closeServer } from "./client-servers.ts";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Span } from "../../src/client/node/index.ts";

const reporter = new InMemoryReporter();
const options = { reporter, sampler: new ConstSampler(true) };
const tracer = initTracer({ serviceName: "svc" }, options);

function get(port: number, path: string, ids = "", outside = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = ids === "" ? {} : { "uber-trace-id": ids };
    const mark = outside ? { [UNTRACED]: true } : {};
    const request = http.get({ port, path, headers, agent: false, ...mark }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => (body += String(part)));
      response.on("end", () => resolve(body));
    });
    request.on("error", reject);
  });
}

const handlers: Record<string, (span: Span) => void> = {
  "/late": (span) => span.setTag("sampling.priority", 1),
  "/late-child": (span) => {
    const child = tracer.startSpan("child", { childOf: span });
    child.setTag("sampling.priority", 1).finish();
  },
  "/twice": (span) => {
    span.setTag("sampling.priority", 1).setTag("sampling.priority", 0);
    span.setTag("sampling.priority", 1).setTag("own", "tag");
  },
  "/never": (span) => span.setTag("sampling.priority", 1).setTag("sampling.priority", 0),
  "/context": (span) => void span.context(),
  "/baggage": (span) => span.setBaggageItem("who", "me & you"),
  "/tagged": (span) => span.setTag("lost", 1).log({ event: "lost" }).setOperationName("lost"),
};

/** Answers with the ids it was called with, twice called, and those of its span. */
const server = http.createServer((request, response) => {
  if (request.url === "/echo") {
    const { "uber-trace-id": ids, "uberctx-who": who } = request.headers;
    response.end(`${String(ids)} ${String(who)}`);
    return;
  }
  const span = tracer.activeSpan()!;
  const { url } = request;
  // As a router does that serves below a path.
  request.url = "/rest";
  const { port } = server.address() as AddressInfo;
  const answer = async (): Promise<string> => {
    const first = await get(port, "/echo");
    handlers[url!]?.(span);
    return [first, await get(port, "/echo"), span.context().toString()].join(" | ");
  };
  void answer().then((text) => response.end(text));
});

let port = 0;
let undo: () => void;
before(async () => {
  undo = instrumentHttp(tracer, { ignore: (request) => request.url === "/echo" });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => reporter.clear());
after(async () => {
  undo();
  await closeServer(server);
  tracer.close();
});

const WIDE = "8".repeat(32);
const PLAIN = "1f3a5c7e9b2d4f60";
const SPAN = "2b4d6f8091a3c5e7";

/** A request of somebody else: this process' instrumentation leaves it alone. */
async function asked(path: string, ids: string): Promise<string[]> {
  return (await get(port, path, ids, true)).split(" | ");
}

describe("a request that is not sampled", () => {
  for (const trace of [PLAIN, WIDE, "a1", WIDE.toUpperCase().replace(/8/g, "A")]) {
    for (const parent of ["0", SPAN]) {
      it(`carries ${trace} on from a span with parent ${parent}`, async () => {
        const calls = await asked("/context", `${trace}:${SPAN}:${parent}:0`);
        const [first, second, own] = calls.map((text) => text.split(" ")[0]!.split(":"));
        assert.deepEqual(
          [first, second, own].map((ids) => ids![0]),
          [trace.toLowerCase(), trace.toLowerCase(), trace.toLowerCase()],
        );
        assert.deepEqual([first![2], second![2]], [own![1], own![1]]);
        assert.notEqual(first![1], second![1]);
        assert.deepEqual([first![3], second![3], own![3]], ["0", "0", "0"]);
        assert.deepEqual(reporter.spans, []);
      });
    }
  }

  it("keeps nothing of tags, logs and names", async () => {
    await asked("/tagged", `${PLAIN}:${SPAN}:0:0`);
    assert.deepEqual(reporter.spans, []);
  });

  it("carries baggage on that is set later", async () => {
    const [first, second] = await asked("/baggage", `${PLAIN}:${SPAN}:0:0`);
    assert.match(first!, / undefined$/);
    assert.match(second!, / me%20%26%20you$/);
  });

  for (const path of ["/late", "/late-child", "/twice"]) {
    it(`is reported with all its tags when its trace is sampled after all: ${path}`, async () => {
      const ids = `${PLAIN}:${SPAN}:0:0`;
      const [, second] = await asked(path, ids);
      assert.match(second!, /:3 /);
      const served = (): Span | undefined =>
        reporter.spans.find(
          (span) =>
            span.operationName === "HTTP GET" && TestUtils.getTags(span)["span.kind"] === "server",
        );
      while (served() === undefined) await new Promise((next) => setImmediate(next));
      const { "sampling.priority": _priority, ...tags } = TestUtils.getTags(served()!);
      const expected = { component: "node:http", "http.method": "GET", "http.url": path };
      const own = path === "/twice" ? { own: "tag" } : {};
      const rest = { "span.kind": "server", "http.status_code": 200, ...own };
      assert.deepEqual(tags, { ...expected, ...rest });
      assert.equal(served()!.context().parentIdStr, SPAN);
      assert.equal(served()!.context().traceIdStr, PLAIN);
    });
  }

  it("is found in what stands in for a request and has no raw headers", () => {
    const headers = { "uber-trace-id": `${PLAIN}:${SPAN}:0:0` };
    for (const rawHeaders of [undefined, []]) {
      const request = { method: "GET", url: "/", headers, rawHeaders };
      const response = new EventEmitter();
      let traceId: string | undefined;
      const listener = tracedListener(tracer, () => {
        traceId = tracer.activeSpan()!.context().traceIdStr;
      });
      listener(request as unknown as IncomingMessage, response as unknown as ServerResponse);
      assert.equal(traceId, PLAIN);
    }
  });

  it("is not reported when that is taken back", async () => {
    await asked("/never", `${PLAIN}:${SPAN}:0:0`);
    await new Promise((next) => setImmediate(next));
    assert.deepEqual(reporter.spans, []);
  });
});
