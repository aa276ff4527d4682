#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What Loki takes, and what it gives back, as its documentation has it.

usage: loki.py check                   requests, one a line, from standard input
       loki.py query QUERY             the lines that QUERY selects of them
       loki.py serve DIR [--tenant T] [--user NAME:PASSWORD] [--token TOKEN]

check says what is wrong with a request and fails, else how many entries there
are. serve is a server with /loki/api/v1/push, which refuses what check refuses,
and /loki/api/v1/query_range; its port goes into DIR/port, and what it took into
DIR/taken, a request a line.

Sources: Loki's documentation, "Loki HTTP API", "Configuration reference"
(limits_config) and "Log queries". Of LogQL there is what the tests ask: stream
selectors, line filters, json, logfmt, label_format with contains, and label
filters joined with "or" or a comma.
"""
import argparse
import base64
import gzip
import json
import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MAX_LINE = 256 * 1024
MAX_LABELS, MAX_NAME, MAX_VALUE = 15, 1024, 2048
MAX_METADATA, MAX_METADATA_ENTRIES = 64 * 1024, 128
MAX_STREAMS = 5000
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Wrong(Exception):
    pass


def need(good, text):
    if not good:
        raise Wrong(text)


def size(text):
    """Bytes of it in UTF-8; a lone surrogate is none."""
    try:
        return len(text.encode())
    except UnicodeEncodeError as e:
        raise Wrong("no UTF-8") from e


def unique(pairs):
    keys = [k for k, _ in pairs]
    need(len(set(keys)) == len(keys), "an object has a key twice")
    return dict(pairs)


def check_labels(labels):
    need(isinstance(labels, dict) and labels, "a stream without labels")
    need(len(labels) <= MAX_LABELS, "max_label_names_per_series")
    for name, value in labels.items():
        need(NAME.fullmatch(name), f"label name {name!r}")
        need(size(name) <= MAX_NAME, "label_name_too_long")
        need(isinstance(value, str) and value, f"value of label {name}")
        need(size(value) <= MAX_VALUE, "label_value_too_long")
        # Loki 3.4: "couldn't parse labels: parse error: invalid UTF-8 rune"
        need("\ufffd" not in value, f"U+FFFD in label {name}")


def check_value(value):
    need(isinstance(value, list) and len(value) in (2, 3), "an entry's form")
    when, line = value[:2]
    need(isinstance(when, str) and re.fullmatch(r"[0-9]{1,19}", when)
         and int(when) < 2 ** 63, f"time {when!r}")
    need(isinstance(line, str), "a line that is no text")
    need(size(line) <= MAX_LINE, "line_too_long")
    metadata = value[2] if len(value) == 3 else {}
    need(isinstance(metadata, dict), "metadata that is no object")
    need(len(metadata) <= MAX_METADATA_ENTRIES,
         "structured_metadata_too_many")
    for key, text in metadata.items():
        need(NAME.fullmatch(key) and isinstance(text, str),
             f"metadata {key!r}")
    need(sum(size(k) + size(v) for k, v in metadata.items())
         <= MAX_METADATA, "structured_metadata_too_large")
    return int(when)


def check(body):
    """The request, when all is well; order is more than Loki asks for."""
    try:
        request = json.loads(body.decode(), object_pairs_hook=unique)
    except ValueError as e:
        raise Wrong(f"no JSON: {e}") from e
    need(isinstance(request, dict) and list(request) == ["streams"]
         and isinstance(request["streams"], list), "no streams")
    seen = set()
    for stream in request["streams"]:
        need(isinstance(stream, dict) and
             sorted(stream) == ["stream", "values"], "a stream's form")
        check_labels(stream["stream"])
        labels = json.dumps(stream["stream"], sort_keys=True)
        need(labels not in seen, "a stream twice")
        seen.add(labels)
        need(isinstance(stream["values"], list) and stream["values"],
             "a stream without entries")
        times = [check_value(v) for v in stream["values"]]
        need(times == sorted(times), "entries out of order")
    return request


# ---- Queries ----

TOKEN = re.compile(r'''\s*("(?:[^"\\]|\\.)*"|`[^`]*`|=~|!~|!=|\|=|[|{}=,>]|
                       [a-zA-Z_][a-zA-Z0-9_]*|[0-9.]+[a-zµ]*)''', re.X)
UNITS = {"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 6e10}
LOGFMT = re.compile(r'([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')


ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)", re.S)
PLAIN = {"n": "\n", "r": "\r", "t": "\t"}


def unquote(text):
    """A string of Go's, in double quotes or in backquotes."""
    if text[0] == "`":
        return text[1:-1]
    return ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1
                      else PLAIN.get(m[1], m[1]), text[1:-1])


