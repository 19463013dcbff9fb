/** Traces from files and from a plain Jaeger, through the worker's own code over a channel. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { toHex } from "../../src/base/bytes.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { adjustTrace } from "../../src/core/trace/adjust.ts";
import { skeletonOf } from "../../src/core/trace/skeleton.ts";
import type { SkeletonColumns } from "../../src/core/trace/skeleton.ts";
import { viewTrace } from "../../src/core/trace/view.ts";
import { encodeJaegerTrace } from "../../src/wire/jaeger-json.ts";
import { JsonWriter } from "../../src/wire/json-writer.ts";
import { decodeOtlpJson } from "../../src/wire/otlp-json-decode.ts";
import { encodeOtlpJson } from "../../src/wire/otlp-json-encode.ts";
import { encodeOtlpProto } from "../../src/wire/otlp-proto-encode.ts";
import { remoteSource } from "./open-source.ts";
import { parseTraces } from "./parse-traces.ts";
import { serveTraces } from "./serve-traces.ts";
import { TraceLoadError } from "./trace-source.ts";
import { UploadedTraces } from "./uploaded-traces.ts";
import { WorkerClient } from "./worker-client.ts";
import { mixedShape, shapeBatches } from "../../test/support/trace-shapes.ts";

const signal = new AbortController().signal;
const ignore = (): void => undefined;
const ID = "07".repeat(16);

/** The page's end of a worker that runs here; everything is cloned as between threads. */
async function withClient(run: (client: WorkerClient) => Promise<void>): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  serveTraces({
    postMessage: (message, transfer) => port2.postMessage(message, transfer as ArrayBuffer[]),
    addEventListener: (_, heard) => port2.on("message", (data: unknown) => heard({ data })),
  });
  const client = new WorkerClient(() => ({
    postMessage: (message) => port1.postMessage(message),
    addEventListener: (type, heard) => port1.on(type, (data: unknown) => heard({ data })),
  }));
  try {
    await run(client);
  } finally {
    port1.close();
  }
}

const batch = shapeBatches({ ...mixedShape(3000, 2), services: 4 })[0]!;

function jaegerJson(spans: SpanBatch, raw = true): Uint8Array {
  const writer = new JsonWriter();
  const view = viewTrace([spans]);
  if (!raw) adjustTrace(view);
  writer.text('{"data": [');
  for (const _ of encodeJaegerTrace(writer, view)) ignore();
  writer.text("]}");
  return Buffer.concat(writer.take());
}

function expected(spans: SpanBatch, adjusted: boolean): SkeletonColumns {
  const view = viewTrace([spans]);
  if (adjusted) adjustTrace(view);
  const { order: _, token: __, ...columns } = skeletonOf(view);
  return { ...columns, token: "" };
}

const otlpJson = (spans: SpanBatch): Uint8Array => Buffer.from(encodeOtlpJson(spans));
const fileOf = (name: string, bytes: Uint8Array): File => new File([new Uint8Array(bytes)], name);

/** The rows of a batch as JSONL, one request a line. */
function otlpLines(spans: SpanBatch): Uint8Array {
  const { resourceSpans } = JSON.parse(Buffer.from(otlpJson(spans)).toString()) as {
    resourceSpans: unknown[];
  };
  const lines = resourceSpans.map((item) => JSON.stringify({ resourceSpans: [item] }));
  assert.ok(lines.length > 1);
  return Buffer.from(`${lines.join("\n")}\n`);
}

function framed(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes, length, bytes]);
}

