#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Zipkin's JSON and protobuf in span-decode, beside Python; prints TAP.

  compare_zipkin.py random N [SEED]   N generated messages of each form
  compare_zipkin.py recorded PCAP     what a client sent, by tshark

Messages are written with Python's json and protobuf libraries; the rules of
span-decode(1) are here a second time. span-decode and spans-jsonl are found
in PATH.
"""

import base64
import ipaddress
import json
import os
import random
import subprocess
import sys
import tempfile

import reference
from compare import Tap, difference

KINDS = [None, "CLIENT", "SERVER", "PRODUCER", "CONSUMER"]
TEXTS = ["", "x", "true", "false", "error", "GET /", "grün", "\U0001f600",
         "a\0b", "\n\t\"\\", "{\"a\":\"b\"}", "{\"a\":1}", "{}", "ms", "mr"]
KEYS = ["http.method", "error", "k", "", "lc", "otel.status_code",
        "jaeger.hostname", "jaeger.version", "ключ", "span.kind"]
PROCESS_KEYS = reference.PROCESS_KEYS


class Generator:
    """Spans in the terms of version 2, and what is to come of them."""

    def __init__(self, rng):
        self.rng = rng

    def maybe(self, make):
        return make() if self.rng.random() < .5 else None

    def time(self):
        rng = self.rng
        return rng.choice([0, 1, 1795365028000000 + rng.randrange(10**9)])

    def endpoint(self):
        rng, e = self.rng, {}
        if rng.random() < .8:
            e["serviceName"] = rng.choice(["web", "db", "", "größe"])
        if rng.random() < .5:
            e["ipv4"] = str(ipaddress.IPv4Address(rng.getrandbits(32)))
        if rng.random() < .3:
            e["ipv6"] = str(ipaddress.IPv6Address(rng.getrandbits(128)))
        if rng.random() < .5:
            e["port"] = rng.randrange(65536)
        return e

    def tags(self, n):
        rng = self.rng
        return {rng.choice(KEYS) + rng.choice(["", "2"]): rng.choice(TEXTS)
                for _ in range(n)}

    def annotation(self):
        """One with neither a time nor a value says nothing."""
        a = {"timestamp": self.time(), "value": self.rng.choice(TEXTS)}
        return a if any(a.values()) else self.annotation()

    def identity(self):
        rng = self.rng
        s = {"traceId": f"{rng.getrandbits(rng.choice([64, 128])) | 1:x}",
             "id": f"{rng.getrandbits(64) | 1:x}"}
        if rng.random() < .6:
            s["parentId"] = f"{rng.getrandbits(64):016x}"
        for key, make in (("name", lambda: rng.choice(TEXTS)),
                          ("timestamp", self.time), ("duration", self.time),
                          ("debug", lambda: rng.random() < .5)):
            value = self.maybe(make)
            if value is not None:
                s[key] = value
        return s

    def version_2(self):
        rng, s = self.rng, self.identity()
        for key, make in (("kind", lambda: rng.choice(KINDS[1:])),
                          ("shared", lambda: rng.random() < .5),
                          ("localEndpoint", self.endpoint),
                          ("remoteEndpoint", self.endpoint),
                          ("tags", lambda: self.tags(rng.randrange(6)))):
            value = self.maybe(make)
            if value is not None:
                s[key] = value
        if rng.random() < .6:
            s["annotations"] = [self.annotation()
                                for _ in range(rng.randrange(4))]
        return s

    def typed(self):
        """A value of version 1 as JSON, its type, and what it is."""
        rng = self.rng
        n = rng.randrange(-2**15, 2**15)
        raw = rng.getrandbits(24).to_bytes(3, "big")
        return rng.choice([
            (True, "BOOL", ("bool", True)), (False, None, ("bool", False)),
            ("true", "BOOL", ("bool", True)),
            (n, "I16", ("int", n)), (str(n), "I32", ("int", n)),
            (str(n * 2**47), "I64", ("int", n * 2**47)), (n, None, ("int", n)),
            (n / 8, "DOUBLE", reference.double(n / 8)),
            (n, "DOUBLE", reference.double(float(n))),
            (base64.b64encode(raw).decode(), "BYTES", ("bytes", raw)),
            ("text", "STRING", ("string", "text")),
            ("12", None, ("string", "12"))])

    def version_1(self):
        """The message's span, and the values of its binary annotations."""
        rng, s, values = self.rng, self.identity(), []
        if rng.random() < .8:
            s["annotations"] = []
            for _ in range(rng.randrange(5)):
                a = self.annotation()
                if rng.random() < .6:
                    a["value"] = rng.choice(["cs", "cr", "ss", "sr", "ms",
                                             "mr"])
                if rng.random() < .7:
                    a["endpoint"] = self.endpoint()
                s["annotations"].append(a)
        if rng.random() < .8:
            s["binaryAnnotations"] = []
            for _ in range(rng.randrange(5)):
                value, kind, is_ = self.typed()
                b = {"key": rng.choice(KEYS), "value": value}
                if kind:
                    b["type"] = kind
                if rng.random() < .3:
                    b = {"key": rng.choice(["sa", "ca", "ma"]),
                         "value": True}
                    is_ = ("bool", True)
                if rng.random() < .7 or len(b) == 2 and "type" not in b:
                    b["endpoint"] = self.endpoint()
                s["binaryAnnotations"].append(b)
                values.append(is_)
        return s, values


