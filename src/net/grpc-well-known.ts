/** The services every gRPC server offers: health checking and reflection. */

import { SpoorError } from "../core/errors.ts";
import { Reflection } from "./grpc-reflection.ts";
import type { GrpcCall, GrpcMethod } from "./grpc-status.ts";
import { readText } from "./proto-bytes.ts";
import type { ProtoFile } from "./proto-descriptor.ts";
import { HEALTH_PROTO, reflectionProto } from "./well-known-protos.ts";

const HEALTH = "grpc.health.v1.Health";
const REFLECTION_VERSIONS = ["v1", "v1alpha"];
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
 * reflection with the descriptors of `files`, which declare the methods.
 */
export function withWellKnown(
  methods: ReadonlyMap<string, GrpcMethod>,
  state: Serving,
  files: readonly ProtoFile[],
): ReadonlyMap<string, GrpcMethod> {
  const own = [...new Set([...methods.keys()].map(serviceOfPath))];
  const reflections = REFLECTION_VERSIONS.map(
    (version) => `grpc.reflection.${version}.ServerReflection`,
  );
  const listed = [...own, HEALTH, ...reflections].toSorted();
  const reflection = new Reflection(listed, [
    ...files,
    HEALTH_PROTO,
    ...REFLECTION_VERSIONS.map(reflectionProto),
  ]);
  const all = new Map(methods);
  const known = (service: string): boolean => service === "" || own.includes(service);
  all.set(`/${HEALTH}/Check`, {
    async handle(request) {
      const service = readText(request, 1) ?? "";
      if (!known(service)) throw new SpoorError("not-found", `unknown service ${service}`);
      return state.serving ? SERVING : NOT_SERVING;
    },
  });
  all.set(`/${HEALTH}/Watch`, {
    stream: "out",
    handle: (request, call) => watchHealth(known(readText(request, 1) ?? ""), state, call),
  });
  for (const service of reflections) {
    all.set(`/${service}/ServerReflectionInfo`, {
      stream: "both",
      handle: (request) => Promise.resolve(reflection.answer(request)),
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
