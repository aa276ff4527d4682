# SPDX-License-Identifier: Apache-2.0
"""Ours: each answer is a process of its own, from start to end."""

import csv
import io
import json
import os
import subprocess

from peer import Peer


class Spantools(Peer):
    def run(self, *args):
        return subprocess.run(args, stdout=subprocess.PIPE, check=True).stdout

    def append(self):
        self.run("span-store", "append", "-q", "--no-seal", self.path,
                 self.spans)

    def seal(self):
        """CPU seconds and peak anonymous MiB of sealing."""
        took = self.path + ".took"
        self.run("measure", took, "span-store", "seal", "-q", "--all",
                 self.path)
        with open(took, encoding="utf-8") as f:
            fields = f.read().split()
        os.remove(took)
        return float(fields[3]) + float(fields[4]), int(fields[5]) / 1024

    def load(self):
        self.append()
        self.peak = self.seal()[1]

    def version(self):
        return "span-query of this build; each answer is a whole process"

    def query(self, *args):
        p = subprocess.run(["span-query", "-s", self.path, *args],
                           stdout=subprocess.PIPE, check=False)
        if p.returncode not in (0, 1):
            raise OSError(f"span-query: {p.returncode}")
        return p.stdout

    def count(self, *args):
        return int(self.query("--spans", "-c", *args))

    def trace(self):
        return [self.query("--trace-id", i, "--spans", "-o", "jsonl").count(
            b"\n") for i in self.q["ids"]]

    def duration(self):
        return self.count("--service", self.q["service"], "--operation",
                          self.q["operation"], "--min-duration",
                          f"{self.q['min_ns']}ns")

    def tag_few(self):
        return self.count("--tag", "http.status_code=500")

    def tag_many(self):
        return self.count("--tag", f"user.id={self.q['user']}")

    def names(self):
        out = self.run("span-store", "operations", "-o", "csv", self.path)
        found = {}
        for row in csv.DictReader(io.StringIO(out.decode())):
            key = (row["service"], row["operation"])
            found[key] = found.get(key, 0) + int(row["spans"])
        return sorted([*k, v] for k, v in found.items())

    def edges(self):
        out = self.run("span-graph", "-s", self.path, "-o", "json")
        found = {}
        for c in json.loads(out)["calls"]:
            key = c["parent"] + ">" + c["child"]
            found[key] = found.get(key, 0) + c["calls"]
        return found

    def more(self):
        stat = json.loads(self.run("span-store", "stat", "-o", "json",
                                   self.path))
        return {"mib": self.peak, "note": f"{stat['segments']} segments, {stat['closed']} logs",
                "files": len(os.listdir(self.path))}
