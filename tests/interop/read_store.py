#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Read a store as span-store(5) describes it, with nothing of spantools.

usage: read_store.py STORE >FRAMES

Checks every checksum but the hash of a file, writes the frames in order of
arrival to standard output, and prints a line a file to standard error.
"""
import os
import struct
import sys

TABLE = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
    TABLE.append(n)


def crc32c(*parts):
    crc = 0xFFFFFFFF
    for part in parts:
        for byte in part:
            crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def up(n):
    return (n + 7) // 8 * 8


def read_format(path):
    text = open(path, 'rb').read()
    body, last = text[:text.rindex(b'crc32c')], text.split()[-1]
    assert int(last, 16) == crc32c(body)
    values = dict(line.split() for line in body.decode().splitlines())
    assert values['span-store'] == '1' and values['incompat'] == '0'
    return bytes.fromhex(values['uuid'].replace('-', ''))


def read_log(path, uuid):
    data = open(path, 'rb').read()
    magic, major, length = struct.unpack_from('<8sHxxI', data)
    assert magic == b'\x89SPANLOG' and major == 1
    assert struct.unpack_from('<I', data, length - 4)[0] == \
        crc32c(data[:length - 4])
    assert struct.unpack_from('<Q', data, 32)[0] == 0
    assert data[40:56] == uuid
    number, first_seq = struct.unpack_from('<QQ', data, 56)
    assert os.path.basename(path).startswith('%08d.' % number)

    def seed(at):
        return uuid + struct.pack('<QQ', number, at)

    closed = path.endswith('.log')
    end = len(data)
    if closed:
        at = end - 128
        trailer = data[at:]
        assert trailer[:8] == b'\x89SPANEND'
        assert struct.unpack_from('<I', trailer, 124)[0] == \
            crc32c(seed(at), trailer[:124])
        (end, n_frames, n_spans, first, last, min_start, max_end, min_arrival,
         max_arrival) = struct.unpack_from('<9Q', trailer, 8)
    frames, spans, seqs, bounds, entries, lists = [], 0, [], [], [], []
    filters = []
    at = length
    while at + 56 <= end:
        (mark, check, size, kind, _, seq, arrival, start, finish, count,
         whole) = struct.unpack_from('<4sIIHHQQQQII', data, at)
        if mark != b'SREC' or check != crc32c(seed(at), data[at + 8:at + 56]):
            break
        if at + up(56 + size) > end or whole != crc32c(
                seed(at), data[at + 8:at + 52], data[at + 56:at + up(56 + size)]):
            break
        if kind in (2, 3):
            (lists if kind == 2 else filters).append(
                data[at + 56:at + 56 + size])
            at += up(56 + size)
            continue
        assert kind == 1
        frames.append(data[at + 56:at + 56 + size])
        seqs.append(seq)
        bounds.append((start, finish, arrival))
        entries.append(struct.pack('<IIQQ', at // 8, count, start, finish))
        spans += count
        at += up(56 + size)
    assert seqs == list(range(first_seq, first_seq + len(seqs)))
    if closed:
        assert at == end
        assert (n_frames, n_spans) == (len(frames), spans)
        assert (first, last) == (seqs[0], seqs[-1])
        assert min_start == min(b[0] for b in bounds)
        assert max_end == max(b[1] for b in bounds)
        assert (min_arrival, max_arrival) == (
            min(b[2] for b in bounds), max(b[2] for b in bounds))
        sections = {}
        while at < len(data) - 128:
            mark, check, kind, size = struct.unpack_from('<4sIII', data, at)
            assert mark == b'SSEC' and kind not in sections
            assert check == crc32c(seed(at), data[at + 8:at + up(16 + size)])
            sections[kind] = data[at + 16:at + 16 + size]
            at += up(16 + size)
        assert at == len(data) - 128
        assert sections[1] == b''.join(entries)
        whole = sections.get(2, b'')
        assert whole.startswith(b''.join(lists))
        read_lists(whole, entries)
        at = end
    print('%s: %d frames, %d spans, %d bytes behind them' % (
        os.path.basename(path), len(frames), spans, end - at), file=sys.stderr)
    return frames, read_lists(b''.join(filters), entries)


def read_lists(whole, entries):
    """The words of each frame, by its number: a list names a frame at most
    once, and in order."""
    places = [struct.unpack_from('<I', e)[0] for e in entries]
    words, at, before = {}, 0, -1
    while at < len(whole):
        place, count = struct.unpack_from('<II', whole, at)
        assert place > before and count > 0
        words[places.index(place)] = struct.unpack_from(
            '<%dI' % count, whole, at + 8)
        at, before = at + 8 + 4 * count, place
    assert at == len(whole)
    return words


def main():
    store = sys.argv[1]
    uuid = read_format(os.path.join(store, 'FORMAT'))
    for name in sorted(os.listdir(store)):
        if name.endswith(('.log', '.open')):
            frames, _ = read_log(os.path.join(store, name), uuid)
            for frame in frames:
                sys.stdout.buffer.write(frame)


if __name__ == '__main__':
    main()
