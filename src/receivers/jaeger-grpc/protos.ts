/** The .proto files of Jaeger's collector, for reflection. */

import type { ProtoFile } from "../../net/proto-descriptor.ts";
import { DURATION_PROTO, TIMESTAMP_PROTO } from "../../net/well-known-protos.ts";

const MODEL: ProtoFile = {
  name: "model.proto",
  package: "jaeger.api_v2",
  imports: [TIMESTAMP_PROTO, DURATION_PROTO],
  source: `
    enum ValueType { STRING = 0; BOOL = 1; INT64 = 2; FLOAT64 = 3; BINARY = 4; }
    message KeyValue {
      string key = 1; ValueType v_type = 2; string v_str = 3; bool v_bool = 4;
      int64 v_int64 = 5; double v_float64 = 6; bytes v_binary = 7;
    }
    message Log { google.protobuf.Timestamp timestamp = 1; repeated KeyValue fields = 2; }
    enum SpanRefType { CHILD_OF = 0; FOLLOWS_FROM = 1; }
    message SpanRef { bytes trace_id = 1; bytes span_id = 2; SpanRefType ref_type = 3; }
    message Process { string service_name = 1; repeated KeyValue tags = 2; }
    message Span {
      bytes trace_id = 1; bytes span_id = 2; string operation_name = 3;
      repeated SpanRef references = 4; uint32 flags = 5;
      google.protobuf.Timestamp start_time = 6; google.protobuf.Duration duration = 7;
      repeated KeyValue tags = 8; repeated Log logs = 9; Process process = 10;
      string process_id = 11; repeated string warnings = 12;
    }
    message Batch { repeated Span spans = 1; Process process = 2; }
  `,
};

/** The file of CollectorService. */
export const COLLECTOR_PROTO: ProtoFile = {
  name: "collector.proto",
  package: "jaeger.api_v2",
  imports: [MODEL],
  source: `
    message PostSpansRequest { jaeger.api_v2.Batch batch = 1; }
    message PostSpansResponse { }
    service CollectorService { rpc PostSpans(PostSpansRequest) returns (PostSpansResponse); }
  `,
};
