# SPDX-License-Identifier: Apache-2.0
"""Messages of OTLP: made at random, written as JSON, and told.

Messages are objects of python3-protobuf, of classes that protoc makes of
otlp.proto. There every text is made bytes first, which is the same on the
wire: what is no UTF-8 is then read as it is here. A message is told as the
lines of jsonl that span-decode(1) would give, by the rules of its section on
OTLP written down here a second time.
"""

import base64
import json
import math
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = [None, "internal", "server", "client", "producer", "consumer"]
STATUSES = ["unset", "ok", "error"]
pb = None


def compile_proto(directory):
    global pb
    with open(os.path.join(HERE, "otlp.proto")) as f:
        source = re.sub(r"\bstring (\w+ =)", r"bytes \1", f.read())
    with open(os.path.join(directory, "otlp_bytes.proto"), "w") as f:
        f.write(source)
    subprocess.run(["protoc", "-I", directory, "--python_out", directory,
                    "otlp_bytes.proto"], check=True)
    sys.path.insert(0, directory)
    import otlp_bytes_pb2
    pb = otlp_bytes_pb2


# ---- telling ----

def shown(data):
    """A text as JSON output has it: a byte that is no UTF-8 is U+FFFD."""
    s = data.decode("utf-8", "surrogateescape")
    return "".join("\ufffd" if 0xdc80 <= ord(c) <= 0xdcff else c for c in s)


def told_value(v):
    kind = v.WhichOneof("value")
    if kind is None:
        return ("null",)
    got = getattr(v, kind)
    if kind == "array_value":
        return ("array", [told_value(i) for i in got.values])
    if kind == "kvlist_value":
        return ("map", told_attrs(got.values))
    if kind == "bytes_value":
        return ("bytes", base64.b64encode(got).decode())
    if kind == "string_value":
        return ("string", shown(got))
    if kind == "double_value":
        return ("double", double_text(got))
    return (kind.split("_")[0], got)


def double_text(d):
    if math.isnan(d):
        return "NaN"
    if math.isinf(d):
        return "Infinity" if d > 0 else "-Infinity"
    return repr(d)


def told_attrs(attrs):
    return [(shown(a.key), told_value(a.value)) for a in attrs]


def is_true(v):
    return (v.WhichOneof("value") == "bool_value" and v.bool_value or
            v.WhichOneof("value") == "string_value" and
            v.string_value == b"true")


def derived(span):
    """Kind, status and its message: of the attributes where not said."""
    kind, status, message = span.kind, span.status.code, span.status.message
    known = status != 0
    if not 0 <= kind <= 15:
        kind = 0
    if not 0 <= status <= 15:
        status, known = 0, False
    for a in span.attributes:
        s = (a.value.string_value
             if a.value.WhichOneof("value") == "string_value" else None)
        name = s.decode("latin-1").lower() if s is not None else None
        if a.key == b"error" and not known and is_true(a.value):
            status = 2
        elif a.key == b"span.kind" and not kind and name in KINDS[1:]:
            kind = KINDS.index(name)
        elif a.key == b"otel.status_code" and not known and name in STATUSES:
            status, known = STATUSES.index(name), True
        elif a.key == b"otel.status_description" and not message and s:
            message = s
    return kind, status, message


def trace_text(data):
    return data[8:].hex() if data[:8] == bytes(8) else data.hex()


def told_name(name, empty, instead, tags, marks):
    """What stands for a name; one that is no UTF-8 is kept in a tag."""
    try:
        name.decode()
    except UnicodeDecodeError:
        tags.append((instead, ("bytes", base64.b64encode(name).decode())))
        marks.add("renamed")
        return instead
    if not name:
        marks.add("renamed")
    return name.decode() or empty


def told_span(span, process, scope, marks):
    if len(span.trace_id) != 16 or len(span.span_id) != 8 or \
            len(span.parent_span_id) not in (0, 8) or \
            span.trace_id == bytes(16) or span.span_id == bytes(8):
        return None
    kind, status, message = derived(span)
    tags, marks = told_attrs(span.attributes), set(marks)
    name = told_name(span.name, "empty-span-name", "invalid-span-name", tags,
                     marks)
    process = dict(process)
    tags += process.pop("tags")
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if 0 < end < start:
        signed = end - 2**64 if end >= 2**63 else end
        tags.append(("spantools.original_end_ns", ("int", signed)))
        marks.add("clamped")
    links = [r for r in span.links
             if len(r.trace_id) == 16 and len(r.span_id) == 8]
    if len(links) < len(span.links):
        marks.add("cut")
    parent = span.parent_span_id
    return {
        **process, **scope,
        "trace_id": trace_text(span.trace_id),
        "span_id": span.span_id.hex(),
        "parent_id": parent.hex() if parent.strip(b"\0") else None,
        "name": name,
        "kind": KINDS[kind] if kind < len(KINDS) else kind,
        "start_ns": start,
        "duration_ns": max(end - start, 0),
        "status": STATUSES[status] if status < len(STATUSES) else status,
        "status_message": shown(message),
        "flags": span.flags,
        "trace_state": shown(span.trace_state),
        "tags": tags,
        "events": [(e.time_unix_nano, shown(e.name), told_attrs(e.attributes),
                    e.dropped_attributes_count) for e in span.events],
        "refs": [(trace_text(r.trace_id), r.span_id.hex(), r.flags,
                  shown(r.trace_state), told_attrs(r.attributes),
                  r.dropped_attributes_count) for r in links],
        "dropped": (span.dropped_attributes_count, span.dropped_events_count,
                    span.dropped_links_count),
        "marks": marks,
    }


