# SPDX-License-Identifier: Apache-2.0
"""DuckDB: a table of its own, and Parquet with zstd, tuned.

Parquet has a column for each key of tags and processes, with the type that its
values have; ids are numbers or bytes; rows are in the order of the traces.
"""

import json

import duckdb

from peer import Peer

TYPES = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}
MAX_KEYS = 400  # columns for keys; the rest stays JSON


def keys_of(jsonl, field):
    """The keys of FIELD and the SQL type that fits all their values."""
    types = {}
    with open(jsonl, encoding="utf-8") as lines:
        for line in lines:
            for k, v in json.loads(line)[field].items():
                t = TYPES.get(type(v), "VARCHAR")
                if types.setdefault(k, t) != t:
                    types[k] = "VARCHAR"
                # What cannot name a column stays JSON too.
                if len(types) > MAX_KEYS or not k or '"' in k or "\0" in k:
                    return None
    return types


class Table(Peer):
    """tags and process as maps from text to text."""

    head = """
        unhex(trace_id) AS trace_id, ('0x' || span_id)::UBIGINT AS span_id,
        ('0x' || parent_id)::UBIGINT AS parent_id, service, name, kind, status,
        flags, start_ns, duration_ns"""

    def source(self):
        return f"""read_json('{self.jsonl}', format='newline_delimited',
            maximum_object_size=67108864, columns={{trace_id: 'VARCHAR',
            span_id: 'VARCHAR', parent_id: 'VARCHAR', service: 'VARCHAR',
            name: 'VARCHAR', kind: 'VARCHAR', status: 'VARCHAR',
            flags: 'UINTEGER', start_ns: 'UBIGINT', duration_ns: 'UBIGINT',
            tags: '{self.types_of["tags"]}',
            process: '{self.types_of["process"]}',
            events: 'JSON', refs: 'JSON'}})"""

    types_of = {"tags": "MAP(VARCHAR, VARCHAR)",
                "process": "MAP(VARCHAR, VARCHAR)"}

    def connect(self, path):
        self.db = duckdb.connect(path)
        self.db.execute("SET threads=2")
        self.db.execute("SET memory_limit='12GB'")
        self.table = "spans"

    def load(self):
        self.connect(self.path)
        self.db.execute(f"""CREATE TABLE spans AS SELECT {self.head}, tags,
            process, events, refs FROM {self.source()}
            ORDER BY min(start_ns) OVER (PARTITION BY trace_id), trace_id,
            start_ns""")
        self.db.execute("CHECKPOINT")

    def version(self):
        return f"DuckDB {duckdb.__version__}, table, tags as a map, 2 threads"

    def one(self, sql):
        return self.db.execute(sql).fetchone()[0]

    def trace(self):
        return [len(self.db.execute(
            f"SELECT * FROM {self.table} WHERE trace_id = unhex('{i}')")
            .fetchall()) for i in self.q["ids"]]

    def duration(self):
        return self.db.execute(
            f"SELECT count(*) FROM {self.table} WHERE service = ? AND "
            "name = ? AND duration_ns >= ?",
            [self.q["service"], self.q["operation"], self.q["min_ns"]]
        ).fetchone()[0]

    def tag_few(self):
        return self.tag("http.status_code", 500)

    def tag_many(self):
        return self.tag("user.id", self.q["user"])

    def tag(self, key, value):
        return self.one(f"SELECT count(*) FROM {self.table} "
                        f"WHERE tags['{key}'] = '{value}'")

    def names(self):
        return sorted(map(list, self.db.execute(
            f"SELECT service, name, count(*) FROM {self.table} GROUP BY 1, 2")
            .fetchall()))

    def edges(self):
        return {f"{a}>{b}": n for a, b, n in self.db.execute(
            f"SELECT u.service, s.service, count(*) FROM {self.table} s "
            f"JOIN {self.table} u ON u.trace_id = s.trace_id AND "
            "u.span_id = s.parent_id WHERE u.service <> s.service "
            "GROUP BY 1, 2").fetchall()}

    def close(self):
        self.db.close()


class Parquet(Table):
    def columns(self, field, prefix):
        """Columns for the keys of FIELD; its JSON where there are too many."""
        types = keys_of(self.jsonl, field)
        self.types[prefix] = types or {}
        if not types:
            self.types_of[field] = "JSON"
            return f'{field} AS "{prefix}"'
        self.types_of[field] = "STRUCT(" + ", ".join(
            f'"{k}" {t}' for k, t in types.items()) + ")"
        return ", ".join(f'{field}."{k}" AS "{prefix}{k}"' for k in types)

    def load(self):
        self.types, self.types_of = {}, {}
        self.path += ".parquet"
        self.connect(":memory:")
        columns = (self.columns("tags", "t.") + ", " +
                   self.columns("process", "p."))
        self.db.execute(f"""COPY (SELECT {self.head}, {columns},
            CASE WHEN events::VARCHAR <> '[]' THEN events::VARCHAR END events,
            CASE WHEN refs::VARCHAR <> '[]' THEN refs::VARCHAR END refs
            FROM {self.source()}
            ORDER BY min(start_ns) OVER (PARTITION BY trace_id), trace_id,
            start_ns) TO '{self.path}' (FORMAT parquet, COMPRESSION zstd,
            COMPRESSION_LEVEL 9, PARQUET_VERSION v2, ROW_GROUP_SIZE 524288)""")
        self.table = f"'{self.path}'"

    def version(self):
        return (f"DuckDB {duckdb.__version__}, Parquet v2, zstd -9, "
                f"{sum(map(len, self.types.values()))} columns for keys")

    def tag(self, key, value):
        kind = self.types["t."][key]
        value = value if kind == "BIGINT" else f"'{value}'"
        return self.one(f"SELECT count(*) FROM {self.table} "
                        f'WHERE "t.{key}" = {value}')
