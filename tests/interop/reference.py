# SPDX-License-Identifier: Apache-2.0
"""What a message says, by Apache Thrift's own library.

Messages are read and written with the library and with classes that
thrift-compiler makes of the .thrift files beside this one. The spans of a
message are then told in the members of span-query's jsonl, by the rules of
span-decode(1) written down here a second time, so that the two can be
compared.
"""

import base64
import json
import os
import signal
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
UUID = 16  # a type that this version of the library does not know
MAX_NS = 2**64 - 1
CORE = {"cs": "client", "cr": "client", "ss": "server", "sr": "server"}
MESSAGING = {"ms": "producer", "mr": "consumer"}


def compile_idl(directory, files=("agent.thrift",), source=HERE):
    """Generate the classes, and make them importable."""
    for name in files:
        subprocess.run(
            ["thrift", "-r", "--gen", "py", "-out", directory,
             os.path.join(source, name)], check=True)
    sys.path.insert(0, directory)
    if "agent.thrift" in files:
        check_required()


class Refused(Exception):
    """The library, or a required field, refuses the message."""


# ---- reading ----

def text(data):
    """Bytes of a string; what is no UTF-8 is kept a byte at a time."""
    return data.decode("utf-8", "surrogateescape")


def shown(s):
    """The same as JSON output has it."""
    return "".join("\ufffd" if 0xdc80 <= ord(c) <= 0xdcff else c for c in s)


def protocol(compact, data=b""):
    from thrift.protocol import TBinaryProtocol, TCompactProtocol
    from thrift.transport import TTransport

    base = (TCompactProtocol.TCompactProtocol if compact
            else TBinaryProtocol.TBinaryProtocol)

    TCompactProtocol.TTYPES[13] = UUID

    class Lenient(base):
        def skip(self, ttype):
            if ttype == UUID:
                self.trans.readAll(16)
            else:
                super().skip(ttype)

        def readString(self):
            return text(self.readBinary())

        def writeString(self, s):
            if not isinstance(s, bytes):
                s = s.encode("utf-8", "surrogateescape")
            self.writeBinary(s)

    return Lenient(TTransport.TMemoryBuffer(data))


def value_follows(p, write=False):
    """Compact: a value may stand where the library expects a message."""
    from thrift.protocol import TCompactProtocol

    p.state = (TCompactProtocol.VALUE_WRITE if write
               else TCompactProtocol.VALUE_READ)


def check_required():
    """Generated readers do not call validate(), as those of other languages
    do: let each struct check itself when it was read."""
    from jaeger import ttypes

    def checked(read):
        def read_and_check(self, p):
            read(self, p)
            self.validate()
        return read_and_check

    for cls in vars(ttypes).values():
        if hasattr(cls, "validate"):
            cls.read = checked(cls.read)


def read(data, compact, kind=None):
    """("jaeger", Batch) or ("zipkin", [Span]); KIND says what a message
    without a head is."""
    from agent import Agent
    from jaeger.ttypes import Batch
    from thrift.Thrift import TException
    from zipkincore.ttypes import Span

    def late(*_):
        raise Refused("it takes too long")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 2)
    p = protocol(compact, data)
    try:
        if kind == "jaeger":
            value = Batch()
            value.read(p)
        elif kind == "zipkin":
            value_follows(p)
            _, n = p.readListBegin()
            value = []
            for _ in range(n):
                value.append(Span())
                value[-1].read(p)
        else:
            name, _, _ = p.readMessageBegin()
            if isinstance(name, bytes):  # of an old binary message
                name = text(name)
            if name == "emitBatch":
                args = Agent.emitBatch_args()
                args.read(p)
                kind, value = "jaeger", args.batch
            elif name == "emitZipkinBatch":
                args = Agent.emitZipkinBatch_args()
                args.read(p)
                kind, value = "zipkin", args.spans
            else:
                raise Refused("unknown method")
            if value is None:
                raise Refused("no arguments")
        return kind, value
    except (TException, EOFError, AssertionError, struct.error, TypeError,
            ValueError, IndexError, KeyError, AttributeError, OverflowError,
            RecursionError, MemoryError) as e:
        raise Refused(f"{type(e).__name__}: {e}") from e
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# ---- telling a span ----

def u64(n):
    return n & MAX_NS


