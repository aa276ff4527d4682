# SPDX-License-Identifier: Apache-2.0
"""SQLite: spans and tags in tables, names and processes once, indexes."""

import json
import sqlite3

from peer import Peer

SCHEMA = """
CREATE TABLE names(id INTEGER PRIMARY KEY, text TEXT UNIQUE);
CREATE TABLE processes(id INTEGER PRIMARY KEY, service INTEGER, tags TEXT);
CREATE TABLE spans(id INTEGER PRIMARY KEY, trace BLOB, span BLOB, parent BLOB,
    process INTEGER, service INTEGER, name INTEGER, kind TEXT, status TEXT,
    flags INTEGER, start INTEGER, duration INTEGER, events TEXT, refs TEXT);
CREATE TABLE tags(span INTEGER, key INTEGER, value,
    PRIMARY KEY(span, key)) WITHOUT ROWID;
"""
INDEXES = """
CREATE INDEX by_trace ON spans(trace);
CREATE INDEX by_name ON spans(service, name, duration);
CREATE INDEX by_tag ON tags(key, value);
ANALYZE;
"""


class Sqlite(Peer):
    def name(self, text):
        if text not in self.names_known:
            cursor = self.db.execute("INSERT INTO names(text) VALUES(?)",
                                     (text,))
            self.names_known[text] = cursor.lastrowid
        return self.names_known[text]

    def process(self, s):
        key = s["service"] + json.dumps(s["process"])
        if key not in self.processes:
            cursor = self.db.execute(
                "INSERT INTO processes(service, tags) VALUES(?,?)",
                (self.name(s["service"]), json.dumps(s["process"])))
            self.processes[key] = cursor.lastrowid
        return self.processes[key]

    def load(self):
        self.db = sqlite3.connect(self.path)
        self.names_known, self.processes = {}, {}
        self.db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                              "PRAGMA cache_size=-262144;" + SCHEMA)
        spans, tags, n = [], [], 0
        with open(self.jsonl, encoding="utf-8") as lines:
            for line in lines:
                s = json.loads(line)
                n += 1
                spans.append((
                    n, bytes.fromhex(s["trace_id"]),
                    bytes.fromhex(s["span_id"]),
                    bytes.fromhex(s["parent_id"] or ""), self.process(s),
                    self.name(s["service"]), self.name(s["name"]), s["kind"],
                    s["status"], s["flags"], s["start_ns"], s["duration_ns"],
                    json.dumps(s["events"]) if s["events"] else None,
                    json.dumps(s["refs"]) if s["refs"] else None))
                tags.extend((n, self.name(k), v if isinstance(
                    v, (str, int, float)) else json.dumps(v))
                    for k, v in s["tags"].items())
                if len(spans) == 10000:
                    self.flush(spans, tags)
        self.flush(spans, tags)
        self.db.executescript(INDEXES)
        self.db.commit()

    def flush(self, spans, tags):
        self.db.executemany(
            "INSERT INTO spans VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", spans)
        self.db.executemany("INSERT OR REPLACE INTO tags VALUES(?,?,?)", tags)
        spans.clear()
        tags.clear()

    def version(self):
        return f"SQLite {sqlite3.sqlite_version}, loaded through Python"

    def one(self, sql, *args):
        return self.db.execute(sql, args).fetchone()[0]

    def trace(self):
        found = []
        for i in self.q["ids"]:
            spans = self.db.execute(
                "SELECT * FROM spans JOIN processes p ON p.id = process "
                "WHERE trace = ?", (bytes.fromhex(i),)).fetchall()
            for s in spans:
                self.db.execute("SELECT text, value FROM tags JOIN names n "
                                "ON n.id = key WHERE span = ?",
                                (s[0],)).fetchall()
            found.append(len(spans))
        return found

    def duration(self):
        return self.one(
            "SELECT count(*) FROM spans WHERE duration >= ? AND "
            "service = (SELECT id FROM names WHERE text = ?) AND "
            "name = (SELECT id FROM names WHERE text = ?)",
            self.q["min_ns"], self.q["service"], self.q["operation"])

    def tag(self, key, value):
        return self.one("SELECT count(*) FROM tags WHERE value = ? AND key = "
                        "(SELECT id FROM names WHERE text = ?)", value, key)

    def tag_few(self):
        return self.tag("http.status_code", 500)

    def tag_many(self):
        return self.tag("user.id", self.q["user"])

    def names(self):
        return sorted(map(list, self.db.execute(
            "SELECT s.text, n.text, c FROM (SELECT service, name, count(*) c "
            "FROM spans GROUP BY 1, 2) JOIN names s ON s.id = service "
            "JOIN names n ON n.id = name")))

    def edges(self):
        return {f"{a}>{b}": n for a, b, n in self.db.execute(
            "SELECT a.text, b.text, c FROM (SELECT u.service a, s.service b, "
            "count(*) c FROM spans s JOIN spans u ON u.trace = s.trace AND "
            "u.span = s.parent WHERE u.service <> s.service GROUP BY 1, 2) x "
            "JOIN names a ON a.id = x.a JOIN names b ON b.id = x.b")}

    def close(self):
        self.db.close()
