# SPDX-License-Identifier: Apache-2.0
"""PyPI jaeger-client: compact Thrift over UDP. Prints what it was told."""

import json
import os
import time

from jaeger_client import Config
from opentracing import child_of, follows_from

tracer = Config(
    config={"sampler": {"type": "const", "param": 1}, "logging": False,
            "local_agent": {"reporting_host": "127.0.0.1",
                            "reporting_port": int(os.environ["PORT"])},
            "generate_128bit_trace_id": True, "tags": {"zone": "b"}},
    service_name="billing", validate=True).initialize_tracer()
told = []
TYPES = {str: "string", bool: "bool", int: "int", float: "double"}


def pairs(d):
    return [[k, TYPES[type(v)], v] for k, v in d.items()]


def trace_id(n):
    return f"{n:032x}" if n >> 64 else f"{n:016x}"


def span(name, tags, logs, references=None):
    s = tracer.start_span(name, references=references)
    for k, v in tags.items():
        s.set_tag(k, v)
    for fields in logs:
        s.log_kv(fields)
    told.append({
        "trace_id": trace_id(s.trace_id), "span_id": f"{s.span_id:016x}",
        "parent_id": f"{s.parent_id:016x}" if s.parent_id else None,
        "service": "billing", "name": name, "tags": pairs(tags),
        "process": [["zone", "string", "b"]],
        "events": [[None, None, pairs(f)] for f in logs],
        "refs": [{"type": r.type.lower().replace("followsfrom", "follows_from"),
                  "trace_id": trace_id(r.referenced_context.trace_id),
                  "span_id": f"{r.referenced_context.span_id:016x}"}
                 for r in references or []],
        "kind": tags.get("span.kind"), "flags": 1,
        "status": "error" if tags.get("error") else "unset",
        "precision_ns": 1000, "start_ns": round(s.start_time * 1e6) * 1000})
    return s


for i in range(100):
    root = span("charge", {"n": i, "big": 2**53 + 1, "small": -1,
                           "price": 12.5, "ok": i % 2 == 0,
                           "name": "grün 日本 😀", "text": "a\tb\0c"},
                [{"event": "retry", "attempt": i}, {"message": "late"}])
    child = span("bank", {"span.kind": "client", "error": True}, [],
                 [child_of(root.context)])
    after = span("audit", {}, [], [follows_from(root.context)])
    for s in (after, child, root):
        s.finish()
    time.sleep(0.02)  # a client that is told too much at once drops spans
time.sleep(2)  # the reporter has no flush that waits
tracer.close()
time.sleep(1)
for t in told:
    print(json.dumps(t))