def trace_id(high, low):
    return f"{u64(high):016x}{u64(low):016x}" if high else f"{u64(low):016x}"


def double(d):
    if d != d:
        return ("double", "NaN")
    return ("double", struct.pack(">d", d))


def tag_value(t):
    """A Jaeger tag's value, with its type."""
    if t.vType == 0:
        return ("string", shown(t.vStr or ""))
    if t.vType == 1:
        return double(0.0 if t.vDouble is None else t.vDouble)
    if t.vType == 2:
        return ("bool", bool(t.vBool))
    if t.vType == 3:
        return ("int", t.vLong or 0)
    if t.vType == 4:
        return ("bytes", bytes(t.vBinary or b""))
    return ("string", f"Unknown VType: {t.vType}")


def tags(list_):
    return [(shown(t.key), tag_value(t)) for t in list_ or []]


def times(span, field, us, attrs, key):
    """Microseconds as ns; what does not fit is clamped and said."""
    ns = us * 1000
    if 0 <= ns <= MAX_NS:
        span[field] = ns
        return
    span[field] = 0 if ns < 0 else MAX_NS
    attrs.append((f"spantools.original_{key}_us", ("int", us)))
    span["marks"].add("clamped")


def is_true(value):
    return value in (("bool", True), ("string", "true"))


def derive(s):
    """Kind, status and parent as the tags and references say."""
    code = s["status"] != "unset"
    for key, (kind, value) in s["tags"]:
        if key == "error" and not code and is_true((kind, value)):
            s["status"] = "error"
        elif (key == "span.kind" and not s["kind"] and kind == "string" and
              value.lower() in ("internal", "server", "client", "producer",
                                "consumer")):
            s["kind"] = value.lower()
        elif (key == "otel.status_code" and not code and kind == "string" and
              value.lower() in ("unset", "ok", "error")):
            s["status"] = value.lower()
            code = True
        elif (key == "otel.status_description" and kind == "string" and
              not s["status_message"]):
            s["status_message"] = value
    if s["parent_id"] is None:
        own = [r for r in s["refs"] if r[1] == s["trace_id"]]
        first = ([r for r in own if r[0] == "child_of"] +
                 [r for r in own if r[0] == "follows_from"])
        if first:
            s["parent_id"] = parent(int(first[0][2], 16))
    return s


def parent(n):
    return f"{u64(n):016x}" if n else None


REF_TYPES = {-1: "link", 0: "child_of", 1: "follows_from"}


def new_span():
    return {"kind": None, "status": "unset", "status_message": "",
            "marks": set(), "tags": [], "events": [], "refs": []}


def is_utf8(s):
    return not any(0xdc80 <= ord(c) <= 0xdcff for c in s)


def renamed(s, field, name, instead):
    """A name that is no UTF-8 becomes another; its bytes, a tag's value."""
    if is_utf8(name):
        return
    s[field] = instead
    s["tags"].append((instead,
                      ("bytes", name.encode("utf-8", "surrogateescape"))))
    s["marks"].add("renamed")


def both_renamed(s, name, service):
    renamed(s, "name", name, "invalid-span-name")
    renamed(s, "service", service, "InvalidServiceName")


def jaeger_span(x, process):
    s = new_span()
    s["trace_id"] = trace_id(x.traceIdHigh, x.traceIdLow)
    s["span_id"] = f"{u64(x.spanId):016x}"
    s["parent_id"] = parent(x.parentSpanId)
    s["service"] = shown(process.serviceName) or "empty-service-name"
    s["name"] = shown(x.operationName) or "empty-span-name"
    if not process.serviceName or not x.operationName:
        s["marks"].add("renamed")
    s["flags"] = x.flags & 0xffffffff
    s["tags"] = tags(x.tags)
    both_renamed(s, x.operationName, process.serviceName)
    times(s, "start_ns", x.startTime, s["tags"], "start")
    times(s, "duration_ns", x.duration, s["tags"], "duration")
    s["process"] = tags(process.tags)
    for log in x.logs or []:
        e = {"marks": s["marks"]}
        fields = tags(log.fields)
        times(e, "time_ns", log.timestamp, fields, "time")
        s["events"].append((e["time_ns"], "", fields))
    for r in x.references or []:
        s["refs"].append((REF_TYPES.get(r.refType, r.refType),
                          trace_id(r.traceIdHigh, r.traceIdLow),
                          f"{u64(r.spanId):016x}"))
    return derive(s)


