#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compare span-decode with python3-protobuf on OTLP; prints TAP.

  compare_otlp.py random N [SEED]    N generated messages, in both forms, and
                                     what leaves as OTLP again
  compare_otlp.py mutated N [SEED]   N damaged ones: taken or refused alike

span-decode, spans-jsonl and spans-otlp are found in PATH.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
import warnings

import otlp_json
import otlp_messages as otlp

BATCH = 500


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, *details):
        self.n += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.n} - {name}")
        if not good:
            for d in details:
                print("#", str(d)[:600])
        sys.stdout.flush()

    def end(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.failed else 0)


def run(commands, stdin=None):
    """Standard output of a pipeline, and standard error of its first."""
    with tempfile.TemporaryFile() as err:
        first = subprocess.Popen(commands[0], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=err)
        out = subprocess.run(commands[1], stdin=first.stdout,
                             stdout=subprocess.PIPE, check=True).stdout
        first.stdout.close()
        if first.wait():
            raise SystemExit(f"{commands[0][0]} ended with {first.returncode}")
        err.seek(0)
        return out, err.read().decode()


def decode(form, messages):
    """(told spans in order, {number of message: reason it was refused})."""
    told, refused = [], {}
    with tempfile.TemporaryDirectory() as d:
        for at in range(0, len(messages), BATCH):
            names = []
            for i, data in enumerate(messages[at:at + BATCH], at):
                names.append(os.path.join(d, str(i)))
                with open(names[-1], "wb") as f:
                    f.write(data)
            lines, said = run([
                ["span-decode", "-v", "--from", "otlp-" + form, *names],
                ["spans-jsonl"]])
            told += [otlp.line_told(s) for s in lines.splitlines()]
            for i, why in re.findall(r"/(\d+): (.*) at byte \d+$", said,
                                     re.M):
                if not why.startswith("a span is skipped: "):
                    refused[int(i)] = why
    return told, refused


# Why we refuse what the library takes: README.md.
STRICTER = {
    "a number is longer than 64 bits",
    "a field has an impossible number",
}


def difference(want, got):
    for key in want:
        if want[key] != got.get(key):
            return f"{key}: want {want[key]!r}, got {got.get(key)!r}"
    return None


def compare(tap, name, form, messages, expected):
    """EXPECTED: for each message its told spans, or None when refused."""
    got, refused = decode(form, messages)
    at = n_spans = n_refused = 0
    wrong = []
    for i, want in enumerate(expected):
        if want is None or i in refused:
            n_refused += 1
            if want is not None and refused[i] not in STRICTER:
                wrong.append((i, f"refused: {refused[i]}", messages[i].hex()))
            elif want is None and i not in refused:
                wrong.append((i, "taken", messages[i].hex()))
            continue
        for w in want:
            d = difference(w, got[at]) if at < len(got) else "missing"
            at += 1
            n_spans += 1
            if d:
                wrong.append((i, d))
    if at != len(got):
        wrong.append(("end", f"{len(got)} spans, want {at}"))
    tap.ok(not wrong, f"{name}: {len(messages)} messages, {n_refused} "
           f"refused, {n_spans} spans, every field", *wrong[:5])


def leave(form, data, source):
    """A message in FORM of SOURCE's spans, as an object of protobuf."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        out, _ = run([["span-decode", "-q", "--from", "otlp-" + source,
                       f.name], ["spans-otlp", "otlp-" + form]])
    m = otlp.pb.TracesData()
    if form == "json":
        otlp_json.read(otlp_json.loads(out), m)
    else:
        m.ParseFromString(out)
    return m


def without_marks(spans):
    """Spans as they are the second time, when names have been filled in."""
    for s in spans:
        s["marks"] = s["marks"] & {"clamped"}
    return spans


def compare_leaving(tap, form, messages):
    wrong, n = [], 0
    for m in messages:
        data = m.SerializeToString()
        want = without_marks(otlp.told(m))
        got = without_marks(otlp.told(leave(form, data, "proto")))
        n += len(want)
        if want != got:
            wrong.append(next((difference(w, g) for w, g in zip(want, got)
                               if difference(w, g)),
                              f"{len(got)} spans, want {len(want)}"))
    tap.ok(not wrong, f"encode {form}: {len(messages)} messages, {n} spans, "
           "every field", *wrong[:5])


def random_messages(tap, n, rnd):
    messages = [otlp.some_message(rnd) for _ in range(n)]
    expected = [otlp.told(m) for m in messages]
    compare(tap, "decode proto", "proto",
            [m.SerializeToString() for m in messages], expected)
    compare(tap, "decode json", "json",
            [otlp_json.write(m, rnd) for m in messages], expected)
    few = messages[:max(n // 20, 20)]
    compare_leaving(tap, "proto", few)
    compare_leaving(tap, "json", few)


def damage(rnd, data):
    data = bytearray(data)
    for _ in range(rnd.choice((1, 1, 1, 2, 4))):
        at = rnd.randrange(len(data) + 1)
        kind = rnd.randrange(4)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            data[at:at] = rnd.randbytes(rnd.choice((1, 1, 2, 10)))
        elif kind == 2 and at < len(data):
            data[at] ^= 1 << rnd.randrange(8)
        elif at < len(data):
            data[at] = rnd.choice((0, 1, 0x7f, 0x80, 0xff))
    return bytes(data)


def parsed(data):
    """What the library makes of DATA, None when it refuses it.

    At the end of a group that never began it stops, and only warns. The
    warning must not be made an exception: the library returns as if nothing
    had happened, and the exception comes up, or is lost, somewhere later.
    """
    m = otlp.pb.TracesData()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            m.ParseFromString(data)
        except Exception:  # of the library: whatever it has
            return None
    return None if warned else m


def mutated_messages(tap, n, rnd):
    messages, expected = [], []
    while len(messages) < n:
        data = damage(rnd, otlp.some_message(rnd).SerializeToString())
        if data[:1] == b"\x1f":
            continue  # to span-decode a file that begins so is gzip's
        m = parsed(data)
        expected.append(m and otlp.told(m))
        messages.append(data)
    compare(tap, "damaged", "proto", messages, expected)


def main():
    what, n = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    tap = Tap()
    print(f"# seed {seed}")
    with tempfile.TemporaryDirectory() as d:
        otlp.compile_proto(d)
        rnd = random.Random(seed)
        if what == "random":
            random_messages(tap, n, rnd)
        else:
            mutated_messages(tap, n, rnd)
    tap.end()


if __name__ == "__main__":
    main()
