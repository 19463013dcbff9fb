/** Indents JSON while it streams: four spaces, as Jaeger's prettyPrint does. */

const INDENT = 4;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Indents one JSON text given in chunks; the memory of each result is the caller's. */
export interface PrettyPrinter {
  all(chunk: Uint8Array): Uint8Array;
}

/** A printer for one JSON text without white space outside strings. */
export function prettyChunks(): PrettyPrinter {
  return new Printer();
}

class Printer implements PrettyPrinter {
  #out = new Uint8Array(1024);
  #at = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The last byte opened an object or array: its inside begins on a new line, if it has one. */
  #opened = false;

  all(chunk: Uint8Array): Uint8Array {
    this.#at = 0;
    for (let i = 0; i < chunk.length; i++) {
      this.#reserve(4 + (this.#depth + 1) * INDENT);
      this.#byte(chunk[i]!);
    }
    return this.#out.slice(0, this.#at);
  }

  #byte(byte: number): void {
    if (this.#inString) {
      this.#put(byte);
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return;
    }
    const closes = byte === 0x7d || byte === 0x5d;
    if (closes) {
      this.#depth--;
      if (!this.#opened) this.#line();
      this.#opened = false;
      this.#put(byte);
      return;
    }
    if (this.#opened) this.#line();
    this.#opened = byte === 0x7b || byte === 0x5b;
    if (this.#opened) this.#depth++;
    this.#put(byte);
    if (byte === COMMA) this.#line();
    else if (byte === COLON) this.#put(SPACE);
    else if (byte === QUOTE) this.#inString = true;
  }

  #line(): void {
    this.#put(NEWLINE);
    for (let i = 0; i < this.#depth * INDENT; i++) this.#put(SPACE);
  }

  #put(byte: number): void {
    this.#out[this.#at++] = byte;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#out.length) return;
    const grown = new Uint8Array(this.#out.length * 2 + length);
    grown.set(this.#out.subarray(0, this.#at));
    this.#out = grown;
  }
}
