#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Read a segment as span-store(5) describes it, with nothing of spantools.

usage: read_segment.py SEGMENT >JSONL
       read_segment.py SEGMENT JSONL

Checks every checksum but the hash of the file, and that the directory leads to
every trace; writes the spans to standard output as span-query -o jsonl does,
or compares them with the spans that it wrote.
"""
import base64
import codecs
import datetime
import json
import math
import struct
import sys
import zlib

M64 = (1 << 64) - 1
PAGE = 4096
NONE = (1 << 32) - 1

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


def signed(n):
    return n - (1 << 64) if n >> 63 else n


class Bytes:
    """A cursor."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data)
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), 'little')

    def varint(self):
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def folded(self):
        n = self.varint()
        return n >> 1 ^ (M64 if n & 1 else 0)

    def rest(self):
        return self.data[self.at:]


def array(b, n, width):
    bits = b.number((n * width + 7) // 8)
    mask = (1 << width) - 1
    # in pieces: shifting one long number again and again takes too long
    out = []
    step = 512
    for first in range(0, n, step):
        count = min(step, n - first)
        piece = bits >> first * width & (1 << count * width) - 1
        out += [piece >> i * width & mask for i in range(count)]
    return out


def frame(codes, width, base, exceptions):
    """Codes to quotients; exceptions: place to quotient."""
    mark = (1 << width) - 1
    out = []
    for place, code in enumerate(codes):
        if exceptions and code == mark and \
                (width == 0 or place in exceptions):
            out.append(exceptions.get(place, base))
        else:
            assert not exceptions or code != mark
            out.append(base + code)
    return out


def column(b, n, doubles=False):
    if n == 0:
        return []
    head = b.number(1)
    form, decimals = head & 3, head >> 3 & 7
    base = b.folded()
    if form == 0:
        values = [base] * n
    else:
        top = b.varint()
        scale = b.varint() if head & 4 else 1
        n_exceptions = b.varint() if head & 64 else 0
        raised = b.varint() if head & 128 else 0
        assert form == 1 or not raised
        bits = top.bit_length()
        if form == 1:
            width = b.number(1)
            codes = array(b, n, width)
            places = array(b, n_exceptions, (n - 1).bit_length())
            quotients = frame(codes, width, raised,
                              dict(zip(places, array(b, n_exceptions, bits))))
        elif form == 3:
            width, n_long = b.number(1), b.varint()
            assert width < bits and not n_exceptions
            before = array(b, (n - 1) // 512, n_long.bit_length())
            longs = array(b, n, 1)
            quotients = array(b, n, width)
            others = iter(array(b, n_long, bits - width))
            for i, is_long in enumerate(longs):
                if is_long:
                    quotients[i] |= next(others) << width
            assert before == [sum(longs[:i * 512])
                              for i in range(1, len(before) + 1)]
            assert sum(longs) == n_long
        else:
            groups = (n + 511) // 512
            units, last = b.varint(), b.number(1)
            bases = array(b, groups, bits)
            begins = array(b, groups, units.bit_length()) + [units]
            firsts = array(b, groups, n_exceptions.bit_length()) + \
                [n_exceptions]
            codes = []
            for g in range(groups):
                width = begins[g + 1] - begins[g]
                codes.append(array(b, min(512, n - g * 512), width))
            assert last == width
            places = array(b, n_exceptions, 9)
            others = array(b, n_exceptions, bits)
            quotients = []
            for g in range(groups):
                mine = slice(firsts[g], firsts[g + 1])
                quotients += frame(codes[g], begins[g + 1] - begins[g],
                                   bases[g],
                                   dict(zip(places[mine], others[mine])))
        assert len(quotients) == n and max(quotients) == top
        values = [base + scale * q & M64 for q in quotients]
    if not doubles:
        assert decimals == 0
        return values
    if decimals:
        return [signed(v) / 10.0 ** (decimals - 1) for v in values]
    return [struct.unpack('<d', struct.pack('<Q', v))[0] for v in values]


def unzstd(data, length):
    import zstandard
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=length)


def chunks(data):
    if not data:
        return b''
    b = Bytes(data)
    length, n, codecs = b.number(8), b.number(4), b.number(4)
    index = [(b.number(7), b.number(1)) for _ in range(n)]
    body, out, begin = b.rest(), [], 0
    for i, (end, codec) in enumerate(index):
        piece = body[begin:end]
        size = min(65536, length - i * 65536)
        assert codecs >> codec & 1
        if codec == 1:
            piece = zlib.decompress(piece)
        elif codec == 2:
            piece = unzstd(piece, size)
        assert len(piece) == size
        out.append(piece)
        begin = end
    assert begin == len(body)
    return b''.join(out)


def strings(data):
    b = Bytes(chunks(data))
    if not b.data:
        return []
    n, total = b.number(4), b.number(4)
    out, last = [], b''
    for _ in range(n):
        same, more = b.varint(), b.varint()
        last = last[:same] + b.take(more)
        out.append(last)
    assert not b.rest() and sum(map(len, out)) == total
    assert out == sorted(set(out))
    return out


def check_short(data, strings, whole):
    b, whole = Bytes(chunks(data)), Bytes(chunks(whole))
    assert b.number(4) == len(strings)
    short, number = {}, 0
    for _ in range(b.number(4)):
        number += b.varint()
        short[number] = b.take(b.varint())
    number = pos = 0
    while b.rest():
        number += b.varint()
        pos += b.varint()
        assert whole.data[pos] == 0
        at = Bytes(whole.data[pos + 1:])
        assert at.take(at.varint()) == strings[number]
    assert short == {i: s for i, s in enumerate(strings) if len(s) <= 256}


class Pack(Bytes):
    """msgpack"""

    def big(self, n):
        return int.from_bytes(self.take(n), 'big')

    def value(self):
        """(type, value), as span-store(5) numbers types."""
        h = self.number(1)
        if h < 0x80:
            return 3, h
        if h >= 0xe0:
            return 3, h - 256
        if h < 0x90 or h in (0xde, 0xdf):
            n = h & 15 if h < 0x90 else self.big(2 if h == 0xde else 4)
            return 7, [(self.text(), self.value()) for _ in range(n)]
        if h < 0xa0 or h in (0xdc, 0xdd):
            n = h & 15 if h < 0xa0 else self.big(2 if h == 0xdc else 4)
            return 6, [self.value() for _ in range(n)]
        if h < 0xc0:
            return 1, self.take(h & 31)
        if h == 0xc0:
            return 0, None
        if h in (0xc2, 0xc3):
            return 2, h == 0xc3
        if h in (0xc4, 0xc5, 0xc6):
            return 5, self.take(self.big(1 << h - 0xc4))
        if h == 0xca:
            return 4, struct.unpack('>f', self.take(4))[0]
        if h == 0xcb:
            return 4, struct.unpack('>d', self.take(8))[0]
        if 0xcc <= h <= 0xcf:
            return 3, self.big(1 << h - 0xcc)
        if 0xd0 <= h <= 0xd3:
            size = 1 << h - 0xd0
            return 3, int.from_bytes(self.take(size), 'big', signed=True)
        assert 0xd9 <= h <= 0xdb
        return 1, self.take(self.big(1 << h - 0xd9))

    def integer(self):
        kind, value = self.value()
        assert kind == 3
        return value

    def text(self):
        kind, value = self.value()
        assert kind == 1
        return value


def unpack(data):
    p = Pack(data)
    value = p.value()
    assert not p.rest()
    return value


def items(value, n):
    """The elements of an array, those left out as None."""
    assert value[0] == 6
    return (value[1] + [(0, None)] * n)[:n]


def attributes(value):
    v = value[1] or []
    return [(v[i][1], v[i + 1]) for i in range(0, len(v), 2)]


def unpack_refs(value):
    out = []
    for ref in value[1] or []:
        kind, trace, span, attrs, state, flags, dropped = items(ref, 7)
        out.append({'type': kind[1], 'trace': trace[1], 'span': span[1],
                    'attrs': attributes(attrs), 'state': state[1] or b'',
                    'flags': flags[1] or 0, 'dropped': dropped[1] or 0})
    return out


def unpack_events(value, start):
    out = []
    for event in value[1] or []:
        time, attrs, name, dropped = items(event, 4)
        out.append({'time': start + time[1] & M64, 'attrs': attributes(attrs),
                    'name': name[1] or b'', 'dropped': dropped[1] or 0})
    return out


class Segment:
    def __init__(self, data):
        self.data = data
        self.read_head()
        self.strings = strings(self.section(1))
        if self.section(29):
            check_short(self.section(29), self.strings, self.section(1))
        self.heap = chunks(self.section(26))
        self.read_processes()
        self.read_types()
        self.read_shapes()
        self.read_traces()

    def read_head(self):
        d = self.data
        magic, major, length = struct.unpack_from('<8sHxxI', d)
        assert magic == b'\x89SPANSEG' and major == 1
        assert struct.unpack_from('<I', d, length - 4)[0] == \
            crc32c(d[:length - 4])
        assert struct.unpack_from('<Q', d, 32)[0] == 0
        uuid, number = d[40:56], struct.unpack_from('<Q', d, 56)[0]
        self.n_spans, = struct.unpack_from('<Q', d, 80)
        (self.n_traces, self.n_blocks, self.n_types, self.n_shapes,
         self.seed) = struct.unpack_from('<5Q', d, 184)
        at, size, end = struct.unpack_from('<3Q', d, 240)
        assert at == 0 and size == len(d)
        self.flags, table, n = struct.unpack_from('<3I', d, 264)
        self.sections = {}
        for i in range(n):
            kind, pos, n_bytes = struct.unpack_from('<IxxxxQQ', d,
                                                    table + 24 * i)
            assert pos % 8 == 0 and pos + n_bytes <= end
            self.sections[kind] = d[pos:pos + n_bytes]

        def seed(at):
            return uuid + struct.pack('<QQ', number, at)

        pages = (end + PAGE - 1) // PAGE
        for i in range(pages):
            page = d[i * PAGE:min(end, (i + 1) * PAGE)]
            assert struct.unpack_from('<I', d, end + 4 * i)[0] == \
                crc32c(seed(i * PAGE), page)
        at = len(d) - 64
        magic, copy, data_end = struct.unpack_from('<8sQQ', d, at)
        assert magic == b'\x89SPANEOS' and data_end == end
        assert struct.unpack_from('<I', d, at + 60)[0] == \
            crc32c(seed(at), d[at:at + 60])
        assert struct.unpack_from('<I', d, at + 40)[0] == crc32c(d[end:copy])
        head, other = d[:length], d[copy:at]
        assert head[16:240] == other[16:240]

    def section(self, kind):
        return self.sections.get(kind, b'')

    def numbers(self, kind, n):
        b = Bytes(self.section(kind))
        values = column(b, n)
        assert not b.rest()
        return values

    def counted(self, kind):
        b = Bytes(self.section(kind))
        if not b.data:
            return []
        values = column(b, b.number(8))
        assert not b.rest()
        return values

    def pieces(self, data, ends):
        assert not ends or ends[-1] == len(data)
        return [data[a:b] for a, b in zip([0] + ends, ends)]

    def read_processes(self):
        packed = self.pieces(chunks(self.section(2)), self.counted(3))
        services = self.numbers(4, len(packed))
        self.processes = []
        for piece, service in zip(packed, services):
            attrs, url, dropped = items(unpack(piece), 3)
            self.processes.append({
                'service': self.strings[service], 'attrs': attributes(attrs),
                'url': url[1] or b'', 'dropped': dropped[1] or 0})
        self.scopes = []
        for piece in self.pieces(chunks(self.section(5)), self.counted(6)):
            name, version, attrs, url, dropped = items(unpack(piece), 5)
            self.scopes.append({
                'name': name[1], 'version': version[1],
                'attrs': attributes(attrs), 'url': url[1] or b'',
                'dropped': dropped[1] or 0})

    def values(self, kind, body, n):
        """A column of values of a type, as (type, value)."""
        if kind == 0:
            return [(0, None)] * n
        if kind in (2, 3):
            values = column(Bytes(body), n)
            return [(kind, bool(v) if kind == 2 else signed(v))
                    for v in values]
        if kind == 4:
            return [(4, v) for v in column(Bytes(body), n, True)]
        values = self.texts(body, n)
        if kind in (6, 7):
            return [unpack(v) for v in values]
        return [(kind, v) for v in values]

    def texts(self, body, n):
        b = Bytes(body)
        if n == 0:
            return []
        way = b.number(1)
        if way == 0:
            out = [self.strings[b.varint()]] * n
        elif way == 1:
            strings = self.text_list(b)
            out = [strings[code] for code in column(b, n)]
        elif way == 2:
            out = self.templates(b, n)
        else:
            assert way == 3
            out = self.heap_texts(b, n)
        assert not b.rest()
        return out

    def text_list(self, b):
        return [self.strings[i] for i in column(b, b.varint())]

    def templates(self, b, n):
        strings = self.text_list(b)
        count, slots = b.number(1) + 1, b.number(1)
        ends = column(b, count)
        bodies = self.pieces(b.take(ends[-1]), ends)
        codes = column(b, n) if count > 1 else [0] * n
        columns = [column(b, n) for _ in range(slots)]
        return [render(bodies[code], [c[i] for c in columns], strings)
                for i, code in enumerate(codes)]

    def heap_texts(self, b, n):
        at = first = b.varint()
        lengths = column(b, n)
        starts = column(b, (n - 1) // 512)
        blocks = b.varint()
        words = [b.number(4) for _ in range(8 * blocks)]
        out = []
        for i, length in enumerate(lengths):
            assert i == 0 or i % 512 or starts[i // 512 - 1] == at - first
            out.append(self.heap[at:at + length])
            at += length
        if blocks:
            assert all(in_filter(words, t) for t in out if len(t) == 16)
        return out

    def read_type(self, body):
        p = Pack(body)
        bits, t = p.integer(), {}
        t['bits'] = bits
        for key in ('kind', 'status', 'n'):
            t[key] = p.integer()
        if bits & 32:
            p.integer()
        events, tags = [], []
        t['refs'] = 0
        if not bits & 1:
            for key in ('refs', 'ref_type', 'marks', 'flags', 'service',
                        'name', 'scope', 'dropped', 'dropped_events',
                        'dropped_refs', 'n_tags', 'n_events'):
                t[key] = p.integer()
            events = [[p.integer() for _ in range(3)]
                      for _ in range(t['n_events'])]
            tags = [(p.integer(), self.strings[p.integer()])
                    for _ in range(t['n_tags'] + sum(e[2] for e in events))]
            t['tags'], t['events'] = tags[:t['n_tags']], []
            tags = tags[t['n_tags']:]
            for name, dropped, n in events:
                t['events'].append({'name': self.strings[name],
                                    'dropped': dropped, 'tags': tags[:n]})
                tags = tags[n:]
        at = p.integer()

        def slot():
            nonlocal at
            length = p.integer()
            at += length
            return self.section(25)[at - length:at]

        n = t['n']
        t['start'] = column(Bytes(slot()), n)
        t['duration'] = column(Bytes(slot()), n)
        if not bits & 4:
            t['process'] = column(Bytes(slot()), n)
        for bit, key in ((8, 'message'), (16, 'state')):
            if bits & bit:
                t[key] = self.texts(slot(), n)
        if not bits & 1:
            t['tag_values'] = [self.values(kind, slot(), n)
                               for kind, _ in t['tags']]
            for event in t['events']:
                event['time'] = column(Bytes(slot()), n)
                event['values'] = [self.values(kind, slot(), n)
                                   for kind, _ in event['tags']]
        if t['refs'] == 2:
            t['ref_values'] = self.texts(slot(), n)
        if bits & 1:
            t['names'] = self.texts(slot(), n)
            t['rests'] = self.texts(slot(), n)
        assert not p.rest()
        return t

    def read_types(self):
        b = Bytes(self.section(7))
        ends = column(b, self.n_types)
        self.types = [self.read_type(body)
                      for body in self.pieces(b.rest(), ends)]

    def read_shapes(self):
        b = Bytes(self.section(8))
        if not b.data:
            return
        n = column(b, 1)[0]
        symbols = list(zip(column(b, n), column(b, n)))
        ends = column(b, self.n_shapes)
        self.shapes = []
        for piece in self.pieces(chunks(b.rest()), ends):
            p, nodes, child = Bytes(piece), [], 0
            while p.rest():
                kind, link = symbols[p.varint()]
                if link > 1:
                    link = child - (link - 2)
                    assert link > 1
                child = link + 1 if link > 1 else 2
                nodes.append((kind, link))
            self.shapes.append(nodes)

    def read_traces(self):
        n = self.n_traces
        self.trace_ids = [h.to_bytes(8, 'big') + l.to_bytes(8, 'big')
                          for h, l in zip(self.numbers(9, n),
                                          self.numbers(10, n))]
        self.starts, self.ends = self.numbers(11, n), self.numbers(12, n)
        self.trace_shapes = self.numbers(13, n)
        self.span_ids = self.numbers(14, self.n_spans)
        self.explicit = {(t, i): parent for t, i, parent in
                         zip(self.counted(15), self.counted(16),
                             self.counted(17))}
        self.check_directory()

    def check_directory(self):
        buckets = self.counted(23)
        traces = self.numbers(24, self.n_traces)
        bits = len(buckets).bit_length() - 1
        assert not buckets or len(buckets) == 1 << bits
        for trace, trace_id in enumerate(self.trace_ids):
            i = xxh3(trace_id, self.seed) >> 64 - bits
            begin = buckets[i - 1] if i else 0
            assert trace in traces[begin:buckets[i]]

    def check_blocks(self, places):
        """PLACES: for each trace its first span and the ranks there."""
        n = self.n_blocks
        traces, spans = self.numbers(18, n), self.numbers(19, n)
        mins, maxs = self.numbers(20, n), self.numbers(21, n)
        b = Bytes(self.section(22))
        ends = column(b, self.n_types)
        ranks = [column(Bytes(piece), n)
                 for piece in self.pieces(b.rest(), ends)]
        for i in range(n):
            first, counts = places[traces[i]]
            assert first == spans[i]
            assert counts == [r[i] for r in ranks]
            after = traces[i + 1] if i + 1 < n else self.n_traces
            starts = [s for t in range(traces[i], after)
                      for s in self.span_starts[t]]
            assert (mins[i], maxs[i]) == (min(starts), max(starts))

    def spans(self):
        ranks, first, places = [0] * self.n_types, 0, []
        self.span_starts = []
        for trace, shape in enumerate(self.trace_shapes):
            places.append((first, ranks[:]))
            out = []
            for span in self.trace(trace, self.shapes[shape], first, ranks):
                out.append(span)
                yield span
            ids = self.span_ids[first:first + len(out)]
            assert not self.flags & 2 or len(set(ids)) == len(ids)
            first += len(out)
            self.span_starts.append([s['start'] for s in out])
            assert self.starts[trace] == min(self.span_starts[-1])
            latest = max(min(s['start'] + s['duration'], M64) for s in out)
            assert self.ends[trace] == latest - self.starts[trace]
        assert first == self.n_spans
        if places:
            self.check_blocks(places)

    def trace(self, trace, nodes, first, ranks):
        depths = []
        for i, (kind, link) in enumerate(nodes):
            t, rank = self.types[kind], ranks[kind]
            ranks[kind] += 1
            depth = link - 1 if link > 1 else 0
            parent = depths[depth - 1] if depth else None
            s = self.span(t, rank, parent, trace)
            s['id'] = self.span_ids[first + i]
            if parent:
                s['parent'] = parent['id']
            else:
                s['parent'] = self.explicit[trace, i] if link == 1 else 0
            if t['refs'] == 1:
                s['refs'] = [{'type': t['ref_type'], 'trace': s['trace'],
                              'span': s['parent'], 'attrs': [], 'state': b'',
                              'flags': 0, 'dropped': 0}]
            depths[depth:] = [s]
            yield s

    def span(self, t, rank, parent, trace):
        start = parent['start'] if parent else self.starts[trace]
        start = start + t['start'][rank] & M64
        s = {'trace': self.trace_ids[trace], 'start': start,
             'duration': t['duration'][rank], 'kind': t['kind'],
             'status': t['status'], 'refs': [],
             'message': t['message'][rank] if 'message' in t else b'',
             'state': t['state'][rank] if 'state' in t else b''}
        if t['bits'] & 64 and parent:
            more = signed(parent['duration'] - s['duration'] & M64)
            more = more // 2000 if more >= 0 else -(-more // 2000)
            s['start'] = start = start + more * 1000 & M64
        if t['bits'] & 4:
            s['process'] = parent['process']
        else:
            s['process'] = self.processes[t['process'][rank]]
        if t['bits'] & 1:
            self.loose(s, t['names'][rank], unpack(t['rests'][rank]))
            return s
        s['name'] = self.strings[t['name']]
        for key in ('marks', 'flags', 'dropped', 'dropped_events',
                    'dropped_refs'):
            s[key] = t[key]
        s['scope'] = self.scopes[t['scope'] - 1] if t['scope'] else None
        s['attrs'] = [(key, values[rank]) for (_, key), values in
                      zip(t['tags'], t['tag_values'])]
        s['events'] = [{
            'time': start + e['time'][rank] & M64, 'name': e['name'],
            'dropped': e['dropped'],
            'attrs': [(key, values[rank]) for (_, key), values in
                      zip(e['tags'], e['values'])],
        } for e in t['events']]
        if t['refs'] == 2:
            s['refs'] = unpack_refs(unpack(t['ref_values'][rank]))
        return s

    def loose(self, s, name, rest):
        (marks, flags, scope, message, state, attrs, events, refs, dropped,
         dropped_events, dropped_refs) = items(rest, 11)
        s.update({'name': name, 'marks': marks[1], 'flags': flags[1],
                  'message': message[1], 'state': state[1],
                  'scope': self.scopes[scope[1] - 1] if scope[1] else None,
                  'attrs': attributes(attrs),
                  'events': unpack_events(events, s['start']),
                  'refs': unpack_refs(refs), 'dropped': dropped[1],
                  'dropped_events': dropped_events[1],
                  'dropped_refs': dropped_refs[1]})


def render(template, slots, strings):
    b, out = Bytes(template), []
    while b.rest():
        byte = b.number(1)
        if byte < 128:
            out.append(b.take(byte))
            continue
        kind, value = byte >> 3 & 15, slots[byte & 7]
        width = b.number(1) if 1 <= kind <= 3 else 0
        low = slots[b.number(1)] if 3 <= kind <= 4 else 0
        if kind == 0:
            text = '%d' % value
        elif kind == 1:
            text = '%0*d' % (width, value)
        elif kind == 2:
            text = '%0*x' % (width, value)
        elif kind == 3:
            text = '%0*x%016x' % (width - 16, value, low)
        elif kind == 4:
            digits = '%016x%016x' % (value, low)
            text = '-'.join((digits[:8], digits[8:12], digits[12:16],
                             digits[16:20], digits[20:]))
        else:
            assert kind == 5
            out.append(strings[value])
            continue
        assert not width or len(text) == width
        out.append(text.encode())
    return b''.join(out)


FACTORS = (0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f,
           0x165667b1, 0xd3a2646d, 0xfd7046c5, 0xb55a4f09)


def in_filter(words, text):
    h = xxh3(text, 0)
    block = (h >> 32) * (len(words) // 8) >> 32
    return all(words[8 * block + i] >> ((h * f & 0xFFFFFFFF) >> 27) & 1
               for i, f in enumerate(FACTORS))


def xxh3(data, seed):
    """XXH3-64 of 16 bytes."""
    lo = int.from_bytes(data[:8], 'little')
    hi = int.from_bytes(data[8:], 'little')
    lo ^= (0x1f67b3b7a4a44072 ^ 0x78e5c0cc4ee679cb) + seed & M64
    hi ^= (0x2172ffcc7dd05a82 ^ 0x8e2443f7744608b8) - seed & M64
    product = lo * hi
    acc = 16 + int.from_bytes(lo.to_bytes(8, 'little'), 'big') + hi + \
        ((product & M64) ^ product >> 64) & M64
    acc ^= acc >> 37
    acc = acc * 0x165667919E3779F9 & M64
    return acc ^ acc >> 32


KINDS = [None, 'internal', 'server', 'client', 'producer', 'consumer']
REFS = {-1: 'link', 0: 'child_of', 1: 'follows_from'}


codecs.register_error(
    'each', lambda e: ('\ufffd' * (e.end - e.start), e.end))


def text(b):
    return b.decode('utf-8', 'each')


def time_text(ns):
    at = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return at.strftime('%Y-%m-%dT%H:%M:%S') + '.%09dZ' % (ns % 10**9)


def value_json(value):
    kind, v = value
    if kind == 1:
        return text(v)
    if kind == 4 and not math.isfinite(v):
        return {'$double': 'NaN' if v != v else '-Infinity'
                if v < 0 else 'Infinity'}
    if kind == 5:
        return {'$bytes': base64.b64encode(v).decode()}
    if kind == 6:
        return [value_json(x) for x in v]
    if kind == 7:
        keys = [k for k, _ in v]
        if len(set(keys)) < len(keys) or (keys and keys[0][:1] == b'$'):
            return {'$map': [[text(k), value_json(x)] for k, x in v]}
        return {text(k): value_json(x) for k, x in v}
    return v


def put_attrs(out, name, attrs):
    keys = [k for k, _ in attrs]
    out[name] = {}
    for i, (key, value) in enumerate(attrs):
        # different bytes may be the same text: then a JSON reader sees the
        # last one
        if key not in keys[:i]:
            out[name][text(key)] = value_json(value)
    if len(set(keys)) < len(keys):
        out[name + '_list'] = [[text(k), value_json(v)] for k, v in attrs]


def put_if(out, name, value):
    if value:
        out[name] = text(value) if isinstance(value, bytes) else value


def trace_id(b):
    return b[8:].hex() if b[:8] == bytes(8) else b.hex()


def ref_json(r):
    out = {'type': REFS.get(r['type'], r['type']),
           'trace_id': trace_id(r['trace']), 'span_id': '%016x' % r['span']}
    put_if(out, 'flags', r['flags'])
    put_if(out, 'trace_state', r['state'])
    if r['attrs']:
        put_attrs(out, 'tags', r['attrs'])
    put_if(out, 'dropped_tags', r['dropped'])
    return out


def event_json(e):
    out = {'time': time_text(e['time']), 'time_ns': e['time']}
    put_if(out, 'name', e['name'])
    put_attrs(out, 'fields', e['attrs'])
    put_if(out, 'dropped_fields', e['dropped'])
    return out


def span_json(s):
    p, c = s['process'], s['scope']
    out = {
        'trace_id': trace_id(s['trace']), 'span_id': '%016x' % s['id'],
        'parent_id': '%016x' % s['parent'] if s['parent'] else None,
        'service': text(p['service']), 'name': text(s['name']),
        'kind': KINDS[s['kind']] if s['kind'] < 6 else s['kind'],
        'start': time_text(s['start']), 'start_ns': s['start'],
        'duration_ns': s['duration'],
        'status': ['unset', 'ok', 'error'][s['status']]
        if s['status'] < 3 else s['status'],
    }
    put_if(out, 'status_message', s['message'])
    put_if(out, 'flags', s['flags'])
    put_if(out, 'trace_state', s['state'])
    put_attrs(out, 'tags', s['attrs'])
    put_attrs(out, 'process', p['attrs'])
    out['events'] = [event_json(e) for e in s['events']]
    out['refs'] = [ref_json(r) for r in s['refs']]
    if c:
        out['scope'] = {'name': text(c['name'])}
        put_if(out['scope'], 'version', c['version'])
        if c['attrs']:
            put_attrs(out['scope'], 'tags', c['attrs'])
        put_if(out['scope'], 'dropped_tags', c['dropped'])
        put_if(out['scope'], 'schema_url', c['url'])
    put_if(out, 'schema_url', p['url'])
    put_if(out, 'dropped_tags', s['dropped'])
    put_if(out, 'dropped_process', p['dropped'])
    put_if(out, 'dropped_events', s['dropped_events'])
    put_if(out, 'dropped_refs', s['dropped_refs'])
    put_if(out, 'marks', [name for i, name in enumerate(
        ('cut', 'clamped', 'renamed')) if s['marks'] >> i & 1])
    return out


def order(s):
    return json.dumps(s, sort_keys=True)


def compare(spans, path):
    with open(path, encoding='utf-8') as lines:
        want = sorted((json.loads(line) for line in lines), key=order)
    got = sorted((json.loads(order(s)) for s in spans), key=order)
    for a, b in zip(map(order, want), map(order, got)):
        if a != b:
            at = next(i for i in range(len(a)) if a[:i + 1] != b[:i + 1])
            at = max(0, at - 100)
            sys.exit('want %s\ngot  %s' % (a[at:at + 200], b[at:at + 200]))
    if len(want) != len(got):
        sys.exit('want %d spans, got %d' % (len(want), len(got)))
    print('%d spans' % len(got))


def main():
    with open(sys.argv[1], 'rb') as f:
        segment = Segment(f.read())
    spans = (span_json(s) for s in segment.spans())
    if len(sys.argv) > 2:
        compare(spans, sys.argv[2])
        return
    for s in spans:
        print(json.dumps(s, ensure_ascii=False, separators=(',', ':')))


main()
