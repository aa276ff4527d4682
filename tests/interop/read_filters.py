#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Read the filters of logs as span-store(5) describes them.

usage: read_filters.py STORE

Each filter has what its frame has, by Debian's xxhash and msgpack for Python,
and hardly anything else. Prints a line a log.
"""
import os
import struct
import sys

import msgpack
import xxhash

import read_store

M64 = 2**64 - 1
FACTORS = (0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f,
           0x165667b1, 0xd3a2646d, 0xfd7046c5, 0xb55a4f09)


def h(data):
    return xxhash.xxh3_64_intdigest(data)


def is_in(blocks, value):
    block = (value >> 32) * (len(blocks) // 8) >> 32
    return all(blocks[8 * block + i] >> ((value * f & 0xFFFFFFFF) >> 27) & 1
               for i, f in enumerate(FACTORS))


def of_attrs(strings, attrs):
    for key, value in zip(attrs[::2], attrs[1::2]):
        k = h(strings[key >> 1])
        if key & 1:
            yield 3 * k + h(strings[value])
            yield 7 * k
        elif isinstance(value, bool):
            yield (11 if value else 13) * k
        elif isinstance(value, int):
            yield 5 * k + h(struct.pack('<q', value))
            yield 9 * k
        else:
            yield (15 if isinstance(value, float) else 17) * k


def of_frame(frame):
    """What is to be in the filter, and the longest duration."""
    fields = msgpack.unpackb(frame, raw=True)
    strings, processes, scopes, body = fields[6:10]
    hashes, longest = set(), 0
    for process in processes:
        hashes.add(19 * h(strings[process[0]]))
        hashes.update(of_attrs(strings, (process[1:2] or [[]])[0]))
    for scope in scopes:
        hashes.update(of_attrs(strings, (scope[2:3] or [[]])[0]))
    spans = msgpack.Unpacker(raw=True)
    spans.feed(body)
    for size in spans:
        span = spans.unpack()
        hashes.add(21 * h(strings[span[5]]))
        duration = span[7] if span[7] >= 0 else -1000 * span[7]
        longest = max(longest, duration)
        hashes.update(of_attrs(strings, (span[10:11] or [[]])[0]))
        for event in (span[11:12] or [[]])[0]:
            hashes.update(of_attrs(strings, (event[1:2] or [[]])[0]))
        for ref in (span[12:13] or [[]])[0]:
            hashes.update(of_attrs(strings, (ref[3:4] or [[]])[0]))
    return {v & M64 for v in hashes}, longest


def main():
    store = sys.argv[1]
    uuid = read_store.read_format(os.path.join(store, 'FORMAT'))
    for name in sorted(os.listdir(store)):
        if not name.endswith(('.log', '.open')):
            continue
        frames, filters = read_store.read_log(os.path.join(store, name), uuid)
        asked = chance = 0
        for i, words in filters.items():
            hashes, longest = of_frame(frames[i])
            assert len(words) % 8 == 1
            assert words[0] == min(longest >> 16, 2**32 - 1)
            assert all(is_in(words[1:], v) for v in hashes)
            for k in range(200):
                asked += 1
                chance += is_in(words[1:], h(b'%d %d' % (i, k)))
        assert chance * 25 <= asked
        print('%s: %d frames, %d with a filter' % (
            name, len(frames), len(filters)))


if __name__ == '__main__':
    main()
