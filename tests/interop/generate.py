# SPDX-License-Identifier: Apache-2.0
"""Messages made with Apache Thrift's own library: likely and unlikely ones."""

import os
import struct
from collections import namedtuple

import reference

# HEAD: with a message head; STRICT: of a binary message.
Form = namedtuple("Form", "kind compact head strict")
FORMS = [
    Form("jaeger", True, True, True),
    Form("jaeger", False, True, True),
    Form("jaeger", False, True, False),
    Form("jaeger", True, False, True),
    Form("jaeger", False, False, True),
    Form("zipkin", True, True, True),
    Form("zipkin", False, True, True),
    Form("zipkin", False, True, False),
    Form("zipkin", True, False, True),
    Form("zipkin", False, False, True),
]

# Fields that a later version may add; a reader of ours skips them.
LATER = """
  100: optional map<string, list<i64>> later1
  101: optional set<bool> later2
  102: optional list<map<i16, double>> later3
  103: optional bool later4
  104: optional i8 later5
  105: optional list<list<list<binary>>> later6
"""

INTS = [0, 1, -1, 63, 64, -64, -65, 127, 128, 2**31 - 1, -2**31, 2**53,
        2**63 - 1, -2**63, 1485467191639875, 18446744073709551]
TEXTS = ["", "x", "error", "true", "false", "client", "SERVER", "producer",
         "GET /", "\0", "a\0b", "\n\t\"\\", "grün", "日本", "\U0001f600",
         "\u2028", "\x7f\x1b[2J", "'; DROP", "x" * 127, "y" * 128, "z" * 3000,
         "caf\udcc3", "\udcff\udcfe get"]
KEYS = ["span.kind", "error", "otel.status_code", "otel.status_description",
        "http.method", "http.status_code", "k", "", "event", "ключ", "a\0"]
DOUBLES = [0.0, -0.0, 1.5, 72.5, 1e308, -1e-308, 5e-324, 0.1, 1 / 3, 1e21,
           123456789.125, float("inf"), float("-inf"), float("nan")]