# ---- what is to come of them ----

def endpoint_tags(e, prefix, address):
    out = []
    v4 = int(ipaddress.IPv4Address(e.get("ipv4", "0.0.0.0")))
    if v4:
        signed = v4 - 2**32 if v4 >= 2**31 and not prefix else v4
        out.append((prefix + address, ("int", signed)))
    if "ipv6" in e:
        out.append((prefix + "ipv6",
                    ("bytes", ipaddress.IPv6Address(e["ipv6"]).packed)))
    if e.get("port"):
        out.append((prefix + "port", ("int", e["port"])))
    return out


def peer_tags(e):
    return ([("peer.service", ("string", e.get("serviceName", "")))] +
            endpoint_tags(e, "peer.", "ipv4"))


def begin(z):
    s = reference.new_span()
    trace = int(z["traceId"], 16)
    s["trace_id"] = reference.trace_id(trace >> 64, trace & 2**64 - 1)
    s["span_id"] = f"{int(z['id'], 16):016x}"
    s["parent_id"] = reference.parent(int(z.get("parentId", "0"), 16))
    s["name"] = z.get("name") or "empty-span-name"
    s["flags"] = 3 if z.get("debug") else 0
    s["process"] = []
    if not z.get("name"):
        s["marks"].add("renamed")
    return s


def set_local(s, e):
    if e is None or not e.get("serviceName"):
        s["service"] = "unknown-service-name"
        s["marks"].add("renamed")
    else:
        s["service"] = e["serviceName"]
    s["process"] += endpoint_tags(e or {}, "", "ip")


def add_tags(s, pairs, hosts=None):
    for i, (key, value) in enumerate(pairs):
        if key in PROCESS_KEYS:
            s["process"].append((PROCESS_KEYS[key], value))
        elif key == "lc":
            if value != ("string", ""):
                s["tags"].append(("component", value))
        elif key in ("sa", "ca", "ma") and hosts and hosts[i] is not None:
            s["tags"] += peer_tags(hosts[i])
        else:
            s["tags"].append((key, value))


def add_events(s, annotations, is_event):
    for a in annotations:
        if a["value"] and is_event(a):
            fields = reference.log_fields(a["value"]) or [
                ("event", ("string", a["value"]))]
            s["events"].append((a["timestamp"] * 1000, "", fields))


def find_error(s):
    tag = dict(reversed(s["tags"]))
    error = tag.get("error", ("string", "false"))
    fine = tag.get("otel.status_code", ("", ""))
    if error[0] != "string" or error[1] == "false" or (
            fine[0] == "string" and fine[1].lower() == "ok"):
        return
    s["status"] = "error"
    s["status_message"] = "" if error[1] == "true" else error[1]


def times(s, start, duration):
    reference.times(s, "start_ns", start, s["tags"], "start")
    reference.times(s, "duration_ns", duration, s["tags"], "duration")


