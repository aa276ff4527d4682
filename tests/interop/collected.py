#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What span-send sent is what another server has.

  collected.py PROTOCOL SENT COLLECTED

SENT is lines of jsonl. COLLECTED is what the collector of OpenTelemetry writes
(lines of OTLP JSON), or for PROTOCOL "zipkin-server" what Zipkin's API answers
(an array of traces). PROTOCOL is otlp, jaeger, zipkin or zipkin-server: it says
how precise times are and what became of types and names.

Exit 1 with a line for each difference.
"""

import base64
import json
import math
import sys

KINDS = [None, "internal", "server", "client", "producer", "consumer"]
STATES = ["unset", "ok", "error"]
# Said by fields of a span where there are such fields.
FIELDS = {"span.kind", "error", "error.message", "otel.status_code",
          "otel.status_description", "w3c.tracestate", "otel.scope.name",
          "otel.scope.version"}
# The collector's names for some of Jaeger's and Zipkin's.
RENAMED = {"http.status_code": "http.response.status_code",
           "hostname": "host.name",
           "jaeger.version": "opencensus.exporterversion"}
SHOWN = 20


def plain(v):
    """A value of jsonl as a type and a value that can be compared."""
    if isinstance(v, dict) and "$bytes" in v:
        return ("bytes", base64.b64decode(v["$bytes"]))
    if isinstance(v, dict) and "$double" in v:
        v = float(v["$double"])
    if isinstance(v, float):
        return ("double", "NaN" if math.isnan(v) else v)
    if isinstance(v, list):
        return ("array", [plain(x) for x in v])
    if isinstance(v, dict):
        return ("map", [(k, plain(x)) for k, x in v.get("$map", v.items())])
    return (type(v).__name__, v)


def any_value(v):
    """The same of OTLP's AnyValue."""
    for key, x in v.items():
        if key == "intValue":
            return ("int", int(x))
        if key == "bytesValue":
            return ("bytes", base64.b64decode(x))
        if key == "doubleValue":
            x = float(x)
            return ("double", "NaN" if math.isnan(x) else x)
        if key == "arrayValue":
            return ("array", [any_value(y) for y in x.get("values", [])])
        if key == "kvlistValue":
            return ("map", otlp_attrs(x.get("values")))
        return ({"stringValue": "str", "boolValue": "bool"}[key], x)
    return ("NoneType", None)


def otlp_attrs(list_):
    return [(a["key"], any_value(a.get("value", {}))) for a in list_ or []]


def sent_attrs(x, name):
    list_ = x.get(name + "_list")
    if list_ is None:
        list_ = x.get(name, {}).items()
    return [(k, plain(v)) for k, v in list_]


def event_name(name, fields):
    return name or dict(fields).get("event", ("str", ""))[1]


def sent(line):
    x = json.loads(line)
    x["tags"], x["process"] = sent_attrs(x, "tags"), sent_attrs(x, "process")
    x["events"] = [(e["time_ns"], event_name(e.get("name"),
                                             sent_attrs(e, "fields")),
                    sent_attrs(e, "fields")) for e in x["events"]]
    return x


def collected(text):
    """Spans of lines of OTLP JSON."""
    for line in text.splitlines():
        for rs in json.loads(line)["resourceSpans"]:
            resource = otlp_attrs(rs.get("resource", {}).get("attributes"))
            for ss in rs["scopeSpans"]:
                for s in ss["spans"]:
                    status = s.get("status", {})
                    start = int(s["startTimeUnixNano"])
                    yield {
                        "trace_id": s["traceId"], "span_id": s["spanId"],
                        "parent_id": s.get("parentSpanId") or None,
                        "name": s.get("name", ""),
                        "kind": KINDS[s.get("kind", 0)], "start_ns": start,
                        "duration_ns": int(s["endTimeUnixNano"]) - start,
                        "status": STATES[status.get("code", 0)],
                        "status_message": status.get("message", ""),
                        "trace_state": s.get("traceState", ""),
                        "service": dict(resource).get(
                            "service.name", ("str", ""))[1],
                        "tags": otlp_attrs(s.get("attributes")),
                        "process": resource,
                        "events": [otlp_event(e) for e in s.get("events", [])],
                        "links": [r["spanId"] for r in s.get("links", [])]}


def otlp_event(e):
    fields = otlp_attrs(e.get("attributes"))
    return (int(e["timeUnixNano"]), event_name(e.get("name"), fields), fields)


