/** The store behind a running all-in-one, asked through its doors alone: OTLP in, its APIs out. */

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import type { TestContext } from "node:test";
import { ATTRIBUTE_TYPE, viewBatch } from "../../src/core/batch.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { ERROR_CODES, SpoorError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import type { Filter, FilterValue } from "../../src/core/filter.ts";
import type {
  AttributeKey,
  AttributeScope,
  AttributeValue,
  FindQuery,
  FindResult,
  SpanStore,
  TraceSummary,
  WriteResult,
} from "../../src/core/store.ts";
import type { RunningRole } from "../../src/run/role.ts";
import { encodeOtlpProto } from "../../src/wire/otlp-proto-encode.ts";
import { idBytes } from "../support/plain-spans.ts";
import { eventually } from "../support/patience.ts";
import { metricOf, portOf, runAllInOne } from "../support/running-roles.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** Which sentences of the contract cannot be asked over HTTP, or mean something else there. */
export const PRODUCT_EXCUSES: ReadonlyMap<string, string> = new Map([
  [
    "a batch is stored with everything it holds",
    "OTLP has no times before 1970, and negative durations are repaired on the way",
  ],
  [
    "ids are whole: halves and zeros are told apart",
    "OTLP refuses spans whose trace id is all zeros",
  ],
  ["changedSince gives everything once, then what is new", "no API gives a trace's changes"],
  ["a deleted trace is gone, archive included, and may come again", "no API deletes"],
  ["a trace that is only archived can be deleted", "no API deletes"],
  ["after close every call rejects as closed", "a client does not close the server"],
  ["links are calls from the parent's service to the child's", "no API gives dependencies yet"],
]);

/** One on an embedded store in a directory of its own, stopped at the end of the test. */
export async function openProduct(t: TestContext): Promise<SpanStore> {
  const directory = tempFolder("product");
  const role = await runAllInOne(t, [
    "--span-storage.type=embedded",
    `--embedded.directory=${directory}`,
    "--embedded.retention=0",
  ]);
  // After the role's own hook, which stops it.
  t.after(() => rm(directory, { recursive: true }));
  return new ProductStore(role);
}

type Json = { readonly [name: string]: unknown };

class ProductStore implements SpanStore {
  readonly can = {
    name: "product",
    allServices: true,
    filters: true,
    orders: ["start", "duration", "spanCount"],
    cursor: true,
    totals: true,
    operationKinds: true,
    attributeKeys: true,
    attributeValues: true,
    links: false,
    changedSince: false,
    archive: true,
    delete: false,
  } as const;
  readonly #role: RunningRole;
  readonly #query: string;
  #last: SpanBatch | undefined;

  constructor(role: RunningRole) {
    this.#role = role;
    this.#query = `http://127.0.0.1:${portOf(role, "query")}`;
  }

