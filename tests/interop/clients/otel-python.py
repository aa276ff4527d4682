# SPDX-License-Identifier: Apache-2.0
"""The SDK of OpenTelemetry for Python, with one of its exporters:

  otel-python.py EXPORTER [gzip]

Prints what it was told, in the types that the exporter makes of it.
"""

import base64
import importlib
import json
import logging
import math
import os
import sys
import time

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (BatchSpanProcessor,
                                            SpanExportResult)
from opentelemetry.trace import (Link, SpanContext, SpanKind, Status,
                                 StatusCode, TraceFlags)
from opentelemetry.trace.span import TraceState

which = sys.argv[1]
wire = which.split("-")[0]
port = int(os.environ["PORT"])
url = f"http://127.0.0.1:{port}"
PACKAGE = "opentelemetry.exporter."
SERVICE = "ledger"
JAEGER_UDP = {"agent_host_name": "127.0.0.1", "agent_port": port,
              "udp_split_oversized_batches": True}
EXPORTERS = {
    "jaeger-udp": ("jaeger.thrift", "JaegerExporter", JAEGER_UDP),
    "jaeger-http": ("jaeger.thrift", "JaegerExporter", {
        "collector_endpoint": url + "/api/traces?format=jaeger.thrift"}),
    "jaeger-grpc": ("jaeger.proto.grpc", "JaegerExporter", {
        "collector_endpoint": f"127.0.0.1:{port}", "insecure": True}),
    "otlp-http": ("otlp.proto.http.trace_exporter", "OTLPSpanExporter",
                  {"endpoint": url + "/v1/traces"}),
    "otlp-grpc": ("otlp.proto.grpc.trace_exporter", "OTLPSpanExporter",
                  {"endpoint": url, "insecure": True}),
    "zipkin-json": ("zipkin.json", "ZipkinExporter",
                    {"endpoint": url + "/api/v2/spans"}),
}


class Failures(logging.Handler):
    """An exporter that fails, or warns, has not sent what it was told."""
    n = 0

    def emit(self, record):
        if "dict is full" in record.getMessage():
            return  # which is wanted
        Failures.n += 1
        print(record.getMessage(), file=sys.stderr)


logging.getLogger().addHandler(Failures(logging.WARNING))
resource = Resource.create({"service.name": SERVICE, "cores": 4, "zone": "b"})
provider = TracerProvider(resource=resource)
trace.set_tracer_provider(provider)  # where some exporters find the service
module, name, options = EXPORTERS[which]
if "gzip" in sys.argv and which == "otlp-http":
    from opentelemetry.exporter.otlp.proto.http import Compression
    options["compression"] = Compression.Gzip
elif "gzip" in sys.argv:
    from grpc import Compression
    options["compression"] = Compression.Gzip
exporter = getattr(importlib.import_module(PACKAGE + module), name)(**options)
send = exporter.export


def export(spans):
    result = send(spans)
    if result != SpanExportResult.SUCCESS:
        logging.error("export: %s", result)
    return result


exporter.export = export
processor = BatchSpanProcessor(exporter, max_queue_size=10000,
                               max_export_batch_size=2000)
provider.add_span_processor(processor)
tracer = provider.get_tracer("shop", "0.9")
told = []


def typed(v):
    if wire == "zipkin" and not isinstance(v, (list, tuple)):
        return ["string", "true" if v is True else
                "false" if v is False else str(v)]
    if isinstance(v, bool):
        return ["bool", v]
    if isinstance(v, int):
        return ["int", v]
    if isinstance(v, float):
        return ["double", v if math.isfinite(v) else str(v)]
    if isinstance(v, str):
        return ["string", v]
    if wire == "jaeger":
        return ["string", str(tuple(v))]
    if wire == "zipkin":
        return ["string", json.dumps([typed(x)[1] for x in v],
                                     separators=(",", ":"))]
    if isinstance(v, bytes):
        return ["bytes", base64.b64encode(v).decode()]
    if isinstance(v, dict):
        return ["map", pairs(v)]
    if v is None:
        return ["null", None]
    return ["array", [typed(x) for x in v]]


def pairs(d):
    return [[k, *typed(v)] for k, v in d.items()]


NOW = int(time.time()) * 10**9
START, END = NOW + 123456789, NOW + 2 * 10**9 + 456
PROCESS = {k: v for k, v in resource.attributes.items()
           if k != "service.name"}


def context_of(parent):
    return (parent if isinstance(parent, SpanContext)
            else parent.get_span_context())


def tell_jaeger(want, events, dropped):
    """The resource goes to the tags and in one case to the process, too;
    links lose their attributes, and an event's name is its message."""
    want["tags"] += pairs(PROCESS)
    if which != "jaeger-grpc":
        want["process"] = []
    if dropped:
        want["tags"].append(["otel.dropped_attributes_count", "int", dropped])
    want["events"] = [[t, None, pairs(a) + [["message", "string", n]]]
                      for n, a, t in events]
    for ref in want["refs"]:
        ref.update(type="follows_from", tags=[])
    want.pop("trace_state")
    want["precision_ns"] = 1000