describe("uploaded traces", () => {
  it("are the same from every format", async () => {
    const again = decodeOtlpJson(otlpJson(batch), new BatchBuilder()).batch;
    const files: (readonly [string, Uint8Array, number])[] = [
      ["otlp.json", otlpJson(batch), 1],
      ["otlp.jsonl", otlpLines(batch), 1],
      ["otlp.bin", encodeOtlpProto(batch), 1],
      ["framed.bin", framed(encodeOtlpProto(batch)), 2],
      ["otlp.json.gz", gzipSync(otlpJson(batch)), 1],
      ["bom.json", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), otlpJson(batch)]), 1],
    ];
    const wanted = expected(again, true);
    for (const [name, bytes, times] of files) {
      await withClient(async (client) => {
        const uploads = new UploadedTraces(client);
        const { traces, problems } = await uploads.add([fileOf(name, bytes)], signal);
        assert.deepEqual(problems, [], name);
        assert.deepEqual(
          traces.map(({ traceIdHex }) => traceIdHex),
          [ID],
          name,
        );
        assert.equal(traces[0]!.spanCount, 3000 * times, name);
        const source = uploads.sourceOf(ID.toUpperCase())!;
        const { loaded, criticalPath, ...columns } = await source.load(ignore, signal);
        assert.equal(loaded, 3000);
        assert.ok(criticalPath.row.length > 0);
        // Ids decide nothing of the order but ties: spans of one start may swap with their rows.
        assert.deepEqual({ ...columns, token: "" }, wanted, name);
      });
    }
  });

  it("of Jaeger's JSON, whole, in parts, as a list, one trace, in several files", async () => {
    const bytes = jaegerJson(batch);
    const { data } = JSON.parse(Buffer.from(bytes).toString()) as {
      data: { spans: unknown[] }[];
    };
    const texts = [bytes, JSON.stringify(data), JSON.stringify(data[0], null, 2)];
    for (const text of texts) {
      const whole = parseTraces(Buffer.from(text));
      const parts = parseTraces(Buffer.from(text), { jsonBytes: 1000, partBytes: 50_000 });
      assert.ok(parts.batches.length > 10);
      const count = (batches: readonly SpanBatch[]): number =>
        batches.reduce((sum, { spanCount }) => sum + spanCount, 0);
      assert.deepEqual([count(whole.batches), count(parts.batches)], [3000, 3000]);
      const columns = [whole, parts].map(({ batches }) => skeletonOf(viewTrace(batches)));
      assert.equal(columns[0]!.token, columns[1]!.token);
      assert.deepEqual(columns[0]!.services, columns[1]!.services);
    }
    const [first, second] = [data[0]!.spans.slice(0, 1000), data[0]!.spans.slice(1000)];
    const halves = [first, second].map((spans) => JSON.stringify({ ...data[0], spans }));
    await withClient(async (client) => {
      const uploads = new UploadedTraces(client);
      const files = halves.map((half, n) => fileOf(`${n}.json`, Buffer.from(half)));
      const { traces } = await uploads.add(files, signal);
      assert.deepEqual(
        traces.map(({ spanCount }) => spanCount),
        [3000],
      );
    });
  });

  it("of Zipkin's JSON, both models, from real clients", () => {
    for (const model of ["zipkin-v1-json", "zipkin-v2-json"]) {
      const folder = new URL(`../../test/fixtures/${model}/`, import.meta.url);
      const names = readdirSync(folder).filter((name) => name.endsWith(".body.json"));
      assert.ok(names.length > 1);
      for (const name of names) {
        const { batches, problems } = parseTraces(readFileSync(new URL(name, folder)));
        const spans = new URL(name.replace(".body.", ".spans."), folder);
        const ids = (JSON.parse(readFileSync(spans, "utf8")) as { spanId: string }[]).map(
          ({ spanId }) => spanId,
        );
        const found = batches.flatMap(({ spanId, spanCount }) =>
          Array.from({ length: spanCount }, (_, i) => toHex(spanId, i * 8, 8)),
        );
        assert.deepEqual([found.toSorted(), problems], [ids.toSorted(), []], name);
      }
    }
  });

  it("of OTLP JSON in parts", () => {
    const parts = parseTraces(otlpJson(batch), { jsonBytes: 1000, partBytes: 1 });
    assert.equal(parts.batches.length, 4);
    const tokens = [parts.batches, [batch]].map((b) => skeletonOf(viewTrace(b)).token);
    assert.equal(tokens[0], tokens[1]);
  });

  it("say what is wrong with a file and read the others", async () => {
    await withClient(async (client) => {
      const uploads = new UploadedTraces(client);
      const files: (readonly [string, string | Uint8Array, RegExp])[] = [
        ["text.json", "hello", /not a trace file/],
        ["other.json", '{"a":1}', /not a trace file/],
        ["cut.json", Buffer.from(otlpJson(batch)).subarray(0, 500), /JSON/],
        ["empty.json", "", /no spans/],
        ["none.json", '{"data":[]}', /no spans/],
        ["cut.gz", gzipSync(otlpJson(batch)).subarray(0, 500), /gzip/],
      ];
      const given = files.map(([name, content]) => fileOf(name, Buffer.from(content)));
      const good = fileOf("good.json", jaegerJson(batch));
      const { traces, problems } = await uploads.add([...given, good], signal);
      assert.equal(traces.length, 1);
      assert.deepEqual(
        problems.map(({ file }) => file),
        files.map(([name]) => name),
      );
      problems.forEach(({ message }, n) => assert.match(message, files[n]![2]));
      assert.equal(uploads.sourceOf("12".repeat(16)), undefined);
      await uploads.clear();
      assert.equal(uploads.sourceOf(ID), undefined);
    });
  });

  it("answer details, find, JSON, and tell of traces that are others by now", async () => {
    await withClient(async (client) => {
      const uploads = new UploadedTraces(client);
      await uploads.add([fileOf("a.json", jaegerJson(batch))], signal);
      const source = uploads.sourceOf(ID)!;
      const columns = await source.load(ignore, signal);
      const details = await source.details(columns, [9, 0], signal);
      assert.deepEqual(
        details.map(({ row }) => row),
        [9, 0],
      );
      assert.equal(details[0]!.attributes.length, 2);
      const keys = (await source.keys(columns, signal)).map(({ key }) => key);
      assert.deepEqual(keys.toSorted(), ["attribute.0", "attribute.1", "service.name"]);
      const { values, groups } = await source.values(columns, "service.name", signal);
      assert.equal(groups.length, columns.spanCount);
      assert.equal(values[groups[5]!]!.text, columns.services[columns.service[5]!]);
      const bits = await source.find(columns, { text: '"value of span 77"' }, signal);
      assert.equal(
        bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0),
        11,
      );
      const json = JSON.parse(await (await source.json(true, signal)).text()) as {
        data: { spans: unknown[] }[];
      };
      assert.equal(json.data[0]!.spans.length, 3000);
      assert.equal(await source.lateSpans(columns, signal), 0);
      await assert.rejects(
        source.details({ ...columns, token: "other" }, [0], signal),
        (error) => error instanceof TraceLoadError && error.code === "changed",
      );
      await assert.rejects(source.find(columns, {}, AbortSignal.abort()), { name: "AbortError" });
    });
  });
});

