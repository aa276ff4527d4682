#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# diff-check.py FOUND A B - check what `trace-diff -o json` said of two sets
#
# A and B are the spans as JSON lines. Paths are found anew, with one value a
# trace; Mann and Whitney's test is that of ranks, Fisher's of whole numbers,
# and Benjamini and Hochberg's procedure of its definition. Operations must have
# names that are their own templates.
import collections
import json
import math
import sys
from fractions import Fraction


def load(name):
    """Of each path and trace: durations, failures, attributes."""
    traces = collections.defaultdict(list)
    for line in open(name):
        s = json.loads(line)
        traces[s["trace_id"]].append(s)
    paths = collections.defaultdict(lambda: collections.defaultdict(list))
    for trace, spans in traces.items():
        by_id = {s["span_id"]: s for s in spans}
        for s in spans:
            path, at = [], s
            while at:
                path.append((at["service"], at["name"]))
                at = by_id.get(at["parent_id"])
            paths[tuple(reversed(path))][trace].append(s)
    return traces, paths


def bucket(ns):
    """The upper bits of a number, as span/sketch.h has them."""
    shift = max(ns.bit_length() - 6, 0)
    return ns >> shift << shift


def rank_sum(a, b):
    v = sorted(a + b)
    n, m, total = len(a), len(b), len(v)
    rank, ties, i = {}, 0, 0
    while i < total:
        k = i
        while k < total and v[k] == v[i]:
            k += 1
        rank[v[i]] = (i + 1 + k) / 2
        ties += (k - i) ** 3 - (k - i)
        i = k
    off = abs(sum(rank[x] for x in a) - n * (total + 1) / 2) - 0.5
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0 or off <= 0:
        return 1.0
    return math.erfc(off / math.sqrt(2 * variance))


def fisher(a, n, b, m):
    """Twice the smaller tail."""
    k = a + b
    ways = [math.comb(n, i) * math.comb(m, k - i)
            for i in range(min(n, k) + 1)]
    tail = min(sum(ways[a:]), sum(ways[:a + 1]))
    return min(1.0, float(Fraction(2 * tail, math.comb(n + m, k))))


def fails(s):
    return s["status"] == "error" or s["tags"].get("error") is True


def main():
    found = json.load(open(sys.argv[1]))
    sides = [load(name) for name in sys.argv[2:4]]
    tests, by_path = [], []
    for p in found["paths"]:
        above = by_path[p["parent"]] if p["parent"] is not None else ()
        by_path.append(above + ((p["service"], p["operation"]),))
        have = [paths.get(by_path[-1], {}) for _, paths in sides]
        of = [paths[above] if above else traces for traces, paths in sides]
        for side, traces, all_of in zip("ab", have, of):
            spans = sum(traces.values(), [])
            want = {"traces": len(traces), "of_traces": len(all_of),
                    "failing_traces": sum(any(map(fails, t))
                                          for t in traces.values()),
                    "spans": len(spans), "errors": sum(map(fails, spans))}
            assert want.items() <= p[side].items(), (want, p)
        if min(map(len, of)) >= 8:
            counts = [[len(traces.get(t, ())) for t in all_of]
                      for traces, all_of in zip(have, of)]
            tests.append((rank_sum(*counts), p["q_count"]))
        if min(map(len, have)) >= 8:
            means = [[bucket(sum(s["duration_ns"] for s in t) // len(t))
                      for t in traces.values()] for traces in have]
            tests.append((rank_sum(*means), p["q_duration"]))
        failing = [p[side]["failing_traces"] for side in "ab"]
        if all(have) and any(failing):
            tests.append((fisher(failing[0], len(have[0]),
                                 failing[1], len(have[1])), p["q_errors"]))
        if not all(have):
            continue
        values = collections.defaultdict(lambda: [set(), set()])
        for i, traces in enumerate(have):
            for t, spans in traces.items():
                for s in spans:
                    for key, value in (*s["tags"].items(),
                                       *s["process"].items()):
                        values[key, json.dumps(value)][i].add(t)
        told = {a["key"]: a for a in p["attributes"]}
        for (key, value), with_it in values.items():
            a, b = map(len, with_it)
            n, m = map(len, have)
            if a + b < 8 or a * m == b * n:
                continue
            q = told.get(key, {}).get("q") if len(told) == len(
                p["attributes"]) and a in (0, n) and b in (0, m) else None
            tests.append((fisher(a, n, b, m), q))
    tests.sort(key=lambda t: t[0])
    least, checked = 1.0, 0
    for i in range(len(tests), 0, -1):
        p, q = tests[i - 1]
        least = min(least, p * len(tests) / i)
        if q is not None:
            assert math.isclose(q, least, rel_tol=1e-6), (p, q, least)
            checked += 1
    assert checked > 20, checked


main()
