/** Tests of hidden services in addresses: Jaeger's own values, and traces with more services. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import { hiddenNamesText, namesHidden, servicesHidden, servicesText } from "./service-texts.ts";

/** What Jaeger UI 2.20's svcFilter.ts makes of these names with the first hidden. */
const JAEGER: readonly (readonly [names: readonly string[], text: string])[] = [
  [["api", "auth", "cache", "db"], "7d06.e"],
  [["cart", "frontend", "mailer", "payment"], "7672.e"],
  // A checksum below 4096 has three digits there.
  [["customer", "driver", "frontend", "mysql", "redis-manual", "route"], "f55.3e"],
  [["größe", "服务", "😀"], "53d4.6"],
];

test("svcFilter is Jaeger's, to the letter", () => {
  for (const [names, text] of JAEGER) {
    const hidden = Uint8Array.from(names, (_, i) => Number(i === 0));
    assert.equal(servicesText(names, hidden), text);
    assert.deepEqual(servicesHidden(text, names), hidden);
  }
});

test("a link of other services, or one that hides all or none, is left out as Jaeger does", () => {
  const names = ["api", "auth", "cache", "db"];
  for (const text of ["7d06.f", "7d06.0", "7d06.10", "ffff.9", "7d06", ".9", "7d06.xyz", ""]) {
    assert.equal(servicesHidden(text, names), undefined, text);
  }
  // Bits beyond the services say nothing.
  assert.deepEqual(servicesHidden("7d06.f9", names), Uint8Array.from([0, 1, 1, 0]));
  assert.equal(servicesText(names, new Uint8Array(4)), "");
});

test("names out of UTF-16's order get the bits that order gives them", () => {
  // By code points U+FF5E comes before U+1F600, by UTF-16 after it.
  const names = ["～", "😀"];
  const text = servicesText(names, Uint8Array.from([1, 0]));
  assert.match(text, /\.1$/);
  assert.deepEqual(servicesHidden(text, names), Uint8Array.from([1, 0]));
});

test("hidden names are found again among more services", () => {
  const seed = 11;
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const names = Array.from({ length: 1 + Math.floor(random() * 40) }, (_, i) => `svc-${i}`);
    const hidden = Uint8Array.from(names, () => Number(random() < 0.3));
    const text = hiddenNamesText(names, hidden);
    assert.match(text, /^[\w-]*$/);
    const grown = [...names, "audit", "zoo"].toSorted();
    const expected = grown.map((name) => hidden[names.indexOf(name)] ?? 0);
    const found = namesHidden(text, grown);
    assert.deepEqual(found && [...found], expected.includes(1) ? expected : undefined, `${seed}`);
    assert.doesNotThrow(() => namesHidden(text.slice(1), grown));
  }
  for (const text of ["a", "!!!!", "<svg", "AAAA="])
    assert.equal(namesHidden(text, ["a"]), undefined);
});