describe("a plain Jaeger", () => {
  it("gives the same page by its JSON, whatever it answers to what it does not know", async (t) => {
    const bytes = jaegerJson(batch, false);
    for (const unknown of [404, 200]) {
      const jaeger = http.createServer((request, response) => {
        if (request.url === `/api/traces/${ID}`) response.end(bytes);
        else if (request.url!.startsWith("/api/traces/")) {
          response
            .writeHead(404)
            .end('{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}');
        } else response.writeHead(unknown, { "content-type": "text/html" }).end("<html>");
      });
      t.after(() => jaeger.close().closeAllConnections());
      await new Promise<void>((resolve) => jaeger.listen(0, "127.0.0.1", resolve));
      const base = `http://127.0.0.1:${(jaeger.address() as AddressInfo).port}`;
      await withClient(async (client) => {
        const source = remoteSource({ base, traceId: ID }, client);
        const columns = await source.load(ignore, signal);
        // Its JSON has no nanoseconds: siblings may change places.
        const [rounded] = parseTraces(bytes).batches;
        const { depth, parent, end } = expected(rounded!, false);
        assert.deepEqual([columns.depth, columns.parent, columns.end], [depth, parent, end]);
        const [detail] = await source.details(columns, [4], signal);
        assert.equal(detail!.row, 4);
        await assert.rejects(
          remoteSource({ base, traceId: "99".repeat(16) }, client).load(ignore, signal),
          (error) => error instanceof TraceLoadError && error.code === "not-found",
        );
      });
    }
  });
});
