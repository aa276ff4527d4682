#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every span that a client was told of came out, as it was told.

  check.py TOLD GOT   lines of what the client prints, and of jsonl

Exit 1 with a line for each difference. A client may add tags and logs.
"""

import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
import reference  # noqa: E402


def value(kind, v):
    if kind == "double":
        return reference.double(float(v))
    if kind == "bytes":
        return (kind, base64.b64decode(v))
    return (kind, v)


def missing(told, got):
    """Pairs that were told and are not there."""
    return [(k, kind, v) for k, kind, v in told or []
            if (k, value(kind, v)) not in got]


def differences(want, got):
    for key in ("trace_id", "parent_id", "service", "name", "kind", "status",
                "status_message"):
        if key in want and want[key] != got[key]:
            yield f"{key}: told {want[key]!r}, got {got[key]!r}"
    for key in ("tags", "process"):
        for m in missing(want.get(key), got[key]):
            yield f"{key}: told {m!r}, got {got[key]!r}"
    logs = want.get("logs") or []
    if len(logs) > len(got["events"]):
        yield f"{len(logs)} logs told, got {len(got['events'])}"
    for told, (_, _, fields) in zip(logs, got["events"]):
        for m in missing(told, fields):
            yield f"logs: told {m!r}, got {fields!r}"
    refs = [[kind, span_id] for kind, _, span_id in got["refs"]]
    for ref in want.get("refs") or []:
        if ref not in refs:
            yield f"reference {ref!r} is not among {refs!r}"


def main():
    with open(sys.argv[1]) as f:
        told = [json.loads(line) for line in f]
    with open(sys.argv[2]) as f:
        got = [reference.told(line) for line in f]
    by_id = {(s["trace_id"], s["span_id"]): s for s in got}
    failed = shown = 0
    for want in told:
        s = by_id.get((want["trace_id"], want["span_id"]))
        found = list(differences(want, s)) if s else ["is not there"]
        failed += bool(found)
        for line in found:
            shown += 1
            if shown > 10:
                break
            print(f"# {want['service']} {want['name']} {want['span_id']}: "
                  f"{line}")
    if len(got) != len(told) or len(by_id) != len(told):
        print(f"# {len(told)} spans told, {len(got)} came out")
        failed += 1
    print(f"# {len(told)} spans")
    sys.exit(1 if failed or not told else 0)


if __name__ == "__main__":
    main()
