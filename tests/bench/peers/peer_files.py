# SPDX-License-Identifier: Apache-2.0
"""JSON lines in a file, compressed or not: what a shell has without a store."""

import os
import re
import shutil
import subprocess

from peer import Peer


class Gzip(Peer):
    command = ["gzip", "-6"]
    expand = ["gzip", "-dc"]

    def load(self):
        with open(self.jsonl, "rb") as lines, open(self.path, "wb") as out:
            subprocess.run(self.command, stdin=lines, stdout=out, check=True)

    def version(self):
        return " ".join(self.command) + " of the JSON lines"

    def trace(self):
        """One search for all ids, as each reads the whole file."""
        found = {}
        with open(self.path, "rb") as data, subprocess.Popen(
                self.expand, stdin=data, stdout=subprocess.PIPE) as expand:
            args = ["grep", "-F"]
            for i in self.q["ids"]:
                args += ["-e", f'{{"trace_id":"{i}"']
            out = subprocess.run(args, stdin=expand.stdout, check=True,
                                 stdout=subprocess.PIPE).stdout
        for line in out.splitlines():
            key = line[13:45].decode()
            found[key] = found.get(key, 0) + 1
        return [found[i] for i in self.q["ids"]]


class Zstd(Gzip):
    command = ["zstd", "-q", "-3"]
    expand = ["zstd", "-dc"]


class Tool(Peer):
    """Reads the JSON lines as they are."""
    tool = None

    def load(self):
        os.link(self.jsonl, self.path)

    def more(self):
        return {"load": None}

    def version(self):
        out = subprocess.run([self.tool, "--version"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        return out.splitlines()[0] + " over the JSON lines"

    def __init__(self, *args):
        super().__init__(*args)
        if not shutil.which(self.tool):
            raise ImportError(f"there is no {self.tool}")

    def run(self, *args):
        """Exit status 1 says that nothing was found."""
        out = subprocess.run([self.tool, *args, self.path], check=False,
                             text=True, stdout=subprocess.PIPE)
        if out.returncode > 1:
            raise RuntimeError(f"{self.tool} failed")
        return out.stdout

    def count_ids(self, lines):
        found = {}
        for line in lines:
            found[line] = found.get(line, 0) + 1
        return [found[i] for i in self.q["ids"]]


class Ripgrep(Tool):
    tool = "rg"

    def trace(self):
        args = []
        for i in self.q["ids"]:
            args += ["-e", f'{{"trace_id":"{i}"']
        return self.count_ids(line[13:45] for line in
                              self.run("-F", *args).splitlines())

    def tag(self, key, value):
        return int(self.run("-c", "-e", f'"{re.escape(key)}":"?'
                            f'{re.escape(str(value))}"?[,}}]') or 0)

    def tag_few(self):
        return self.tag("http.status_code", 500)

    def tag_many(self):
        return self.tag("user.id", self.q["user"])


class Jq(Tool):
    tool = "jq"

    def count(self, condition, *args):
        return int(self.run("-n", *args, "reduce (inputs | select("
                            f"{condition})) as $s (0; . + 1)"))

    def trace(self):
        args = ["-r", "--argjson", "ids",
                "{" + ",".join(f'"{i}":1' for i in self.q["ids"]) + "}"]
        return self.count_ids(self.run(
            *args, ".trace_id | select($ids[.])").splitlines())

    def duration(self):
        return self.count(".service == $s and .name == $o and "
                          ".duration_ns >= $d", "--arg", "s",
                          self.q["service"], "--arg", "o",
                          self.q["operation"], "--argjson", "d",
                          str(self.q["min_ns"]))

    def tag(self, key, value):
        return self.count(".tags[$k] | tostring == $v", "--arg", "k", key,
                          "--arg", "v", str(value))

    def tag_few(self):
        return self.tag("http.status_code", 500)

    def tag_many(self):
        return self.tag("user.id", self.q["user"])