def tokens(text):
    at, out = 0, []
    text = text.strip()
    while at < len(text):
        m = TOKEN.match(text, at)
        need(m, f"LogQL: {text[at:]}")
        out.append(m[1])
        at = m.end()
    return out


def nanoseconds(text):
    m = re.fullmatch(r"([0-9.]+)([a-zµ]*)", text)
    return float(m[1]) * UNITS[m[2]] if m and m[2] in UNITS else None


def holds(op, have, want):
    if op == "=":
        return have == want
    if op == "!=":
        return have != want
    if op == "=~":
        return re.fullmatch(want, have, re.S) is not None
    if op == "!~":
        return re.fullmatch(want, have, re.S) is None
    left, right = nanoseconds(have), nanoseconds(want)
    return left is not None and left > right


def extract(fields, labels):
    """First come, and what a stream says already is not lost."""
    for name, value in fields:
        name = re.sub(r"[^a-zA-Z0-9_]", "_", name)
        if name in labels:
            name += "_extracted"
        labels.setdefault(name, value)


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value)


class Query:
    """Stages are functions of (line, labels) that say whether to go on."""

    def __init__(self, text):
        self.t = tokens(text)
        self.stages = []
        need(self.take() == "{", "LogQL: no selector")
        self.matchers = []
        while self.peek() != "}":
            self.matchers.append((self.take(), self.take(),
                                  unquote(self.take())))
            if self.peek() == ",":
                self.take()
        self.take()
        need(any(not holds(op, "", v) for _, op, v in self.matchers),
             "LogQL: a matcher that needs a value")
        while self.t:
            self.stage()

    def peek(self):
        need(self.t, "LogQL: cut short")
        return self.t[0]

    def take(self):
        need(self.t, "LogQL: cut short")
        return self.t.pop(0)

    def stage(self):
        sign = self.take()
        if sign == "|=":
            text = unquote(self.take())
            self.stages.append(lambda line, labels: text in line)
            return
        need(sign == "|", f"LogQL: {sign}")
        word = self.take()
        if word == "json":
            self.stages.append(self.json)
        elif word == "logfmt":
            self.stages.append(self.logfmt)
        elif word == "label_format":
            self.label_format()
        else:
            self.filter(word)

    @staticmethod
    def json(line, labels):
        try:
            fields = json.loads(line)
        except ValueError:
            return True
        extract([(k, as_text(v)) for k, v in fields.items()], labels)
        return True

    @staticmethod
    def logfmt(line, labels):
        extract([(m[1], m[2] if m[2] is not None else m[3])
                 for m in LOGFMT.finditer(line)], labels)
        return True

    def label_format(self):
        name, equal, template = self.take(), self.take(), self.take()
        m = re.fullmatch(r'`{{ contains "([^"]*)" __line__ }}`', template)
        need(equal == "=" and m, "LogQL: label_format")

        def put(line, labels):
            labels[name] = "true" if m[1] in line else "false"
            return True
        self.stages.append(put)

    def filter(self, name):
        terms = [(name, self.take(), self.value())]
        while self.t and self.t[0] == "or":
            self.take()
            terms.append((self.take(), self.take(), self.value()))
        self.stages.append(lambda line, labels: any(
            holds(op, labels.get(n, ""), v) for n, op, v in terms))

    def value(self):
        text = self.take()
        return unquote(text) if text[0] in '"`' else text

    def select(self, request):
        for stream in request["streams"]:
            labels = stream["stream"]
            if not all(holds(op, labels.get(n, ""), v)
                       for n, op, v in self.matchers):
                continue
            for value in stream["values"]:
                have = {**labels, **(value[2] if len(value) > 2 else {})}
                if all(s(value[1], have) for s in self.stages):
                    yield value, {**labels,
                                  **(value[2] if len(value) > 2 else {})}


