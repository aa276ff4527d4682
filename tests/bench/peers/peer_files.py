# SPDX-License-Identifier: Apache-2.0
"""JSON lines in a compressed file: what a shell has without a store."""

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