def given_times(z, pairs=()):
    """Of the span, else of pairs of annotations, else of the outer ones."""
    a = z.get("annotations", [])
    start, duration = z.get("timestamp"), z.get("duration")
    at = {x["value"]: x["timestamp"] for x in reversed(a)}
    ends = [(at.get(x), at.get(y)) for x, y in pairs]
    if a:
        first, last = a[0]["timestamp"], a[-1]["timestamp"]
        ends.append((first, last if last > first else None))
    begun, lasted = start or 0, duration or 0
    for x, y in ends:
        if start is None and not begun and x is not None:
            begun = x
        if duration is None and not lasted and None not in (x, y):
            lasted = y - x
    return begun, lasted


def expect_2(z):
    """The spans of a span of version 2."""
    if not z.get("kind"):
        return expect_1(z, None)
    s = begin(z)
    s["kind"] = z["kind"].lower()
    add_tags(s, [(k, ("string", v)) for k, v in z.get("tags", {}).items()])
    set_local(s, z.get("localEndpoint"))
    if "remoteEndpoint" in z:
        s["tags"] += peer_tags(z["remoteEndpoint"])
    s["tags"].append(("span.kind", ("string", s["kind"])))
    if z.get("shared"):
        s["tags"].append(("zipkin.shared", ("bool", True)))
    add_events(s, z.get("annotations", []), lambda a: True)
    find_error(s)
    times(s, *given_times(z))
    return [reference.derive(s)]


def expect_1(z, values):
    """The spans of a span whose annotations say its kind; VALUES are of its
    binary annotations, None for a span of version 2."""
    s = begin(z)
    a, b = z.get("annotations", []), z.get("binaryAnnotations", [])
    core, messaging = reference.CORE, reference.MESSAGING
    kinds = ([core[x["value"]] for x in a if x["value"] in core] +
             [messaging[x["value"]] for x in a if x["value"] in messaging])
    kind = kinds[0] if kinds else None
    if values is None:
        add_tags(s, [(k, ("string", v))
                     for k, v in z.get("tags", {}).items()])
        set_local(s, z.get("localEndpoint"))
    else:
        add_tags(s, [(x["key"], v) for x, v in zip(b, values)],
                 [x.get("endpoint") for x in b])
        hosts = [x.get("endpoint") for x in a if x["value"] in core]
        hosts += [x.get("endpoint") for x in b if x["key"] == "lc"]
        hosts += [x.get("endpoint") for x in a + b]
        set_local(s, next((h for h in hosts if h and h.get("serviceName")),
                          None))
    if "remoteEndpoint" in z:
        s["tags"] += peer_tags(z["remoteEndpoint"])
    if kind:
        s["tags"].append(("span.kind", ("string", kind)))
    if z.get("shared"):
        s["tags"].append(("zipkin.shared", ("bool", True)))
    values_at = [x["value"] for x in a]
    pair = ("cs", "cr") if "cs" in values_at else ("sr", "ss")
    start, duration = given_times(z, [pair])
    add_events(s, a, lambda x: x["value"] not in core and not (
        messaging.get(x["value"], "") == kind and x["timestamp"] == start))
    find_error(s)
    both = "cs" in values_at and "sr" in values_at
    if not both:
        times(s, start, duration)
        return [reference.derive(s)]
    other_kind = "server" if kind == "client" else "client"
    other = dict(s, tags=[("span.kind", ("string", other_kind))], events=[],
                 status="unset", status_message="",
                 marks=set(s["marks"]))
    pair = ("cs", "cr") if other_kind == "client" else ("sr", "ss")
    at = {x["value"]: x["timestamp"] for x in reversed(a)}
    begun = at.get(pair[0], 0)
    times(other, begun, at[pair[1]] - begun if pair[1] in at else 0)
    times(s, start, duration)
    reference.derive(s)
    reference.derive(other)
    return [s, other] if kind == "client" else [other, s]


# ---- the messages ----