def told_process(rs):
    attrs, service, marks = list(rs.resource.attributes), None, set()
    tags = []
    for i, a in enumerate(attrs):
        if a.key != b"service.name":
            continue
        if a.value.WhichOneof("value") == "string_value":
            service = told_name(a.value.string_value, "empty-service-name",
                                "InvalidServiceName", tags, marks)
            del attrs[i]
        else:
            service = "service-name-wrong-type"
            marks.add("renamed")
        break
    if service is None:
        service = "missing-service-name"
        marks.add("renamed")
    return {"service": service, "tags": tags, "process": told_attrs(attrs),
            "dropped_process": rs.resource.dropped_attributes_count,
            "schema_url": shown(rs.schema_url)}, marks


def told(message):
    """All spans of a message that can be taken."""
    out = []
    for rs in message.resource_spans:
        process, marks = told_process(rs)
        for ss in rs.scope_spans:
            scope = {"scope": (shown(ss.scope.name), shown(ss.scope.version),
                               told_attrs(ss.scope.attributes),
                               ss.scope.dropped_attributes_count,
                               shown(ss.schema_url))}
            out += [told_span(s, process, scope, marks) for s in ss.spans]
    return [s for s in out if s]


# ---- a line of jsonl in the same terms ----

def line_value(v):
    if v is None:
        return ("null",)
    if isinstance(v, bool):
        return ("bool", v)
    if isinstance(v, int):
        return ("int", v)
    if isinstance(v, float):
        return ("double", double_text(v))
    if isinstance(v, str):
        return ("string", v)
    if isinstance(v, list):
        return ("array", [line_value(i) for i in v])
    first = next(iter(v), None)
    if first == "$bytes":
        return ("bytes", v["$bytes"])
    if first == "$double":
        return ("double", v["$double"])
    pairs = v["$map"] if first == "$map" else v.items()
    return ("map", [(k, line_value(i)) for k, i in pairs])


def line_attrs(o, name):
    pairs = o.get(name + "_list", o.get(name, {}).items())
    return [(k, line_value(v)) for k, v in pairs]


def line_told(line):
    o = json.loads(line)
    scope = o["scope"]
    return {
        **{k: o[k] for k in ("trace_id", "span_id", "parent_id", "service",
                             "name", "kind", "start_ns", "duration_ns",
                             "status")},
        "status_message": o.get("status_message", ""),
        "flags": o.get("flags", 0),
        "trace_state": o.get("trace_state", ""),
        "tags": line_attrs(o, "tags"),
        "process": line_attrs(o, "process"),
        "events": [(e["time_ns"], e.get("name", ""), line_attrs(e, "fields"),
                    e.get("dropped_fields", 0)) for e in o["events"]],
        "refs": [(r["trace_id"], r["span_id"], r.get("flags", 0),
                  r.get("trace_state", ""), line_attrs(r, "tags"),
                  r.get("dropped_tags", 0)) for r in o["refs"]],
        "scope": (scope["name"], scope.get("version", ""),
                  line_attrs(scope, "tags"), scope.get("dropped_tags", 0),
                  scope.get("schema_url", "")),
        "schema_url": o.get("schema_url", ""),
        "dropped_process": o.get("dropped_process", 0),
        "dropped": tuple(o.get("dropped_" + k, 0)
                         for k in ("tags", "events", "refs")),
        "marks": set(o.get("marks", [])),
    }


# ---- making ----

WORDS = [b"error", b"span.kind", b"server", b"GET", b"true", b"", b"ok",
         b"otel.status_code", b"otel.status_description", b"$bytes",
         b"service.name", "\u00e4\u20ac\U0001f600".encode(), b"a\"b\\c\n\0"]
INTS = [0, 1, -1, 2**63 - 1, -2**63, 2**53, 300]
DOUBLES = [0.0, -0.0, 1.5, 1e300, 5e-324, 1e21, 123456789.0, math.inf,
           -math.inf, math.nan]