def compile_idl(directory):
    """The classes, and those of a later version whose fields are unknown."""
    source = os.path.join(directory, "later")
    os.mkdir(source)
    with open(os.path.join(reference.HERE, "jaeger.thrift")) as f:
        idl = f.read()
    for name in ("Tag", "Log", "SpanRef", "Span", "Process", "Batch"):
        head = f"struct {name} {{"
        start = idl.index(head) + len(head)
        end = idl.index("}", start)
        idl = idl[:end] + LATER + idl[end:]
    with open(os.path.join(source, "jaeger_later.thrift"), "w") as f:
        f.write(idl)
    out = os.path.join(directory, "out")
    os.mkdir(out)
    reference.compile_idl(out, ["jaeger_later.thrift"], source)
    reference.compile_idl(out)


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def some(self, make, most):
        rng = self.rng
        n = rng.choice([0, 1, 1, 2, 3, rng.randrange(most + 1)])
        return [make() for _ in range(n)]

    def integer(self, bits=64):
        rng = self.rng
        n = rng.choice(INTS) if rng.random() < .6 else rng.getrandbits(64)
        n &= 2**bits - 1
        return n - 2**bits if n >= 2**(bits - 1) else n

    def time(self):
        rng = self.rng
        if rng.random() < .1:
            return self.integer()
        return 1795365028000000 + rng.randrange(10**9)

    def text(self):
        rng = self.rng
        if rng.random() < .7:
            return rng.choice(TEXTS)
        return "".join(chr(rng.choice([rng.randrange(32, 127),
                                       rng.randrange(0xa0, 0xd800),
                                       rng.randrange(0x10000, 0x110000)]))
                       for _ in range(rng.randrange(20)))

    def octets(self):
        rng = self.rng
        return bytes(rng.getrandbits(8) for _ in range(
            rng.choice([0, 1, 2, 4, 8, 16, 200])))

    def double(self):
        rng = self.rng
        if rng.random() < .7:
            return rng.choice(DOUBLES)
        return struct.unpack(">d", bytes(rng.getrandbits(8)
                                         for _ in range(8)))[0]

    def key(self):
        return self.rng.choice(KEYS) if self.rng.random() < .8 else self.text()

    def later(self, value):
        """Set some of the fields that only a later version knows."""
        rng = self.rng
        if not hasattr(value, "later1") or rng.random() < .7:
            return value
        value.later1 = {self.text(): [self.integer()] * rng.randrange(20)
                        for _ in range(rng.randrange(4))}
        value.later2 = set(rng.choice([[], [True], [False]]))
        value.later3 = self.some(lambda: {self.integer(16): self.double()}, 20)
        value.later4 = rng.random() < .5
        value.later5 = self.integer(8)
        value.later6 = self.some(
            lambda: self.some(lambda: self.some(self.octets, 3), 3), 3)
        return value

    def tag(self):
        rng, t = self.rng, self.j
        kind = rng.choice([0, 0, 0, 1, 2, 3, 4])
        value = {"vStr": self.text, "vDouble": self.double,
                 "vBool": lambda: rng.random() < .5, "vLong": self.integer,
                 "vBinary": self.octets}
        names = list(value)
        kept = {names[kind]}
        if rng.random() < .05:
            kept.add(rng.choice(names))
        if rng.random() < .05:
            kept.discard(names[kind])
        if rng.random() < .02:
            kind = rng.choice([5, -1, 2**31 - 1])
        return self.later(t.Tag(key=self.key(), vType=kind,
                                **{k: value[k]() for k in names if k in kept}))

    def tags(self):
        if self.rng.random() < .2:
            return None
        return self.some(self.tag, 18)

    def jaeger(self, small):
        rng, t = self.rng, self.j
        traces = [(self.integer(), rng.choice([0, self.integer()]))
                  for _ in range(2)]

        def log():
            return self.later(t.Log(timestamp=self.time(),
                                    fields=self.tags() or []))

        def ref():
            low, high = rng.choice(traces)
            return self.later(t.SpanRef(
                refType=rng.choice([0, 0, 1, 1, 2, -7]), traceIdLow=low,
                traceIdHigh=high, spanId=self.integer()))

        def span():
            low, high = rng.choice(traces)
            return self.later(t.Span(
                traceIdLow=low, traceIdHigh=high, spanId=self.integer(),
                parentSpanId=rng.choice([0, self.integer()]),
                operationName=self.text(), flags=self.integer(32),
                references=rng.choice([None, self.some(ref, 3)]),
                startTime=self.time(),
                duration=rng.choice([0, 1, 2500, self.time()]),
                tags=self.tags(),
                logs=rng.choice([None, self.some(log, 3)])))
        return self.later(t.Batch(
            process=self.later(t.Process(serviceName=self.text(),
                                         tags=self.tags())),
            spans=self.some(span, 2 if small else 20),
            seqNo=rng.choice([None, self.integer()]),
            stats=rng.choice([None, t.ClientStats(1, 2, 3)])))

    def host(self):
        from zipkincore.ttypes import Endpoint
        rng = self.rng
        return rng.choice([None, Endpoint(
            ipv4=rng.choice([None, 0, self.integer(32)]),
            port=rng.choice([None, 0, self.integer(16)]),
            service_name=rng.choice([None, self.text()]),
            ipv6=rng.choice([None, self.octets()]))])

    def annotation(self):
        from zipkincore.ttypes import Annotation
        rng = self.rng
        value = rng.choice(
            ["cs", "cr", "ss", "sr", "ms", self.text(), self.text(),
             '{"event":"x","a":"\\u00e9\\ud83d\\ude00\\n"}', '{"a":1}', "{}",
             '{"a":"b"} ', '{"a":"b"', ' { "a" : "b" , "a" : "\\u0000" } ',
             '{"a":"\\ud800"}', '{"a":"\\ud800\\u0041"}', "[]", '{"a":"b",}',
             '{"a":"\\x"}', '{"a":null}'])
        return Annotation(timestamp=rng.choice([None, self.time()]),
                          value=rng.choice([None] + [value] * 9),
                          host=self.host())

    def binary(self):
        from zipkincore.ttypes import BinaryAnnotation
        rng = self.rng
        return BinaryAnnotation(
            key=rng.choice([None, "lc", "sa", "ca", "ma", "jaegerClient",
                            "jaeger.version", "jaeger.hostname", self.key(),
                            self.key(), self.key(), self.key()]),
            value=rng.choice([None, b"\1", b"\0", self.octets(),
                              self.text().encode("utf-8", "surrogateescape")]),
            annotation_type=rng.choice([None, 0, 1, 2, 3, 4, 5, 6, 6, 6, 7]),
            host=self.host())

    def zipkin(self, small):
        from zipkincore.ttypes import Span
        rng = self.rng

        def span():
            return Span(
                trace_id=rng.choice([None, self.integer()]),
                name=rng.choice([None, self.text()]),
                id=rng.choice([None, self.integer()]),
                parent_id=rng.choice([None, 0, self.integer()]),
                annotations=rng.choice(
                    [None, self.some(self.annotation, 6)]),
                binary_annotations=rng.choice(
                    [None, self.some(self.binary, 12)]),
                debug=rng.choice([None, True, False]),
                timestamp=rng.choice([None, 0, self.time()]),
                duration=rng.choice([None, 0, 7, self.time()]),
                trace_id_high=rng.choice([None, 0, self.integer()]))
        spans = self.some(span, 2 if small else 20) or [span()]
        # A bare list without a span, or one whose first span is empty, cannot
        # be told from other bytes.
        spans[0].id = spans[0].id or 1
        return spans

    def message(self, form, small=False):
        """(bytes, kind, value as a reader without later fields sees it)"""
        from agent import Agent
        from thrift.Thrift import TMessageType, TType
        rng = self.rng
        from jaeger import ttypes as known
        from jaeger_later import ttypes as later
        self.j = rng.choice([known, later])
        value = self.jaeger(small) if form.kind == "jaeger" else \
            self.zipkin(small)
        p = reference.protocol(form.compact)
        if not form.compact:
            p.strictWrite = form.strict
        if form.head:
            name, args = (("emitBatch", Agent.emitBatch_args(batch=value))
                          if form.kind == "jaeger" else
                          ("emitZipkinBatch",
                           Agent.emitZipkinBatch_args(spans=value)))
            p.writeMessageBegin(name, rng.choice(
                [TMessageType.ONEWAY, TMessageType.CALL]),
                rng.choice([0, 1, 127, 128, 2**31 - 1]))
            args.write(p)
            p.writeMessageEnd()
        elif form.kind == "jaeger":
            value.write(p)
        else:
            reference.value_follows(p, write=True)
            p.writeListBegin(TType.STRUCT, len(value))
            for v in value:
                v.write(p)
            p.writeListEnd()
        return p.trans.getvalue(), form.kind, value


def head_length(form):
    """How many bytes may not be damaged, so that both readers agree which
    protocol and method it is."""
    if not form.head:
        return 8 if form.compact else 10
    name = 9 if form.kind == "jaeger" else 15
    return name + (12 if form.compact else 18)


def damage(rng, data, form):
    data = bytearray(data)
    first = min(head_length(form), len(data) - 1)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        if len(data) <= first + 1:
            break
        at = rng.randrange(first, len(data))
        what = rng.randrange(6)
        if what == 0:
            del data[at:]
        elif what == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif what == 2:
            data[at] = rng.choice([0, 1, 0x7f, 0x80, 0xff, 12, 15, 0x1c])
        elif what == 3:
            del data[at:at + rng.randrange(1, 5)]
        elif what == 4:
            data[at:at] = bytes(rng.getrandbits(8)
                                for _ in range(rng.randrange(1, 5)))
        else:
            data[at:at + 4] = rng.choice([b"\xff\xff\xff\xff",
                                          b"\x7f\xff\xff\xff",
                                          b"\xff\xff\xff\xff\x0f"])
    return bytes(data)
