#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Everything that is wrong with a request, at every endpoint that takes spans.

usage: endpoints.py PORTS BODIES MAX

PORTS is "PROTOCOL=PORT ..." of a span-capture whose --max-body is MAX bytes,
BODIES a directory with a good body of each endpoint. What has to come back is
what Jaeger's and OpenTelemetry's collectors answer. Each wrong request is
followed by a good one on the same connection. Prints TAP, and at the end how
many good bodies were acknowledged.
"""
import gzip
import http.client
import json
import os
import sys
import zlib

PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
PROTO = "application/x-protobuf"
THRIFT = "application/x-thrift"

# Protocol, path, media type, file of a good body.
ENDPOINTS = [
    ("jaeger-http", "/api/traces", THRIFT, "jaeger.thrift"),
    ("zipkin", "/api/v1/spans", JSON, "zipkin-v1.json"),
    ("zipkin", "/api/v1/spans", THRIFT, "zipkin-v1.thrift"),
    ("zipkin", "/api/v2/spans", JSON, "zipkin-v2.json"),
    ("zipkin", "/api/v2/spans", PROTO, "zipkin-v2.proto"),
    ("otlp-http", "/v1/traces", JSON, "otlp.json"),
    ("otlp-http", "/v1/traces", PROTO, "otlp.proto"),
]

BAD = "Unable to process request body: "
OTLP_TYPE = ("415 unsupported media type, supported: "
             "[application/json, application/x-protobuf]")
OTLP_METHOD = "405 method not allowed, supported: [POST]"

n_tests = 0
n_good = 0
all_well = True


def check(good, name, got):
    global n_tests, all_well
    n_tests += 1
    all_well &= bool(good)
    print(f"{'ok' if good else 'not ok'} {n_tests} - {name}")
    if not good:
        print(f"# got {got}")


def status_of(kind, body):
    """A google.rpc.Status: its code and its message."""
    if kind == JSON:
        status = json.loads(body)
        return status["code"], status["message"]
    if body[:1] != b"\x08" or body[2:3] != b"\x12":
        return None
    at, length, shift = 3, 0, 0
    while True:
        length |= (body[at] & 127) << shift
        shift += 7
        at += 1
        if not body[at - 1] & 128:
            break
    text = body[at:].decode()
    return (body[1], text) if len(body) - at == length else None


class Endpoint:
    def __init__(self, port, protocol, path, kind, body):
        self.protocol, self.path, self.kind = protocol, path, kind
        self.body = body
        self.name = f"{protocol} {path} {kind}"
        self.connection = http.client.HTTPConnection("127.0.0.1", port,
                                                     timeout=20)

    def ask(self, method="POST", path=None, kind="", body=None, **more):
        """Status, type, body and headers of the answer."""
        headers = dict(more.pop("headers", {}))
        kind = self.kind if kind == "" else kind
        if kind is not None:
            headers["Content-Type"] = kind
        c = self.connection
        c.request(method, path or self.path, body, headers, **more)
        r = c.getresponse()
        data = r.read()
        return r.status, r.headers.get("Content-Type"), data, r.headers

    def good(self, what="a good request"):
        global n_good
        got = self.ask(body=self.body)
        want = {JSON: b'{"partialSuccess":{}}', PROTO: b""}
        if self.protocol == "otlp-http":
            well = got[:3] == (200, self.kind, want[self.kind])
        else:
            well = got[:3] == (202, None, b"")
        n_good += well
        check(well, f"{self.name}: {what}", got[:3])

    def wrong(self, what, want, text, exact=False, **request):
        """WANT is the status; the body is TEXT, or begins with it."""
        got = self.ask(**request)
        status, kind, body = got[:3]
        if self.protocol == "otlp-http" and want in (400, 413):
            code, said = status_of(self.kind, body) or (None, "")
            well = kind == self.kind and code == 3
            text = text.removeprefix(BAD)
        else:
            bare = text in (OTLP_METHOD, OTLP_TYPE)
            well = kind == ("text/plain" if bare else PLAIN)
            said = body.decode().removesuffix("" if bare else "\n")
        well &= status == want
        well &= said == text if exact else (said.startswith(text)
                                            and len(said) > len(text))
        check(well, f"{self.name}: {what}", got[:3])
        self.good(f"a good request after {what}")
        return got[3]


def harm_bodies(e, most):
    large = b"\0" * (most + 1)
    too_large = f"{BAD}request body larger than {most} bytes"
    packed = gzip.compress(e.body)
    raw = zlib.compressobj(wbits=-15)

    e.wrong("bytes that mean nothing", 400, BAD, body=b"\xff" * 100)
    e.wrong("half of a body", 400, BAD, body=e.body[:len(e.body) // 2])
    e.wrong("all but its last byte", 400, BAD, body=e.body[:-1])
    e.wrong("one byte too many", 413, too_large, exact=True, body=large)
    e.wrong("one byte too many, in chunks", 413, too_large, exact=True,
            body=iter([large[:1000], large[1000:]]), encode_chunked=True,
            headers={"Transfer-Encoding": "chunked"})
    for coding, bomb in (
            ("gzip", gzip.compress(bytes(100 * most))),
            ("deflate", zlib.compress(bytes(100 * most))),
            ("deflate", raw.compress(bytes(100 * most)) + raw.flush())):
        e.wrong(f"a bomb of {coding}", 413, too_large, exact=True, body=bomb,
                headers={"Content-Encoding": coding})
    e.wrong("gzip that is cut", 400, BAD + "compressed data is cut",
            exact=True, body=packed[:-9], headers={"Content-Encoding": "gzip"})
    e.wrong("gzip that is none", 400, BAD, body=e.body,
            headers={"Content-Encoding": "gzip"})
    e.wrong("gzip with another sum", 400, BAD,
            body=packed[:-8] + b"\0\0\0\0" + packed[-4:],
            headers={"Content-Encoding": "gzip"})
    headers = e.wrong("an encoding that nobody knows", 415,
                      "Unsupported Content-Encoding: br", exact=True,
                      body=e.body, headers={"Content-Encoding": "br"})
    check(headers["Accept-Encoding"].startswith("gzip, deflate"),
          f"{e.name}: which it knows", headers["Accept-Encoding"])


def harm_head(e):
    types = {
        "jaeger-http": (400, "Unsupported content type: text/html",
                        "Cannot parse content type: mime: expected slash "
                        "after first token"),
        "zipkin": (400, "Unsupported Content-Type",
                   "Cannot parse Content-Type: mime: expected slash after "
                   "first token"),
        "otlp-http": (415, OTLP_TYPE, OTLP_TYPE),
    }
    status, other, none = types[e.protocol]
    method = OTLP_METHOD if e.protocol == "otlp-http" else \
        "405 method not allowed"

    e.wrong("another type", status, other, exact=True, kind="text/html",
            body=e.body)
    e.wrong("no type", status, none, exact=True, kind="what", body=e.body)
    for name in ("GET", "PUT", "DELETE", "PATCH"):
        headers = e.wrong(f"the method {name}", 405, method, exact=True,
                          method=name)
        check(headers["Allow"] == "POST", f"{e.name}: which it takes",
              headers["Allow"])
    for path in ("/", e.path + "/", e.path + "x", e.path.upper(),
                 "/" + e.path, "/v1/logs"):
        e.wrong(f"the path {path}", 404, "404 page not found", exact=True,
                path=path, body=e.body)


def main():
    ports = dict(p.split("=") for p in sys.argv[1].split())
    most = int(sys.argv[3])
    for protocol, path, kind, name in ENDPOINTS:
        with open(os.path.join(sys.argv[2], name), "rb") as f:
            body = f.read().rstrip(b"\n") if kind == JSON else f.read()
        e = Endpoint(int(ports[protocol]), protocol, path, kind, body)
        e.good()
        harm_bodies(e, most)
        harm_head(e)
        e.connection.close()
    print(f"1..{n_tests}")
    print(f"# {n_good} good")
    sys.exit(not all_well)


if __name__ == "__main__":
    main()
