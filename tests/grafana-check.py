#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Do the files of examples/grafana fit each other, and what we write?

usage: grafana-check.py DIR METRICS REQUESTS RULES

METRICS is an exposition of ours, REQUESTS what trace-to-loki writes of the same
spans: each query may ask only for metrics and labels that are there, and each
query of logs must find some. The queries of metrics go into RULES as rules of
Prometheus, for promtool.
"""
import json
import os
import re
import sys
from urllib.parse import parse_qs, urlsplit

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import loki  # noqa: E402

VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$service": ".+",
             "$level": ".+"}


def need(good, text):
    if not good:
        sys.exit(f"grafana-check.py: {text}")


def walk(value):
    if isinstance(value, dict):
        yield value
        for v in value.values():
            yield from walk(v)
    elif isinstance(value, list):
        for v in value:
            yield from walk(v)


def known_metrics(path):
    """The labels of each metric."""
    metrics = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            m = re.match(r"([a-z_]+)\{(.*)\} ", line)
            if m:
                metrics.setdefault(m[1], set()).update(
                    re.findall(r'([a-z_]+)="', m[2]))
    return metrics


def check_promql(query, metrics):
    need("$" not in query, f"what is left to be replaced: {query}")
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', query)
    names = re.findall(r"\b(traces_[a-z_]+)", bare)
    need(names, f"no metric in {query}")
    for name in names:
        need(name in metrics, f"nobody writes {name}: {query}")
    labels = re.findall(r"([a-z_]+)\s*(?:=~|!=|!~|=)", bare)
    for group in re.findall(r"by \(([^)]*)\)", bare):
        labels += re.split(r",\s*", group)
    for label in labels:
        need(all(label in metrics[n] for n in names),
             f"{names} have no label {label}: {query}")


def check_logql(query, requests):
    need("$" not in query, f"what is left to be replaced: {query}")
    found = [v for r in requests for v in loki.Query(query).select(r)]
    need(found, f"no entry for {query}")


def replace(text, values):
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def links(source, span):
    """What a data source leads to: (uid, language, query) each."""
    data = source.get("jsonData", {})
    logs, metrics = data.get("tracesToLogsV2"), data.get("tracesToMetrics")
    if logs:
        need(logs["customQuery"], "tracesToLogsV2 without its query")
        yield logs["datasourceUid"], "logql", replace(logs["query"], span)
    for q in metrics["queries"] if metrics else []:
        yield metrics["datasourceUid"], "promql", replace(q["query"], span)
    for field in data.get("derivedFields", []):
        need(field["url"] == "$${__value.raw}", "a derived field's URL")
        text = "trace_id" if field.get("matcherType") == "label" else \
            f'{{"traceId":"{span["$${__span.traceId}"]}"}}'
        need(re.search(field["matcherRegex"], text), field["matcherRegex"])
        yield field["datasourceUid"], None, None
    for c in source.get("correlations", []):
        t = c["config"]["transformations"][0]
        m = re.search(t["expression"], json.dumps(
            {"level": "info", "service_name": "payment"},
            separators=(",", ":")))
        need(m and t["mapValue"] == "service", "a correlation's expression")
        yield c["targetUID"], "promql", replace(
            c["config"]["target"]["expr"], {"$${service}": m[1]})
    for e in data.get("exemplarTraceIdDestinations", []):
        need(e["name"] == "trace_id", "the label of our exemplars")
        if "datasourceUid" in e:
            yield e["datasourceUid"], None, None
            continue
        url = replace(e["url"], {"$${__value.raw}":
                                 span["$${__span.traceId}"]})
        pane, = json.loads(
            parse_qs(urlsplit(url).query)["panes"][0]).values()
        yield pane["datasource"], "logql", pane["queries"][0]["expr"]


def check_sources(sources, span, metrics, requests):
    by_uid = {s["uid"]: s["type"] for s in sources}
    need(sorted(by_uid.values()) == ["jaeger", "loki", "prometheus"],
         "one data source of each kind")
    pairs, queries = set(), []
    for source in sources:
        for uid, language, query in links(source, span):
            need(uid in by_uid, f"there is no data source {uid}")
            pairs.add((source["type"], by_uid[uid]))
            if language == "promql":
                check_promql(query, metrics)
                queries.append(query)
            elif language:
                check_logql(query, requests)
    kinds = set(by_uid.values())
    need(pairs == {(a, b) for a in kinds for b in kinds if a != b},
         f"not all lead to all: {sorted(pairs)}")
    return by_uid, queries


def check_dashboard(dashboard, by_uid, metrics, requests):
    queries = []
    for part in walk(dashboard):
        source = part.get("datasource")
        if source:
            need(by_uid.get(source["uid"]) == source["type"],
                 f"there is no data source {source}")
        if "expr" in part:
            query = replace(part["expr"], VARIABLES)
            if source["type"] == "prometheus":
                check_promql(query, metrics)
                queries.append(query)
            else:
                check_logql(query, requests)
    for v in dashboard["templating"]["list"]:
        if v["type"] == "query":
            m = re.fullmatch(r"label_values\((\w+), (\w+)\)",
                             v["query"]["query"])
            need(m and m[2] in metrics.get(m[1], ()), v["query"]["query"])
    titles = [p["title"] for p in dashboard["panels"]]
    for title in ("Rate", "Errors", "Latency", "Traces", "Logs"):
        need(title in titles, f"no panel {title}")
    need(len({p["id"] for p in dashboard["panels"]}) == len(titles),
         "panels with the same number")
    return queries


def main():
    folder, exposition, pushed, rules = sys.argv[1:]
    with open(os.path.join(folder, "datasources.yaml"),
              encoding="utf-8") as f:
        sources = yaml.safe_load(f)["datasources"]
    with open(os.path.join(folder, "dashboards.yaml"),
              encoding="utf-8") as f:
        need(yaml.safe_load(f)["providers"][0]["type"] == "file", "provider")
    with open(os.path.join(folder, "services.json"), encoding="utf-8") as f:
        dashboard = json.load(f)
    with open(pushed, "rb") as f:
        requests = [loki.check(line) for line in f]
    entry = requests[0]["streams"][0]["values"][0]
    span = {"$${__span.traceId}": entry[2]["trace_id"],
            "$${__span.name}": "Pay"}
    metrics = known_metrics(exposition)
    by_uid, queries = check_sources(sources, span, metrics, requests)
    queries += check_dashboard(dashboard, by_uid, metrics, requests)
    with open(rules, "w", encoding="utf-8") as f:
        json.dump({"groups": [{"name": "queries", "rules": [
            {"record": f"query:{i}", "expr": q}
            for i, q in enumerate(queries)]}]}, f)
    print(f"{len(queries)} queries of metrics")


if __name__ == "__main__":
    main()
