#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
kubernetes.py - manifests have the shape that Kubernetes wants, and fit together

usage: kubernetes.py DIRECTORY

DIRECTORY has a kustomization.yaml. Prints a line for each thing that is wrong
and exits 1, or prints every object and port, and exits 0.

SHAPE is written from the API reference: the fields of the kinds that are used
here, and what they hold. A field that it does not name is an error, as it is
for the API server with --validate=strict.
"""
import os
import re
import sys

import yaml

LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
QUANTITY = r"\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?"
PATH = r"/.*"
ANY = object()


class Map:
    """Keys of a user's choice."""

    def __init__(self, value, key=r"([-a-z0-9.]+/)?" + LABEL):
        self.value, self.key = value, key


LABELS = Map(LABEL)
SELECTOR = {"matchLabels": LABELS}
AFFINITY = [{"topologyKey": str, "labelSelector": SELECTOR}]
PROBE = {
    "httpGet": {"path": PATH, "port": (int, NAME)},
    "initialDelaySeconds": int, "periodSeconds": int,
    "timeoutSeconds": int, "failureThreshold": int,
}
AMOUNTS = {"memory": QUANTITY, "cpu": QUANTITY}
CONTAINER = {
    "name!": NAME, "image!": str, "command": [str], "args": [str],
    "env": [{"name!": r"[A-Z][A-Z0-9_]*", "value": str,
             "valueFrom": {"fieldRef": {"fieldPath": str}}}],
    "ports": [{"name": NAME, "containerPort!": int, "hostPort": int,
               "protocol": "TCP|UDP"}],
    "readinessProbe": PROBE, "livenessProbe": PROBE,
    "resources!": {"requests!": AMOUNTS, "limits!": AMOUNTS},
    "securityContext!": {
        "allowPrivilegeEscalation!": bool, "readOnlyRootFilesystem": bool,
        "capabilities": {"drop": [str], "add": [str]}},
    "volumeMounts": [{"name!": NAME, "mountPath!": PATH, "readOnly": bool}],
}
POD = {
    "metadata": {"labels!": LABELS},
    "spec!": {
        "containers!": [CONTAINER],
        "volumes": [{
            "name!": NAME,
            "persistentVolumeClaim": {"claimName!": NAME, "readOnly": bool},
            "emptyDir": {"sizeLimit": QUANTITY}}],
        "restartPolicy": "Always|OnFailure|Never",
        "terminationGracePeriodSeconds": int,
        "automountServiceAccountToken": bool, "enableServiceLinks": bool,
        "securityContext": {
            "runAsNonRoot": bool, "runAsUser": int, "runAsGroup": int,
            "fsGroup": int, "fsGroupChangePolicy": "OnRootMismatch|Always",
            "seccompProfile": {"type": "RuntimeDefault|Unconfined"}},
        "affinity": {"podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": AFFINITY}},
        "tolerations": [{"operator": "Exists|Equal", "key": str,
                         "effect": "NoSchedule|NoExecute"}],
    },
}
CLAIM = {
    "accessModes!": [r"ReadWrite(Once|Many)|ReadOnlyMany"],
    "storageClassName": NAME,
    "resources!": {"requests!": {"storage!": QUANTITY}},
}
METADATA = {"name!": NAME, "namespace": NAME, "labels": LABELS}
RULE = {
    "host": r"[a-z0-9.-]+",
    "http!": {"paths!": [{
        "path!": PATH, "pathType!": "Prefix|Exact",
        "backend!": {"service!": {"name!": NAME, "port!": {"name": NAME,
                                                           "number": int}}},
    }]},
}
SPEC = {
    ("v1", "Namespace"): None,
    ("v1", "PersistentVolumeClaim"): CLAIM,
    ("v1", "Service"): {
        "selector!": LABELS, "clusterIP": str, "type": "ClusterIP|NodePort",
        "internalTrafficPolicy": "Local|Cluster",
        "ports!": [{"name!": NAME, "port!": int, "targetPort": (int, NAME),
                    "protocol": "TCP|UDP"}]},
    ("apps/v1", "Deployment"): {
        "replicas": int, "selector!": SELECTOR, "template!": POD,
        "strategy": {"type": "Recreate|RollingUpdate"}},
    ("apps/v1", "DaemonSet"): {
        "selector!": SELECTOR, "template!": POD,
        "updateStrategy": {"type": "RollingUpdate|OnDelete",
                           "rollingUpdate": {"maxUnavailable": (int, r"\d+%")}}},
    ("apps/v1", "StatefulSet"): {
        "serviceName!": NAME, "replicas": int, "selector!": SELECTOR,
        "template!": POD,
        "volumeClaimTemplates": [{"metadata!": {"name!": NAME},
                                  "spec!": CLAIM}]},
    ("batch/v1", "CronJob"): {
        "schedule!": r"(\S+ ){4}\S+",
        "concurrencyPolicy": "Allow|Forbid|Replace",
        "startingDeadlineSeconds": int, "successfulJobsHistoryLimit": int,
        "failedJobsHistoryLimit": int,
        "jobTemplate!": {"spec!": {"backoffLimit": int,
                                   "activeDeadlineSeconds": int,
                                   "template!": POD}}},
    ("networking.k8s.io/v1", "Ingress"): {
        "ingressClassName": NAME, "rules!": [RULE],
        "tls": [{"hosts": [str], "secretName!": NAME}]},
    ("networking.k8s.io/v1", "NetworkPolicy"): {
        "podSelector!": SELECTOR, "policyTypes": ["Ingress|Egress"],
        "ingress": [{"from": [{"podSelector": SELECTOR}],
                     "ports": [{"port": (int, NAME), "protocol": "TCP|UDP"}]}]},
}
# What span-capture(1) listens on, and span-serve(1).
PORTS = {
    "zipkin-compact": (5775, "UDP"), "jaeger-compact": (6831, "UDP"),
    "jaeger-binary": (6832, "UDP"), "sampling": (5778, "TCP"),
    "jaeger-http": (14268, "TCP"), "jaeger-grpc": (14250, "TCP"),
    "otlp-grpc": (4317, "TCP"), "otlp-http": (4318, "TCP"),
    "zipkin": (9411, "TCP"), "query": (16686, "TCP"), "admin": (14269, "TCP"),
}

