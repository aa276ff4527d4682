#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What readers of the formats of span-encode rely on.

usage: encode-check.py chrome|speedscope FILE
       encode-check.py sql JSONL SQL...

chrome: complete events of a thread nest, and each flow begins in the
parent's slice, and ends no earlier in the child's. speedscope: events of a profile do not go back in time, and close what
was opened last, before the profile's end. sql: the files, one after the other
in one database, leave the spans of JSONL there, of equal ones one, with each
tag as it was.
"""
import base64
import bisect
import collections
import json
import sqlite3
import sys
from fractions import Fraction


def innermost(slices, ids, ts):
    """Arguments of the slices that are open at a time, but those around."""
    i = bisect.bisect_right(slices, ts, key=lambda s: s[0]) - 1
    found = []
    while i >= 0:
        start, end = slices[i]
        if start == ts or ts < end:
            found += ids[slices[i]]
            if start < ts:
                break
        i -= 1
    return found


def chrome(data):
    threads, flows = {}, {}
    named = set()
    ids = {}
    for e in data["traceEvents"]:
        where = (e["pid"], e["tid"])
        if e["ph"] == "X":
            assert e["dur"] >= 0
            end = e["ts"] + e["dur"]
            threads.setdefault(where, []).append((e["ts"], end))
            ids.setdefault(where, {}).setdefault((e["ts"], end), []).append(
                e["args"])
        elif e["ph"] == "M":
            assert e["name"] in ("process_name", "thread_name")
            named.add((e["name"], *where))
        elif e["ph"] in "sf":
            flows.setdefault(e["id"], {})[e["ph"]] = (where, e["ts"])
        else:
            assert e["ph"] == "i" and e["s"] == "t", e
    for where, slices in threads.items():
        assert ("thread_name", *where) in named
        assert ("process_name", where[0], 0) in named
        stack = []
        # In the order of the file: who reads it may not sort.
        for start, end in slices:
            while stack and stack[-1] <= start:
                stack.pop()
            assert not stack or end <= stack[-1], (where, start, end, stack)
            stack.append(end)
        assert slices == sorted(slices, key=lambda s: (s[0], -s[1]))
    for flow in flows.values():
        (source, begin), (target, end) = flow["s"], flow["f"]
        assert begin <= end and source != target, flow
        # It binds to the innermost slice; of those that begin there to any.
        # A span of Zipkin's may have its parent's id.
        parents = innermost(threads[source], ids[source], begin)
        children = innermost(threads[target], ids[target], end)
        assert any(p["trace_id"] == c["trace_id"]
                   and p["span_id"] in (c.get("parent_id"), c["span_id"])
                   for p in parents for c in children), (flow, parents,
                                                         children)
    print(len(threads), sum(map(len, threads.values())), len(flows))


def speedscope(data):
    assert data["$schema"].endswith("/file-format-schema.json")
    frames = data["shared"]["frames"]
    assert all(set(f) == {"name"} for f in frames)
    assert len({f["name"] for f in frames}) == len(frames)
    n = 0
    for p in data["profiles"]:
        assert p["type"] == "evented" and p["unit"] == "nanoseconds"
        assert isinstance(p["name"], str)
        at, stack = p["startValue"], []
        for e in p["events"]:
            assert set(e) == {"type", "frame", "at"}
            assert at <= e["at"] <= p["endValue"]
            at = e["at"]
            if e["type"] == "O":
                assert 0 <= e["frame"] < len(frames)
                stack.append(e["frame"])
                n += 1
            else:
                assert e["type"] == "C" and stack.pop() == e["frame"]
        assert not stack
    print(len(data["profiles"]), n, len(frames))


def one_value(v):
    """What sqlite should hand back, told apart by type and, of -0.0, sign."""
    if isinstance(v, dict) and "$bytes" in v:
        v = base64.b64decode(v["$bytes"])
    elif isinstance(v, dict) and "$double" in v:
        v = None if v["$double"] == "NaN" else float(v["$double"])
    elif isinstance(v, bool):
        v = int(v)
    elif isinstance(v, (dict, list)):
        v = "nested"
    return (type(v).__name__, repr(v))


def spans_of_jsonl(path):
    with open(path, encoding="utf-8") as lines:
        for line in sorted(set(lines)):
            s = json.loads(line)
            head = [s[k] for k in ("trace_id", "span_id", "service", "name",
                                   "start_ns", "duration_ns", "status")]
            tags = [(place, k, one_value(v))
                    for place, name in (("process", "process"),
                                        ("span", "tags"))
                    for k, v in s.get(name + "_list", s[name].items())]
            yield (*head, tuple(tags), len(s["events"]),
                   tuple((r["trace_id"], r["span_id"]) for r in s["refs"]))


def spans_of_sql(db):
    for row in db.execute("SELECT id, trace_id, span_id, service, name,"
                          " start_ns, duration_ns, status FROM spans"):
        tags = db.execute("SELECT place, key, type, value FROM tags"
                          " WHERE span = ? ORDER BY place, n", row[:1])
        refs = db.execute("SELECT trace_id, span_id FROM refs WHERE span = ?"
                          " ORDER BY n", row[:1])
        n = db.execute("SELECT count(*) FROM events WHERE span = ?", row[:1])
        yield (*row[1:],
               tuple((place, key, one_value("nested" if kind in
                                            ("array", "map") else value))
                     for place, key, kind, value in tags),
               n.fetchone()[0], tuple(refs))


def sql(want, *files):
    db = sqlite3.connect(":memory:")
    for name in files:
        with open(name, encoding="utf-8") as script:
            db.executescript(script.read())
    got = collections.Counter(spans_of_sql(db))
    want = collections.Counter(spans_of_jsonl(want))
    assert got == want, (list((want - got).items())[:1],
                         list((got - want).items())[:1])
    print(sum(got.values()))


def main():
    if sys.argv[1] == "sql":
        sql(*sys.argv[2:])
        return
    with open(sys.argv[2], encoding="utf-8") as f:
        text = f.read()
    assert not any(c < " " and c != "\n" or c == "\x7f" for c in text)
    {"chrome": chrome, "speedscope": speedscope}[sys.argv[1]](
        json.loads(text, parse_float=Fraction))


main()
