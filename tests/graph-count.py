#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who calls whom, counted naively from the JSON lines of span-query.

Usage: graph-count.py service|operation < spans.jsonl
"""
import collections
import json
import sys

DATABASE = ("db.system", "db.system.name", "db.type")
DATABASE_NAMES = ("peer.service", "server.address", "net.peer.name",
                  "network.peer.address", "db.namespace", "db.name")
QUEUE_NAMES = ("peer.service", "messaging.destination.name",
               "messaging.destination")


def peer(tags):
    """The type and name of what the tags say is called, or None."""
    for signs, names, kind in (
            (DATABASE, DATABASE_NAMES, "database"),
            (("messaging.system",), QUEUE_NAMES, "queue"),
            (("peer.service",), (), "external")):
        for key in signs:
            if tags.get(key):
                for name in names:
                    if tags.get(name):
                        return kind, tags[name]
                return kind, tags[key]
    return None


def main():
    """Print a line for each edge."""
    def operation(span):
        return span["name"] if sys.argv[1] == "operation" else ""

    spans = [json.loads(line) for line in sys.stdin]
    by_id = {(s["trace_id"], s["span_id"]): s for s in spans}
    edges = collections.defaultdict(lambda: [0, 0])
    callers = set()

    def count(parent, child, kind, asynchronous, error):
        if parent == child and kind == "service":
            return
        edge = edges[parent, child, kind, "async" if asynchronous else "sync"]
        edge[0] += 1
        edge[1] += error

    for s in spans:
        parent = by_id.get((s["trace_id"], s.get("parent_id")))
        if not parent:
            continue
        if parent["service"] != s["service"]:
            callers.add((parent["trace_id"], parent["span_id"]))
        count((parent["service"], operation(parent)),
              (s["service"], operation(s)), "service",
              parent.get("kind") == "producer" or s.get("kind") == "consumer",
              s.get("status") == "error")
    for s in spans:
        found = peer(s.get("tags", {}))
        if (found and s.get("kind") in ("client", "producer")
                and (s["trace_id"], s["span_id"]) not in callers):
            count((s["service"], operation(s)), (found[1], operation(s)),
                  found[0], s["kind"] == "producer", s.get("status") == "error")
    for (parent, child, kind, sync), (calls, errors) in edges.items():
        print(*parent, *child, kind, sync, calls, errors, sep="|")


main()