wrong = []


def complain(where, what):
    wrong.append(f"{where}: {what}")


def check(value, shape, where):
    if shape is ANY:
        return
    if isinstance(shape, tuple):
        shape = shape[0] if isinstance(value, shape[0]) else shape[1]
    if isinstance(shape, str):
        if not isinstance(value, str) or not re.fullmatch(shape, value):
            complain(where, f"{value!r} is not {shape}")
    elif isinstance(shape, type):
        if type(value) is not shape:
            complain(where, f"{value!r} is no {shape.__name__}")
    elif isinstance(shape, list):
        if not isinstance(value, list) or not value:
            complain(where, f"{value!r} is no list of something")
            return
        for i, item in enumerate(value):
            check(item, shape[0], f"{where}[{i}]")
    elif not isinstance(value, dict):
        complain(where, f"{value!r} is no object")
    elif isinstance(shape, Map):
        for key, item in value.items():
            check(key, shape.key, where)
            check(item, shape.value, f"{where}.{key}")
    else:
        fields = {f.rstrip("!"): s for f, s in shape.items()}
        for field in shape:
            if field.endswith("!") and field[:-1] not in value:
                complain(where, f"has no {field[:-1]}")
        for key, item in value.items():
            if key not in fields:
                complain(where, f"has no field {key}")
            else:
                check(item, fields[key], f"{where}.{key}")


def read(directory):
    with open(os.path.join(directory, "kustomization.yaml")) as f:
        custom = yaml.safe_load(f)
    files = {f for f in os.listdir(directory)} - {"kustomization.yaml"}
    if set(custom["resources"]) != files:
        complain("kustomization.yaml", f"resources are not {sorted(files)}")
    for name in custom["resources"]:
        with open(os.path.join(directory, name)) as f:
            for item in yaml.safe_load_all(f):
                yield name, item, custom["namespace"]


def quantity(text):
    number, unit = re.fullmatch(r"([\d.]+)(\w*)", text).groups()
    binary = {"K": 10, "M": 20, "G": 30, "T": 40}
    if unit == "m":
        return float(number) / 1000
    if unit.endswith("i"):
        return float(number) * 2 ** binary[unit[0].upper()]
    return float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[unit]


def template(item):
    spec = item.get("spec") or {}
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return spec.get("template")


def matches(selector, pod):
    labels = pod["metadata"]["labels"]
    return all(labels.get(k) == v for k, v in selector.items())


def declared(pod):
    return {p["name"]: (p["containerPort"], p.get("protocol", "TCP"))
            for c in pod["spec"]["containers"] for p in c.get("ports", [])}


