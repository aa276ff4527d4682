#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write fixtures with Apache Thrift's own library.

  fixtures.py DIRECTORY           the payload streams of tests/data
  fixtures.py --seeds DIRECTORY   tests/fuzz/corpus/thrift and zipkin-thrift

Every run writes the same bytes.
"""

import os
import random
import sys
import tempfile

import generate
import reference
import streams

T0 = 1795365028000000  # microseconds


def tag(key, value):
    from jaeger.ttypes import Tag, TagType

    kinds = {str: (TagType.STRING, "vStr"), float: (TagType.DOUBLE, "vDouble"),
             bool: (TagType.BOOL, "vBool"), int: (TagType.LONG, "vLong"),
             bytes: (TagType.BINARY, "vBinary")}
    kind, field = kinds[type(value)]
    return Tag(key=key, vType=kind, **{field: value})


def tags(**pairs):
    return [tag(k.replace("__", "\0").replace("_", ".").replace("\0", "_"), v) for k, v in pairs.items()]


def call(compact, method, args, strict=True):
    from thrift.Thrift import TMessageType

    p = reference.protocol(compact)
    if not compact:
        p.strictWrite = strict
    p.writeMessageBegin(method, TMessageType.ONEWAY, 0)
    args.write(p)
    p.writeMessageEnd()
    return p.trans.getvalue()


def emit(compact, batch, strict=True):
    from agent import Agent

    return call(compact, "emitBatch", Agent.emitBatch_args(batch=batch),
                strict)


def shop(seqno, trace, lost):
    """Batches of three services for one trace: an order that fails."""
    from jaeger.ttypes import (Batch, ClientStats, Log, Process, Span,
                               SpanRef, SpanRefType)

    def process(name):
        return Process(name, tags(hostname=f"{name}-0", ip="10.0.0.7",
                                  jaeger_version="Go-2.30.0") +
                       [tag("client-uuid", f"uuid-{name}")])

    def span(n, parent, name, start, duration, tags_, logs=None, refs=None):
        return Span(traceIdLow=trace, traceIdHigh=0, spanId=trace << 8 | n,
                    parentSpanId=trace << 8 | parent if parent else 0,
                    operationName=name, references=refs, flags=1,
                    startTime=T0 + start, duration=duration, tags=tags_,
                    logs=logs)

    def child_of(n):
        return [SpanRef(SpanRefType.CHILD_OF, trace, 0, trace << 8 | n)]

    stats = ClientStats(lost, 0, 0)
    return [
        Batch(process("frontend"), [
            span(1, 0, "HTTP GET /order", 0, 5200,
                 tags(span_kind="server", http_method="GET",
                      http_status__code=500, error=True) +
                 [tag("sampler.param", 0.25), tag("raw", b"\0\xff")],
                 [Log(T0 + 5100, tags(event="error",
                                      message="payment: timeout\nretry 3"))]),
            span(2, 0, "HTTP POST", 800, 4100,
                 tags(span_kind="client", peer_service="payment"),
                 refs=child_of(1))], seqno, stats),
        Batch(process("payment"), [
            span(3, 2, "Charge", 1000, 3900,
                 tags(span_kind="server", amount=-12345678901,
                      currency="EUR"))], seqno, stats),
        Batch(process("mail"), [
            span(4, 0, "notify", 9000, 70, tags(span_kind="consumer"),
                 refs=[SpanRef(SpanRefType.FOLLOWS_FROM, trace, 0,
                               trace << 8 | 1)])]),
    ]


def zipkin():
    """What an old Zipkin client says, and one that is both sides at once."""
    from agent import Agent
    from zipkincore.ttypes import (Annotation, AnnotationType,
                                   BinaryAnnotation, Endpoint, Span)

    web = Endpoint(0x0a000001, 8080, "web")
    db = Endpoint(0x0a000002, 3306, "db")
    text, number = AnnotationType.STRING, AnnotationType.I32
    spans = [
        Span(0x77, "get", 0x78, None,
             [Annotation(T0, "sr", web), Annotation(T0 + 900, "ss", web),
              Annotation(T0 + 500, "cache miss", web),
              Annotation(T0 + 600, '{"event":"retry","n":"2"}', web)],
             [BinaryAnnotation("http.path", b"/a", text, web),
              BinaryAnnotation("http.status", b"\0\0\1\xf4", number, web),
              BinaryAnnotation("error", b"no such cart", text, web),
              BinaryAnnotation("jaeger.hostname", b"web-1", text, web)],
             True, T0, 900),
        Span(0x77, "query", 0x79, 0x78,
             [Annotation(T0 + 100, "cs", web), Annotation(T0 + 150, "sr", db),
              Annotation(T0 + 300, "ss", db), Annotation(T0 + 400, "cr", web)],
             [BinaryAnnotation("sa", b"\1", AnnotationType.BOOL, db),
              BinaryAnnotation("db.ok", b"\1", AnnotationType.BOOL, web)]),
        Span(0x77, "", 0x7a, 0x78, [], [
            BinaryAnnotation("lc", b"cron", text, web)], False, T0 + 10, 5,
            trace_id_high=0x11),
    ]
    return Agent.emitZipkinBatch_args(spans)


def write(directory, name, payloads):
    with open(os.path.join(directory, name), "wb") as f:
        for i, (data, port) in enumerate(payloads):
            f.write(streams.payload(data, f"192.0.2.1:{40000 + i}", port,
                                    (T0 + i) * 1000))


def write_payloads(directory):
    with open(os.path.join(directory, "real-clients.payloads"), "wb") as f:
        for at, source, port, to, data in streams.datagrams(
                os.path.join(directory, "real-clients.pcap")):
            f.write(streams.payload(data, f"{source}:{port}", to, at))
    batches = shop(1, 0x5a5a, 3) + shop(2, 0x5b5b, 7)
    compact = [(emit(True, b), 6831) for b in batches]
    write(directory, "jaeger-compact.payloads", compact)
    write(directory, "zipkin.payloads",
          [(call(True, "emitZipkinBatch", zipkin()), 5775),
           (call(False, "emitZipkinBatch", zipkin(), strict=False), 5775)])
    good = [(emit(False, b), 6832) for b in batches[:2]]
    cut = (good[0][0][:100], 6832)
    method = (compact[0][0].replace(b"emitBatch", b"emitBotch"), 6831)
    write(directory, "bad-messages.payloads",
          [good[0], cut, method, (b'[{"traceNo":"1"}]', 9411),
           cut, good[1], (b"", 6831), cut])
    body = reference.protocol(False)
    batches[0].write(body)
    with open(os.path.join(directory, "jaeger-body.bin"), "wb") as f:
        f.write(body.trans.getvalue())


def write_seeds(directory):
    """Small messages of every form; the first byte chooses the format."""
    gen = generate.Generator(random.Random(7))
    for i, form in enumerate(generate.FORMS):
        for n in range(4):
            data, kind, _ = gen.message(form, small=True)
            name = "thrift" if kind == "jaeger" else "zipkin-thrift"
            first = 0 if kind == "jaeger" else int(not form.compact)
            path = os.path.join(directory, name)
            os.makedirs(path, exist_ok=True)
            with open(os.path.join(path, f"generated-{i}-{n}"), "wb") as f:
                f.write(bytes([first]) + data)


def main():
    with tempfile.TemporaryDirectory() as generated:
        generate.compile_idl(generated)
        if sys.argv[1] == "--seeds":
            write_seeds(sys.argv[2])
        else:
            write_payloads(sys.argv[1])


if __name__ == "__main__":
    main()
