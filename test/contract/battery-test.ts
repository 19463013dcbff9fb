/** Registers a battery's tests; an implementation may be excused from some, with a reason. */

import assert from "node:assert/strict";
import { test as register } from "node:test";
import type { TestContext } from "node:test";

/** What the implementation cannot be asked: title of the test (without its name) → why. */
export type Excuses = ReadonlyMap<string, string>;

let excuses: Excuses = new Map();
let used = new Set<string>();

/** Runs `battery`, which registers its tests here; an excuse that matches none is a failure. */
export function runExcused(name: string, given: Excuses, battery: () => void): void {
  excuses = given;
  used = new Set();
  battery();
  for (const title of given.keys()) {
    if (used.has(title)) continue;
    register(`${name}: excused from a test that there is`, () => assert.fail(title));
  }
  excuses = new Map();
}

/** As node:test's, for titles "<implementation>: <what is true>". */
export function test(title: string, run: (t: TestContext) => Promise<void>): void {
  const what = title.slice(title.indexOf(": ") + 2);
  const reason = excuses.get(what);
  if (reason === undefined) {
    void register(title, run);
    return;
  }
  used.add(what);
  console.log(`excused: ${title}, because ${reason}`);
}
