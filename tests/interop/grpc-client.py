#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Calls by gRPC's own client, one for each line of standard input.

usage: grpc-client.py [--tls CERT] [--idle N] [--stop PID] ADDRESS

A line is a method, then a message (a word, zeros:LENGTH, or never: a message
that does not end), then gzip, deflate or deadline:SECONDS. Prints for each
call its status, then the message in hex or the error; "; retry" when it has
a RetryInfo. --idle first opens N connections. --stop makes a call that ends
only after process PID was told to stop, then one more.
"""
import argparse
import os
import signal
import socket
import struct
import sys
import threading

import grpc

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
COMPRESSIONS = {
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}


def same(data):
    return data


def message(word):
    if word.startswith("zeros:"):
        return bytes(int(word[6:]))
    return word.encode()


def endless():
    threading.Event().wait(10)
    yield b""


def show_error(e):
    text = f"{e.code().name} {e.details()}"
    for key, value in e.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and b"RetryInfo" in value:
            text += "; retry"
    print(text)


def make_call(channel, line):
    method, *words = line.split()
    options = {"timeout": 20, "wait_for_ready": False}
    data = words.pop(0) if words else ""
    for word in words:
        if word.startswith("deadline:"):
            options["timeout"] = float(word[9:])
        else:
            options["compression"] = COMPRESSIONS[word]
    kind = channel.stream_unary if data == "never" else channel.unary_unary
    stub = kind("/" + method, request_serializer=same, response_deserializer=same)
    try:
        reply = stub(endless() if data == "never" else message(data), **options)
        print(f"OK {reply.hex()}".strip())
    except grpc.RpcError as e:
        show_error(e)


def open_idle(address, n):
    host, port = address.split(":")
    held = []
    for _ in range(n):
        s = socket.create_connection((host, int(port)))
        s.sendall(HELLO)
        held.append(s)
    for s in held:
        s.recv(1)
    return held


def hold_while_stopping(channel, line, pid):
    """A call whose message comes after the server was told to stop."""
    method, word = line.split()
    begun, told = threading.Event(), threading.Event()

    def late():
        begun.set()
        told.wait(10)
        yield message(word)

    # A call that is answered shows that the connection stands.
    make_call(channel, line)
    stub = channel.stream_unary(
        "/" + method, request_serializer=same, response_deserializer=same
    )
    future = stub.future(late(), timeout=20)
    begun.wait(10)
    # The headers are on their way before what makes the server stop.
    state = threading.Event()
    channel.subscribe(
        lambda c: c is not grpc.ChannelConnectivity.READY and state.set()
    )
    os.kill(pid, signal.SIGTERM)
    state.wait(10)
    told.set()
    try:
        future.result()
        print("OK")
    except grpc.RpcError as e:
        show_error(e)
    try:
        stub(iter([b"more"]), timeout=20)
        print("OK")
    except grpc.RpcError as e:
        print(e.code().name)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tls")
    p.add_argument("--idle", type=int, default=0)
    p.add_argument("--stop", type=int)
    p.add_argument("address")
    args = p.parse_args()
    options = [("grpc.max_send_message_length", -1)]
    if args.tls:
        options.append(("grpc.ssl_target_name_override", "localhost"))
        with open(args.tls, "rb") as f:
            credentials = grpc.ssl_channel_credentials(f.read())
        channel = grpc.secure_channel(args.address, credentials, options)
    else:
        channel = grpc.insecure_channel(args.address, options)
    idle = open_idle(args.address, args.idle)
    for line in sys.stdin:
        if args.stop:
            hold_while_stopping(channel, line, args.stop)
        else:
            make_call(channel, line)
    channel.close()
    for s in idle:
        s.close()


main()
