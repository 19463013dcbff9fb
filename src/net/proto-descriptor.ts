/** Descriptors of .proto files for reflection, from their text: as much of proto3 as is used. */

import { assert } from "../base/assert.ts";
import { bytesField, joined, numberField, textField } from "./proto-bytes.ts";

/** A .proto file: its name as imports say it, and its declarations without the head. */
export interface ProtoFile {
  readonly name: string;
  readonly package: string;
  readonly imports: readonly ProtoFile[];
  /** Messages, enums and services in proto3, without options and comments. */
  readonly source: string;
}

/** What reflection tells of a file. */
export interface ProtoDescriptor {
  readonly file: ProtoFile;
  /** A FileDescriptorProto. */
  readonly bytes: Uint8Array;
  /** Full names of all it declares: messages, enums, services and their methods. */
  readonly symbols: ReadonlySet<string>;
}

const SCALARS: Readonly<Record<string, number>> = {
  double: 1,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
};
const MESSAGE = 11;
const ENUM = 14;
const OPTIONAL = 1;
const REPEATED = 3;

/** Reads the file's text. A text that cannot be read is a bug of ours. */
export function describeProto(file: ProtoFile): ProtoDescriptor {
  const parser = new Parser(file);
  const body = parser.declarations();
  const head = [
    textField(1, file.name),
    textField(2, file.package),
    ...file.imports.map(({ name }) => textField(3, name)),
  ];
  return {
    file,
    bytes: joined([...head, ...body, textField(12, "proto3")]),
    symbols: parser.symbols,
  };
}

/** A type that is told of by name, once all names are known. */
interface Reference {
  readonly scope: string;
  readonly name: string;
}

class Parser {
  readonly symbols = new Set<string>();
  readonly #tokens: readonly string[];
  readonly #package: string;
  readonly #enums = new Set<string>();
  #at = 0;

  constructor({ package: name, source }: ProtoFile) {
    this.#package = name;
    this.#tokens = source.match(/[\w.]+|[{}=;()]/g) ?? [];
    this.#findNames();
  }

  declarations(): Uint8Array[] {
    const fields: Uint8Array[] = [];
    while (this.#at < this.#tokens.length) {
      const kind = this.#next();
      if (kind === "message") fields.push(bytesField(4, this.#message(this.#package)));
      else if (kind === "enum") fields.push(bytesField(5, this.#enum()));
      else {
        assert(kind === "service", kind);
        fields.push(bytesField(6, this.#service()));
      }
    }
    return fields;
  }

  /** Names may be used before they are declared. */
  #findNames(): void {
    const scopes: string[] = [this.#package];
    let opens: string | undefined;
    for (const [i, token] of this.#tokens.entries()) {
      const name = this.#tokens[i + 1] ?? "";
      if (/^(message|enum|service|rpc)$/.test(token) && /^\w+$/.test(name)) {
        const full = `${scopes.at(-1)}.${name}`;
        this.symbols.add(full);
        if (token === "enum") this.#enums.add(full);
        if (token !== "rpc") opens = full;
      } else if (token === "{") {
        scopes.push(opens ?? scopes.at(-1) ?? "");
        opens = undefined;
      } else if (token === "}") scopes.pop();
    }
  }

  #message(scope: string): Uint8Array {
    const name = this.#next();
    const full = `${scope}.${name}`;
    const fields = [textField(1, name)];
    const oneofs: string[] = [];
    let oneof = -1;
    this.#expect("{");
    for (;;) {
      const token = this.#next();
      if (token === "}" && oneof < 0) break;
      if (token === "}") oneof = -1;
      else if (token === "message") fields.push(bytesField(3, this.#message(full)));
      else if (token === "enum") fields.push(bytesField(4, this.#enum()));
      else if (token === "oneof") {
        oneof = oneofs.push(this.#next()) - 1;
        this.#expect("{");
      } else fields.push(bytesField(2, this.#field(token, full, oneof)));
    }
    return joined([...fields, ...oneofs.map((one) => bytesField(8, textField(1, one)))]);
  }

  #field(first: string, scope: string, oneof: number): Uint8Array {
    const repeated = first === "repeated";
    const type = repeated ? this.#next() : first;
    const name = this.#next();
    this.#expect("=");
    const number = Number(this.#next());
    this.#expect(";");
    const scalar = SCALARS[type];
    const full = scalar === undefined ? this.#resolve({ scope, name: type }) : "";
    const kind = scalar ?? (this.#enums.has(full) ? ENUM : MESSAGE);
    return joined([
      textField(1, name),
      numberField(3, number),
      numberField(4, repeated ? REPEATED : OPTIONAL),
      numberField(5, kind),
      ...(scalar === undefined ? [textField(6, `.${full}`)] : []),
      ...(oneof < 0 ? [] : [numberField(9, oneof)]),
    ]);
  }

  #enum(): Uint8Array {
    const fields = [textField(1, this.#next())];
    this.#expect("{");
    for (let name = this.#next(); name !== "}"; name = this.#next()) {
      this.#expect("=");
      const number = Number(this.#next());
      this.#expect(";");
      fields.push(bytesField(2, joined([textField(1, name), numberField(2, number)])));
    }
    return joined(fields);
  }

  #service(): Uint8Array {
    const fields = [textField(1, this.#next())];
    this.#expect("{");
    for (let token = this.#next(); token !== "}"; token = this.#next()) {
      const name = this.#next();
      const input = this.#messageType();
      this.#expect("returns");
      const output = this.#messageType();
      this.#expect(";");
      const parts = [
        textField(1, name),
        textField(2, input.type),
        textField(3, output.type),
        ...(input.stream ? [numberField(5, 1)] : []),
        ...(output.stream ? [numberField(6, 1)] : []),
      ];
      fields.push(bytesField(2, joined(parts)));
    }
    return joined(fields);
  }

  /** `(Type)` or `(stream Type)`. */
  #messageType(): { readonly type: string; readonly stream: boolean } {
    this.#expect("(");
    const first = this.#next();
    const stream = first === "stream";
    const name = stream ? this.#next() : first;
    this.#expect(")");
    return { type: `.${this.#resolve({ scope: this.#package, name })}`, stream };
  }

  /** The full name: declared around the scope, or as it is, by another file. */
  #resolve({ scope, name }: Reference): string {
    for (let around = scope; around !== ""; around = around.slice(0, around.lastIndexOf("."))) {
      if (this.symbols.has(`${around}.${name}`)) return `${around}.${name}`;
      if (!around.includes(".")) break;
    }
    return name;
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    assert(token !== undefined, "a .proto text ends early");
    return token;
  }

  #expect(token: string): void {
    const found = this.#next();
    assert(found === token, `a .proto text has ${found} in place of ${token}`);
  }
}
