// Traces @grpc/grpc-js: an interceptor for clients and one for servers.
import { FORMAT_TEXT_MAP } from "opentracing";
import type * as Grpc from "@grpc/grpc-js";
import type { Span } from "../span.ts";
import type { Tracer } from "../tracer.ts";

const OK = 0;

function finish(span: Span, status: { code?: number | null; details?: string | null }): void {
  const code = status.code ?? OK;
  span.setTag("rpc.grpc.status_code", code);
  if (code !== OK) span.setTag("error", true).log({ event: "error", message: status.details });
  span.finish();
}

/** `new Client(address, credentials, { interceptors: [grpcClientTracing(tracer, grpc)] })`. */
export function grpcClientTracing(tracer: Tracer, grpc: typeof Grpc): Grpc.Interceptor {
  return (options, nextCall) => {
    const method = options.method_definition.path;
    const span = tracer.startSpan(method, {
      childOf: tracer.activeSpan(),
      tags: { "span.kind": "client", component: "grpc", "rpc.method": method },
    });
    return new grpc.InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        const carrier: Record<string, string> = {};
        tracer.inject(span, FORMAT_TEXT_MAP, carrier);
        for (const name in carrier) metadata.set(name, carrier[name]!);
        next(metadata, {
          onReceiveStatus(status, pass) {
            finish(span, status);
            pass(status);
          },
        });
      },
    });
  };
}

function startServerSpan(tracer: Tracer, method: string, metadata: Grpc.Metadata): Span {
  return tracer.startSpan(method, {
    childOf: tracer.extract(FORMAT_TEXT_MAP, metadata.getMap()),
    tags: { "span.kind": "server", component: "grpc", "rpc.method": method },
  });
}

/** `new Server({ interceptors: [grpcServerTracing(tracer, grpc)] })`. */
export function grpcServerTracing(tracer: Tracer, grpc: typeof Grpc): Grpc.ServerInterceptor {
  return (descriptor, call) => {
    let span: Span | null = null;
    const listener = new grpc.ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        span = startServerSpan(tracer, descriptor.path, metadata);
        tracer.withSpan(span, () => next(metadata));
      })
      .withOnReceiveMessage((message, next) => tracer.withSpan(span, () => next(message)))
      .withOnReceiveHalfClose((next) => tracer.withSpan(span, next))
      .withOnCancel(() => {
        if (span !== null) finish(span, { code: grpc.status.CANCELLED, details: "cancelled" });
        span = null;
      })
      .build();
    const responder = new grpc.ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendStatus((status, next) => {
        if (span !== null) finish(span, status);
        span = null;
        next(status);
      })
      .build();
    return new grpc.ServerInterceptingCall(call, responder);
  };
}
