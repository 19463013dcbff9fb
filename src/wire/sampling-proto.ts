/** jaeger.api_v2.SamplingManager's messages as protobuf, in both directions. */

import { utf8, utf8Bytes } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";
import type { OperationStrategies, OperationStrategy, SamplingStrategy } from "../core/sampling.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const START_BYTES = 256;
const MOST_BYTES = 2 ** 28;
const RATE_LIMITING = 1;

/** Bytes of SamplingStrategyParameters. */
export function encodeSamplingRequest(service: string): Uint8Array {
  const writer = new ProtobufWriter(new Uint8Array(START_BYTES), MOST_BYTES);
  if (service !== "") writer.fieldBytes(0x0a, utf8Bytes(service));
  return writer.bytes.slice(0, writer.position);
}

/** The service of SamplingStrategyParameters; throws SpoorError `malformed`. */
export function decodeSamplingRequest(bytes: Uint8Array): string {
  let service = "";
  eachField(bytes, (field) => {
    if (field.number === 1 && field.bytes !== undefined) service = utf8(field.bytes);
  });
  return service;
}

/** Bytes of SamplingStrategyResponse. */
export function encodeSamplingResponse(strategy: SamplingStrategy): Uint8Array {
  const writer = new ProtobufWriter(new Uint8Array(START_BYTES), MOST_BYTES);
  const { samplingRate, maxTracesPerSecond, operations } = strategy;
  if (strategy.type === "rate-limiting") writer.fieldVarint(0x08, RATE_LIMITING);
  if (samplingRate !== undefined) writeRate(writer, 0x12, samplingRate);
  if (maxTracesPerSecond !== undefined) {
    const start = writer.begin(0x1a);
    if (maxTracesPerSecond !== 0) {
      writer.fieldVarint64(0x08, maxTracesPerSecond < 0 ? -1 : 0, maxTracesPerSecond);
    }
    writer.end(start);
  }
  if (operations !== undefined) writeOperations(writer, operations);
  return writer.bytes.slice(0, writer.position);
}

function writeOperations(writer: ProtobufWriter, operations: OperationStrategies): void {
  const start = writer.begin(0x22);
  writeDouble(writer, 0x09, operations.defaultSamplingProbability);
  writeDouble(writer, 0x11, operations.defaultLowerBoundTracesPerSecond);
  for (const { operation, samplingRate } of operations.perOperation) {
    const one = writer.begin(0x1a);
    if (operation !== "") writer.fieldBytes(0x0a, utf8Bytes(operation));
    writeRate(writer, 0x12, samplingRate);
    writer.end(one);
  }
  writeDouble(writer, 0x21, operations.defaultUpperBoundTracesPerSecond);
  writer.end(start);
}

/** A ProbabilisticSamplingStrategy, there even when its rate is 0. */
function writeRate(writer: ProtobufWriter, tag: number, samplingRate: number): void {
  const start = writer.begin(tag);
  writeDouble(writer, 0x09, samplingRate);
  writer.end(start);
}

function writeDouble(writer: ProtobufWriter, tag: number, value: number): void {
  if (value !== 0) writer.fieldDouble(tag, value);
}

/** Reads SamplingStrategyResponse; throws SpoorError `malformed`. */
export function decodeSamplingResponse(bytes: Uint8Array): SamplingStrategy {
  let type: SamplingStrategy["type"] = "probabilistic";
  let samplingRate: number | undefined;
  let maxTracesPerSecond: number | undefined;
  let operations: OperationStrategies | undefined;
  eachField(bytes, ({ number, value, bytes: inner }) => {
    if (number === 1 && value === RATE_LIMITING) type = "rate-limiting";
    else if (number === 2 && inner !== undefined) samplingRate = doubleField(inner, 1);
    else if (number === 3 && inner !== undefined) maxTracesPerSecond = doubleField(inner, 1) | 0;
    else if (number === 4 && inner !== undefined) operations = decodeOperations(inner);
  });
  return {
    type,
    ...(samplingRate === undefined ? {} : { samplingRate }),
    ...(maxTracesPerSecond === undefined ? {} : { maxTracesPerSecond }),
    ...(operations === undefined ? {} : { operations }),
  };
}

function decodeOperations(bytes: Uint8Array): OperationStrategies {
  const perOperation: OperationStrategy[] = [];
  eachField(bytes, ({ number, bytes: inner }) => {
    if (number === 3 && inner !== undefined) perOperation.push(decodeOperation(inner));
  });
  return {
    defaultSamplingProbability: doubleField(bytes, 1),
    defaultLowerBoundTracesPerSecond: doubleField(bytes, 2),
    defaultUpperBoundTracesPerSecond: doubleField(bytes, 4),
    perOperation,
  };
}

function decodeOperation(bytes: Uint8Array): OperationStrategy {
  let operation = "";
  let samplingRate = 0;
  eachField(bytes, ({ number, bytes: inner }) => {
    if (number === 1 && inner !== undefined) operation = utf8(inner);
    else if (number === 2 && inner !== undefined) samplingRate = doubleField(inner, 1);
  });
  return { operation, samplingRate };
}

/** The last number of a field, 0 when it is absent. */
function doubleField(bytes: Uint8Array, number: number): number {
  let found = 0;
  eachField(bytes, (field) => {
    if (field.number === number && field.value !== undefined) found = field.value;
  });
  return found;
}

/** A field: a number (varint, double) or bytes. */
interface Field {
  readonly number: number;
  readonly value?: number;
  readonly bytes?: Uint8Array;
}

/** Walks the fields of a message. Not for hot paths: a closure and an object a field. */
function eachField(bytes: Uint8Array, take: (field: Field) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 63) throw cutShort();
      // 35 bits are enough for every number here, and exact; those of an int32 are the lowest.
      if (scale <= 2 ** 28) value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const skip = (count: number): number => {
    const start = at;
    at += count;
    if (at > bytes.length) throw cutShort();
    return start;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const type = tag & 7;
    if (type === 0) take({ number, value: varint() });
    else if (type === 1) take({ number, value: view.getFloat64(skip(8), true) });
    else if (type === 2) {
      const length = varint();
      const start = skip(length);
      take({ number, bytes: bytes.subarray(start, start + length) });
    } else if (type === 5) skip(4);
    else throw new SpoorError("malformed", `a sampling message has wire type ${type}`);
  }
}

function cutShort(): SpoorError {
  return new SpoorError("malformed", "a sampling message is cut short");
}
