#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Clients that note which of their spans were acknowledged.

usage: ack-client.py [--patient | --rude] ZIPKIN-PORT OTLP-GRPC-PORT
       ack-client.py --read FILE <payloads

The first form sends bodies of 8 KiB, five at a time on each of 40 HTTP
connections and 40 at a time on a single gRPC one, until nothing was answered
for 1.5 seconds; then patient ones wait for what is not answered yet, and rude ones
hang up. It prints a line for each answer: the number of the body,
the protocol, the status, and what was said.

The second form reads a payload stream, to its end or where it is cut, and
says how many of the bodies in FILE, lines of the first form, are not in it:
those acknowledged, and those told to come again as they were late; and how
many came twice.
"""
import re
import selectors
import socket
import struct
import sys
import time

CONNECTIONS, AT_ONCE, CALLS, QUIET, TURNS = 40, 5, 40, 1.5, 100
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PADDING = "x" * 8000
last_id = 0
heard = 0
turns = 0  # since then: who does not run hears nothing


def next_id():
    global last_id
    last_id += 1
    return last_id


def say(number, protocol, status, text):
    global heard, turns
    heard, turns = time.monotonic(), 0
    print(number, protocol, status, text.strip().replace("\n", " "), flush=True)


def is_quiet():
    return time.monotonic() - heard > QUIET and turns > TURNS


class Http:
    """One connection with requests that do not wait for each other."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.waiting, self.input, self.output = [], b"", b""

    def send(self, n):
        for _ in range(n):
            number = next_id()
            body = (
                '[{"traceId":"%032x","id":"%016x","name":"id-%d.%s"}]'
                % (number, number, number, PADDING)
            ).encode()
            self.output += (
                b"POST /api/v2/spans HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body)
            ) + body
            self.waiting.append(number)
        self.push()

    def push(self):
        try:
            self.output = self.output[self.socket.send(self.output) :]
        except BlockingIOError:
            pass

    def pull(self):
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return True
        except ConnectionError:
            data = b""
        self.input += data
        while b"\r\n\r\n" in self.input:
            head, rest = self.input.split(b"\r\n\r\n", 1)
            length = int(re.search(rb"Content-Length: (\d+)", head)[1])
            if len(rest) < length:
                break
            status = head.split()[1].decode()
            if status == "503":
                assert b"Retry-After: 1" in head
            say(self.waiting.pop(0), "http", status, rest[:length].decode())
            self.input = rest[length:]
        return bool(data)


def field(number, data):
    n, length = len(data), b""
    while n >= 128:
        length += bytes([n & 127 | 128])
        n >>= 7
    return bytes([number << 3 | 2]) + length + bytes([n]) + data


class Grpc:
    """One connection with calls at the same time."""

    def __init__(self, port):
        import grpc

        self.channel = grpc.insecure_channel("127.0.0.1:%d" % port)
        # Or others fill the queue before its first call.
        grpc.channel_ready_future(self.channel).result(timeout=30)
        self.export = self.channel.unary_unary(EXPORT)
        self.waiting = {}

    def send(self, n):
        for _ in range(n):
            number = next_id()
            span = field(1, b"\0" * 8 + struct.pack(">Q", number))
            span += field(2, struct.pack(">Q", number))
            span += field(5, ("id-%d.%s" % (number, PADDING)).encode())
            body = field(1, field(2, field(2, span)))
            self.waiting[self.export.future(body, timeout=30)] = number

    def pull(self):
        done = [call for call in self.waiting if call.done()]
        for call in done:
            status = call.code().name
            if status in ("UNAVAILABLE", "RESOURCE_EXHAUSTED"):
                keys = [key for key, _ in call.trailing_metadata() or ()]
                status += "+" * ("grpc-status-details-bin" in keys)
            text = " ".join((call.details() or "").split())
            say(self.waiting.pop(call), "grpc", status, text)
        return len(done)


def send_all(http_port, grpc_port, patient, rude):
    global heard, turns
    read, write = selectors.EVENT_READ, selectors.EVENT_WRITE
    wait = selectors.DefaultSelector()
    all_http = [Http(http_port) for _ in range(CONNECTIONS)]
    grpc = Grpc(grpc_port)
    grpc.send(CALLS)
    for c in all_http:
        wait.register(c.socket, read | write, c)
        c.send(AT_ONCE)
    heard = time.monotonic()
    quiet, stop = False, heard + 20
    while time.monotonic() < stop:
        turns += 1
        quiet = quiet or is_quiet()
        if quiet and not (patient and (grpc.waiting or wait.get_map())):
            break
        for key, events in wait.select(0.01):
            c = key.data
            if events & write:
                c.push()
            if events & read and not c.pull() or quiet and not c.waiting:
                wait.unregister(c.socket)
                continue
            if not c.waiting:
                c.send(AT_ONCE)
            wait.modify(c.socket, read | write * bool(c.output), c)
        done = grpc.pull()
        if not quiet:
            grpc.send(done)
    if rude:
        hang_up(all_http, grpc)


def hang_up(all_http, grpc):
    """In every way there is."""
    for i, c in enumerate(all_http):
        if i % 3 == 0:
            linger = struct.pack("ii", 1, 0)
            c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif i % 3 == 1:
            c.socket.shutdown(socket.SHUT_WR)
        c.socket.close()
    for i, call in enumerate(grpc.waiting):
        if i % 2:
            call.cancel()
    grpc.channel.close()


def read_all(answers):
    import msgpack

    seen, twice = set(), 0
    for payload in msgpack.Unpacker(sys.stdin.buffer, raw=True, max_buffer_size=0):
        number = int(re.search(rb"id-(\d+)\.", payload[8])[1])
        twice += number in seen
        seen.add(number)
    taken, late = [], []
    for line in open(answers):
        number, _, status, text = (line.rstrip("\n") + " ").split(" ", 3)
        if status in ("202", "OK"):
            taken.append(int(number))
        elif text.strip().endswith("not written in time, but maybe later"):
            late.append(int(number))
    print(
        "missing: %d acknowledged, %d late; twice: %d"
        % (len(set(taken) - seen), len(set(late) - seen), twice)
    )


if __name__ == "__main__":
    mode = sys.argv.pop(1) if sys.argv[1].startswith("--") else ""
    if mode == "--read":
        read_all(sys.argv[1])
    else:
        ports = map(int, sys.argv[1:])
        send_all(*ports, mode == "--patient", mode == "--rude")
