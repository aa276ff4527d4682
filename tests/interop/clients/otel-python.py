# SPDX-License-Identifier: Apache-2.0
"""PyPI opentelemetry-exporter-jaeger-thrift: compact Thrift over UDP."""

import json
import os

from opentelemetry import trace
from opentelemetry.exporter.jaeger.thrift import JaegerExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

provider = TracerProvider(resource=Resource.create(
    {"service.name": "ledger"}))
provider.add_span_processor(BatchSpanProcessor(JaegerExporter(
    agent_host_name="127.0.0.1", agent_port=int(os.environ["PORT"]),
    udp_split_oversized_batches=True)))
tracer = provider.get_tracer("shop", "0.9")
told = []
TYPES = {str: "string", bool: "bool", int: "int", float: "double"}


def pairs(d):
    return [[k, TYPES[type(v)], v] for k, v in d.items()]


def span(name, kind, parent, attributes, events, error):
    s = tracer.start_span(
        name, kind=kind, attributes=attributes,
        context=trace.set_span_in_context(parent) if parent else None)
    for n, a in events:
        s.add_event(n, a)
    if error:
        s.set_status(Status(StatusCode.ERROR, error))
    c = s.get_span_context()
    told.append({
        "trace_id": f"{c.trace_id:032x}", "span_id": f"{c.span_id:016x}",
        "parent_id": (f"{parent.get_span_context().span_id:016x}"
                      if parent else None),
        "service": "ledger", "name": name, "kind": kind.name.lower(),
        "status": "error" if error else "unset",
        "status_message": error or "", "tags": pairs(attributes),
        "logs": [pairs(a) for n, a in events]})
    return s


for i in range(100):
    root = span("POST /entry", SpanKind.SERVER, None,
                {"http.status_code": 500, "share": 0.1, "cached": False,
                 "name": "grün 日本 😀"},
                [("retry", {"n": i, "why": "timeout"})], "upstream gone")
    child = span("INSERT", SpanKind.CLIENT, root, {"rows": 3}, [], None)
    child.end()
    root.end()
provider.force_flush()
provider.shutdown()
for t in told:
    print(json.dumps(t))
