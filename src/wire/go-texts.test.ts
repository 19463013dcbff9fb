/** Tests of Go's numbers, durations and string maps: values and error texts. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatGoDuration } from "../core/trace/duration-text.ts";
import { parseGoDuration } from "./go-duration.ts";
import { parseGoStringMap } from "./go-json-map.ts";
import { parseGoBool, parseGoFloat, parseGoInt } from "./go-number.ts";

const DURATIONS: readonly (readonly [string, bigint])[] = [
  ["0", 0n],
  ["0s", 0n],
  ["+5s", 5_000_000_000n],
  ["-1.5h", -5_400_000_000_000n],
  ["1h2m3.5s", 3_723_500_000_000n],
  ["1.5ms", 1_500_000n],
  ["10us", 10_000n],
  ["10µs", 10_000n],
  ["10μs", 10_000n],
  [".5s", 500_000_000n],
  ["1.s", 1_000_000_000n],
  ["0.000000001s", 1n],
  ["9223372036854775807ns", 2n ** 63n - 1n],
  ["-9223372036854775808ns", -(2n ** 63n)],
];

const WRONG_DURATIONS: readonly (readonly [string, string])[] = [
  ["", 'time: invalid duration ""'],
  ["3", 'time: missing unit in duration "3"'],
  ["1h3", 'time: missing unit in duration "1h3"'],
  ["s", 'time: invalid duration "s"'],
  [".s", 'time: invalid duration ".s"'],
  ["-", 'time: invalid duration "-"'],
  ["1 s", 'time: unknown unit " s" in duration "1 s"'],
  ["1d", 'time: unknown unit "d" in duration "1d"'],
  ["1é", String.raw`time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9"`],
  ["9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'],
  ["3000000h", 'time: invalid duration "3000000h"'],
];

describe("Go durations", () => {
  it("are read", () => {
    for (const [text, ns] of DURATIONS) assert.deepEqual(parseGoDuration(text), { ns }, text);
  });

  it("give Go's errors", () => {
    for (const [text, error] of WRONG_DURATIONS) {
      assert.deepEqual(parseGoDuration(text), { error }, text);
    }
  });

  it("are written", () => {
    const texts: readonly (readonly [number | bigint, string])[] = [
      [0, "0s"],
      [1, "1ns"],
      [1100, "1.1µs"],
      [2_200_000, "2.2ms"],
      [15_000_000, "15ms"],
      [3_300_000_000, "3.3s"],
      [-1_500_000_000, "-1.5s"],
      [245_000_000_000, "4m5s"],
      [245_001_000_000, "4m5.001s"],
      [18_367_001_000_000, "5h6m7.001s"],
      [60_000_000_000, "1m0s"],
      [3_600_000_000_000, "1h0m0s"],
      [2n ** 63n - 1n, "2562047h47m16.854775807s"],
    ];
    for (const [ns, text] of texts) assert.equal(formatGoDuration(ns), text);
  });
});

describe("Go numbers", () => {
  it("are read, or refused with Go's texts", () => {
    assert.deepEqual(parseGoInt("-12", 64), { value: -12n });
    assert.deepEqual(parseGoInt("+7", 32), { value: 7n });
    const int = (text: string, reason: string) => ({
      error: `strconv.ParseInt: parsing "${text}": ${reason}`,
    });
    for (const text of ["abc", "", "1.5", "0x10", " 1", "-"]) {
      assert.deepEqual(parseGoInt(text, 64), int(text, "invalid syntax"));
    }
    assert.deepEqual(parseGoInt("2147483648", 32), int("2147483648", "value out of range"));
    assert.deepEqual(parseGoInt("9".repeat(50), 64), int("9".repeat(50), "value out of range"));
    assert.deepEqual(parseGoBool("T"), { value: true });
    assert.deepEqual(parseGoBool("yes"), {
      error: 'strconv.ParseBool: parsing "yes": invalid syntax',
    });
    assert.deepEqual(parseGoFloat("0.95"), { value: 0.95 });
    assert.deepEqual(parseGoFloat(""), {
      error: 'strconv.ParseFloat: parsing "": invalid syntax',
    });
    assert.deepEqual(parseGoFloat("1e999"), {
      error: 'strconv.ParseFloat: parsing "1e999": value out of range',
    });
  });
});

const WRONG_MAPS: readonly (readonly [string, string])[] = [
  ["", "unexpected end of JSON input"],
  ["{", "unexpected end of JSON input"],
  ['{"a":"b"', "unexpected end of JSON input"],
  ["json", "invalid character 'j' looking for beginning of value"],
  ["{a}", "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":"b" "c"}', `invalid character '"' after object key:value pair`],
  ['{"a":"b",}', "invalid character '}' looking for beginning of object key string"],
  ['{"a":[1 2]}', "invalid character '2' after array element"],
  ['{"a":"b"}x', "invalid character 'x' after top-level value"],
  ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
  ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
  ['{"a":"\n"}', String.raw`invalid character '\n' in string literal`],
  ['{"a":-}', "invalid character '}' in numeric literal"],
  ['{"a":1.}', "invalid character '}' after decimal point in numeric literal"],
  ['{"a":5}', "json: cannot unmarshal number into Go value of type string"],
  ['{"a":true}', "json: cannot unmarshal bool into Go value of type string"],
  ['{"a":{}}', "json: cannot unmarshal object into Go value of type string"],
  ['{"a":[]}', "json: cannot unmarshal array into Go value of type string"],
  ["[]", "json: cannot unmarshal array into Go value of type map[string]string"],
  ['"x"', "json: cannot unmarshal string into Go value of type map[string]string"],
  ["7", "json: cannot unmarshal number into Go value of type map[string]string"],
];

describe("Go string maps", () => {
  it("are read in order, null being the empty text", () => {
    const parsed = parseGoStringMap(' {"b":"1", "a":null, "b":"2\\u00e9"} ');
    assert.ok("value" in parsed);
    assert.deepEqual(
      [...parsed.value],
      [
        ["b", "2é"],
        ["a", ""],
      ],
    );
    assert.deepEqual(parseGoStringMap("null"), { value: new Map() });
  });

  it("give Go's errors", () => {
    for (const [text, error] of WRONG_MAPS) {
      assert.deepEqual(parseGoStringMap(text), { error }, text);
    }
  });
});
