#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same spans in other stores, side by side with ours.

usage: peers.py SPANS JSONL DIR [PEER...]

SPANS is a span stream, JSONL the same spans as `span-query -o jsonl` prints
them, DIR is for what is built. Every peer runs in a process of its own, which
loads the spans, answers the questions, and tells its peak memory. Answers are
compared with those that a plain loop over JSONL gives: a wrong one has no
time. README.md says what is measured and how.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time

PEERS = {
    "spantools": ("peer_spantools", "Spantools"),
    "sqlite": ("peer_sqlite", "Sqlite"),
    "duckdb": ("peer_duckdb", "Table"),
    "parquet": ("peer_duckdb", "Parquet"),
    "clickhouse-jaeger": ("peer_clickhouse", "Jaeger"),
    "clickhouse-tuned": ("peer_clickhouse", "Tuned"),
    "gzip": ("peer_files", "Gzip"),
    "zstd": ("peer_files", "Zstd"),
    "ripgrep": ("peer_files", "Ripgrep"),
    "jq": ("peer_files", "Jq"),
}
QUESTIONS = ["trace", "duration", "tag_few", "tag_many", "names", "edges"]
ROUNDS = 5


def ask(jsonl):
    """What is asked, and the right answers: one pass over all spans."""
    names, edges, traces = {}, {}, {}
    durations, few, users = {}, 0, {}
    number = {}
    n = 0
    with open(jsonl, encoding="utf-8") as lines:
        for line in lines:
            s = json.loads(line)
            n += 1
            tags = s["tags"]
            key = (s["service"], s["name"])
            names[key] = names.get(key, 0) + 1
            durations.setdefault(key, []).append(s["duration_ns"])
            few += str(tags.get("http.status_code")) == "500"
            user = tags.get("user.id")
            if user is not None:
                users[user] = users.get(user, 0) + 1
            service = number.setdefault(s["service"], len(number))
            traces.setdefault(s["trace_id"], []).append(
                (s["span_id"], s["parent_id"], service))
    services = list(number)
    for spans in traces.values():
        where = {span_id: service for span_id, _, service in spans}
        for _, parent, service in spans:
            up = where.get(parent)
            if up is not None and up != service:
                key = services[up] + ">" + services[service]
                edges[key] = edges.get(key, 0) + 1
    op = max(names, key=names.get)
    limit = sorted(durations[op])[len(durations[op]) * 95 // 100]
    ids = sorted(traces)[:: max(1, len(traces) // 20)][:20]
    user = max(users, key=users.get, default=0)
    return {
        "n": n, "traces": len(traces), "ids": ids, "service": op[0],
        "operation": op[1], "min_ns": limit, "user": user,
    }, {
        "trace": [len(traces[i]) for i in ids],
        "duration": sum(d >= limit for d in durations[op]),
        "tag_few": few,
        "tag_many": users.get(user, 0),
        "names": sorted([*k, v] for k, v in names.items()),
        "edges": dict(sorted(edges.items())),
    }


def run_one(name, spans, jsonl, directory):
    """In a process of its own: print a line of JSON."""
    module, cls = PEERS[name]
    with open(os.path.join(directory, "questions"), encoding="utf-8") as f:
        q, want = json.load(f)
    try:
        peer = getattr(__import__(module), cls)(spans, jsonl, directory, q)
    except ImportError as e:
        return {"skipped": str(e)}
    start = time.perf_counter()
    peer.load()
    out = {"load": time.perf_counter() - start, "bytes": peer.size(),
           "version": peer.version(), "ms": {}, "wrong": []}
    out.update(peer.more())
    for question in QUESTIONS:
        function = getattr(peer, question, None)
        if not function:
            continue
        times, runs = [], []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            got = function()
            times.append((time.perf_counter() - start) * 1000)
        runs = json.loads(json.dumps(got))
        if isinstance(runs, dict):
            runs = dict(sorted(runs.items()))
        if runs != want[question]:
            out["wrong"].append(question)
            continue
        per = len(q["ids"]) if question == "trace" else 1
        out["ms"][question] = statistics.median(times) / per
    peer.close()
    peak = max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
               resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    out.setdefault("mib", peak / 1024)
    return out


def show(results, n):
    print(f"{'':18} {'bytes/':>7} {'load':>7} {'peak':>6}"
          + "".join(f"{x:>9}" for x in QUESTIONS))
    print(f"{'':18} {'span':>7} {'k/s':>7} {'MiB':>6}"
          + f"{'ms':>9}" * len(QUESTIONS))
    for name, r in results.items():
        if "skipped" in r:
            print(f"{name:18} skipped: {r['skipped']}")
            continue
        rate = f"{n / r['load'] / 1000:.0f}" if r["load"] else "-"
        row = f"{name:18} {r['bytes'] / n:7.1f} {rate:>7} {r['mib']:6.0f}"
        for x in QUESTIONS:
            ms = r["ms"].get(x)
            row += f"{'wrong' if x in r['wrong'] else '-':>9}" \
                if ms is None else f"{ms:9.3g}" if ms < 100 else f"{ms:9.0f}"
        print(row)
        for key in ("version", "note"):
            if r.get(key):
                print(f"    {r[key]}")


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "--one":
        print(json.dumps(run_one(*sys.argv[2:])))
        return
    spans, jsonl, directory = sys.argv[1:4]
    peers = sys.argv[4:] or list(PEERS)
    q, want = ask(jsonl)
    with open(os.path.join(directory, "questions"), "w",
              encoding="utf-8") as f:
        json.dump([q, want], f)
    print(f"{q['n']} spans, {q['traces']} traces, "
          f"{os.path.getsize(jsonl) / q['n']:.0f} bytes a span as JSON lines")
    print(f"duration: {q['service']} {q['operation']}, above "
          f"{q['min_ns'] / 1e6:.3f} ms: {want['duration']} spans; "
          f"tag_few: {want['tag_few']}; tag_many: {want['tag_many']}")
    results = {}
    for name in peers:
        p = subprocess.run([sys.executable, __file__, "--one", name, spans,
                            jsonl, directory], stdout=subprocess.PIPE,
                           check=False)
        if p.returncode:
            results[name] = {"skipped": f"it failed ({p.returncode})"}
        else:
            results[name] = json.loads(p.stdout.splitlines()[-1])
    show(results, q["n"])
    with open(os.path.join(directory, "results.json"), "w",
              encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    if any(r.get("wrong") for r in results.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
