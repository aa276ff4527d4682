# SPDX-License-Identifier: Apache-2.0
"""PyPI py-zipkin with its own transport.

  zipkin-python.py V1_THRIFT|V1_JSON|V2_JSON|V2_PROTO3

Prints what it was told. V2_PROTO3 is what others call V2_PROTOBUF.
"""

import json
import os
import sys
import time

from py_zipkin import Encoding, Kind
from py_zipkin.transport import SimpleHTTPTransport
from py_zipkin.zipkin import zipkin_span

encoding = Encoding[sys.argv[1]]
v1 = sys.argv[1].startswith("V1")
transport = SimpleHTTPTransport("127.0.0.1", int(os.environ["PORT"]))
told = []
TAGS = {"n": "1", "name": "grün 日本 😀", "empty": "", "odd": "a\tb\nc\"\\",
        "http.path": "/stock?x=ü"}
NOW = time.time()


def span(kind, name, tags, root=False):
    options = {"encoding": encoding, "transport_handler": transport,
               "sample_rate": 100.0, "use_128bit_trace_id": True,
               "host": "10.1.2.3", "port": 8080} if root else {}
    return zipkin_span(service_name="cellar", span_name=name, kind=kind,
                       binary_annotations=dict(tags),
                       annotations={"cache miss": NOW, "ü": NOW + 0.5},
                       **options)


def tell(span, kind, name, tags, parent, peer=None):
    attrs = span.zipkin_attrs
    want = {
        "trace_id": attrs.trace_id, "span_id": attrs.span_id,
        "parent_id": parent, "service": "cellar", "name": name,
        "kind": kind.value.lower() if kind.value else None,
        "tags": [[k, "string", v] for k, v in tags.items()],
        "unordered": True,
        "events": [[round(NOW * 10**9), "cache miss", []],
                   [round((NOW + 0.5) * 10**9), "ü", []]],
        "precision_ns": 2000,
        "status": "error" if "error" in tags else "unset",
        "status_message": tags.get("error", ""),
        "process": [["ip", "int", 0x0a010203]],
    }
    if peer:
        want["tags"] += [["peer.service", "string", "stock"],
                         ["peer.ipv4", "int", 0x0a000009],
                         ["peer.port", "int", 4321]]
    if v1 and kind in (Kind.PRODUCER, Kind.CONSUMER):
        del want["kind"]  # its messages have no kind in version 1
    told.append(want)


def trip():
    tags = dict(TAGS, error="out of stock")
    with span(Kind.SERVER, "get_bottle", tags, True) as root:
        root_id = root.zipkin_attrs.span_id
        tell(root, Kind.SERVER, "get_bottle", tags, None)
        for kind in (Kind.CLIENT, Kind.LOCAL, Kind.PRODUCER, Kind.CONSUMER):
            if v1 and kind in (Kind.PRODUCER, Kind.CONSUMER):
                continue
            name = f"{kind.name.lower()} ü"
            with span(kind, name, TAGS) as child:
                peer = kind == Kind.CLIENT
                if peer:
                    child.add_sa_binary_annotation(4321, "stock", "10.0.0.9")
                tell(child, kind, name, TAGS, root_id, peer)


def large():
    """One large trace, in one request."""
    with span(Kind.SERVER, "large", {}, True) as root:
        tell(root, Kind.SERVER, "large", {}, None)
        parent = root.zipkin_attrs.span_id
        for i in range(1000):
            name, tags = f"step_{i % 10}", {"n": str(i)}
            with span(Kind.LOCAL, name, tags) as child:
                tell(child, Kind.LOCAL, name, tags, parent)


trip()
if "FEW" not in os.environ:  # else one of each, for a fixture
    for _ in range(40):
        trip()
    large()
for t in told:
    print(json.dumps(t))
