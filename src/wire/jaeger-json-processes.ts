/** Processes of a trace in Jaeger's JSON: numbered by first sight, equal ones once. */

import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import { ROLE } from "./jaeger-json-keys.ts";
import { TagList, writeTags } from "./jaeger-json-tags.ts";
import type { TagTable } from "./jaeger-json-tags.ts";
import { JsonWriter } from "./json-writer.ts";
import { utf8Bytes } from "../base/bytes.ts";

const SERVICE_NAME = utf8Bytes('{"serviceName":');
const TAGS = utf8Bytes(',"tags":[');
const END = utf8Bytes("]}");
/** One for all processes: the memory of a writer costs more than a process. */
const WRITER = new JsonWriter();

/** Gives each span's process its number and remembers its JSON. */
export class ProcessTable {
  readonly #tables: readonly TagTable[];
  readonly #adjusted: boolean;
  /** Number of each resource row of each part, 0 while unknown. */
  readonly #known: readonly Uint32Array[];
  /** Numbers of processes that took library attributes of spans. */
  readonly #withLibrary = new Map<string, number>();
  /** JSON of the processes to their numbers, in order of number. */
  readonly #numbers = new Map<string, number>();
  readonly #list = new TagList();

  constructor(tables: readonly TagTable[], adjusted: boolean) {
    this.#tables = tables;
    this.#adjusted = adjusted;
    this.#known = tables.map(({ batch }) => new Uint32Array(batch.resourceCount));
  }

  /** Number of the process of a resource that also has the span's library attributes. */
  numberOf(part: number, resource: number, library: TagList): number {
    if (library.count > 0) return this.#numberWithLibrary(part, resource, library);
    const known = this.#known[part]!;
    if (known[resource] === 0) known[resource] = this.#number(part, resource, library);
    return known[resource]!;
  }

  /** Writes the JSON object's inside: `"p1":{…}`, sorted by id as texts sort; yields when ready. */
  *write(writer: JsonWriter): Generator<void> {
    const named = [...this.#numbers].map(([json, number]) => [`p${number}`, json] as const);
    named.sort(([a], [b]) => (a < b ? -1 : 1));
    let separator = "";
    for (const [id, json] of named) {
      writer.text(`${separator}"${id}":`);
      writer.text(json);
      separator = ",";
      if (writer.ready) yield;
    }
  }

  #numberWithLibrary(part: number, resource: number, library: TagList): number {
    const entries = [part, resource];
    for (let n = 0; n < library.count; n++) entries.push(library.tag[n]!, library.value[n]!);
    const key = entries.join();
    let number = this.#withLibrary.get(key);
    if (number === undefined) {
      number = this.#number(part, resource, library);
      this.#withLibrary.set(key, number);
    }
    return number;
  }

  #number(part: number, resource: number, library: TagList): number {
    const json = this.#json(part, resource, library);
    let number = this.#numbers.get(json);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(json, number);
    }
    return number;
  }

  #json(part: number, resource: number, library: TagList): string {
    const table = this.#tables[part]!;
    const batch = table.batch;
    const list = this.#list;
    list.count = 0;
    const attributes = batch.resourceAttributes;
    for (let a = attributes.offsets[resource]!; a < attributes.offsets[resource + 1]!; a++) {
      const tag = attributes.key[a]!;
      const isName = table.keys[tag]!.role === ROLE.SERVICE;
      if (isName && table.types[tag] === ATTRIBUTE_TYPE.STRING) continue;
      list.add(tag, attributes.value[a]!);
    }
    for (let n = 0; n < library.count; n++) list.add(library.tag[n]!, library.value[n]!);
    if (this.#adjusted) list.sort(table);
    const service = batch.resourceServiceId[resource]!;
    WRITER.raw(SERVICE_NAME);
    WRITER.string(batch.dictBytes, batch.dictOffsets[service]!, batch.dictOffsets[service + 1]!);
    WRITER.raw(TAGS);
    writeTags(WRITER, table, list, this.#adjusted);
    WRITER.raw(END);
    return WRITER.takeText();
  }
}
