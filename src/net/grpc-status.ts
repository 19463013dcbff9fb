/** What gRPC methods are, the status codes they end with, and how ours map to them. */

import { SpoorError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";

/** google.rpc.Code. */
export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

const OF_HTTP: Readonly<Record<number, number>> = {
  400: GRPC_STATUS.INVALID_ARGUMENT,
  413: GRPC_STATUS.INVALID_ARGUMENT,
  415: GRPC_STATUS.INVALID_ARGUMENT,
  404: GRPC_STATUS.UNIMPLEMENTED,
  429: GRPC_STATUS.RESOURCE_EXHAUSTED,
  501: GRPC_STATUS.UNIMPLEMENTED,
  502: GRPC_STATUS.UNAVAILABLE,
  503: GRPC_STATUS.UNAVAILABLE,
  504: GRPC_STATUS.UNAVAILABLE,
  500: GRPC_STATUS.INTERNAL,
};

/** The code in the google.rpc.Status of an HTTP error. */
export function statusCodeOfHttp(status: number): number {
  return OF_HTTP[status] ?? GRPC_STATUS.UNKNOWN;
}

const OF_ERROR: Readonly<Record<ErrorCode, number>> = {
  malformed: GRPC_STATUS.INVALID_ARGUMENT,
  "too-large": GRPC_STATUS.INVALID_ARGUMENT,
  "bad-query": GRPC_STATUS.INVALID_ARGUMENT,
  "not-found": GRPC_STATUS.NOT_FOUND,
  overloaded: GRPC_STATUS.UNAVAILABLE,
  "disk-full": GRPC_STATUS.UNAVAILABLE,
  changed: GRPC_STATUS.NOT_FOUND,
  rejected: GRPC_STATUS.INVALID_ARGUMENT,
  unsupported: GRPC_STATUS.UNIMPLEMENTED,
  deadline: GRPC_STATUS.DEADLINE_EXCEEDED,
  cancelled: GRPC_STATUS.CANCELLED,
  corrupt: GRPC_STATUS.INTERNAL,
  io: GRPC_STATUS.UNAVAILABLE,
  closed: GRPC_STATUS.UNAVAILABLE,
  "in-use": GRPC_STATUS.INTERNAL,
  config: GRPC_STATUS.INVALID_ARGUMENT,
};

/** A call's end other than OK. `details` is an encoded google.rpc.Status for clients that look. */
export interface GrpcFailure {
  readonly code: number;
  readonly message: string;
  readonly details?: Uint8Array;
}

/** What methods of every kind may say. */
interface Ending {
  /** How what was thrown ends a call, by it or before it was reached. Default: `grpcFailureOf`. */
  readonly failure?: (thrown: unknown) => GrpcFailure;
}

/** A unary method: encoded request in (inflated), encoded response out. */
export interface UnaryMethod extends Ending {
  readonly stream?: undefined;
  /** The request's memory is used again once the response is there. */
  readonly handle: (request: Uint8Array) => Promise<Uint8Array>;
}

/** A method with streams both ways that answers each message with one, in order. */
interface ConversationMethod extends Ending {
  readonly stream: "both";
  readonly handle: (request: Uint8Array) => Promise<Uint8Array>;
}

/** A method that answers one message with as many as it likes. */
export interface ServerStreamMethod extends Ending {
  readonly stream: "out";
  /** The stream ends well when this resolves. The request's memory is used again then. */
  readonly handle: (request: Uint8Array, call: GrpcCall) => Promise<void>;
}

/** The answering side of one server stream. */
export interface GrpcCall {
  /** Sends a message; resolves when the next may follow. Does nothing once the client is gone. */
  send(message: Uint8Array): Promise<void>;
  /** Aborts when the client goes away, or the server stops. */
  readonly signal: AbortSignal;
}

/** One method of a service. */
export type GrpcMethod = UnaryMethod | ConversationMethod | ServerStreamMethod;

/** How a call ends that threw; our own bugs become a bare INTERNAL. */
export function grpcFailureOf(thrown: unknown): GrpcFailure {
  if (!(thrown instanceof SpoorError))
    return { code: GRPC_STATUS.INTERNAL, message: "internal error" };
  return { code: OF_ERROR[thrown.code], message: thrown.message };
}
