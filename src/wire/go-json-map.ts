/** A JSON object of texts as Go reads it into map[string]string, with Go's error texts. */

import { quoteGo } from "./go-number.ts";
import type { Parsed } from "./go-number.ts";

const JSON_TYPE: Readonly<Record<string, string>> = {
  number: "number",
  boolean: "bool",
  object: "object",
};

/** Pairs in the order of the text; `null` stands for no value, as in Go. */
export function parseGoStringMap(text: string): Parsed<ReadonlyMap<string, string>> {
  const broken = syntaxError(text);
  if (broken !== undefined) return { error: broken };
  const parsed: unknown = JSON.parse(text);
  const result = new Map<string, string>();
  if (parsed === null) return { value: result };
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    return { error: cannotUnmarshal(parsed, "map[string]string") };
  }
  for (const [key, value] of Object.entries(parsed)) {
    if (value === null) result.set(key, "");
    else if (typeof value === "string") result.set(key, value);
    else return { error: cannotUnmarshal(value, "string") };
  }
  return { value: result };
}

function cannotUnmarshal(value: unknown, into: string): string {
  const type = Array.isArray(value) ? "array" : (JSON_TYPE[typeof value] ?? "string");
  return `json: cannot unmarshal ${type} into Go value of type ${into}`;
}

/** Go's text for the first thing wrong with a JSON text; undefined when it is right. */
function syntaxError(text: string): string | undefined {
  const scanner = new Scanner(text);
  try {
    scanner.value();
    scanner.end();
    return undefined;
  } catch (error) {
    if (error instanceof Wrong) return error.text;
    throw error;
  }
}

class Wrong extends Error {
  readonly text: string;

  constructor(text: string) {
    super(text);
    this.text = text;
  }
}

/** Walks a JSON text as Go's scanner does, to fail where it fails. Depth is bounded. */
class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): void {
    this.#space();
    const character = this.#peek();
    if (character === "{" || character === "[") this.#nested(character);
    else if (character === '"') this.#string();
    else if (character === "t") this.#literal("true");
    else if (character === "f") this.#literal("false");
    else if (character === "n") this.#literal("null");
    else this.#number("looking for beginning of value");
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) this.#wrong("after top-level value");
  }

  #nested(open: string): void {
    if (++this.#depth > 1000) throw new Wrong("exceeded max depth");
    const isObject = open === "{";
    const close = isObject ? "}" : "]";
    this.#at++;
    this.#space();
    let first = true;
    for (;;) {
      this.#space();
      if (first && this.#peek() === close) break;
      if (isObject) this.#key();
      this.value();
      this.#space();
      const next = this.#peek();
      if (next === close) break;
      if (next !== ",")
        this.#wrong(isObject ? "after object key:value pair" : "after array element");
      this.#at++;
      first = false;
    }
    this.#at++;
    this.#depth--;
  }

  #key(): void {
    if (this.#peek() !== '"') this.#wrong("looking for beginning of object key string");
    this.#string();
    this.#space();
    if (this.#peek() !== ":") this.#wrong("after object key");
    this.#at++;
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const character = this.#peek();
      if (character < " ") this.#wrong("in string literal");
      this.#at++;
      if (character === '"') return;
      if (character === "\\") this.#escape();
    }
  }

  #escape(): void {
    const character = this.#peek();
    if (character === "u") {
      for (let digit = 0; digit < 4; digit++) {
        this.#at++;
        if (!/[0-9a-fA-F]/.test(this.#peek())) this.#wrong("in \\u hexadecimal character escape");
      }
    } else if (!'"\\/bfnrt'.includes(character)) this.#wrong("in string escape code");
    this.#at++;
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#peek() !== word[i]) {
        this.#wrong(`in literal ${word} (expecting ${quoteCharacter(word[i]!)})`);
      }
      this.#at++;
    }
  }

  #number(otherwise: string): void {
    if (this.#peek() === "-") {
      this.#at++;
      if (!isDigit(this.#peek())) this.#wrong("in numeric literal");
    }
    if (!isDigit(this.#peek())) this.#wrong(otherwise);
    if (this.#peek() === "0") this.#at++;
    else while (isDigit(this.#text[this.#at])) this.#at++;
    if (this.#text[this.#at] === ".") {
      this.#at++;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      this.#digits("in exponent of numeric literal");
    }
  }

  #digits(otherwise: string): void {
    if (!isDigit(this.#peek())) this.#wrong(otherwise);
    while (isDigit(this.#text[this.#at])) this.#at++;
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "x")) this.#at++;
  }

  /** The next character; Go's text for the end when there is none. */
  #peek(): string {
    const character = this.#text[this.#at];
    if (character === undefined) throw new Wrong("unexpected end of JSON input");
    return character;
  }

  #wrong(where: string): never {
    throw new Wrong(`invalid character ${quoteCharacter(this.#peek())} ${where}`);
  }
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

/** A character as Go quotes it: in single quotes. */
function quoteCharacter(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  return `'${quoteGo(character).slice(1, -1)}'`;
}