def some_text(rnd):
    if rnd.random() < 0.8:
        return rnd.choice(WORDS)
    return "".join(chr(rnd.choice((rnd.randrange(0x20, 0x7f),
                                   rnd.randrange(0xa0, 0x2fff))))
                   for _ in range(rnd.randrange(40))).encode()


def some_count(rnd):
    return rnd.choice((0, 0, 0, 1, 300, 2**32 - 1))


def fill_value(rnd, v, depth):
    kind = rnd.randrange(9 if depth < 5 else 6)
    if kind == 0:
        v.bool_value = rnd.random() < 0.5
    elif kind == 1:
        v.int_value = rnd.choice(INTS)
    elif kind == 2:
        v.double_value = rnd.choice(DOUBLES)
    elif kind == 3:
        v.bytes_value = rnd.randbytes(rnd.randrange(20))
    elif kind == 6:
        v.array_value.SetInParent()
        for _ in range(rnd.randrange(4)):
            fill_value(rnd, v.array_value.values.add(), depth + 1)
    elif kind == 7:
        v.kvlist_value.SetInParent()
        fill_attrs(rnd, v.kvlist_value.values, depth + 1)
    elif kind != 8:
        v.string_value = some_text(rnd)


def fill_attrs(rnd, attrs, depth=0):
    for _ in range(rnd.randrange(5)):
        a = attrs.add()
        a.key = some_text(rnd)
        if rnd.random() < 0.9:
            fill_value(rnd, a.value, depth)


def some_id(rnd, n):
    return rnd.choice((rnd.randbytes(n), rnd.randbytes(n), rnd.randbytes(n),
                       bytes(n - 1) + b"\1", bytes(n // 2) +
                       rnd.randbytes(n - n // 2)))


def odd_id(rnd, n):
    """Mostly right."""
    if rnd.random() < 0.95:
        return some_id(rnd, n)
    return rnd.choice((b"", bytes(n), rnd.randbytes(n - 1),
                       rnd.randbytes(n + 1)))


def fill_span(rnd, s):
    s.trace_id, s.span_id = odd_id(rnd, 16), odd_id(rnd, 8)
    if rnd.random() < 0.6:
        s.parent_span_id = odd_id(rnd, 8)
    s.name, s.trace_state = some_text(rnd), some_text(rnd)
    s.kind = rnd.choice((0, 1, 2, 3, 4, 5, 5, 6, 15, 16, 256, -1, 2**31 - 1))
    s.start_time_unix_nano = rnd.choice((0, 5, 1700000000 * 10**9, 2**64 - 1))
    s.end_time_unix_nano = rnd.choice(
        (0, 4, s.start_time_unix_nano, 1700000001 * 10**9, 2**64 - 1))
    s.flags = rnd.choice((0, 1, 0x101, 2**32 - 1))
    s.dropped_attributes_count = some_count(rnd)
    s.dropped_events_count = some_count(rnd)
    s.dropped_links_count = some_count(rnd)
    fill_attrs(rnd, s.attributes)
    for _ in range(rnd.choice((0, 0, 1, 3))):
        e = s.events.add(time_unix_nano=rnd.choice((0, 7, 2**64 - 1)),
                         name=some_text(rnd))
        e.dropped_attributes_count = some_count(rnd)
        fill_attrs(rnd, e.attributes)
    for _ in range(rnd.choice((0, 0, 1, 3))):
        r = s.links.add(trace_id=odd_id(rnd, 16), span_id=odd_id(rnd, 8),
                        trace_state=some_text(rnd), flags=some_count(rnd))
        r.dropped_attributes_count = some_count(rnd)
        fill_attrs(rnd, r.attributes)
    if rnd.random() < 0.5:
        s.status.code = rnd.choice((0, 1, 2, 3, 16, 256, -1))
        s.status.message = some_text(rnd)


def some_message(rnd):
    m = pb.TracesData()
    for _ in range(rnd.choice((0, 1, 1, 2, 3))):
        rs = m.resource_spans.add(schema_url=some_text(rnd))
        if rnd.random() < 0.9:
            rs.resource.dropped_attributes_count = some_count(rnd)
            fill_attrs(rnd, rs.resource.attributes)
            if rnd.random() < 0.5:
                rs.resource.attributes.add(
                    key=b"service.name").value.string_value = b"shop"
        for _ in range(rnd.choice((0, 1, 1, 2))):
            ss = rs.scope_spans.add(schema_url=some_text(rnd))
            if rnd.random() < 0.8:
                ss.scope.name, ss.scope.version = some_text(rnd), b"1"
                ss.scope.dropped_attributes_count = some_count(rnd)
                fill_attrs(rnd, ss.scope.attributes)
            for _ in range(rnd.choice((0, 1, 2, 3))):
                fill_span(rnd, ss.spans.add())
    return m
