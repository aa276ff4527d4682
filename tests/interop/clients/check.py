#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every span that a client was told of came out, as it was told.

  check.py TOLD GOT   lines of what the client prints, and of jsonl

A line of TOLD is an object:

  trace_id, span_id           hexadecimal; zeros in front do not count
  parent_id, service, name, kind, status, status_message, trace_state,
  flags, dropped_tags         what jsonl has; an empty one may be left out
                              there
  start_ns, duration_ns       a number or its digits; they may differ by
                              precision_ns (0)
  tags, process               [key, type, value] in order
  events                      [time_ns or null, name, fields] in order; the
                              time may differ by event_precision_ns
  refs                        {type, trace_id, span_id, trace_state, tags}
  scope                       [name, version]
  marks                       none, unless it is told

A member that is not there is not compared. Tags, fields, events and refs that
were not told may be there too, unless their member is named in "exact"; the
parent may be among the refs all the same. With "unordered", tags may come in
any order. Types are string, bool, int, double, bytes (base64), null, array (of
[type, value]) and map (of [key, type, value]).

Exit 1 with a line for each difference.
"""

import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
import reference  # noqa: E402

SAME = ("parent_id", "service", "name", "kind", "status", "status_message",
        "trace_state", "flags", "dropped_tags")
SHOWN = 10


# ---- both sides in the same terms ----

def value(kind, v):
    """A told value."""
    if kind == "double":
        return reference.double(float(v))
    if kind == "int":
        return (kind, int(v))
    if kind == "bytes":
        return (kind, base64.b64decode(v))
    if kind == "array":
        return (kind, tuple(value(*x) for x in v))
    if kind == "map":
        return (kind, tuple(pairs(v)))
    return (kind, v)


def pairs(list_):
    return [(k, value(kind, v)) for k, kind, v in list_ or []]


def from_json(v):
    """A value of jsonl."""
    if v is None:
        return ("null", None)
    if isinstance(v, list):
        return ("array", tuple(from_json(x) for x in v))
    if isinstance(v, dict) and "$map" in v:
        return ("map", tuple((k, from_json(x)) for k, x in v["$map"]))
    if isinstance(v, dict) and not {"$bytes", "$double"} & v.keys():
        return ("map", tuple((k, from_json(x)) for k, x in v.items()))
    return reference.from_json(v)


def attrs(object_, name):
    list_ = object_.get(name + "_list")
    if list_ is None:
        list_ = object_.get(name, {}).items()
    return [(k, from_json(v)) for k, v in list_]


def event_name(name, fields):
    """An event's own name, or the field that Jaeger has for it."""
    return name or next((v for k, (kind, v) in fields
                         if k == "event" and kind == "string"), "")


def read_got(line):
    x = json.loads(line)
    x["tags"], x["process"] = attrs(x, "tags"), attrs(x, "process")
    x["events"] = [(e["time_ns"], e.get("name", ""), attrs(e, "fields"))
                   for e in x["events"]]
    for r in x["refs"]:
        r["tags"] = attrs(r, "tags")
    return x


# ---- comparison ----

def list_differences(want, got, exact, ordered=True):
    """What of WANT is not in GOT, in the same order."""
    if exact and (want != got if ordered else
                  sorted(map(repr, want)) != sorted(map(repr, got))):
        extra = [x for x in got if x not in want]
        lost = [x for x in want if x not in got]
        yield (f"lost {lost!r}, more {extra!r}" if extra or lost
               else f"another order: {[k for k, *_ in got]!r}")
        return
    at = 0
    for x in want:
        if x not in got:
            yield f"told {x!r}, got {[y for y in got if y[0] == x[0]]!r}"
        elif ordered and x not in got[at:]:
            yield f"{x[0]} is in another place"
        elif ordered:
            at = got.index(x, at) + 1


def time_differs(told, got, precision):
    return abs(int(told) - got) > precision