# ---- The server ----

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    taken = []
    opt = None

    def log_message(self, *args):
        pass

    def answer(self, status, text=b"", kind="text/plain; charset=utf-8"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def is_let_in(self):
        have = self.headers.get("Authorization", "")
        if self.opt.user:
            want = base64.b64encode(self.opt.user.encode()).decode()
            if have != f"Basic {want}":
                return self.answer(401, b"unauthorized\n")
        if self.opt.token and have != f"Bearer {self.opt.token}":
            return self.answer(401, b"unauthorized\n")
        if self.opt.tenant and \
                self.headers.get("X-Scope-OrgID") != self.opt.tenant:
            return self.answer(401, b"no org id\n")
        return True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.is_let_in():
            return
        if self.path != "/loki/api/v1/push":
            self.answer(404, b"404 page not found\n")
            return
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            need(self.headers["Content-Type"] == "application/json",
                 "content type")
            request = check(body)
        except Wrong as e:
            self.answer(400, f"{e}\n".encode())
            return
        with self.lock:
            self.taken.append(request)
            with open(os.path.join(self.opt.dir, "taken"), "ab") as f:
                f.write(body + b"\n")
        self.answer(204)

    def do_GET(self):
        url = urlsplit(self.path)
        if not self.is_let_in():
            return
        if url.path != "/loki/api/v1/query_range":
            self.answer(404, b"404 page not found\n")
            return
        ask = {k: v[0] for k, v in parse_qs(url.query).items()}
        try:
            result = self.query(ask)
        except Wrong as e:
            self.answer(400, f"{e}\n".encode())
            return
        self.answer(200, json.dumps({"status": "success", "data": {
            "resultType": "streams", "result": result}}).encode(),
            "application/json; charset=UTF-8")

    def query(self, ask):
        start, end = int(ask["start"]), int(ask["end"])
        limit = int(ask.get("limit", 100))
        need(limit <= 5000, "max entries limit per query exceeded, limit > "
             f"max_entries_limit_per_query ({limit} > 5000)")
        found = []
        with self.lock:
            for request in self.taken:
                found += Query(ask["query"]).select(request)
        found = [f for f in found if start <= int(f[0][0]) < end]
        found.sort(key=lambda f: int(f[0][0]),
                   reverse=ask.get("direction") != "forward")
        out = {}
        for value, labels in found[:limit]:
            key = json.dumps(labels, sort_keys=True)
            out.setdefault(key, {"stream": labels, "values": []})
            out[key]["values"].append(value[:2])
        return list(out.values())


def serve(opt):
    Handler.opt = opt
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    path = os.path.join(opt.dir, "port")
    with open(path + ".tmp", "w", encoding="ascii") as f:
        f.write(str(server.server_address[1]))
    os.rename(path + ".tmp", path)
    server.serve_forever()


def read_requests():
    streams, n = set(), 0
    for number, body in enumerate(sys.stdin.buffer, 1):
        try:
            request = check(body)
        except Wrong as e:
            raise Wrong(f"request {number}: {e}") from e
        for s in request["streams"]:
            streams.add(json.dumps(s["stream"], sort_keys=True))
            n += len(s["values"])
        yield request
    need(len(streams) <= MAX_STREAMS, "max_global_streams_per_user")
    if not n:
        raise Wrong("no entries")
    sys.stderr.write(f"{n} entries in {len(streams)} streams\n")


def main():
    p = argparse.ArgumentParser()
    sub = p.add_subparsers(dest="verb", required=True)
    sub.add_parser("check")
    sub.add_parser("query").add_argument("query")
    s = sub.add_parser("serve")
    s.add_argument("dir")
    for name in ("--tenant", "--user", "--token"):
        s.add_argument(name)
    opt = p.parse_args()
    try:
        if opt.verb == "serve":
            serve(opt)
        elif opt.verb == "check":
            for _ in read_requests():
                pass
        else:
            query = Query(opt.query)
            for request in read_requests():
                for value, _ in query.select(request):
                    print(value[1])
    except Wrong as e:
        sys.exit(f"loki.py: {e}")


if __name__ == "__main__":
    main()