def zipkin_spans(text):
    """Spans of an answer of Zipkin's API."""
    for trace in json.loads(text):
        for s in trace:
            kind = s.get("kind")
            yield {
                "trace_id": s["traceId"], "span_id": s["id"],
                "parent_id": s.get("parentId"), "name": s.get("name", ""),
                "kind": kind.lower() if kind else None,
                "start_ns": s.get("timestamp", 0) * 1000,
                "duration_ns": s.get("duration", 0) * 1000,
                "service": s.get("localEndpoint", {}).get("serviceName", ""),
                "tags": [(k, ("str", v)) for k, v in s.get("tags", {}).items()],
                "events": [(a["timestamp"] * 1000, a["value"], [])
                           for a in s.get("annotations", [])]}


def as_text(value):
    """What Zipkin can have of a value; None where others print otherwise."""
    kind, v = value
    if kind == "bool":
        return "true" if v else "false"
    if kind in ("str", "int"):
        return str(v)
    return None


def lost(protocol, want, got):
    """Attributes of WANT that are not in GOT."""
    names = dict(got)
    zipkin = protocol.startswith("zipkin")
    for key, value in want:
        if key in FIELDS or zipkin and key.startswith("peer."):
            continue
        have = names.get(key, names.get(RENAMED.get(key, key)))
        if key == "jaeger.version" and have and not zipkin:
            have = (have[0], have[1].removeprefix("Jaeger-"))
        if zipkin:
            text = as_text(value)
            if have is None or text is not None and as_text(have) != text:
                yield f"{key}: sent {value!r}, has {have!r}"
        elif have != value and (key, value) not in got and not (
                protocol == "jaeger" and value[0] in ("array", "map",
                                                      "NoneType")):
            yield f"{key}: sent {value!r}, has {have!r}"


def scalar_differences(protocol, want, got):
    zipkin = protocol.startswith("zipkin")
    for key in ("parent_id", "name", "service", "kind", "status",
                "status_message", "trace_state"):
        a, b = want.get(key), got.get(key)
        if zipkin and key in ("trace_state", "status", "status_message"):
            continue  # no such fields; whether it is an error is a tag
        if zipkin and a in ("internal", None) and key == "kind":
            continue
        if protocol == "zipkin-server" and key in ("name", "service"):
            a, b = a.lower(), b.lower()
        if (a or None) != (b or None):
            yield f"{key}: sent {a!r}, has {b!r}"
    precision = 0 if protocol == "otlp" else 1000
    for key in ("start_ns", "duration_ns"):
        if abs(want[key] - got[key]) > precision:
            yield f"{key}: sent {want[key]}, has {got[key]}"


def differences(protocol, want, got):
    yield from scalar_differences(protocol, want, got)
    yield from lost(protocol, want["tags"], got["tags"])
    if protocol in ("otlp", "jaeger"):
        yield from lost(protocol, want["process"], got["process"])
        links = [r["span_id"] for r in want["refs"]
                 if r["span_id"] != want["parent_id"]]
        if not set(links) <= set(got["links"]):
            yield f"links: sent {links!r}, has {got['links']!r}"
    if len(want["events"]) != len(got["events"]):
        yield (f"{len(want['events'])} events sent, has "
               f"{len(got['events'])}")
    for (time, name, fields), (has_time, has_name, has_fields) in zip(
            want["events"], got["events"]):
        if abs(time - has_time) > (0 if protocol == "otlp" else 1000):
            yield f"event {name}: sent {time}, has {has_time}"
        if protocol.startswith("zipkin"):
            continue  # a name and its fields became one text
        if name != has_name:
            yield f"event {name!r}: has {has_name!r}"
        for line in lost(protocol, [f for f in fields if f[0] != "event"],
                         has_fields):
            yield f"event {name}: {line}"


def identity(s):
    return s["trace_id"].lstrip("0"), s["span_id"]


def main():
    protocol = sys.argv[1]
    with open(sys.argv[2]) as f:
        want = [sent(line) for line in f]
    with open(sys.argv[3]) as f:
        text = f.read()
    read = zipkin_spans if protocol == "zipkin-server" else collected
    got = {}
    n = 0
    for s in read(text):
        got.setdefault(identity(s), []).append(s)
        n += 1
    shown = failed = 0
    for s in want:
        found = got.get(identity(s), [])
        lines = ["is not there"]
        for g in found:
            lines = list(differences(protocol, s, g))
            if not lines:
                break
        failed += bool(lines)
        for line in lines[:max(0, SHOWN - shown)]:
            print(f"# {s['name']} {s['span_id']}: {line[:300]}")
        shown += len(lines)
    if n != len(want):
        print(f"# {len(want)} spans sent, {n} collected")
        failed += 1
    print(f"# {len(want)} spans")
    sys.exit(1 if failed or not want else 0)


if __name__ == "__main__":
    main()
