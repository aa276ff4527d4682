# SPDX-License-Identifier: Apache-2.0
"""ClickHouse, as chDB runs it inside this process.

Jaeger: the columns, order and indexes that Jaeger v2 uses, with attributes in
nested columns by type. Tuned: ids as bytes, sorted by minute and trace, maps
with few keys, zstd, deltas of times.
"""

import json

from chdb import session

from peer import Peer

KINDS = ("bool", "double", "int", "str", "complex")
CH_TYPES = {"bool": "Bool", "double": "Float64", "int": "Int64",
            "str": "String", "complex": "String"}
SOURCE = """file('{jsonl}', 'JSONEachRow', 'trace_id String, span_id String,
    parent_id Nullable(String), service String, name String, kind String,
    status String, flags UInt32, start_ns UInt64, duration_ns UInt64,
    tags String, process String, events String, refs String')"""
READ = """ SETTINGS input_format_json_read_objects_as_strings = 1,
    input_format_json_read_arrays_as_strings = 1,
    input_format_skip_unknown_fields = 1, max_insert_block_size = 262144,
    max_memory_usage = 12000000000"""
# Which raw JSON values are of which kind.
TESTS = {"bool": "v.2 IN ('true', 'false')",
         "str": "startsWith(v.2, '\"')",
         "int": "match(v.2, '^-?[0-9]+$')",
         "double": "match(v.2, '^-?[0-9]+[.eE]')",
         "complex": "match(v.2, '^[\\[{n]')"}
VALUES = {"bool": "v.2 = 'true'", "str": "JSONExtractString(v.2)",
          "int": "toInt64OrZero(v.2)", "double": "toFloat64OrZero(v.2)",
          "complex": "v.2"}


def nested(field, kind):
    """Arrays of keys and of values: those of FIELD that are of KIND."""
    pairs = f"arrayFilter(v -> {TESTS[kind]}, " \
            f"JSONExtractKeysAndValuesRaw({field}))"
    return (f"arrayMap(v -> v.1, {pairs})",
            f"arrayMap(v -> {VALUES[kind]}, {pairs})")


class ClickHouse(Peer):
    every = "*"
    limits = " SETTINGS max_threads = 2"

    def sql(self, text, form="JSONCompactEachRow"):
        out = self.db.query(text, form)
        return [json.loads(x) for x in out.bytes().decode().splitlines()] \
            if form == "JSONCompactEachRow" else out

    def begin(self):
        self.db = session.Session(self.path)
        self.sql("CREATE DATABASE IF NOT EXISTS p ENGINE = Atomic")

    def end(self):
        self.sql("OPTIMIZE TABLE p.spans FINAL")

    def size(self):
        """Active parts: what a server would keep after its merges."""
        return int(self.sql("SELECT sum(bytes_on_disk) FROM system.parts "
                            "WHERE active AND database = 'p'")[0][0])

    def version(self):
        return f"ClickHouse {self.sql('SELECT version()')[0][0]} (chDB), " \
               f"{self.label}, 2 threads, merged"

    def one(self, where):
        return int(self.sql("SELECT count() FROM p.spans WHERE " + where +
                            self.limits)[0][0])

    def trace(self):
        return [len(self.sql(f"SELECT {self.every} FROM p.spans WHERE "
                             f"trace_id = {self.id_of(i)}" + self.limits))
                for i in self.q["ids"]]

    def tag_few(self):
        return self.one(self.tag("http.status_code", 500))

    def tag_many(self):
        return self.one(self.tag("user.id", self.q["user"]))

    def names(self):
        return sorted([a, b, int(n)] for a, b, n in self.sql(
            f"SELECT {self.service}, name, count() FROM p.spans GROUP BY 1, 2"
            + self.limits))

    def edges(self):
        return {f"{a}>{b}": int(n) for a, b, n in self.sql(
            f"SELECT u.{self.service}, s.{self.service}, count() "
            f"FROM p.spans s JOIN p.spans u ON u.trace_id = s.trace_id AND "
            f"u.{self.span} = s.{self.parent} "
            f"WHERE u.{self.service} <> s.{self.service} GROUP BY 1, 2" +
            self.limits)}

    def close(self):
        self.db.close()


