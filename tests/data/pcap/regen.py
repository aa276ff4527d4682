#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the captures of this directory anew: ./regen.py

Each datagram and body holds a short text that says what it is. Addresses are
those set aside for documentation.
"""
import os
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
START = 1795000000  # seconds

ETHERNET, NULL, RAW, LOOP, SLL, WLAN = 1, 0, 101, 108, 113, 105
IPV4, IPV6, SLL2 = 228, 229, 276

A4, B4 = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])
A6 = bytes.fromhex("20010db8000000000000000000000001")
B6 = bytes.fromhex("20010db8000000000000000000000002")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def udp(text, port=6831, source=40000, length=None, addresses=(A4, B4),
        bad_sum=False):
    data = text if isinstance(text, bytes) else text.encode()
    if length is None:
        length = len(data) + 8
    head = struct.pack(">HHH", source, port, length)
    pseudo = b"".join(addresses) + struct.pack(">II", 17, len(data) + 8)
    value = checksum(pseudo + head + b"\0\0" + data) or 0xFFFF
    if bad_sum:
        value ^= 0x0101
    return head + struct.pack(">H", value) + data


def ip4(body, proto=17, ident=1, offset=0, more=False, options=b"",
        length=None, version=4):
    header_len = 20 + len(options)
    if length is None:
        length = header_len + len(body)
    head = struct.pack(">BBHHHBBH", version << 4 | header_len // 4, 0, length,
                       ident, (0x2000 if more else 0) | offset // 8, 64,
                       proto, 0) + A4 + B4 + options
    value = checksum(head)
    return head[:10] + struct.pack(">H", value) + head[12:] + body


def ip6(body, nxt=17, length=None):
    if length is None:
        length = len(body)
    return struct.pack(">IHBB", 6 << 28, length, nxt, 64) + A6 + B6 + body


def udp6(text, **kw):
    return udp(text, addresses=(A6, B6), **kw)


def frag6(body, ident, offset, more, nxt=17):
    return ip6(struct.pack(">BBHI", nxt, 0, offset | more, ident) + body, 44)


def ethernet(packet, kind=0x0800, tags=()):
    head = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
    for tpid, vlan in tags:
        head += struct.pack(">HH", tpid, vlan)
    return head + struct.pack(">H", kind) + packet


def eth6(packet, tags=()):
    return ethernet(packet, 0x86DD, tags)


def sll(packet, kind=0x0800):
    return struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1", kind) + packet


def sll2(packet, kind=0x0800):
    return struct.pack(">HHIHBB8s", kind, 0, 3, 1, 0, 6,
                       b"\2\0\0\0\0\1") + packet


def pcap(name, link, packets, order="<", nano=False, version=(2, 4)):
    """A packet is bytes, or (bytes, seconds to add, bytes to keep)."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, *version, 0, 0, 262144, link)
    clock = 0.0
    for n, packet in enumerate(packets):
        keep = None
        if isinstance(packet, tuple):
            packet, gap, keep = packet
            clock += gap
        kept = packet if keep is None else packet[:keep]
        fraction = (n + 1) * (1001 if nano else 1)
        out += struct.pack(order + "IIII", START + int(clock), fraction,
                           len(kept), len(packet)) + kept
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(out)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack(
        "<I", len(body) + 12)


def pcapng(name, packets):
    """Two interfaces, one with nanoseconds and one with microseconds."""
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", ETHERNET, 0, 0) +
                 struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))
    out += block(1, struct.pack("<HHI", ETHERNET, 0, 0))
    out += block(0x0BAD, b"a block that no reader knows")
    for n, packet in enumerate(packets):
        stamp = (START * 10**9 + 123456789) if n % 2 == 0 else (
            START * 10**6 + 123456)
        out += block(6, struct.pack("<IIIII", n % 2, stamp >> 32,
                                    stamp & 0xFFFFFFFF, len(packet),
                                    len(packet)) + packet)
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(out)


