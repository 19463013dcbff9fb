/** The services every gRPC server offers: health checking, and a list of services (reflection). */

import { utf8, utf8Bytes } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";
import { GRPC_STATUS } from "./grpc-status.ts";
import type { GrpcCall, GrpcMethod } from "./grpc-status.ts";

const HEALTH = "grpc.health.v1.Health";
const REFLECTIONS = [
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
];
const SERVING = new Uint8Array([0x08, 1]);
const NOT_SERVING = new Uint8Array([0x08, 2]);
const SERVICE_UNKNOWN = new Uint8Array([0x08, 3]);

/** Whether a server serves, and who wants to know when that changes. */
export interface Serving {
  readonly serving: boolean;
  /** Calls the listener after every change, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** For servers that serve from their start to their end. */
export const ALWAYS_SERVING: Serving = { serving: true, onChange: () => () => {} };

/**
 * Adds health (`Check` and `Watch`, for the methods' services and for "", the whole server) and
 * reflection that lists the services; it has no descriptors, which clients are told.
 */
export function withWellKnown(
  methods: ReadonlyMap<string, GrpcMethod>,
  state: Serving,
): ReadonlyMap<string, GrpcMethod> {
  const own = [...new Set([...methods.keys()].map(serviceOfPath))];
  const listed = [...own, HEALTH, ...REFLECTIONS].toSorted();
  const all = new Map(methods);
  const known = (service: string): boolean => service === "" || own.includes(service);
  all.set(`/${HEALTH}/Check`, {
    async handle(request) {
      const service = textField(request, 1) ?? "";
      if (!known(service)) throw new SpoorError("not-found", `unknown service ${service}`);
      return state.serving ? SERVING : NOT_SERVING;
    },
  });
  all.set(`/${HEALTH}/Watch`, {
    stream: "out",
    handle: (request, call) => watchHealth(known(textField(request, 1) ?? ""), state, call),
  });
  for (const reflection of REFLECTIONS) {
    all.set(`/${reflection}/ServerReflectionInfo`, {
      stream: "both",
      handle: async (request) => reflected(request, listed),
    });
  }
  return all;
}

/** Tells the state now and at every change, until the client goes away or the server stops. */
async function watchHealth(known: boolean, state: Serving, call: GrpcCall): Promise<void> {
  const { signal } = call;
  while (!signal.aborted) {
    const changed = Promise.withResolvers<undefined>();
    const wake = (): void => changed.resolve(undefined);
    const off = state.onChange(wake);
    signal.addEventListener("abort", wake);
    try {
      const status = state.serving ? SERVING : NOT_SERVING;
      await call.send(known ? status : SERVICE_UNKNOWN);
      await changed.promise;
    } finally {
      off();
      signal.removeEventListener("abort", wake);
    }
  }
  await call.send(known ? NOT_SERVING : SERVICE_UNKNOWN);
  throw new SpoorError("closed", "the server is stopping");
}

function serviceOfPath(path: string): string {
  return path.slice(1, path.lastIndexOf("/"));
}

/** A ServerReflectionResponse: original_request = 2, list_services = 6, error = 7. */
function reflected(request: Uint8Array, services: readonly string[]): Uint8Array {
  const original = field(2, request);
  if (textField(request, 7) === undefined) {
    const text = utf8Bytes("no descriptors here; only listing services is supported");
    const code = new Uint8Array([0x08, GRPC_STATUS.NOT_FOUND]);
    return joined([original, field(7, joined([code, field(2, text)]))]);
  }
  const names = services.map((name) => field(1, field(1, utf8Bytes(name))));
  return joined([original, field(6, joined(names))]);
}

/** A length-delimited protobuf field, number up to 15. */
function field(number: number, content: Uint8Array): Uint8Array {
  const head = [(number << 3) | 2];
  let length = content.length;
  while (length > 127) {
    head.push((length & 127) | 128);
    length >>>= 7;
  }
  head.push(length);
  return joined([new Uint8Array(head), content]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Text of a length-delimited field of a message that has only such; undefined when absent. */
function textField(message: Uint8Array, number: number): string | undefined {
  let at = 0;
  while (at < message.length) {
    const tag = message[at++]!;
    let length = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = message[at++] ?? 0;
      length |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127 && shift < 28);
    if ((tag & 7) !== 2 || at + length > message.length) {
      throw new SpoorError("malformed", "not a request of this service");
    }
    if (tag >>> 3 === number) return utf8(message.subarray(at, at + length));
    at += length;
  }
  return undefined;
}
