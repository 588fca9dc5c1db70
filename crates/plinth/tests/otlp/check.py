"""Reads exports from standard input, one a line, with the protocol's own definitions; prints what it found as JSON.

protobuf's JSON reader takes unknown fields, misspelt enumerations and numbers out of range for errors. OTLP departs from
protobuf's JSON in one point, which is put right before: ids are hexadecimal, where protobuf has base64.
"""

import base64
import json
import re
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

DIGITS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}


def with_base64_ids(span):
    for name, digits in DIGITS.items():
        if name in span:
            assert re.fullmatch(f"[0-9a-f]{{{digits}}}", span[name]), f"{name}: {span[name]}"
            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    for name in ("startTimeUnixNano", "endTimeUnixNano"):
        assert isinstance(span[name], str), f"{name} is a 64-bit integer and therefore a text"
    assert isinstance(span["kind"], int), "enumerations are numbers"


def main():
    kinds = {}
    for line in sys.stdin:
        body = json.loads(line)
        for resource in body["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    with_base64_ids(span)
        request = json_format.ParseDict(body, ExportTraceServiceRequest())
        # What was read can be written, and read again: nothing was lost on the way.
        assert ExportTraceServiceRequest.FromString(request.SerializeToString()) == request
        for resource in request.resource_spans:
            names = {attribute.key for attribute in resource.resource.attributes}
            assert {"service.name", "service.version"} <= names, names
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                assert len(span.trace_id) == 16 and any(span.trace_id)
                assert len(span.span_id) == 8 and any(span.span_id)
                assert len(span.parent_span_id) in (0, 8)
                assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
                keys = [attribute.key for attribute in span.attributes]
                assert len(keys) == len(set(keys)), f"an attribute stands twice: {keys}"
                assert all(attribute.value.WhichOneof("value") for attribute in span.attributes)
                kind = Span.SpanKind.Name(span.kind)
                kinds[kind] = kinds.get(kind, 0) + 1
    print(json.dumps(kinds))


if __name__ == "__main__":
    main()
