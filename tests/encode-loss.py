#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each format of span-encode keeps, against the table of its manual.

usage: encode-loss.py MANUAL

Each row of the table is a span with one thing more than a plain one, which goes
through each format and back. = is the same afterwards, ~ is told elsewhere or
as another type, - is not there any more.
"""
import difflib
import json
import re
import subprocess
import sys

FORMATS = {"otlp": ("otlp-json", "otlp-proto"),
           "zipkin": ("zipkin-json", "zipkin-proto"),
           "thrift": ("thrift",), "jaeger": ("jaeger-json",),
           "csv": ("csv",), "jsonl": ("jsonl",)}
MARK = "m4rk"
SCOPE = {"scope": {"name": "lib"}}
OTHER = {"trace_id": "00000000000000cd", "span_id": "00000000000000ef"}
# Row, what the span has, a pattern of what shows it elsewhere.
ROWS = [
    ("ids, service, name", {"service": MARK, "name": MARK}, MARK),
    ("parent", {"parent_id": "0000000000000099"}, "0000000000000099"),
    ("times to a microsecond", {"start_ns": 5000, "duration_ns": 7000}, "5000"),
    ("nanoseconds", {"start_ns": 1795341600000000123}, "123"),
    ("kind", {"kind": "client"}, "client"),
    ("kind internal", {"kind": "internal"}, "internal"),
    ("status", {"status": "ok"}, "ok"),
    ("status message", {"status": "error", "status_message": MARK}, MARK),
    ("tag: text", {"tags": {"k": MARK}}, MARK),
    ("tag: bool, number", {"tags": {"k": True, "l": 7654, "m": 0.25}}, "7654"),
    ("tag: bytes", {"tags": {"k": {"$bytes": "bTRyaw=="}}},
     "6d34726b|bTRyaw=="),
    ("tag: array, map", {"tags": {"k": [MARK], "l": {"a": 1}}}, MARK),
    ("tag: null", {"tags": {MARK: None}}, MARK),
    ("tags of one key", {"tags": {"k": "a"},
                         "tags_list": [["k", "a"], ["k", MARK]]}, MARK),
    ("process tag: text", {"process": {"k": MARK}}, MARK),
    ("process tag: number", {"process": {"k": 7654}}, "7654"),
    ("flag sampled", {"flags": 1}, None),
    ("flag debug", {"flags": 3}, None),
    ("flags of W3C", {"flags": 0x103, **SCOPE}, None),
    ("trace state", {"trace_state": MARK}, MARK),
    ("event: name", {"events": [{"time_ns": 5000, "name": MARK,
                                 "fields": {}}]}, MARK),
    ("event: field event", {"events": [
        {"time_ns": 5000, "fields": {"event": MARK}}]}, MARK),
    ("event: text field", {"events": [
        {"time_ns": 5000, "fields": {"k": MARK}}]}, MARK),
    ("event: number field", {"events": [
        {"time_ns": 5000, "fields": {"k": 7654}}]}, "7654"),
    ("scope", {"scope": {"name": MARK}}, MARK),
    ("attributes of scope", {"scope": {"name": "l", "tags": {"k": MARK}}},
     MARK),
    ("reference child_of", {"refs": [{"type": "child_of", **OTHER}]},
     OTHER["span_id"]),
    ("reference follows_from", {"refs": [{"type": "follows_from", **OTHER}]},
     OTHER["span_id"]),
    ("link", {"refs": [{"type": "link", **OTHER}], **SCOPE},
     OTHER["span_id"]),
    ("attributes of link", {"refs": [{"type": "link", **OTHER,
                                      "tags": {"k": MARK}}], **SCOPE}, MARK),
    ("schema URL", {"schema_url": MARK, **SCOPE}, MARK),
    ("dropped counts", {"dropped_tags": 7654, **SCOPE}, "7654"),
    ("warnings", {"tags": {"@jaeger@warnings": [MARK]}}, MARK),
    ("marks", {"marks": ["cut"]}, "\"cut\""),
]


def plain(i):
    return {"trace_id": "00000000000000ab", "span_id": "%016x" % (i + 1),
            "service": "s", "name": "n", "start_ns": 1000000,
            "duration_ns": 1000000}


def run(*command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def spans(stream):
    lines = run("span-encode", "--to", "jsonl", data=stream).decode()
    return {s["span_id"]: (s, line) for line in lines.splitlines()
            for s in [json.loads(line)]}


def measured(formats):
    sent = run("span-decode", "--strict", data="".join(
        json.dumps({**plain(i), **row[1]}) + "\n"
        for i, row in enumerate(ROWS)).encode())
    want = spans(sent)
    cells = set()
    for name in formats:
        got = spans(run("span-decode", "--strict", data=run(
            "span-encode", "--to", name, data=sent)))
        cells.add("".join(cell(want, got, i) for i in range(len(ROWS))))
    assert len(cells) == 1, (formats, cells)
    return cells.pop()


def cell(want, got, i):
    _, has, mark = ROWS[i]
    key = "%016x" % (i + 1)
    (a, _), (b, line) = want[key], got[key]
    parts = [k for k in has if k != "scope" or len(has) == 1]
    if all(a.get(k) == b.get(k) for k in parts):
        return "="
    return "~" if mark and re.search(mark, line) else "-"


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        man = [line for line in f
               if line.startswith(".It ") and line.count(" Ta ") == 6]
    columns = [measured(FORMATS[name]) for name in FORMATS]
    table = [["", *FORMATS]] + [
        [row[0], *(c[i] for c in columns)] for i, row in enumerate(ROWS)]
    lines = [".It " + " Ta ".join(row).strip() + "\n" for row in table]
    sys.stdout.writelines(difflib.unified_diff(man, lines, sys.argv[1],
                                               "measured", n=0))
    return man != lines


sys.exit(main())
