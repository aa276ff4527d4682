#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Data that a format for usual traffic is not made for, against Parquet.

usage: odd.py DIR SPANS [KIND...]

Prints a line for each kind of odd-spans and for three profiles of span-gen:
bytes a span as JSON lines with zstd -3, in Parquet, in a sealed store; seconds
of CPU that writing took, and the anonymous memory of sealing.
"""

import os
import subprocess
import sys
import time

import duckdb

import peer_duckdb
from peer_spantools import Spantools

KINDS = ["shapes", "tags", "giant", "single", "sequential", "short", "long"]
PROFILES = ["hostile", "deep", "wide"]


class OneCore(peer_duckdb.Parquet):
    def connect(self, path):
        super().connect(path)
        self.db.execute("SET threads=1")


def make(kind, spans, directory):
    stream = os.path.join(directory, "stream")
    jsonl = os.path.join(directory, "jsonl")
    command = ["odd-spans", kind, str(spans)]
    if kind in PROFILES:
        command = ["span-gen", "--seed", "1", "--profile", kind, "--spans",
                   str(spans)]
    with open(stream, "wb") as out:
        subprocess.run(command, stdout=out, check=True)
    with open(jsonl, "wb") as out:
        subprocess.run(["span-query", "--spans", "-o", "jsonl", stream],
                       stdout=out, check=True)
    return stream, jsonl


def cpu(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def measure(kind, spans, directory):
    stream, jsonl = make(kind, spans, directory)
    with open(jsonl, "rb") as lines:
        n = sum(1 for _ in lines)
    with open(jsonl, "rb") as lines:
        zstd = subprocess.run("zstd -q -3 | wc -c", shell=True, stdin=lines,
                              stdout=subprocess.PIPE, check=True).stdout
    parquet = OneCore(stream, jsonl, directory, {})
    try:
        wrote = cpu(parquet.load)
        size = parquet.size() / n
        parquet.close()
        os.remove(parquet.path)
        theirs = f"{size:8.1f} {wrote:7.1f}"
    except duckdb.Error as e:
        theirs = f"{'failed':>16} ({str(e).splitlines()[0][:40]})"
    ours = Spantools(stream, jsonl, directory, {})
    ours.append()
    taken, peak = ours.seal()
    wrong = subprocess.run(["span-store", "verify", ours.path],
                           check=False).returncode
    print(f"{kind:11} {n:8} {int(zstd) / n:8.1f} {theirs} "
          f"{ours.size() / n:8.1f} {taken:7.1f} {peak:6.0f}"
          f"{'  verify: damaged' if wrong else ''}", flush=True)
    subprocess.run(["rm", "-r", ours.path], check=True)
    return wrong


def main():
    directory, spans = sys.argv[1:3]
    kinds = sys.argv[3:]
    if len(kinds) == 1:
        sys.exit(measure(kinds[0], int(spans), directory))
    print(f"{'':11} {'':>8} {'zstd -3':>8} {'Parquet':>8} {'':>7} "
          f"{'ours':>8}")
    print(f"{'':11} {'spans':>8} {'B/span':>8} {'B/span':>8} {'s':>7} "
          f"{'B/span':>8} {'s':>7} {'MiB':>6}", flush=True)
    # A process each, so that its memory is its own.
    failed = 0
    for kind in kinds or KINDS + PROFILES:
        failed |= subprocess.run([sys.executable, __file__, directory, spans,
                                  kind], check=False).returncode
    sys.exit(failed)


if __name__ == "__main__":
    main()