def event_differences(want, got):
    told, exact = want["events"] or [], "events" in want.get("exact", ())
    if len(got) < len(told) or exact and len(got) != len(told):
        yield f"{len(told)} events told, got {len(got)}"
    precision = want.get("event_precision_ns", want.get("precision_ns", 0))
    for (time, name, fields), (got_time, got_name, got_fields) in zip(
            told, got):
        if time is not None and time_differs(time, got_time, precision):
            yield f"event {name}: told {time}, got {got_time}"
        if name is not None and name != event_name(got_name, got_fields):
            yield f"event {name!r}: got {got_name!r}, {got_fields!r}"
        for line in list_differences(pairs(fields), got_fields, exact):
            yield f"event {name}: {line}"


def ref_differences(want, got):
    told = want["refs"] or []
    others = [r for r in got if r["span_id"] != want.get("parent_id")]
    if "refs" in want.get("exact", ()) and len(others) != len(told):
        yield f"{len(told)} refs told, got {others!r}"
    for ref in told:
        found = [r for r in got if r["span_id"] == ref["span_id"] and
                 trace_id(r) == trace_id(ref)]
        if not found:
            yield f"ref {ref!r} is not among {got!r}"
            continue
        r = found[0]
        if ref["type"] != r["type"]:
            yield f"ref {ref['span_id']}: told {ref['type']}, got {r['type']}"
        if ref.get("trace_state", "") != r.get("trace_state", ""):
            yield f"ref {ref['span_id']}: trace state of {r!r}"
        for line in list_differences(pairs(ref.get("tags")), r["tags"], True):
            yield f"ref {ref['span_id']}: {line}"


def differences(want, got):
    for key in SAME:
        if key not in want:
            continue
        told, have = want[key], got.get(key)
        if told != have and (told or have):
            yield f"{key}: told {told!r}, got {have!r}"
    for key in ("start_ns", "duration_ns"):
        if key in want and time_differs(want[key], got[key],
                                        want.get("precision_ns", 0)):
            yield f"{key}: told {want[key]}, got {got[key]}"
    for key in ("tags", "process"):
        for line in list_differences(
                pairs(want.get(key)), got[key], key in want.get("exact", ()),
                not want.get("unordered")):
            yield f"{key}: {line}"
    if "events" in want:
        yield from event_differences(want, got["events"])
    if "refs" in want:
        yield from ref_differences(want, got["refs"])
    if "scope" in want:
        scope = got.get("scope") or {}
        scope = [scope.get("name", ""), scope.get("version", "")]
        if want["scope"] != scope:
            yield f"scope: told {want['scope']!r}, got {scope!r}"
    if want.get("marks", []) != got.get("marks", []):
        yield f"marks: {got.get('marks')!r}"


def trace_id(s):
    return s["trace_id"].lstrip("0")


def take(want, by_id):
    """The span that came for one that was told. Two sides of a call may have
    the same id: then that of the same kind."""
    found = by_id.get((trace_id(want), want["span_id"]), [])
    for s in found:
        if len(found) == 1 or s["kind"] == want.get("kind"):
            found.remove(s)
            return s
    return None


def main():
    with open(sys.argv[1]) as f:
        told = [json.loads(line) for line in f]
    with open(sys.argv[2]) as f:
        got = [read_got(line) for line in f]
    by_id = {}
    for s in got:
        by_id.setdefault((trace_id(s), s["span_id"]), []).append(s)
    failed = shown = 0
    for want in told:
        s = take(want, by_id)
        found = list(differences(want, s)) if s else ["is not there"]
        failed += bool(found)
        for line in found[:max(0, SHOWN - shown)]:
            print(f"# {want['service']} {want['name']} {want['span_id']}: "
                  f"{line[:400]}")
        shown += len(found)
    if len(got) != len(told):
        print(f"# {len(told)} spans told, {len(got)} came out")
        failed += 1
    print(f"# {len(told)} spans")
    sys.exit(1 if failed or not told else 0)


if __name__ == "__main__":
    main()