class Jaeger(ClickHouse):
    label = "Jaeger's schema"
    service, span, parent = "service_name", "id", "parent_span_id"

    def load(self):
        self.begin()
        columns, names, values = [], [], []
        for prefix, field in (("", "tags"), ("resource_", "process")):
            for kind in KINDS:
                column = f"{prefix}{kind}_attributes"
                columns.append(f"{column} Nested(key String, "
                               f"value {CH_TYPES[kind]})")
                names += [f"{column}.key", f"{column}.value"]
                values += nested(field, kind)
        self.sql(f"""CREATE TABLE p.spans (id String, trace_id String,
            trace_state String, parent_span_id String, name String,
            kind String, start_time DateTime64(9), status_code String,
            status_message String, duration Int64, {', '.join(columns)},
            events String, links String, service_name String,
            scope_name String, scope_version String,
            INDEX idx_trace_id trace_id TYPE bloom_filter GRANULARITY 1,
            INDEX idx_duration duration TYPE minmax GRANULARITY 1)
            ENGINE = MergeTree PARTITION BY toDate(start_time)
            ORDER BY (service_name, name, toDateTime(start_time))""")
        self.sql(f"""INSERT INTO p.spans (id, trace_id, parent_span_id, name,
            kind, start_time, status_code, duration, events, links,
            service_name, {', '.join(names)})
            SELECT span_id, trace_id, ifNull(parent_id, ''), name, kind,
            fromUnixTimestamp64Nano(start_ns::Int64), status, duration_ns,
            events, refs, service, {', '.join(values)}
            FROM {SOURCE.format(jsonl=self.jsonl)}""" + READ)
        self.end()

    def id_of(self, i):
        return f"'{i}'"

    def duration(self):
        return self.one(f"service_name = '{self.q['service']}' AND "
                        f"name = '{self.q['operation']}' AND "
                        f"duration >= {self.q['min_ns']}")

    def tag(self, key, value):
        return (f"arrayExists((k, v) -> k = '{key}' AND v = {value}, "
                "int_attributes.key, int_attributes.value)")


class Tuned(ClickHouse):
    label = "tuned schema"
    service, span, parent = "service", "span_id", "parent_id"
    every = "* EXCEPT(trace_id), hex(trace_id)"

    def load(self):
        self.begin()
        pairs = "CAST(arrayMap(v -> (v.1, if(startsWith(v.2, '\"'), " \
                "JSONExtractString(v.2), v.2)), " \
                "JSONExtractKeysAndValuesRaw({})), " \
                "'Map(LowCardinality(String), String)')"
        self.sql("""CREATE TABLE p.spans (
            trace_id FixedString(16) CODEC(ZSTD(3)),
            span_id UInt64 CODEC(NONE), parent_id UInt64 CODEC(ZSTD(3)),
            service LowCardinality(String), name LowCardinality(String),
            kind LowCardinality(String), status LowCardinality(String),
            flags UInt32 CODEC(ZSTD(3)),
            start_ns UInt64 CODEC(Delta, ZSTD(3)),
            duration_ns UInt64 CODEC(T64, ZSTD(3)),
            tags Map(LowCardinality(String), String) CODEC(ZSTD(3)),
            process LowCardinality(String) CODEC(ZSTD(3)),
            events String CODEC(ZSTD(3)), refs String CODEC(ZSTD(3)))
            ENGINE = MergeTree ORDER BY (intDiv(start_ns, 60000000000),
            trace_id, start_ns)
            SETTINGS allow_suspicious_low_cardinality_types = 1,
            index_granularity = 4096""")
        self.sql(f"""INSERT INTO p.spans SELECT unhex(trace_id),
            reinterpretAsUInt64(reverse(unhex(span_id))),
            reinterpretAsUInt64(reverse(unhex(ifNull(parent_id, '')))),
            service, name, kind, status, flags, start_ns, duration_ns,
            {pairs.format('tags')}, process, events, refs
            FROM {SOURCE.format(jsonl=self.jsonl)}""" + READ)
        self.end()

    def id_of(self, i):
        return f"unhex('{i}')"

    def duration(self):
        return self.one(f"service = '{self.q['service']}' AND "
                        f"name = '{self.q['operation']}' AND "
                        f"duration_ns >= {self.q['min_ns']}")

    def tag(self, key, value):
        return f"tags['{key}'] = '{value}'"
