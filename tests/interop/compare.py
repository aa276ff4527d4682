#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compare span-decode with Apache Thrift's own library; prints TAP.

  compare.py recorded FILE...   the UDP datagrams of pcap files and the payloads
                                of files that fixtures.py wrote
  compare.py random N [SEED]    N generated valid messages
  compare.py mutated N [SEED]   N damaged messages: taken or refused alike

span-decode and spans-jsonl are found in PATH. What may differ, and why, is
in README.md beside this file.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter

import generate
import reference
import streams

# Why we refuse what Apache's Python library takes: README.md.
STRICTER = (
    "a list has a negative length",
    "a list has elements of another type",
    "a list is longer than the message",
    "a number has too many digits",
    "a field has an unknown type",
    "a field has a number above 32767",
    "a string has a negative length",
    "values are nested too deep",
    "not a binary Thrift message",
)

# What it refuses and we take.
LOOSER = (
    "KeyError: 0", "KeyError: 14", "KeyError: 15",  # type of an empty list
)


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, *details):
        self.n += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.n} - {name}")
        if not good:
            for d in details:
                print("#", str(d))
        sys.stdout.flush()

    def end(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.failed else 0)


def decode(messages):
    """(told spans in order, {number of message: reason it was refused}).

    Each message becomes a payload; warnings name its place in the stream.
    """
    places, stream = {}, bytearray()
    for i, data in enumerate(messages):
        places[len(stream)] = i
        stream += streams.payload(data, peer=f"message {i}")
    with tempfile.TemporaryFile() as f, tempfile.TemporaryFile() as err:
        f.write(stream)
        f.seek(0)
        first = subprocess.Popen(["span-decode", "-v"], stdin=f,
                                 stdout=subprocess.PIPE, stderr=err)
        lines = subprocess.run(["spans-jsonl"], stdin=first.stdout,
                               stdout=subprocess.PIPE, check=True).stdout
        first.stdout.close()
        status = first.wait()
        err.seek(0)
        warnings = err.read().decode()
    if status:
        raise SystemExit(f"span-decode ended with {status}: {warnings}")
    refused = {}
    for at, why in re.findall(r"payload at byte (\d+) from message \d+: (.*) "
                              r"at byte \d+$", warnings, re.M):
        refused[places[int(at)]] = why
    return [reference.told(s) for s in lines.splitlines()], refused


def difference(want, got):
    for key in want:
        if want[key] != got.get(key):
            return f"{key}: want {want[key]!r}, got {got.get(key)!r}"
    return None


def compare(tap, name, messages, expected):
    """EXPECTED: for each message its told spans, or None when refused."""
    got, refused = decode(messages)
    at = n_spans = 0
    wrong = []
    for i, want in enumerate(expected):
        if want is None or i in refused:
            if want is not None:
                wrong.append((i, f"refused: {refused[i]}"))
            elif i not in refused:
                wrong.append((i, "taken"))
            continue
        for w in want:
            d = difference(w, got[at]) if at < len(got) else "missing"
            at += 1
            n_spans += 1
            if d:
                wrong.append((i, d))
    if at != len(got):
        wrong.append(("end", f"{len(got)} spans, want {at}"))
    tap.ok(not wrong, f"{name}: {len(messages)} messages, {n_spans} spans, "
           "every field", *wrong[:5])


def captured(tap, path):
    """A pcap file through span-capture, against our own reading of it."""
    expected = [s for d in streams.datagrams(path) for s in
                reference.spans(*reference.read(d[4], d[4][:1] == b"\x82"))]
    lines = subprocess.run(
        ["bash", "-c",
         'span-capture -f udp -r "$1" | span-decode | spans-jsonl',
         "-", path], check=True, stdout=subprocess.PIPE).stdout.splitlines()
    got = [reference.told(line) for line in lines]
    wrong = [d for w, g in zip(expected, got) if (d := difference(w, g))]
    tap.ok(len(got) == len(expected) and not wrong,
           f"{os.path.basename(path)} by span-capture -r: {len(got)} spans, "
           "every field", *wrong[:5])


def recorded(tap, files):
    for path in files:
        if path.endswith(".pcap"):
            messages = [d[4] for d in streams.datagrams(path)]
        else:
            messages = list(streams.payloads(path))
        expected = []
        for m in messages:
            try:
                expected.append(reference.spans(
                    *reference.read(m, m[:1] == b"\x82")))
            except reference.Refused:
                expected.append(None)
        compare(tap, os.path.basename(path), messages, expected)
        if path.endswith(".pcap"):
            captured(tap, path)


def generated(tap, n, seed):
    print(f"# seed {seed}")
    gen = generate.Generator(random.Random(seed))
    for form in generate.FORMS:
        messages, expected = [], []
        for _ in range(max(1, n // len(generate.FORMS))):
            data, kind, value = gen.message(form)
            messages.append(data)
            expected.append(reference.spans(kind, value))
        compare(tap, str(form), messages, expected)


def mutated(tap, n, seed):
    print(f"# seed {seed}")
    rng = random.Random(seed)
    gen = generate.Generator(rng)
    messages, outcomes, why = [], [], {}
    for i in range(n):
        form = generate.FORMS[i % len(generate.FORMS)]
        data, kind, _ = gen.message(form, small=True)
        data = generate.damage(rng, data, form)
        messages.append(data)
        try:
            outcomes.append(reference.spans(*reference.read(
                data, form.compact, None if form.head else kind)))
        except reference.Refused as e:
            outcomes.append(None)
            why[i] = str(e)
    got, refused = decode(messages)
    at, counts, wrong = 0, Counter(), []
    for i, want in enumerate(outcomes):
        if i in refused and want is None:
            counts["both refuse"] += 1
        elif i in refused and refused[i] in STRICTER:
            counts["only we refuse: " + refused[i]] += 1
        elif i in refused:
            wrong.append((i, "refused", refused[i], messages[i].hex()))
        elif want is None:
            at += len(decode([messages[i]])[0])
            if why[i].startswith(LOOSER):
                counts["only we take: " + why[i]] += 1
            else:
                wrong.append((i, "taken", why[i], messages[i].hex()))
        else:
            counts["both take"] += 1
            for w in want:
                d = difference(w, got[at])
                at += 1
                if d:
                    wrong.append((i, d, messages[i].hex()))
    for what, count in sorted(counts.items()):
        print(f"# {count} {what}")
    tap.ok(not wrong and at == len(got),
           f"mutated: {n} messages are taken or refused alike",
           f"{len(wrong)} are not", *wrong[:5])


def main():
    mode, arguments = sys.argv[1], sys.argv[2:]
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        generate.compile_idl(directory)
        if mode == "recorded":
            recorded(tap, arguments)
        else:
            seed = int(arguments[1]) if len(arguments) > 1 else 1
            {"random": generated, "mutated": mutated}[mode](
                tap, int(arguments[0]), seed)
    tap.end()


if __name__ == "__main__":
    main()
