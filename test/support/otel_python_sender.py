"""A process with the stock OpenTelemetry Python SDK: the same trace otel-js-sender.ts sends."""

import json
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as otlp_grpc
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import trace_exporter as otlp_http
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000


def exporter_of(kind, port):
    if kind.startswith("grpc"):
        import grpc

        compression = grpc.Compression.Gzip if "gzip" in kind else grpc.Compression.NoCompression
        return otlp_grpc.OTLPSpanExporter(
            endpoint=f"127.0.0.1:{port}", insecure=True, compression=compression
        )
    compression = Compression.Gzip if "gzip" in kind else Compression.NoCompression
    endpoint = f"http://127.0.0.1:{port}/v1/traces"
    return otlp_http.OTLPSpanExporter(endpoint=endpoint, compression=compression)


def ids_of(span):
    context = span.get_span_context()
    return {"traceId": f"{context.trace_id:032x}", "spanId": f"{context.span_id:016x}"}


def main():
    kind, port = sys.argv[1:3]
    resource = Resource.create({"service.name": "python-shop", "host.cores": 4})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter_of(kind, port)))
    tracer = provider.get_tracer("interop", "1.2.3")
    parent = tracer.start_span("GET /cart", kind=SpanKind.SERVER, start_time=START_NS)
    child = tracer.start_span(
        "SELECT",
        context=trace.set_span_in_context(parent),
        kind=SpanKind.CLIENT,
        start_time=START_NS + MS,
        links=[Link(parent.get_span_context(), {"why": "test"})],
        attributes={"text": "Ünï", "whole": 42, "half": 0.5, "yes": True, "many": ["a", "b"]},
    )
    child.add_event("cache miss", {"key": "cart:7"}, timestamp=START_NS + 2 * MS)
    child.set_status(Status(StatusCode.ERROR, "timed out"))
    child.end(START_NS + 5 * MS)
    parent.end(START_NS + 10 * MS)
    provider.force_flush()
    provider.shutdown()
    print(json.dumps({"parent": ids_of(parent), "child": ids_of(child)}))


main()
