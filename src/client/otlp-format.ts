// OTLP's envelope of a batch: resource and scope before the spans.
import { ProtobufWriter, lengthOfVarint } from "../wire/protobuf-writer.ts";
import { writeAttribute, writeOtlpSpan } from "./encode-otlp.ts";
import { SPAN_BYTES } from "./limits.ts";
import { DEFAULT_TAG_OPTIONS } from "./tag-options.ts";
import { VERSION } from "./version.ts";
import type { Span } from "./span.ts";
import type { SpanFormat } from "./span-format.ts";
import type { TagOptions } from "./tag-options.ts";
import type { Tag } from "./types.ts";

/** A tag byte and a length for each of the two enclosing messages. */
const ENVELOPE_BYTES = 12;

/** ExportTraceServiceRequest with one resource and one scope. */
export class OtlpFormat implements SpanFormat {
  readonly contentType = "application/x-protobuf";
  readonly #writer = new ProtobufWriter(new Uint8Array(0), SPAN_BYTES);
  readonly #options: TagOptions;
  #resource: Uint8Array = new Uint8Array(0);
  #scope: Uint8Array = new Uint8Array(0);

  constructor(options: TagOptions = DEFAULT_TAG_OPTIONS) {
    this.#options = options;
  }

  get headRoom(): number {
    return this.#resource.length + this.#scope.length + ENVELOPE_BYTES;
  }

  get overhead(): number {
    return this.headRoom;
  }

  setProcess(serviceName: string, tags: readonly Tag[]): void {
    const options = this.#options;
    this.#resource = this.#message((writer) => {
      writeAttribute(writer, 0x0a, "service.name", serviceName, options);
      writeAttribute(writer, 0x0a, "telemetry.sdk.name", "spoor-client", options);
      writeAttribute(writer, 0x0a, "telemetry.sdk.version", VERSION, options);
      for (const { key, value } of tags) writeAttribute(writer, 0x0a, key, value, options);
    });
    this.#scope = this.#message((writer) => {
      writer.fieldString(0x0a, "spoor-client");
      writer.fieldString(0x12, VERSION);
    });
  }

  /** A message as field 1 of another. */
  #message(write: (writer: ProtobufWriter) => void): Uint8Array {
    const writer = new ProtobufWriter(new Uint8Array(1_024), SPAN_BYTES);
    const start = writer.begin(0x0a);
    write(writer);
    writer.end(start);
    return writer.bytes.slice(0, writer.position);
  }

  useBuffer(bytes: Uint8Array): void {
    this.#writer.replaceBuffer(bytes);
  }

  buffer(): Uint8Array {
    return this.#writer.bytes;
  }

  append(at: number, span: Span): number {
    this.#writer.position = at;
    writeOtlpSpan(this.#writer, span, this.#options);
    return this.#writer.position;
  }

  close(end: number): { start: number; end: number } {
    const writer = this.#writer;
    const spansAt = this.headRoom;
    const scopeSpans = this.#scope.length + (end - spansAt);
    const inner = 1 + lengthOfVarint(scopeSpans) + scopeSpans;
    const resourceSpans = this.#resource.length + inner;
    const head = 1 + lengthOfVarint(resourceSpans) + resourceSpans - (end - spansAt);
    const start = spansAt - head;
    writer.position = start;
    writer.fieldVarint(0x0a, resourceSpans);
    writer.bytes.set(this.#resource, writer.position);
    writer.position += this.#resource.length;
    writer.fieldVarint(0x12, scopeSpans);
    writer.bytes.set(this.#scope, writer.position);
    return { start, end };
  }
}