def check_pod(where, item, claims):
    pod = template(item)
    spec = pod["spec"]
    selector = item["spec"].get("selector")
    if selector and not matches(selector["matchLabels"], pod):
        complain(where, "its selector does not match its own pods")
    volumes = {v["name"]: v for v in spec.get("volumes", [])}
    made = {t["metadata"]["name"]
            for t in item["spec"].get("volumeClaimTemplates", [])}
    for name, volume in volumes.items():
        claim = volume.get("persistentVolumeClaim")
        if claim and claim["claimName"] not in claims:
            complain(where, f"nobody makes the claim {claim['claimName']}")
    used = set()
    for container in spec["containers"]:
        used |= {m["name"] for m in container.get("volumeMounts", [])}
        for kind, most in container["resources"]["limits"].items():
            least = container["resources"]["requests"][kind]
            if quantity(least) > quantity(most):
                complain(where, f"requests more {kind} than its limit")
        for name, port in declared(pod).items():
            if PORTS.get(name) != port:
                complain(where, f"port {name} is not {port}")
        for probe in "readinessProbe", "livenessProbe":
            if probe in container:
                port = container[probe]["httpGet"]["port"]
                numbers = {p: p for p, _ in declared(pod).values()}
                if port not in declared(pod) and port not in numbers:
                    complain(where, f"{probe} asks {port}, which is no port")
    if used != set(volumes) | made:
        complain(where, f"mounts {sorted(used)}, has {sorted(set(volumes) | made)}")


def check_backend(where, port, pods, service):
    found = [p for p in pods if matches(service["spec"]["selector"], p)]
    if not found:
        complain(where, "its selector matches no pod")
    for pod in found:
        target = port.get("targetPort", port["port"])
        proto = port.get("protocol", "TCP")
        if target not in declared(pod):
            complain(where, f"{target} is no port of its pods")
        elif declared(pod)[target] != (port["port"], proto):
            complain(where, f"{port['name']} is not {declared(pod)[target]}")


def main():
    items = list(read(sys.argv[1]))
    seen = set()
    for file, item, namespace in items:
        kind = (item.get("apiVersion"), item.get("kind"))
        name = item.get("metadata", {}).get("name")
        where = f"{file}: {kind[1]} {name}"
        if kind not in SPEC:
            complain(where, f"{kind} is not known here")
            continue
        shape = {"apiVersion": str, "kind": str, "metadata!": METADATA}
        if SPEC[kind]:
            shape["spec!"] = SPEC[kind]
        check(item, shape, where)
        if (kind, name) in seen:
            complain(where, "is there twice")
        seen.add((kind, name))
        if kind[1] != "Namespace" and item["metadata"].get("namespace") != namespace:
            complain(where, f"is not in {namespace}")
    if wrong:
        return
    claims = {i["metadata"]["name"] for _, i, _ in items
              if i["kind"] == "PersistentVolumeClaim"}
    for _, i, _ in items:
        for t in i.get("spec", {}).get("volumeClaimTemplates", []):
            for n in range(i["spec"].get("replicas", 1)):
                claims.add(f"{t['metadata']['name']}-{i['metadata']['name']}-{n}")
    pods = [template(i) for _, i, _ in items if template(i)]
    services = {i["metadata"]["name"]: i for _, i, _ in items
                if i["kind"] == "Service"}
    for file, item, _ in items:
        where = f"{file}: {item['kind']} {item['metadata']['name']}"
        print(item["kind"], item["metadata"]["name"])
        spec = item.get("spec") or {}
        if template(item):
            check_pod(where, item, claims)
        if item["kind"] == "StatefulSet" and spec["serviceName"] not in services:
            complain(where, f"there is no service {spec['serviceName']}")
        if item["kind"] == "Service":
            for port in spec["ports"]:
                print(" ", port["name"], port["port"], port.get("protocol", "TCP"))
                check_backend(where, port, pods, item)
        for rule in spec.get("rules", []):
            for path in rule["http"]["paths"]:
                back = path["backend"]["service"]
                ports = services.get(back["name"], {}).get("spec", {}).get("ports", [])
                if back["port"].get("name") not in [p["name"] for p in ports]:
                    complain(where, f"{back} is no service's port")
        for rule in spec.get("ingress", []):
            for source in rule.get("from", []):
                if not any(matches(source["podSelector"]["matchLabels"], p)
                           for p in pods):
                    complain(where, "lets pods in that there are not")
        if item["kind"] == "NetworkPolicy" and not any(
                matches(spec["podSelector"]["matchLabels"], p) for p in pods):
            complain(where, "is for pods that there are not")
        affinity = (template(item) or {"spec": {}})["spec"].get("affinity", {})
        for rules in affinity.get("podAffinity", {}).values():
            for rule in rules:
                if not any(matches(rule["labelSelector"]["matchLabels"], p)
                           for p in pods if p is not template(item)):
                    complain(where, "wants to be near pods that there are not")


main()
if wrong:
    print("\n".join(wrong))
    sys.exit(1)
