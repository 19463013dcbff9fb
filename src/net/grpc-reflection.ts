/** Server reflection: which services there are, and the descriptors of their files. */

import { bytesField, joined, numberField, readText, textField } from "./proto-bytes.ts";
import { describeProto } from "./proto-descriptor.ts";
import type { ProtoDescriptor, ProtoFile } from "./proto-descriptor.ts";
import { GRPC_STATUS } from "./grpc-status.ts";

/** Fields of a ServerReflectionRequest, by what they ask for. */
const ASKED = { fileByName: 3, fileOfSymbol: 4, services: 7 } as const;

/** Answers ServerReflectionRequests, of v1 and v1alpha alike. */
export class Reflection {
  readonly #services: readonly string[];
  readonly #files: readonly ProtoFile[];
  #described: ReadonlyMap<string, ProtoDescriptor> | undefined;

  constructor(services: readonly string[], files: readonly ProtoFile[]) {
    this.#services = services;
    this.#files = files;
  }

  /** A ServerReflectionResponse: original_request 2, file 4, services 6, error 7. */
  answer(request: Uint8Array): Uint8Array {
    return joined([bytesField(2, request), this.#content(request)]);
  }

  #content(request: Uint8Array): Uint8Array {
    if (readText(request, ASKED.services) !== undefined) {
      const names = this.#services.map((name) => bytesField(1, textField(1, name)));
      return bytesField(6, joined(names));
    }
    const name = readText(request, ASKED.fileByName);
    const symbol = readText(request, ASKED.fileOfSymbol);
    if (name !== undefined) return this.#file(this.#descriptors().get(name), `file ${name}`);
    if (symbol !== undefined) {
      const all = [...this.#descriptors().values()];
      const found = all.find(({ symbols }) => symbols.has(symbol));
      return this.#file(found, `symbol ${symbol}`);
    }
    return failure(GRPC_STATUS.UNIMPLEMENTED, "proto3 has no extensions");
  }

  /** The file and all it imports, each once. */
  #file(descriptor: ProtoDescriptor | undefined, what: string): Uint8Array {
    if (descriptor === undefined) return failure(GRPC_STATUS.NOT_FOUND, `${what} is not known`);
    const descriptors = this.#descriptors();
    const names = new Set<string>();
    const add = (file: ProtoFile): void => {
      if (names.has(file.name)) return;
      names.add(file.name);
      for (const imported of file.imports) add(imported);
    };
    add(descriptor.file);
    const all = [...names].map((name) => bytesField(1, descriptors.get(name)!.bytes));
    return bytesField(4, joined(all));
  }

  /** Read when somebody asks for the first time: most servers are never asked. */
  #descriptors(): ReadonlyMap<string, ProtoDescriptor> {
    if (this.#described !== undefined) return this.#described;
    const described = new Map<string, ProtoDescriptor>();
    const add = (file: ProtoFile): void => {
      if (described.has(file.name)) return;
      described.set(file.name, describeProto(file));
      for (const imported of file.imports) add(imported);
    };
    for (const file of this.#files) add(file);
    this.#described = described;
    return described;
  }
}

function failure(code: number, text: string): Uint8Array {
  return bytesField(7, joined([numberField(1, code), textField(2, text)]));
}