def tell_otlp(want, dropped):
    want["exact"] = ["tags", "process", "events", "refs"]
    want["scope"] = ["shop", "0.9"]
    want["dropped_tags"] = dropped


def tell_zipkin(want, events, dropped):
    want["tags"] += pairs(PROCESS)
    want["process"] = []
    want["refs"] = []
    want.pop("trace_state")
    want["precision_ns"] = 1000
    want["events"] = [[t, None, []] for n, a, t in events]
    if want["kind"] == "internal":
        want["kind"] = None


def span(name, parent=None, kind=SpanKind.INTERNAL, attributes=None,
         events=(), links=(), status=None, end=END, dropped=0):
    attributes = attributes or {}
    if wire == "zipkin":  # an annotation without a text says nothing
        events = [e for e in events if e[0]]
    s = tracer.start_span(
        name, kind=kind, attributes=attributes, links=links, start_time=START,
        context=trace.set_span_in_context(
            trace.NonRecordingSpan(context_of(parent))) if parent else None)
    for n, a, t in events:
        s.add_event(n, a, t)
    if status:
        s.set_status(status)
    s.end(end)
    c = s.get_span_context()
    want = {
        "trace_id": f"{c.trace_id:032x}", "span_id": f"{c.span_id:016x}",
        "parent_id": (f"{context_of(parent).span_id:016x}" if parent
                      else None),
        "service": SERVICE, "name": name, "kind": kind.name.lower(),
        "status": status.status_code.name.lower() if status else "unset",
        "status_message": status.description or "" if status else "",
        "start_ns": START, "duration_ns": end - START,
        "trace_state": c.trace_state.to_header(),
        "tags": pairs(dict(list(attributes.items())[-128:])),
        "process": pairs(PROCESS),
        "events": [[t, n, pairs(a)] for n, a, t in events],
        "refs": [{"type": "link", "trace_id": f"{x.context.trace_id:032x}",
                  "span_id": f"{x.context.span_id:016x}",
                  "tags": pairs(x.attributes)} for x in links]}
    if wire == "jaeger":
        tell_jaeger(want, events, dropped)
    elif wire == "zipkin":
        tell_zipkin(want, events, dropped)
    else:
        tell_otlp(want, dropped)
    told.append(want)
    return s


SERVER = {
    "http.status_code": 500, "cached": False, "hot": True,
    "path": "/cart?x=ü", "name": "grün 日本 😀", "empty": "",
    "odd": "a\tb\nc\0d\"\\", "share": 0.1, "whole": 3.0, "below": -1,
    "big": 2**53 + 1, "most": 2**63 - 1, "least": -2**63, "zero": 0,
    "tiny": 5e-324, "list": ["a", "ü", ""], "ints": [1, -2, 2**62],
    "doubles": [0.5, 2.0], "flags": [True, False], "none": []}
FLAGS = TraceFlags(TraceFlags.SAMPLED)
OTHER = 0x0af7651916cd43dd8448eb211c80319c
# This SDK sends no trace state of a link.
LINKS = [Link(SpanContext(OTHER, 0xb7ad6b7169203331, True, FLAGS),
              {"why": "batch", "n": 7}),
         Link(SpanContext(OTHER, 255, True, FLAGS,
                          TraceState([("k", "v")])))]


def trip(i):
    root = span("POST /entry", kind=SpanKind.SERVER,
                attributes={**SERVER, "n": i},
                events=[("retry", {"n": i, "why": "timeout", "late": True,
                                   "after": 0.25}, NOW + 500000000),
                        ("", {}, NOW + 600000001), ("end", {}, NOW + 10**9)],
                status=Status(StatusCode.ERROR, "upstream gone: ü"))
    span("INSERT", root, SpanKind.CLIENT, {"rows": 3}, links=LINKS,
         status=Status(StatusCode.OK))
    span("publish", root, SpanKind.PRODUCER)
    span("take", root, SpanKind.CONSUMER, end=START)
    span("inside", root)


few = "FEW" in os.environ  # one of each, for a fixture
for i in range(1 if few else 20):
    trip(i)
# A parent in another program, with a trace state.
span("POST /from", SpanContext(2**128 - 1, 2**64 - 2, True, FLAGS, TraceState(
    [("vendor", "a"), ("other", "b")])), SpanKind.SERVER)
# More attributes than the SDK keeps, a long text, numbers that JSON has not.
if not few:
    span("many", attributes={f"key.{i}": i for i in range(130)}, dropped=2)
    span("long", attributes={"text": "é" * 10000})
if wire != "zipkin":
    span("odd numbers", attributes={"nan": math.nan, "inf": math.inf,
                                    "less": -math.inf, "minus": -0.5})
if wire == "otlp":
    span("nested", attributes={
        "raw": b"\0\xff\n", "none": None, "mixed": [1, "a", None, b"\xfe", 0.5],
        "map": {"a": 1, "b": {"c": ["d", {"e": True}]}, "f": {}}})
root = span("large")
for i in range(1 if few else 200 if wire == "jaeger" else 3000):
    span(f"step {i % 10}", root, attributes={"n": i, "text": "x" * (i % 200)})
provider.force_flush()
provider.shutdown()
for t in told:
    print(json.dumps(t))
sys.exit(Failures.n > 0)
