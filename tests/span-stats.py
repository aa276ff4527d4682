# SPDX-License-Identifier: Apache-2.0
"""What span-stats counts, counted again from JSON lines of the same spans.

span-stats.py SPANS.jsonl STATS.json FIELD... : SPANS as span-query writes them,
STATS with the same fields as --by, the quantiles 0.5, 0.95 and 0.99, of all
kinds. Says what differs and fails.
"""
import json
import math
import sys
from collections import defaultdict


def value(span, field):
    if field == "error":
        return "true" if span["status"] == "error" else "false"
    if field == "operation":
        field = "name"
    if field in ("service", "name", "kind"):
        return span.get(field) or ""
    tag = span["tags"].get(field, "")
    return tag if isinstance(tag, str) else json.dumps(tag)


def main():
    spans_path, stats_path, *fields = sys.argv[1:]
    groups = defaultdict(list)
    with open(spans_path, encoding="utf-8") as lines:
        for line in lines:
            span = json.loads(line)
            key = tuple(value(span, f) for f in fields)
            groups[key].append((span["duration_ns"], span["status"] == "error"))
    with open(stats_path, encoding="utf-8") as f:
        stats = json.load(f)
    got = {tuple(g["labels"][f] for f in fields): g for g in stats["groups"]}
    wrong = 0
    if set(got) != set(groups):
        print("groups differ:", set(got) ^ set(groups))
        wrong += 1
    for key, spans in groups.items():
        g = got[key]
        durations = sorted(d for d, _ in spans)
        errors = sum(e for _, e in spans)
        want = {
            "calls": len(spans),
            "errors": errors,
            "error_ratio": errors / len(spans),
            "mean_ns": sum(durations) // len(spans),
        }
        for name, number in want.items():
            if g[name] != number:
                print(key, name, "is", g[name], "not", number)
                wrong += 1
        for q in (0.5, 0.95, 0.99):
            exact = durations[max(math.ceil(q * len(durations)), 1) - 1]
            sketch = g[f"p{q * 100:g}_ns"]
            if abs(sketch - exact) > exact / 64:
                print(key, q, "is", sketch, "not within 1/64 of", exact)
                wrong += 1
    sys.exit(wrong > 0)


main()
