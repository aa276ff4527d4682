#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What VictoriaLogs has of requests to its push API of Loki.

usage: taken.py REQUESTS ENTRIES

REQUESTS are bodies, one a line; ENTRIES are what a query for all gives. They are
the same but for what is empty, which it does not keep, and entries that are too
old or in the future, which it does not take.
"""
import collections
import datetime
import json
import re
import sys
import time

DAY = 86400 * 10 ** 9


def nanoseconds(text):
    """A time of RFC 3339, exactly."""
    m = re.fullmatch(r"([0-9T:-]+)(?:\.([0-9]+))?Z", text)
    seconds = datetime.datetime.fromisoformat(m[1] + "+00:00").timestamp()
    return int(seconds) * 10 ** 9 + int((m[2] or "").ljust(9, "0"))


def key(when, line, fields):
    return when, line, tuple(sorted((k, v) for k, v in fields.items() if v))


def believed(when, since, until):
    """A time as the server has it, or 0: small numbers it takes for seconds,
    milliseconds or microseconds."""
    for unit in 1, 10 ** 3, 10 ** 6, 10 ** 9:
        if since < when * unit < until:
            return when * unit
    return 0


def sent(path, since, until):
    """The entries, those of time 0, and how many it does not take."""
    entries, timeless = collections.Counter(), collections.Counter()
    out_of_time = 0
    with open(path, encoding="utf-8") as f:
        for body in f:
            for stream in json.loads(body)["streams"]:
                for value in stream["values"]:
                    fields = dict(stream["stream"])
                    fields.update(value[2] if len(value) > 2 else {})
                    when = believed(int(value[0]), since, until)
                    entry = key(when, value[1], fields)
                    if when:
                        entries[entry] += 1
                    elif value[0] == "0":
                        timeless[entry[1:]] += 1
                    else:
                        out_of_time += 1
    return entries, timeless, out_of_time


def taken(path, since, until):
    entries, streams = collections.Counter(), set()
    with open(path, encoding="utf-8") as f:
        for line in f:
            fields = json.loads(line)
            when = nanoseconds(fields.pop("_time"))
            fields.pop("_stream_id")
            streams.add(fields.pop("_stream"))
            text = fields.pop("_msg")
            if since < when < until:
                entries[key(when, text, fields)] += 1
    return entries, streams


def main():
    now = time.time_ns()
    # It keeps seven days, by whole days, and takes two in the future.
    window = now - 6 * DAY, now + DAY
    want, timeless, out_of_time = sent(sys.argv[1], *window)
    got, streams = taken(sys.argv[2], *window)
    lost, new = want - got, got - want
    # The time 0 means now to it.
    if collections.Counter(e[1:] for e in new.elements()) == timeless:
        new.clear()
    for what, entries in ("missing", lost), ("not sent", new):
        for entry in list(entries)[:3]:
            print(f"{what}: {entry!r}"[:600])
    if lost or new or not want:
        sys.exit(f"{sum(got.values())} entries of {sum(want.values())}")
    print(f"{sum(got.values())} entries in {len(streams)} streams; "
          f"{out_of_time} out of time")


if __name__ == "__main__":
    main()
