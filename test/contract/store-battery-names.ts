/** The store battery's lists: services, operations, attribute keys and values, links. */

import assert from "node:assert/strict";
import { test } from "./battery-test.ts";
import { ATTRIBUTE_TYPE } from "../../src/core/batch.ts";
import { NO_PARENT, int, plainSpan, serviceResource, text } from "../support/plain-spans.ts";
import type { PlainSpan } from "../support/plain-spans.ts";
import type { OpenStore } from "./store-battery-random.ts";
import { ALWAYS, put } from "./store-reads.ts";

const START_NS = 1_700_000_000_000_000_000n;
const START_US = 1_700_000_000_000_000;
const { STRING, INT } = ATTRIBUTE_TYPE;

let made = 0;

/** A span of a service with an id of its own. */
function spanIn(service: string, part: Partial<PlainSpan> = {}): PlainSpan {
  const spanHex = (++made).toString(16).padStart(16, "0");
  return plainSpan({ resource: serviceResource(service), spanHex, ...part });
}

export function runNamesBattery(name: string, open: OpenStore): void {
  test(`${name}: services come once each, by bytes`, async (t) => {
    const store = await open(t);
    assert.deepEqual(await store.services(), []);
    await put(
      store,
      ["b", "a", "\u{1f98a}", "\uff5e", "B", "a"].map((s) => spanIn(s)),
    );
    await put(store, [
      spanIn("a"),
      spanIn(""),
      spanIn("x", { resource: { attributes: [], schemaUrl: "" } }),
      spanIn("x", { resource: { attributes: [["service.name", int(1)]], schemaUrl: "" } }),
    ]);
    const services = ["B", "OTLPResourceNoServiceName", "a", "b", "empty-service-name"];
    assert.deepEqual(await store.services(), [...services, "\uff5e", "\u{1f98a}"]);
  });

  test(`${name}: operations of a service, by name then kind`, async (t) => {
    const store = await open(t);
    await put(store, [
      spanIn("a", { name: "z", kind: 2 }),
      spanIn("a", { name: "y", kind: 3 }),
      spanIn("a", { name: "y", kind: 2 }),
      spanIn("a", { name: "y", kind: 2 }),
      spanIn("a", { name: "", kind: 0 }),
      spanIn("b", { name: "w", kind: 2 }),
    ]);
    const all = [
      { name: "", kind: 0 },
      { name: "y", kind: 2 },
      { name: "y", kind: 3 },
      { name: "z", kind: 2 },
    ];
    assert.deepEqual(await store.operations("a"), all);
    assert.deepEqual(await store.operations("a", 2), [all[1], all[3]]);
    assert.deepEqual(await store.operations("a", 0), [all[0]]);
    assert.deepEqual(await store.operations("nobody"), []);
  });

  test(`${name}: attribute keys with level and type, narrowed`, async (t) => {
    const store = await open(t);
    await put(store, [
      spanIn("a", {
        attributes: [
          ["k", text("v")],
          ["k", int(1)],
        ],
        scope: { name: "", version: "", attributes: [["s", text("v")]] },
        events: [{ atNs: START_NS, name: "", attributes: [["k", text("v")]] }],
      }),
      spanIn("b", {
        startNs: START_NS + 5000n,
        links: [{ traceHex: "f".repeat(32), spanHex: "f".repeat(16), attributes: [["l", int(1)]] }],
      }),
    ]);
    const k = [
      { key: "k", level: "span", type: STRING },
      { key: "k", level: "span", type: INT },
      { key: "k", level: "event", type: STRING },
    ] as const;
    const l = { key: "l", level: "link", type: INT };
    const s = { key: "s", level: "scope", type: STRING };
    const service = { key: "service.name", level: "resource", type: STRING };
    const keys = (part: object) => store.attributeKeys({ ...ALWAYS, limit: 100, ...part });
    assert.deepEqual(await keys({}), [...k, l, s, service]);
    assert.deepEqual(await keys({ service: "a" }), [...k, s, service]);
    assert.deepEqual(await keys({ prefix: "s" }), [s, service]);
    const at5 = { startMinUs: START_US + 5, startMaxUs: START_US + 5 };
    assert.deepEqual(await keys(at5), [l, service]);
    assert.deepEqual(await keys({ limit: 2 }), k.slice(0, 2));
  });

  test(`${name}: attribute values with the number of spans that have them`, async (t) => {
    const store = await open(t);
    await put(store, [
      spanIn("a", {
        attributes: [
          ["k", text("v")],
          ["k", text("v")],
        ],
      }),
      spanIn("a", { attributes: [["k", text("v")]], startNs: START_NS + 9000n }),
      spanIn("b", { attributes: [["k", int(7)]] }),
      spanIn("b", { attributes: [["k", text("7")]] }),
      spanIn("b", { events: [{ atNs: 0n, name: "", attributes: [["k", text("v")]] }] }),
      spanIn("b", { attributes: [["k", text("u")]] }),
    ]);
    const v = { value: "v", type: STRING, spanCount: 3 };
    const seven = { value: "7", type: STRING, spanCount: 1 };
    const number = { value: "7", type: INT, spanCount: 1 };
    const u = { value: "u", type: STRING, spanCount: 1 };
    const values = (part: object) => store.attributeValues("k", { ...ALWAYS, limit: 9, ...part });
    assert.deepEqual(await values({}), [v, seven, number, u]);
    assert.deepEqual(await values({ prefix: "7" }), [seven, number]);
    assert.deepEqual(await values({ service: "a" }), [{ ...v, spanCount: 2 }]);
    assert.deepEqual(await values({ startMinUs: START_US + 9 }), [{ ...v, spanCount: 1 }]);
    assert.deepEqual(await values({ limit: 1 }), [v]);
    assert.deepEqual(await store.attributeValues("none", { ...ALWAYS, limit: 9 }), []);
  });

  test(`${name}: links are calls from the parent's service to the child's`, async (t) => {
    const store = await open(t);
    const root = spanIn("front", { parentHex: NO_PARENT });
    const call = spanIn("front", { parentHex: root.spanHex });
    const served = spanIn("back", { parentHex: call.spanHex, startNs: START_NS + 3000n });
    await put(store, [served, spanIn("back", { parentHex: call.spanHex })]);
    await put(store, [
      root,
      call,
      spanIn("db", { parentHex: served.spanHex }),
      spanIn("lost", { parentHex: "f".repeat(16) }),
      spanIn("far", { parentHex: root.spanHex, traceHex: "e".repeat(32) }),
    ]);
    assert.deepEqual(await store.links(-Infinity, Infinity), [
      { parent: "back", child: "db", callCount: 1 },
      { parent: "front", child: "back", callCount: 2 },
    ]);
    assert.deepEqual(await store.links(START_US + 1, START_US + 3), [
      { parent: "front", child: "back", callCount: 1 },
    ]);
    // A shared id: the child's own service among the parents makes it a local call.
    await put(store, [{ ...call, resource: serviceResource("back"), kind: 3 }]);
    assert.deepEqual(await store.links(-Infinity, Infinity), [
      { parent: "back", child: "db", callCount: 1 },
      { parent: "front", child: "back", callCount: 1 },
    ]);
  });
}