  /** What was deduplicated is the ledger's difference: two writes at once share it. */
  async write(batch: SpanBatch): Promise<WriteResult> {
    const before = await this.#deduplicated();
    const answer = await fetch(`http://127.0.0.1:${portOf(this.#role, "otlpHttp")}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: Uint8Array.from(encodeOtlpProto(batch)),
    });
    assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [200, 0]);
    if (batch.spanCount > 0) this.#last = viewBatch(batch.image.slice());
    const deduplicated = (await this.#deduplicated()) - before;
    return { stored: batch.spanCount - deduplicated, deduplicated };
  }

  #deduplicated(): Promise<number> {
    return metricOf(this.#role, "spoor_ledger_spans_total", 'state="deduplicated"');
  }

  /** Waits until the span written last is read: at most 100 ms, the contract says. */
  async settle(): Promise<void> {
    const last = this.#last;
    if (last === undefined) return;
    const row = last.spanCount - 1;
    const spanHex = hexOf(last.spanId.subarray(row * 8, row * 8 + 8));
    await eventually("the last span written", async () => {
      for await (const batch of this.get([last.traceId.subarray(row * 16, row * 16 + 16)])) {
        for (let i = 0; i < batch.spanCount; i++) {
          if (hexOf(batch.spanId.subarray(i * 8, i * 8 + 8)) === spanHex) return true;
        }
      }
      return undefined;
    });
  }

  async find(query: FindQuery, signal?: AbortSignal): Promise<FindResult> {
    const { filter, startMinUs, startMaxUs, ...rest } = query;
    const asked = {
      ...rest,
      ...(filter === undefined ? {} : { filter: filterJson(filter) }),
      ...(Number.isFinite(startMinUs) ? { startMinUs } : {}),
      ...(Number.isFinite(startMaxUs) ? { startMaxUs } : {}),
    };
    const body = JSON.stringify(asked);
    const found = await this.#json("/api/spoor/v1/find", { method: "POST", body }, signal);
    return {
      traces: (found["traces"] as Json[]).map(summaryOf),
      cursor: (found["cursor"] as string | null) ?? undefined,
      totals: (found["totals"] as FindResult["totals"] | null) ?? undefined,
    };
  }

  async *get(ids: readonly Uint8Array[], signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    for (const id of ids) yield* this.#batches(`${hexOf(id)}/batches`, signal);
  }

  getArchived(id: Uint8Array, signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    return this.#batches(`${hexOf(id)}/batches?archived=true`, signal);
  }

  async archive(traceId: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    const path = `/api/spoor/v1/traces/${hexOf(traceId)}/archive`;
    try {
      return (await this.#json(path, { method: "POST" }, signal))["archived"] === true;
    } catch (error) {
      if (error instanceof SpoorError && error.code === "not-found") return false;
      throw error;
    }
  }

  async services(signal?: AbortSignal): Promise<readonly string[]> {
    return ((await this.#json("/api/services", {}, signal))["data"] as string[] | null) ?? [];
  }

  async operations(
    service: string,
    kind?: number,
  ): Promise<readonly { name: string; kind: number }[]> {
    const name = kind === undefined ? "" : KIND_NAMES[kind]!;
    const asked = new URLSearchParams({ service, ...(name === "" ? {} : { spanKind: name }) });
    const rows = (await this.#json(`/api/operations?${asked.toString()}`))["data"] as Json[] | null;
    const all = (rows ?? []).map((row) => ({
      name: row["name"] as string,
      kind: KIND_NAMES.indexOf(row["spanKind"] as string),
    }));
    // Jaeger's parameter cannot ask for spans without a kind.
    return kind === 0 ? all.filter((row) => row.kind === 0) : all;
  }

  async attributeKeys(scope: AttributeScope): Promise<readonly AttributeKey[]> {
    const answer = await this.#json(`/api/spoor/v1/attributes/keys?${scopeQuery(scope)}`);
    return (answer["keys"] as Json[]).map((row) => ({
      key: row["key"] as string,
      level: row["level"] as AttributeKey["level"],
      type: typeOf(row),
    }));
  }

  async attributeValues(key: string, scope: AttributeScope): Promise<readonly AttributeValue[]> {
    const asked = `key=${encodeURIComponent(key)}&${scopeQuery(scope)}`;
    const answer = await this.#json(`/api/spoor/v1/attributes/values?${asked}`);
    return (answer["values"] as Json[]).map((row) => ({
      value: row["value"] as string,
      type: typeOf(row),
      spanCount: row["spanCount"] as number,
    }));
  }

  changedSince = absent;
  links = absent;
  delete = absent;
  /** The test's end stops the role. */
  close = (): Promise<void> => Promise.resolve();

  async *#batches(path: string, signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    const answer = await this.#fetch(`/api/spoor/v1/traces/${path}`, {}, signal);
    if (answer.status === 404) return;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    assert.equal(answer.status, 200, Buffer.from(bytes).toString());
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length;) {
      const length = view.getUint32(at, true);
      yield viewBatch(bytes.slice(at + 4, at + 4 + length));
      at += 4 + length;
    }
  }

  async #json(path: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Json> {
    const answer = await this.#fetch(path, init, signal);
    const json = (await answer.json()) as Json;
    if (answer.ok) return json;
    const { code, message } = json["error"] as { code: string; message: string };
    assert.ok(code in ERROR_CODES, code);
    throw new SpoorError(code as ErrorCode, message);
  }

  async #fetch(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    try {
      return await fetch(this.#query + path, {
        ...init,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (signal?.aborted === true) throw new SpoorError("cancelled", "aborted", { cause });
      throw cause;
    }
  }
}

const KIND_NAMES = ["", "internal", "server", "client", "producer", "consumer"];

function absent(): Promise<never> {
  return Promise.reject(new SpoorError("unsupported", "not over HTTP"));
}

function typeOf(row: Json): number {
  return ATTRIBUTE_TYPE[(row["type"] as string).toUpperCase() as keyof typeof ATTRIBUTE_TYPE];
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function scopeQuery({ service, prefix, startMinUs, startMaxUs, limit }: AttributeScope): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (service !== undefined) query.set("service", service);
  if (prefix !== undefined) query.set("prefix", prefix);
  if (Number.isFinite(startMinUs)) query.set("startMinUs", String(startMinUs));
  if (Number.isFinite(startMaxUs)) query.set("startMaxUs", String(startMaxUs));
  return query.toString();
}

function filterJson(filter: Filter): unknown {
  if (filter.op === "and") return { op: "and", all: filter.all.map(filterJson) };
  if (filter.op === "or") return { op: "or", any: filter.any.map(filterJson) };
  if (filter.op === "not") return { op: "not", filter: filterJson(filter.filter) };
  if (filter.op === "in") return { ...filter, values: filter.values.map(valueJson) };
  if ("value" in filter) return { ...filter, value: valueJson(filter.value) };
  return filter;
}

function valueJson(value: FilterValue): unknown {
  return typeof value === "bigint" ? { int64: String(value) } : value;
}

function summaryOf(row: Json): TraceSummary {
  const { traceId, match, ...rest } = row as {
    readonly traceId: string;
    readonly match: { spanId: string; startUs: number; startNs: number; durationNs: number };
  } & Omit<TraceSummary, "traceId">;
  return {
    ...rest,
    traceId: idBytes(traceId),
    matchSpanId: idBytes(match.spanId),
    matchStartUs: match.startUs,
    matchStartNs: match.startNs,
    matchDurationNs: match.durationNs,
  };
}
