/** Regular expressions over URLs: the linear-time engine beside V8's own, CPU time a text. */

import { compileRegex } from "../src/base/regex.ts";

const TEXTS = Array.from(
  { length: 50_000 },
  (_, n) =>
    `https://shop.example.com/api/v${n % 3}/products/${(n * 7919) % 100_000}` +
    `?user=${n}&q=a${n.toString(36)}`,
);
const PATTERNS = [
  "nothinghere",
  "products/9999[0-9]",
  "/products/\\d+7\\?",
  "(?i)PRODUCTS/77",
  "^https://.*v2/.*7$",
  "q=[a-f]+$",
  "\\buser=123\\b",
  "[^/]+/v1/[^?]*\\?user",
  "(a|b)*c",
  ".*q=az.*",
];
const ROUNDS = 3;

/** Best of the rounds, µs of CPU a text, and how many texts match. */
function measure(test: (text: string) => boolean): { best: number; matches: number } {
  let best = Infinity;
  let matches = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    matches = TEXTS.filter(test).length;
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / TEXTS.length);
  }
  return { best, matches };
}

console.log(`${TEXTS.length} URLs of ${TEXTS[777]!.length} characters, n=${ROUNDS}`);
for (const pattern of PATTERNS) {
  const regex = compileRegex(pattern);
  const anyCase = pattern.startsWith("(?i)");
  const native = new RegExp(anyCase ? pattern.slice(4) : pattern, anyCase ? "iu" : "u");
  const linear = measure((text) => regex.test(text));
  const v8 = measure((text) => native.test(text));
  const same = linear.matches === v8.matches ? "" : `, DIFFERENT: V8 finds ${v8.matches}`;
  console.log(
    `${pattern}: re2js ${linear.best.toFixed(2)}, V8 ${v8.best.toFixed(2)} µs/text CPU, ` +
      `${linear.matches} match${same}`,
  );
}
