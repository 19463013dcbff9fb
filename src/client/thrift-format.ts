// Jaeger's Thrift envelope of a batch: process before the spans, sequence and losses after them.
import { CompactThriftWriter } from "../wire/thrift-compact-writer.ts";
import { BinaryThriftWriter, ThriftType } from "../wire/thrift-writer.ts";
import { writeThriftSpan, writeThriftTags } from "./encode-thrift.ts";
import { SPAN_BYTES } from "./limits.ts";
import { DEFAULT_TAG_OPTIONS } from "./tag-options.ts";
import type { Span } from "./span.ts";
import type { BatchFacts, SpanFormat } from "./span-format.ts";
import type { TagOptions } from "./tag-options.ts";
import type { Tag } from "./types.ts";

const TAIL_BYTES = 80;
const ONEWAY = 4;

function flatTags(tags: readonly Tag[]): unknown[] {
  return tags.flatMap((tag) => [tag.key, tag.value]);
}

/** jaeger.thrift's Batch, bare for HTTP or within the agent's `emitBatch` message for UDP. */
export class ThriftFormat implements SpanFormat {
  readonly contentType = "application/x-thrift";
  readonly #writer: BinaryThriftWriter | CompactThriftWriter;
  readonly #asMessage: boolean;
  readonly #options: TagOptions;
  #process: Uint8Array = new Uint8Array(0);
  headRoom = 0;

  constructor(
    protocol: "binary" | "compact",
    asMessage: boolean,
    options: TagOptions = DEFAULT_TAG_OPTIONS,
  ) {
    const Writer = protocol === "compact" ? CompactThriftWriter : BinaryThriftWriter;
    this.#writer = new Writer(new Uint8Array(0), SPAN_BYTES);
    this.#asMessage = asMessage;
    this.#options = options;
  }

  get overhead(): number {
    return this.headRoom + TAIL_BYTES;
  }

  setProcess(serviceName: string, tags: readonly Tag[]): void {
    const writer = this.#writer;
    const before = writer.bytes;
    writer.replaceBuffer(new Uint8Array(1024));
    writer.position = 0;
    this.#writeHead(() => {
      writer.fieldStruct(1);
      writer.structBegin();
      writer.fieldString(1, serviceName);
      writeThriftTags(writer, 2, flatTags(tags), this.#options);
      writer.structEnd();
    });
    this.#process = writer.bytes.slice(0, writer.position);
    // The list of spans: a field header and a count, at most eight bytes in both protocols.
    this.headRoom = this.#process.length + 8;
    this.#forgetStructs();
    writer.replaceBuffer(before);
  }

  #writeHead(process: () => void): void {
    const writer = this.#writer;
    if (this.#asMessage) {
      writer.messageBegin("emitBatch", ONEWAY, 0);
      writer.structBegin();
      writer.fieldStruct(1);
    }
    writer.structBegin();
    process();
  }

  #forgetStructs(): void {
    const writer = this.#writer;
    if (writer instanceof CompactThriftWriter) writer.resetStructs();
  }

  useBuffer(bytes: Uint8Array): void {
    this.#writer.replaceBuffer(bytes);
  }

  buffer(): Uint8Array {
    return this.#writer.bytes;
  }

  append(at: number, span: Span): number {
    const writer = this.#writer;
    writer.position = at;
    try {
      writeThriftSpan(writer, span, this.#options);
    } catch (error) {
      this.#forgetStructs();
      throw error;
    }
    return writer.position;
  }

  close(end: number, facts: BatchFacts): { start: number; end: number } {
    const writer = this.#writer;
    this.#writeTail(end, facts);
    const last = writer.position;
    // The list's header is written at the front to learn its length, then moved to the spans.
    writer.position = 0;
    this.#resumeBatch(1);
    writer.fieldList(2, ThriftType.struct, facts.count);
    const list = writer.bytes.slice(0, writer.position);
    this.#forgetStructs();
    const start = this.headRoom - list.length - this.#process.length;
    writer.bytes.set(this.#process, start);
    writer.bytes.set(list, start + this.#process.length);
    return { start, end: last };
  }

  /** Puts the writer where it is after a field of the batch; compact field ids are deltas. */
  #resumeBatch(lastField: number): void {
    const writer = this.#writer;
    if (!(writer instanceof CompactThriftWriter)) return;
    writer.resetStructs();
    writer.structBegin();
    writer.skipTo(lastField);
  }

  #writeTail(end: number, { sequence, stats }: BatchFacts): void {
    const writer = this.#writer;
    writer.position = end;
    this.#resumeBatch(2);
    writer.fieldI64(3, 0, sequence | 0);
    writer.fieldStruct(4);
    writer.structBegin();
    writer.fieldI64(1, 0, stats.fullQueueDropped | 0);
    writer.fieldI64(2, 0, stats.tooLargeDropped | 0);
    writer.fieldI64(3, 0, stats.failedToEmit | 0);
    writer.structEnd();
    writer.structEnd();
    if (this.#asMessage) writer.structEnd();
    this.#forgetStructs();
  }
}