def to_proto(pb, spans):
    out = pb.ListOfSpans()
    for z in spans:
        s = out.spans.add()
        trace = bytes.fromhex(z["traceId"].zfill(32))
        s.trace_id = trace if any(trace[:8]) else trace[8:]
        s.id = bytes.fromhex(z["id"].zfill(16))
        if "parentId" in z:
            s.parent_id = bytes.fromhex(z["parentId"])
        s.kind = KINDS.index(z.get("kind"))
        s.name = z.get("name", "")
        s.timestamp = z.get("timestamp", 0)
        s.duration = z.get("duration", 0)
        s.debug, s.shared = z.get("debug", False), z.get("shared", False)
        for name, field in (("localEndpoint", s.local_endpoint),
                            ("remoteEndpoint", s.remote_endpoint)):
            if name not in z:
                continue
            field.SetInParent()
            field.service_name = z[name].get("serviceName", "")
            if "ipv4" in z[name]:
                field.ipv4 = ipaddress.IPv4Address(z[name]["ipv4"]).packed
            if "ipv6" in z[name]:
                field.ipv6 = ipaddress.IPv6Address(z[name]["ipv6"]).packed
            field.port = z[name].get("port", 0)
        for a in z.get("annotations", []):
            s.annotations.add(timestamp=a["timestamp"], value=a["value"])
        for k, v in z.get("tags", {}).items():
            s.tags[k] = v
    return out.SerializeToString(deterministic=True)


def without_zeros(z):
    """protobuf has no 0: it is not given. Its maps have no order."""
    z = {k: v for k, v in z.items()
         if k not in ("timestamp", "duration") or v}
    if "tags" in z:
        z["tags"] = dict(sorted(z["tags"].items(),
                                key=lambda kv: kv[0].encode()))
    return z


def decode(form, message):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "message")
        with open(path, "wb") as f:
            f.write(message)
        first = subprocess.Popen(["span-decode", "--strict", "--from", form,
                                  path], stdout=subprocess.PIPE)
        lines = subprocess.run(["spans-jsonl"], stdin=first.stdout,
                               stdout=subprocess.PIPE, check=True).stdout
        first.stdout.close()
        if first.wait():
            raise SystemExit(f"span-decode --from {form} failed")
    return [reference.told(line) for line in lines.splitlines()]


def compare(tap, name, form, message, want):
    got = decode(form, message)
    wrong = [(i, d) for i, (w, g) in enumerate(zip(want, got))
             if (d := difference(w, g))]
    if len(got) != len(want):
        wrong.append(f"{len(got)} spans, want {len(want)}")
    tap.ok(not wrong, f"{name}: {len(want)} spans, every field", *wrong[:5])


def generated(tap, n, seed):
    print(f"# seed {seed}")
    gen = Generator(random.Random(seed))
    two = [gen.version_2() for _ in range(n)]
    one = [gen.version_1() for _ in range(n)]
    want = [s for z in two for s in expect_2(z)]
    compare(tap, "JSON, version 2", "zipkin-json",
            json.dumps(two).encode(), want)
    compare(tap, "the same, as UTF-8", "zipkin-json",
            json.dumps(two, ensure_ascii=False, indent=1).encode(), want)
    compare(tap, "JSON, version 1", "zipkin-json",
            json.dumps([z for z, _ in one]).encode(),
            [s for z, v in one for s in expect_1(z, v)])
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["protoc", f"--python_out={d}",
                        f"--proto_path={reference.HERE}", "zipkin.proto"],
                       check=True)
        sys.path.insert(0, d)
        import zipkin_pb2
    compare(tap, "protobuf", "zipkin-proto", to_proto(zipkin_pb2, two),
            [s for z in two for s in expect_2(without_zeros(z))])


def recorded(tap, path):
    lines = subprocess.run(
        ["tshark", "-r", path, "-Y", 'http.request.uri == "/api/v2/spans"',
         "-T", "fields", "-e", "http.file_data"], check=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    for i, line in enumerate(lines.splitlines()):
        spans = json.loads(line)
        compare(tap, f"{os.path.basename(path)}, request {i}", "zipkin-json",
                line, [s for z in spans for s in expect_2(z)])


def main():
    tap = Tap()
    if sys.argv[1] == "recorded":
        recorded(tap, sys.argv[2])
    else:
        generated(tap, int(sys.argv[2]),
                  int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    tap.end()


if __name__ == "__main__":
    main()
