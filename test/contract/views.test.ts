/** Views of pages: kept by every store that can, over its API, within limits, through faults. */

import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { startQueryServer } from "../../src/api/query-server.ts";
import { seededRandom } from "../../src/base/clock.ts";
import { CounterTable } from "../../src/base/counters.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { SpanStore } from "../../src/core/store.ts";
import { QueryService } from "../../src/query/query-service.ts";
import { openBlackholeStore } from "../../src/storage/blackhole/store.ts";
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { FaultyFiles } from "../support/faulty-files.ts";
import { openOn, standingClock } from "../support/small-stores.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openEmbedded } from "./embedded-open.ts";

const VIEW = { path: "/trace/5a0b", query: "c=2.*3AbCd&f=e" };
const DAY_MS = 86_400_000;

interface Answer {
  readonly status: number;
  readonly json: {
    readonly id?: string;
    readonly path?: string;
    readonly query?: string;
    readonly error?: { readonly code: string; readonly message: string };
  };
}

type Ask = (
  path: string,
  body?: string,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

async function serve(t: TestContext, store: SpanStore): Promise<Ask> {
  const counters = new CounterTable();
  const query = new QueryService({ store, counters, clock: standingClock() });
  const server = await startQueryServer({
    host: "127.0.0.1",
    port: 0,
    query,
    counters,
    basePath: "/base",
  });
  t.after(() => server.close(0));
  return async (path, body, headers = { "content-type": "application/json" }) => {
    const init = body === undefined ? {} : { method: "POST", body, headers };
    const answer = await fetch(`http://127.0.0.1:${server.port}/base/api/spoor/v1/${path}`, init);
    return { status: answer.status, json: (await answer.json()) as Answer["json"] };
  };
}

const STORES: readonly (readonly [string, (t: TestContext) => Promise<SpanStore>])[] = [
  ["memory", async () => openMemoryStore()],
  ["embedded", (t) => openEmbedded(t)],
];

for (const [name, open] of STORES) {
  test(`${name}: a view is given out as it was kept, and kept once`, async (t) => {
    const ask = await serve(t, await open(t));
    const kept = await ask("views", JSON.stringify(VIEW));
    assert.equal(kept.status, 200);
    assert.match(kept.json.id ?? "", /^[\w-]{22}$/);
    assert.deepEqual(await ask(`views/${kept.json.id}`), { status: 200, json: VIEW });
    assert.deepEqual(await ask("views", JSON.stringify(VIEW)), kept);
    const other = await ask("views", JSON.stringify({ ...VIEW, query: "" }));
    assert.notEqual(other.json.id, kept.json.id);
  });

  test(`${name}: beyond count and age the oldest go, what is kept again stays`, async () => {
    const clock = standingClock();
    const store =
      name === "memory" ? openMemoryStore({ clock }) : await openOn(new FaultyFiles(), { clock });
    const views = store.views!;
    const idOf = (i: number): string => String(i).padStart(22, "0");
    const bytes = new Uint8Array([1, 2, 3]);
    for (let i = 0; i < LIMITS.views; i++, clock.ms++) await views.keep(idOf(i), bytes);
    await views.keep(idOf(0), bytes);
    await views.keep(idOf(LIMITS.views), bytes);
    assert.deepEqual(await views.get(idOf(0)), bytes);
    assert.equal(await views.get(idOf(1)), undefined);
    assert.deepEqual(await views.get(idOf(2)), bytes);
    clock.ms += LIMITS.viewAgeMs - DAY_MS;
    await views.keep(idOf(2), bytes);
    clock.ms += 2 * DAY_MS;
    assert.equal(await views.get(idOf(3)), undefined);
    assert.deepEqual(await views.get(idOf(2)), bytes);
    await store.close();
  });
}

test("hostile and malformed views are refused in words, and ids lead nowhere else", async (t) => {
  const ask = await serve(t, await openEmbedded(t));
  const bad: readonly (readonly [body: string, status: number, message: RegExp])[] = [
    ["", 400, /JSON/],
    ["[]", 400, /object/],
    ['{"path":"/trace/1"}', 400, /query must be a text/],
    ['{"path":"/trace/1","query":7}', 400, /query must be a text/],
    ['{"path":"/trace/1","query":"","evil":1}', 400, /evil is not known/],
    ['{"path":"//evil.example/trace/1","query":""}', 400, /path/],
    ['{"path":"javascript:alert(1)","query":""}', 400, /path/],
    ['{"path":"/trace/../search","query":""}', 400, /path/],
    ['{"path":"/trace/<script>","query":""}', 400, /path/],
    [JSON.stringify({ ...VIEW, query: "a".repeat(LIMITS.viewBytes) }), 413, /at most 65536 bytes/],
  ];
  for (const [body, status, message] of bad) {
    const answer = await ask("views", body);
    assert.equal(answer.status, status, body.slice(0, 80));
    assert.match(answer.json.error?.message ?? "", message);
  }
  for (const headers of [{}, { "content-type": "text/plain" }]) {
    const answer = await ask("views", JSON.stringify(VIEW), headers);
    assert.match(answer.json.error?.message ?? "", /application\/json/);
  }
  for (const id of ["..%2f..%2fstopped", "a".repeat(22), "a".repeat(5000), "%00", "é"]) {
    assert.equal((await ask(`views/${id}`)).status, 404, id);
  }
  const odd = {
    path: "/trace/1",
    query: "uiFind=%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E&%00=%FF",
  };
  const { json } = await ask("views", JSON.stringify(odd));
  const back = await ask(`views/${json.id}`);
  assert.equal(back.json.query, new URLSearchParams(odd.query).toString());
});

test("a store that keeps none says so", async (t) => {
  const ask = await serve(t, openBlackholeStore());
  for (const answer of [await ask("views", JSON.stringify(VIEW)), await ask("views/a")]) {
    assert.equal(answer.status, 501);
    assert.match(answer.json.error?.message ?? "", /the blackhole store cannot keep views/);
  }
});

test("views survive a restart; damaged ones are told, leftovers removed", async (t) => {
  const directory = tempFolder("views");
  const before = await openEmbeddedStore({ directory });
  const { json } = await (await serve(t, before))("views", JSON.stringify(VIEW));
  const lost = await (await serve(t, before))("views", JSON.stringify({ ...VIEW, query: "x=1" }));
  await before.close();
  const names = await readdir(join(directory, "views"));
  await writeFile(join(directory, "views", "1.unfinished.new"), "half");
  const damaged = names.find((name) => name.endsWith(lost.json.id!))!;
  await writeFile(join(directory, "views", damaged), "other");
  const store = await openEmbeddedStore({ directory });
  t.after(() => store.close());
  const ask = await serve(t, store);
  assert.deepEqual(await ask(`views/${json.id}`), { status: 200, json: VIEW });
  const broken = await ask(`views/${lost.json.id}`);
  assert.equal(broken.json.error?.code, "corrupt");
  assert.deepEqual((await readdir(join(directory, "views"))).toSorted(), names.toSorted());
});

test("whatever fails at whatever step, what was acknowledged survives a power cut", async () => {
  const bytes = new TextEncoder().encode("a view");
  const id = "a".repeat(22);
  for (const fault of ["full", "error", "cut"] as const) {
    for (let step = 0; ; step++) {
      const files = new FaultyFiles();
      const store = await openOn(files);
      const first = files.steps;
      files.plan = (at) => (at === first + step ? fault : undefined);
      const acknowledged = await store.views!.keep(id, bytes).then(
        () => true,
        () => false,
      );
      const steps = files.steps - first;
      files.plan = () => undefined;
      const after = files.afterPowerCut(seededRandom(step));
      const again = await openOn(after);
      const found = await again.views!.get(id);
      if (acknowledged) assert.deepEqual(found, bytes, `${fault} at ${step}`);
      else assert.ok(found === undefined || found.length === bytes.length, `${fault} at ${step}`);
      await again.views!.keep(id, bytes);
      assert.deepEqual(await again.views!.get(id), bytes);
      await again.close();
      if (step >= steps) break;
    }
  }
});