def cut4(text, sizes, ident, wrap=ethernet, **kw):
    """IPv4 fragments of a datagram; sizes of all but the last one."""
    return [wrap(ip4(part, ident=ident, offset=at, more=more))
            for part, at, more in pieces(udp(text, **kw), sizes)]


def cut6(text, sizes, ident, **kw):
    return [eth6(frag6(part, ident, at, more))
            for part, at, more in pieces(udp6(text, **kw), sizes)]


def pieces(data, sizes):
    at = 0
    for size in sizes:
        yield data[at:at + size], at, True
        at += size
    yield data[at:], at, False


def long_text(name, size):
    line = (name + " ").encode()
    return (line * (size // len(line) + 1))[:size]


# ---- link types ----

tcp = struct.pack(">HHIIBBHHH", 40000, 6831, 1, 1, 5 << 4, 2, 100, 0, 0)
arp = bytes.fromhex("0001080006040001020000000001c0000201000000000000c6336402")

pcap("ethernet.pcap", ETHERNET, [
    ethernet(ip4(udp("IPv4"))),
    eth6(ip6(udp6("IPv6"))),
    ethernet(ip4(udp("padded to 60 bytes"[:6]))) + b"\0" * 12,
    ethernet(ip4(udp("port 5775", port=5775))),
    ethernet(ip4(udp("port 6832", port=6832))),
    ethernet(ip4(udp("from port 6831 to another", port=53, source=6831))),
    ethernet(ip4(udp("other port", port=7000))),
    ethernet(ip4(tcp, proto=6)),
    ethernet(arp, 0x0806),
    ethernet(ip4(udp(""))),
    ethernet(ip4(udp(b"bytes: \x00\xff\x1b[31m"))),
])
pcap("vlan.pcap", ETHERNET, [
    ethernet(ip4(udp("802.1Q")), tags=[(0x8100, 7)]),
    eth6(ip6(udp6("802.1Q, IPv6")), tags=[(0x8100, 7)]),
    ethernet(ip4(udp("802.1ad")), tags=[(0x88A8, 7), (0x8100, 8)]),
    ethernet(ip4(udp("old QinQ")), tags=[(0x9100, 7), (0x8100, 8)]),
    ethernet(ip4(udp("four tags")), tags=[(0x8100, i) for i in range(4)]),
    ethernet(ip4(udp("five tags")), tags=[(0x8100, i) for i in range(5)]),
] + cut4("802.1Q, two fragments", [16], 9,
         wrap=lambda p: ethernet(p, tags=[(0x8100, 7)])))
pcap("cooked.pcap", SLL, [
    sll(ip4(udp("cooked, IPv4"))),
    sll(ip6(udp6("cooked, IPv6")), 0x86DD),
    sll(struct.pack(">HH", 7, 0x0800) + ip4(udp("cooked, VLAN")), 0x8100),
    sll(arp, 0x0806),
])
pcap("cooked2.pcap", SLL2, [
    sll2(ip4(udp("cooked v2, IPv4"))),
    sll2(ip6(udp6("cooked v2, IPv6")), 0x86DD),
    sll2(arp, 0x0806),
])
pcap("null.pcap", NULL, [
    struct.pack("<I", 2) + ip4(udp("family 2, little endian")),
    struct.pack(">I", 2) + ip4(udp("family 2, big endian")),
    struct.pack("<I", 24) + ip6(udp6("family 24, NetBSD and OpenBSD")),
    struct.pack("<I", 28) + ip6(udp6("family 28, FreeBSD")),
    struct.pack("<I", 30) + ip6(udp6("family 30, macOS")),
    struct.pack("<I", 23) + b"\x45\0",
])
pcap("loop.pcap", LOOP, [
    struct.pack(">I", 2) + ip4(udp("OpenBSD loopback, IPv4")),
    struct.pack(">I", 24) + ip6(udp6("OpenBSD loopback, IPv6")),
])
pcap("raw.pcap", RAW, [
    ip4(udp("raw, IPv4")), ip6(udp6("raw, IPv6")), b"", b"\x00\x01"])
pcap("ipv4.pcap", IPV4, [ip4(udp("raw IPv4"))])
pcap("ipv6.pcap", IPV6, [ip6(udp6("raw IPv6"))])
pcap("wlan.pcap", WLAN, [b"\x80\0" + b"\0" * 40])

# ---- file formats ----

pcap("nanoseconds.pcap", ETHERNET, [
    ethernet(ip4(udp("time in nanoseconds"))),
    ethernet(ip4(udp("the next one")))], nano=True)
pcap("big-endian.pcap", ETHERNET, [
    ethernet(ip4(udp("written by a big-endian host")))], order=">")
pcapng("two.pcapng", [
    ethernet(ip4(udp("interface 0, nanoseconds"))),
    ethernet(ip4(udp("interface 1, microseconds"))),
    eth6(ip6(udp6("interface 0, IPv6")))])

# ---- headers of IP ----

hop = struct.pack(">BB6x", 17, 0)
two = struct.pack(">BB6x", 60, 0) + struct.pack(">BB14x", 17, 1)
route = struct.pack(">BBBB4x", 17, 0, 253, 0)
auth = struct.pack(">BBHII", 17, 1, 0, 1, 1)


def chain(n):
    return b"".join(struct.pack(">BB6x", 60 if i < n - 1 else 17, 0)
                    for i in range(n))


pcap("headers.pcap", ETHERNET, [
    ethernet(ip4(udp("IPv4 with options"), options=b"\x94\4\0\0")),
    ethernet(ip4(udp("IPv4 with 40 bytes of options"), options=b"\1" * 40)),
    eth6(ip6(hop + udp6("hop-by-hop options"), 0)),
    eth6(ip6(two + udp6("hop-by-hop and destination options"), 0)),
    eth6(ip6(route + udp6("routing header"), 43)),
    eth6(ip6(auth + udp6("authentication header"), 51)),
    eth6(ip6(chain(16) + udp6("16 extension headers"), 60)),
    eth6(ip6(chain(17) + udp6("17 extension headers"), 60)),
    eth6(ip6(struct.pack(">BB6x", 17, 200) + udp6("too long"), 60)),
    eth6(ip6(struct.pack(">BB", 17, 0), 60)),
    eth6(ip6(udp6("no next header"), 59)),
    ethernet(ip4(udp("version 5"), version=5)),
    ethernet(b"\x43" + ip4(udp("header of 12 bytes"))[1:]),
    ethernet(ip4(udp("shorter than it says"), length=2000)),
    ethernet(ip4(udp("shorter than its header"), length=19)),
    eth6(ip6(udp6("shorter than it says"), length=2000)),
])
pcap("lengths.pcap", ETHERNET, [
    ethernet(ip4(udp("good, then bytes that are not UDP's", length=12))),
    ethernet(ip4(udp("length 7", length=7))),
    ethernet(ip4(udp("length 0", length=0))),
    ethernet(ip4(udp("length above", length=1000))),
    ethernet(ip4(udp("length 7, other port", port=7000, length=7))),
    ethernet(ip4(b"\x9c\x40\x1a")),
    ethernet(ip4(udp("good"))),
])

# ---- fragments ----

text = long_text("fragment", 100)
one = [ethernet(ip4(udp("not a fragment")))]
a = cut4(long_text("first", 90), [40, 40], 21)
b = cut4(long_text("second", 90), [40, 40], 22)
overlap = udp(long_text("overlap", 90))
other = udp(long_text("different", 90))


def piece(data, at, end, ident, more=True):
    return ethernet(ip4(data[at:end], ident=ident, offset=at, more=more))


pcap("fragments4.pcap", ETHERNET, sum([
    cut4(long_text("in order", 100), [40, 40], 1),
    list(reversed(cut4(long_text("last one first", 100), [40, 40], 2))),
    [a[0], b[0], b[1], a[1], a[2], b[2]],
    [p for p in cut4(long_text("each twice", 100), [40, 40], 3)
     for _ in range(2)],
    cut4(long_text("one missing", 100), [40, 40], 4)[::2],
    [piece(overlap, 0, 40, 5), piece(other, 32, 72, 5),
     piece(overlap, 40, 98, 5, False)],
    [piece(overlap, 0, 40, 6), piece(other, 0, 40, 6),
     piece(overlap, 40, 98, 6, False)],
    # A second end, before and behind the first one.
    [piece(overlap, 48, 98, 7, False), piece(overlap, 40, 90, 7, False)],
    [piece(overlap, 0, 64, 8), piece(overlap, 40, 56, 8, False)],
    [piece(overlap, 0, 39, 9), piece(overlap, 40, 98, 9, False)],
    [ethernet(ip4(b"", ident=10, offset=40, more=True)),
     piece(overlap, 0, 40, 10)],
    [ethernet(ip4(b"x" * 16, ident=11, offset=65528))],
    cut4(long_text("wrong checksum", 100), [40, 40], 12, bad_sum=True),
    cut4(long_text("other port", 100), [40, 40], 13, port=7000),
    cut4(long_text("other port, missing", 100), [40], 14, port=7000)[:1],
    [ethernet(ip4(tcp + b"x" * 4, proto=6, ident=15, more=True))],
    # The second half comes 6 seconds later.
    cut4(long_text("late", 100), [40], 16)[:1],
    [(p, 6, None) for p in cut4(long_text("late", 100), [40], 16)[1:]],
    cut4(long_text("largest", 65507), [1480] * 44, 17),
    one,
], []))
c = cut6(long_text("IPv6, last one first", 100), [40, 40], 2)
opt = struct.pack(">BB6x", 17, 0)
inside = opt + udp6(long_text("IPv6, options inside", 90))
pcap("fragments6.pcap", ETHERNET, sum([
    cut6(long_text("IPv6, in order", 100), [40, 40], 1),
    list(reversed(c)),
    [eth6(frag6(part, 3, at, more, 60))
     for part, at, more in pieces(inside, [40])],
    [eth6(frag6(udp6("IPv6, all in one fragment"), 4, 0, False))],
    [eth6(ip6(opt[:0] + struct.pack(">BB6x", 44, 0) +
              struct.pack(">BBHI", 17, 0, at | more, 5) + part, 60))
     for part, at, more in pieces(
         udp6(long_text("IPv6, options outside", 90)), [48])],
    [eth6(frag6(udp6("x" * 80)[0:40], 6, 0, True)),
     eth6(frag6(udp6("y" * 80)[32:88], 6, 32, False))],
    cut6(long_text("IPv6, one missing", 100), [40, 40], 7)[:2],
    # The same id from somebody else is another datagram.
    [eth6(frag6(udp6("A" * 72)[0:40], 8, 0, True)),
     eth6(frag6(udp6("B" * 72)[0:40], 8, 0, True).replace(A6, B6[:15] + b"\3",
                                                          1)),
     eth6(frag6(udp6("A" * 72)[40:80], 8, 40, False))],
    [eth6(frag6(struct.pack(">BB6x", 44, 0) + b"x" * 32, 9, 0, True, 60)),
     eth6(frag6(b"x" * 8, 9, 40, False, 60))],
    [eth6(ip6(struct.pack(">BBH", 17, 0, 1), 44))],
    [eth6(ip6(udp6("not a fragment")))],
], []))

# ---- cut by the snapshot length ----

whole = ethernet(ip4(udp("whole")))
long4 = ethernet(ip4(udp("this text is cut after the word cut")))
pcap("snaplen.pcap", ETHERNET, [
    whole,
    (long4, 0, 42 + 32),
    (eth6(ip6(udp6("this text is cut too"))), 0, 62 + 16),
    (ethernet(ip4(udp("other port", port=7000))), 0, 45),
    (long4, 0, 38),
    (long4, 0, 30),
    (long4, 0, 10),
    (ethernet(ip4(tcp, proto=6)), 0, 36),
    (eth6(ip6(hop + udp6("x"), 0)), 0, 58),
    (ethernet(ip4(udp("only the padding is cut"))) + b"\0" * 8, 0, 65),
    (piece(udp(text), 0, 40, 31), 0, 60),
    piece(udp(text), 40, 108, 31, False),
    whole,
])

# ---- HTTP ----

FIN, SYN, RST, ACK = 1, 2, 4, 16


class Client:
    """One connection: its packets, each made from a place in its bytes."""

    def __init__(self, source, port=4318, isn=1000, v6=False, wrap=None):
        self.source, self.port, self.isn, self.v6 = source, port, isn, v6
        self.wrap = wrap or (eth6 if v6 else ethernet)

    def tcp(self, at, data=b"", flags=ACK, back=False):
        """The bytes from AT on, or from the server with BACK."""
        ports = (self.port, self.source) if back else (self.source, self.port)
        head = struct.pack(">HHIIBBHHH", *ports,
                           (self.isn + 1 + at) % 2**32, 1, 8 << 4, flags, 500,
                           0, 0) + b"\1\1\x08\x0a" + b"\0" * 8
        pseudo = (A6 + B6 if self.v6 else A4 + B4) + struct.pack(
            ">II", 6, len(head + data))
        value = checksum(pseudo + head + data)
        return head[:16] + struct.pack(">H", value) + head[18:] + data

    def at(self, at, data=b"", flags=ACK, back=False):
        body = self.tcp(at, data, flags, back)
        return self.wrap(ip6(body, 6) if self.v6 else ip4(body, 6))

    def syn(self):
        return [self.at(-1, flags=SYN), self.at(-1, flags=SYN | ACK, back=True)]

    def parts(self, data, size=40):
        return [self.at(i, data[i:i + size])
                for i in range(0, len(data), size)]

    def fin(self, data):
        return [self.at(len(data), flags=FIN | ACK)]

    def all(self, data, size=4000):
        return self.syn() + self.parts(data, size) + self.fin(data)


def post(body, path="/v1/traces", headers="", chunks=None):
    body = body if isinstance(body, bytes) else body.encode()
    head = "POST %s HTTP/1.1\r\nHost: b.example\r\nContent-Type: " \
        "text/plain\r\n%s" % (path, headers)
    if not chunks:
        return (head + "Content-Length: %d\r\n\r\n" % len(body)).encode() + body
    out = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n"
    for i in range(0, len(body), chunks):
        part = body[i:i + chunks]
        out += b"%x\r\n" % len(part) + part + b"\r\n"
    return out + b"0\r\n\r\n"


def packed(text, wbits):
    z = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return z.compress(text.encode()) + z.flush()


def zstd(text):
    """A frame with one block that is not compressed."""
    data = text.encode()
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + struct.pack(
        "<I", len(data) << 3 | 1)[:3] + data


def coded(name, body, **kw):
    return post(body, headers="Content-Encoding: %s\r\n" % name, **kw)


two_posts = post("pipelined, 1") + post("pipelined, 2", chunks=5)
gzip_cut = packed("cut", 31)[:-5]
hundred = post(long_text("in parts of 40 bytes", 100))
sixth = Client(50005)
six = post(long_text("in IP fragments", 200))
http = [
    Client(50001).all(post("Content-Length")),
    Client(50002, 14268).all(post("chunks of 3", "/api/traces?format=x",
                                  chunks=3)),
    Client(50003).all(two_posts, 7),
    Client(50004).all(hundred, 40),
    sixth.syn() + [
        ethernet(ip4(part, 6, 77, offset, more))
        for part, offset, more in pieces(sixth.tcp(0, six), [80, 160])
    ] + sixth.fin(six),
    Client(50006, v6=True).all(post("IPv6")),
    Client(50007, wrap=lambda p: ethernet(p, tags=[(0x8100, 7)])).all(
        post("802.1Q")),
    Client(50008).all(coded("gzip", packed("gzip", 31))),
    Client(50009).all(coded("deflate", packed("deflate, of zlib", 15))),
    Client(50010).all(coded("deflate", packed("deflate, raw", -15), chunks=4)),
    Client(50011, 9411).all(
        post(packed("x-gzip", 31), "/api/v2/spans",
             "Content-Encoding: X-GZIP\r\n")),
    Client(50012).all(coded("zstd", zstd("zstd"))),
    Client(50013).all(coded("br", "an unknown coding") + post("after it")),
    Client(50014).all(coded("gzip", gzip_cut) + post("after it")),
    Client(50015).all(b"GET /v1/traces HTTP/1.1\r\n\r\n" +
                      post("other path", "/v1/logs") + post("after it")),
    Client(50016).all(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03 TLS"),
    Client(50017).all(post("x").replace(b"Length: 1", b"Length: one")),
    Client(50018, 7000).all(post("other port")),
    Client(50019, 9411).all(post("", "/api/v1/spans")),
    Client(50020).all(post("Expect", headers="Expect: 100-continue\r\n"), 120),
    Client(50021).syn() + [Client(50021).at(0, b"HTTP/1.1 200 OK\r\n\r\n",
                                            back=True)],
]
pcap("http.pcap", ETHERNET, sum(http, []))

c = Client(50030)
text = hundred
backwards = c.parts(text)[::-1]
wrap_c = Client(50031, isn=2**32 - 60)
twice = [p for p in Client(50032).parts(text) for _ in range(2)]
over = Client(50033)
lie = Client(50034)
probe = Client(50035)
early = Client(50036)
again = Client(50037)
both = post("first of two") + post("second of two")
pcap("http-order.pcap", ETHERNET, sum([
    c.syn() + c.fin(text) + backwards,
    wrap_c.syn() + wrap_c.parts(text)[::-1] + wrap_c.fin(text),
    Client(50032).syn() + twice + Client(50032).fin(text) * 2 + twice,
    over.syn() + [over.at(i, text[i:i + 60])
                  for i in range(0, len(text), 30)] + over.fin(text),
    # The bytes 80 to 90 come with two texts before it is their turn.
    lie.syn() + [lie.at(60, text[60:]), lie.at(80, b"contradict"),
                 lie.at(0, text[:60]), lie.at(len(text), post("after it"))],
    probe.syn() + [probe.at(0, text[:90]), probe.at(89, b"\0"),
                   probe.at(90, text[90:])],
    [early.at(0, text[:50])] + early.syn() + [early.at(50, text[50:])],
    again.all(text) + again.parts(text),
    Client(50037, isn=90000).all(post("the same ends once more")),
    # The second request's packets come before the first one's.
    Client(50038).syn() + Client(50038).parts(both)[4:] +
    Client(50038).parts(both)[:4],
], []))

lost = Client(50040)
three = [post(long_text("number %d" % i, 90)) for i in range(3)]
n0, n1 = len(three[0]), len(three[0] + three[1])
late = Client(50041)
middle = Client(50042)
cut = Client(50043)
head_only = Client(50044)
end = Client(50045)
reset = Client(50046)
flood = Client(50047)
pcap("http-loss.pcap", ETHERNET, sum([
    # Packets of the second request are missing, the third is whole.
    lost.syn() + [lost.at(0, three[0]), lost.at(n0, three[1][:50]),
                  lost.at(n0 + 90, three[1][90:]), lost.at(n1, three[2])] +
    lost.fin(b"".join(three)),
    # What is missing comes 11 seconds later.
    late.syn() + [late.at(0, three[0][:50]), late.at(90, three[0][90:]),
                  late.at(n0, three[1])],
    [(late.at(n1, three[2]), 11, None), late.at(50, three[0][50:90])],
    # The beginning was not captured.
    [middle.at(50, three[0][50:]), middle.at(n0, three[1])],
    cut.syn() + [(cut.at(0, three[0]), 0, 120), cut.at(n0, three[1]),
                 (cut.at(n1, three[2]), 0, 66)] + cut.fin(b"".join(three)),
    [(p, 0, 66) for p in head_only.all(three[0])],
    end.syn() + [end.at(0, three[0] + three[1][:60])],
    reset.syn() + [reset.at(0, three[0][:60]), reset.at(60, flags=RST)],
    [ethernet(ip4(udp("a datagram between them")))],
], []))