def find(z, value):
    return next((a for a in z.annotations or [] if a.value == value), None)


def wrap(n):
    return (n + 2**63) % 2**64 - 2**63


def zipkin_times(z):
    start, duration = z.timestamp or 0, z.duration or 0
    if duration < 0:
        duration = 1
    a = z.annotations or []
    pairs = [("cs", "cr")] if find(z, "cs") else [("sr", "ss")]
    for first, last in pairs:
        first, last = find(z, first), find(z, last)
        if first and not start:
            start = first.timestamp or 0
        if first and last and not duration:
            duration = wrap((last.timestamp or 0) - (first.timestamp or 0))
    if a and not start:
        start = a[0].timestamp or 0
    if a and not duration:
        between = (a[-1].timestamp or 0) - (a[0].timestamp or 0)
        duration = wrap(between) if between > 0 else 0
    return start, duration


def local_host(z):
    annotations, binary = z.annotations or [], z.binary_annotations or []
    hosts = [a.host for a in annotations if a.value in CORE]
    hosts += [b.host for b in binary if b.key == "lc"]
    hosts += [a.host for a in annotations] + [b.host for b in binary]
    return next((h for h in hosts if h and h.service_name), None)


def zipkin_value(b):
    value, kind = bytes(b.value or b""), b.annotation_type or 0
    if kind == 0:
        return ("bool", value == b"\x01")
    if kind in (2, 3, 4):
        size = {2: 2, 3: 4, 4: 8}[kind]
        if len(value) >= size:
            return ("int", int.from_bytes(value[:size], "big", signed=True))
    if kind == 5 and len(value) >= 8:
        return double(struct.unpack(">d", value[:8])[0])
    if kind == 6:
        return ("string", shown(text(value)))
    return ("bytes", value)


def peer_tags(host):
    if not host:
        return []
    out = [("peer.service", ("string", shown(host.service_name or "")))]
    if host.ipv4:
        out.append(("peer.ipv4", ("int", host.ipv4 & 0xffffffff)))
    if host.ipv6 is not None:
        out.append(("peer.ipv6", ("bytes", bytes(host.ipv6))))
    if host.port:
        out.append(("peer.port", ("int", host.port & 0xffff)))
    return out


PROCESS_KEYS = {"jaegerClient": "jaeger.version",
                "jaeger.version": "jaeger.version",
                "jaeger.hostname": "hostname"}


def log_fields(value):
    """A JSON object of texts, or nothing."""
    def pairs(p):
        return ("object", p)
    try:
        parsed = json.loads(value, object_pairs_hook=pairs, strict=True)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, tuple) or not parsed[1]:
        return None
    if not all(isinstance(v, str) for _, v in parsed[1]):
        return None

    def clean(s):
        return "".join("\ufffd" if 0xd800 <= ord(c) <= 0xdfff else c
                       for c in s)
    return [(clean(k), ("string", clean(v))) for k, v in parsed[1]]


