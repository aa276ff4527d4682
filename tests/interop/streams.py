# SPDX-License-Identifier: Apache-2.0
"""Payload streams, and UDP datagrams of a pcap file, without our library."""

import struct


def _text(s):
    s = s.encode()
    return b"\xd9" + bytes([len(s)]) + s


def payload(data, peer="", port=0, time_ns=0, transport=1):
    """One payload of span-payload(5)."""
    return b"".join([
        b"\x99", b"\xa4PLD1", b"\xcf" + struct.pack(">Q", time_ns),
        bytes([transport]), b"\xcd" + struct.pack(">H", port), _text(peer),
        b"\xc2", _text(""), _text(""),
        b"\xc6" + struct.pack(">I", len(data)) + data])


def datagrams(path):
    """(time_ns, source, source port, port, data) of each UDP datagram in a
    little-endian pcap file of Ethernet and IPv4 without fragments."""
    with open(path, "rb") as f:
        raw = f.read()
    magic, = struct.unpack_from("<I", raw)
    unit = {0xa1b2c3d4: 1000, 0xa1b23c4d: 1}[magic]
    at = 24
    while at < len(raw):
        sec, sub, kept, full = struct.unpack_from("<IIII", raw, at)
        frame = raw[at + 16:at + 16 + kept]
        at += 16 + kept
        assert kept == full
        if frame[12:14] != b"\x08\x00" or frame[23] != 17:
            continue
        ip = frame[14:]
        udp = ip[(ip[0] & 15) * 4:struct.unpack_from(">H", ip, 2)[0]]
        source, port, length = struct.unpack_from(">HHH", udp)
        yield (sec * 10**9 + sub * unit, ".".join(map(str, ip[12:16])),
               source, port, udp[8:length])


def payloads(path):
    """The data of each payload in a file that payload() wrote."""
    with open(path, "rb") as f:
        raw = f.read()
    at = 0
    while at < len(raw):
        at += 1 + 5 + 9 + 1 + 3
        for skipped in (0, 1, 0, 0):
            at += skipped or 2 + raw[at + 1]
        length, = struct.unpack_from(">I", raw, at + 1)
        yield raw[at + 5:at + 5 + length]
        at += 5 + length
