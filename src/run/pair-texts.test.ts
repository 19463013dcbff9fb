/** Lists of pairs in settings. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isSpoorError } from "../core/errors.ts";
import { headersOf, tagsOf } from "./pair-texts.ts";

test("headers split at the first colon, tags at the first equals sign", () => {
  assert.deepEqual(headersOf(["X-A: b:c", "X-D:"]), { "X-A": "b:c", "X-D": "" });
  assert.deepEqual(tagsOf("collector.tags", ["a = b=c"], {}), [{ key: "a", value: "b=c" }]);
});

test("a tag takes its value from a variable, or the default beside it", () => {
  const env = { ZONE: "eu-1", EMPTY: "" };
  const values = tagsOf(
    "collector.tags",
    ["a=${ZONE:x}", "b=${EMPTY:y}", "c=${NONE}", "d=${NONE:z}"],
    env,
  );
  assert.deepEqual(
    values.map(({ value }) => value),
    ["eu-1", "y", "", "z"],
  );
});

test("a text that is no pair is refused with its flag", () => {
  assert.throws(
    () => tagsOf("collector.tags", ["zone"], {}),
    (error) => isSpoorError(error, "config") && /--collector\.tags: "zone"/.test(error.message),
  );
});