def zipkin_spans(z):
    s = new_span()
    host = local_host(z)
    binary = z.binary_annotations or []
    s["trace_id"] = trace_id(z.trace_id_high or 0, z.trace_id or 0)
    s["span_id"] = f"{u64(z.id or 0):016x}"
    s["parent_id"] = parent(z.parent_id or 0)
    s["service"] = shown(host.service_name) if host else "unknown-service-name"
    s["name"] = shown(z.name or "") or "empty-span-name"
    if not z.name or not host:
        s["marks"].add("renamed")
    s["flags"] = 3 if z.debug else 0
    s["process"] = [(PROCESS_KEYS[b.key], zipkin_value(b)) for b in binary
                    if b.key in PROCESS_KEYS]
    if host and host.ipv4:
        s["process"].append(("ip", ("int", host.ipv4)))
    if host and host.ipv6 is not None:
        s["process"].append(("ipv6", ("bytes", bytes(host.ipv6))))
    if host and host.port:
        s["process"].append(("port", ("int", host.port & 0xffff)))
    for b in binary:
        if b.key in PROCESS_KEYS:
            continue
        if b.key in ("sa", "ca", "ma"):
            s["tags"] += peer_tags(b.host)
        elif b.key == "lc":
            if b.value:
                s["tags"].append(("component",
                                  ("string", shown(text(bytes(b.value))))))
        else:
            s["tags"].append((shown(b.key or ""), zipkin_value(b)))
    sides = [CORE[a.value] for a in z.annotations or [] if a.value in CORE]
    sides += [MESSAGING[a.value] for a in z.annotations or []
              if a.value in MESSAGING]
    kind = sides[0] if sides else None
    if z.parent_id == 0:
        s["tags"].append(("errZeroParentID", ("string", "0")))
    if (z.duration or 0) < 0:
        s["marks"].add("clamped")
        s["tags"].append(("errNegativeDuration", ("string", str(z.duration))))
    if kind:
        s["tags"].append(("span.kind", ("string", kind)))
    start, duration = zipkin_times(z)
    for a in z.annotations or []:
        if not a.value or a.value in CORE:
            continue
        if MESSAGING.get(a.value, "") == kind and (a.timestamp or 0) == start:
            continue
        fields = log_fields(a.value)
        if fields is None:
            fields = [("event", ("string", shown(a.value)))]
        e = {"marks": s["marks"]}
        times(e, "time_ns", a.timestamp or 0, fields, "time")
        s["events"].append((e["time_ns"], "", fields))
    error = next((v for k, v in s["tags"] if k == "error"), None)
    code = next((v for k, v in s["tags"] if k == "otel.status_code"), None)
    fine = code and code[0] == "string" and code[1].lower() == "ok"
    if error and error[0] == "string" and error[1] != "false" and not fine:
        s["status"] = "error"
        s["status_message"] = "" if error[1] == "true" else error[1]
    names = z.name or "", host.service_name if host else ""
    both_renamed(s, *names)
    other = None
    if find(z, "cs") and find(z, "sr"):
        client = kind == "client"
        other = dict(s, tags=[], events=[], status="unset", status_message="",
                     marks=s["marks"] - {"clamped"})
        other["tags"] = [("span.kind",
                          ("string", "server" if client else "client"))]
        both_renamed(other, *names)
        first, last = (("sr", "ss") if client else ("cs", "cr"))
        first, last = find(z, first), find(z, last)
        begin = first.timestamp or 0
        length = wrap((last.timestamp or 0) - begin) if last else 0
        times(other, "start_ns", begin, other["tags"], "start")
        times(other, "duration_ns", length, other["tags"], "duration")
        derive(other)
    times(s, "start_ns", start, s["tags"], "start")
    times(s, "duration_ns", duration, s["tags"], "duration")
    derive(s)
    if other is None:
        return [s]
    return [s, other] if client else [other, s]


def spans(kind, value):
    """All spans of a message, told."""
    if kind == "jaeger":
        return [jaeger_span(x, value.process) for x in value.spans]
    return [s for z in value for s in zipkin_spans(z)]


# ---- our own output, told the same way ----

def from_json(value):
    if isinstance(value, dict) and "$bytes" in value:
        return ("bytes", base64.b64decode(value["$bytes"], validate=True))
    if isinstance(value, dict) and "$double" in value:
        return double(float(value["$double"]))
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int):
        return ("int", value)
    if isinstance(value, float):
        return double(value)
    return ("string", value)


def attrs(object_, name):
    pairs = object_.get(name + "_list")
    if pairs is None:
        pairs = object_[name].items()
    return [(k, from_json(v)) for k, v in pairs]


def told(line):
    """A line of jsonl."""
    x = json.loads(line)
    return {
        "trace_id": x["trace_id"], "span_id": x["span_id"],
        "parent_id": x["parent_id"], "service": x["service"],
        "name": x["name"], "kind": x["kind"], "status": x["status"],
        "status_message": x.get("status_message", ""),
        "flags": x.get("flags", 0), "marks": set(x.get("marks", [])),
        "start_ns": x["start_ns"], "duration_ns": x["duration_ns"],
        "tags": attrs(x, "tags"), "process": attrs(x, "process"),
        "events": [(e["time_ns"], e.get("name", ""), attrs(e, "fields"))
                   for e in x["events"]],
        "refs": [(r["type"], r["trace_id"], r["span_id"])
                 for r in x["refs"]],
    }
