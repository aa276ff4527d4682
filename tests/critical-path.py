#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The largest share of each trace's critical path, the simple way.

Reads traces as jsonl (their spans together, as span-query writes them) and
asks for each nanosecond that matters who holds the trace up: recursion and
all, from the definition in trace-view(1) alone.
"""
import itertools
import json
import sys

sys.setrecursionlimit(100000)


def blocks(parent, child):
    refs = child["refs"]
    if len(refs) == 1 and refs[0]["type"] == "follows_from":
        return False
    return not (parent["kind"] == "producer" and child["kind"] == "consumer")


def walk(span, start, end, children, shares):
    """Between START and END: what SPAN holds up, or a child of it."""
    at = end
    candidates = []
    for child in children.get(span["span_id"], []):
        low = max(child["start_ns"], start)
        high = min(child["start_ns"] + child["duration_ns"], end)
        if low < high and blocks(span, child):
            candidates.append((-high, child["span_id"], low, child))
    for high, _, low, child in sorted(candidates, key=lambda c: c[:2]):
        if -high > at:
            continue
        add(shares, span, at + high)
        walk(child, low, -high, children, shares)
        at = low
    add(shares, span, at - start)


def add(shares, span, ns):
    key = (span["service"], span["name"])
    shares[key] = shares.get(key, 0) + ns


def main():
    spans = map(json.loads, sys.stdin)
    for _, group in itertools.groupby(spans, key=lambda s: s["trace_id"]):
        trace = list(group)
        ids = {s["span_id"] for s in trace}
        children = {}
        for s in trace:
            children.setdefault(s["parent_id"], []).append(s)
        roots = children.get(None) or [
            s for s in trace if s["parent_id"] not in ids
        ]
        root = min(roots, key=lambda s: s["start_ns"])
        shares = {}
        end = root["start_ns"] + root["duration_ns"]
        walk(root, root["start_ns"], end, children, shares)
        total = sum(shares.values())
        if not total:
            continue
        (service, name), ns = min(
            shares.items(), key=lambda s: (-s[1], s[0])
        )
        print(f"{service} {name} ({100 * ns / total:.0f} %)")


main()
