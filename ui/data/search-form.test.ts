/** The search form's texts and addresses: logfmt, durations, Jaeger's URL scheme both ways. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import { lookbackUs, parseDurationNs } from "./durations.ts";
import { filtersOf } from "./find-traces.ts";
import { parseTags, tagAtCaret, tagsText } from "./logfmt.ts";
import {
  ALL_OPERATIONS,
  ALL_SERVICES,
  emptyForm,
  formProblems,
  lookbackChoices,
  readAddress,
  timesOf,
  writeAddress,
} from "./search-form.ts";

const DEFAULTS = emptyForm("1h");
const OPTIONS = { needsService: false, maxLimit: 1500 };

function tags(text: string): unknown {
  const parsed = parseTags(text);
  return "tags" in parsed ? Object.fromEntries(parsed.tags) : parsed.error;
}

test("tags are logfmt: blanks separate, quotes hold blanks and =, everything is a text", () => {
  assert.deepEqual(tags('http.status_code=200 error=true  db="select * from x" flag'), {
    "http.status_code": "200",
    error: "true",
    db: "select * from x",
    flag: "true",
  });
  assert.deepEqual(tags('a="say \\"hi\\" \\\\" b='), { a: 'say "hi" \\', b: "" });
  assert.deepEqual(tags("url=http://x/?a=b"), { url: "http://x/?a=b" });
  assert.deepEqual(tags('"a key"=1'), { "a key": "1" });
  assert.match(String(tags("=1")), /key is missing/);
  assert.match(String(tags('a="b')), /quote is not closed/);
  assert.deepEqual(tags(""), {});
});

test("what is written of tags is read as the same tags", () => {
  const random = seededRandom(7);
  const letters = 'ab =\\"é\t';
  const word = (least: number): string =>
    Array.from({ length: least + Math.floor(random() * 5) }, () =>
      letters.charAt(Math.floor(random() * letters.length)),
    ).join("");
  for (let i = 0; i < 500; i++) {
    const given = new Map(Array.from({ length: 3 }, () => [word(1), word(0)]));
    const text = tagsText(given);
    assert.deepEqual(tags(text), Object.fromEntries(given), text);
  }
});

test("the word at the caret is a key or the value of one", () => {
  assert.deepEqual(tagAtCaret("http.st", 7), { key: undefined, prefix: "http.st", from: 0, to: 7 });
  assert.deepEqual(tagAtCaret("a=b err", 7), { key: undefined, prefix: "err", from: 4, to: 7 });
  assert.deepEqual(tagAtCaret("a=b error=tr", 12), { key: "error", prefix: "tr", from: 4, to: 12 });
  assert.deepEqual(tagAtCaret('a="x y', 6), { key: "a", prefix: "x y", from: 0, to: 6 });
  assert.deepEqual(tagAtCaret('"a=b"=c', 7), { key: "a=b", prefix: "c", from: 0, to: 7 });
  assert.deepEqual(tagAtCaret("a=bcd e", 3), { key: "a", prefix: "b", from: 0, to: 5 });
});

test("durations are Jaeger's: a number and a unit", () => {
  assert.equal(parseDurationNs("1.2s"), 1.2e9);
  assert.equal(parseDurationNs("100ms"), 1e8);
  assert.equal(parseDurationNs("500us"), 5e5);
  assert.equal(parseDurationNs("3 m"), 1.8e11);
  assert.equal(parseDurationNs("1h"), 3.6e12);
  for (const wrong of ["", "5", "ms", "1.2.3s", "-1s", "1d", "abc"]) {
    assert.equal(parseDurationNs(wrong), undefined, wrong);
  }
  assert.equal(lookbackUs("2w"), 2 * 7 * 86_400e6);
  assert.equal(lookbackUs("custom"), undefined);
});

test("an address of Jaeger's is read whole", () => {
  const query = new URLSearchParams({
    service: "shop",
    operation: "GET /",
    start: "1700000000000000",
    end: "1700003600000000",
    limit: "40",
    lookback: "custom",
    minDuration: "1ms",
    maxDuration: "2s",
    tags: '{"error":"true","a b":"c"}',
  });
  query.append("tag", "http.method:GET");
  query.append("span", "00f067aa0ba902b7@0af7651916cd43dd8448eb211c80319c");
  const read = readAddress(query, DEFAULTS);
  assert.deepEqual(read.form, {
    service: "shop",
    operation: "GET /",
    tags: 'error=true "a b"=c http.method=GET',
    lookback: "custom",
    startUs: 1_700_000_000_000_000,
    endUs: 1_700_003_600_000_000,
    minDuration: "1ms",
    maxDuration: "2s",
    limit: 40,
  });
  assert.equal(read.searches && read.hasTimes, true);
  assert.deepEqual(
    [...read.spansOfTrace],
    [["0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7"]],
  );
});

test("an address with a look-back only, old words and nonsense", () => {
  const read = (text: string) => readAddress(new URLSearchParams(text), DEFAULTS);
  const hotrod = read("service=frontend&lookback=1h&limit=20");
  assert.equal(hotrod.searches, true);
  assert.equal(hotrod.hasTimes, false);
  assert.equal(read("service=a&operation=all").form.operation, ALL_OPERATIONS);
  assert.equal(read("service=a&lookback=nonsense&limit=-4&start=x").form.lookback, "1h");
  assert.equal(read("service=a&limit=-4").form.limit, 20);
  assert.equal(read("service=a&tags=%7Bbroken").form.tags, "");
  assert.equal(read("").searches, false);
  assert.deepEqual(read("traceID=a&traceID=b").traceIds, ["a", "b"]);
});

test("what is written of a form is read as the same form", () => {
  const form = {
    ...DEFAULTS,
    service: "shop & co",
    operation: "GET /?x=1",
    tags: 'error=true db="a b"',
    minDuration: "1.5ms",
    limit: 100,
  };
  const times = timesOf(form, 1_700_003_600_000_000, 60_000_000);
  assert.deepEqual(times, { startUs: 1_699_999_940_000_000, endUs: 1_700_003_540_000_000 });
  const query = writeAddress(form, times);
  assert.equal(query.get("tags"), '{"error":"true","db":"a b"}');
  const read = readAddress(new URLSearchParams(query.toString()), DEFAULTS);
  assert.deepEqual(read.form, { ...form, ...times });
  assert.equal(writeAddress(DEFAULTS, times).get("service"), ALL_SERVICES);
});

test("what stops a search is said at its field", () => {
  const problems = (changes: object): string[] =>
    Object.keys(formProblems({ ...DEFAULTS, ...changes }, OPTIONS));
  assert.deepEqual(problems({}), []);
  assert.deepEqual(problems({ minDuration: "5" }), ["minDuration"]);
  assert.deepEqual(problems({ minDuration: "2s", maxDuration: "1s" }), ["maxDuration"]);
  assert.deepEqual(problems({ tags: '"open' }), ["tags"]);
  assert.deepEqual(problems({ limit: 1501 }), ["limit"]);
  assert.deepEqual(problems({ limit: Number.NaN }), ["limit"]);
  assert.deepEqual(problems({ lookback: "custom", startUs: 5, endUs: 5 }), ["endUs"]);
  const needsService = { ...OPTIONS, needsService: true };
  assert.deepEqual(Object.keys(formProblems(DEFAULTS, needsService)), ["service"]);
});

test("look-backs end at the configured maximum, with its own label", () => {
  const values = (label: string, value: string): string[] =>
    lookbackChoices({ label, value }).map(([choice]) => choice);
  assert.deepEqual(values("2 Days", "2d").slice(-2), ["12h", "24h", "2d"].slice(-2));
  assert.equal(
    lookbackChoices({ label: "90 minutes", value: "90m" }).at(-1)?.[1],
    "Last 90 minutes",
  );
  assert.deepEqual(values("90 minutes", "90m"), ["5m", "15m", "30m", "1h", "90m"]);
  assert.equal(values("4 Weeks", "4w").length, 16);
});

test("the form's conditions are those of Jaeger's search", () => {
  const form = {
    ...DEFAULTS,
    service: "a",
    operation: "b",
    tags: "error=true x=1",
    minDuration: "1ms",
  };
  assert.deepEqual(filtersOf(form), [
    { op: "=", target: { field: "service" }, value: "a" },
    { op: "=", target: { field: "name" }, value: "b" },
    {
      op: "or",
      any: [
        { op: "=", target: { attribute: "error" }, value: "true", untyped: true },
        { op: "=", target: { field: "status" }, value: 2 },
      ],
    },
    { op: "=", target: { attribute: "x" }, value: "1", untyped: true },
    { op: ">=", target: { field: "duration" }, value: 1e6 },
  ]);
  assert.deepEqual(filtersOf({ ...DEFAULTS, service: ALL_SERVICES }), []);
});
