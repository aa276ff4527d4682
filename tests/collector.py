#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A collector for tests, over HTTP or gRPC, that answers as it is told.

usage: collector.py DIR [--grpc] [--tls CERT KEY] [--port PORT] [ANSWER...]

The port goes into DIR/port, and into DIR/most how many requests it had at a
time. Request N leaves its body, inflated, in DIR/N.body
and its head in DIR/N.head; then comes the Nth ANSWER, and the last one for all
that follow ("200" or "OK" when there is none). An ANSWER in the file DIR/answer
is that of all requests while the file is there:

    503                   a status of HTTP
    UNAVAILABLE           a status of gRPC
    503,retry-after=1     with a header; text=TEXT is the body (gRPC: the
                          message); sleep=SECONDS comes first; type=TYPE;
                          retry=SECONDS is RetryInfo of gRPC
    partial=3             success, but three spans were rejected
    max=1000              413 (RESOURCE_EXHAUSTED) for what is longer, else
                          success
    close                 no answer at all
"""
import argparse
import gzip
import json
import os
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def read_answer(text):
    head, *rest = text.split(",")
    answer = dict(item.split("=", 1) for item in rest)
    name, _, value = head.partition("=")
    answer["status"] = name
    answer["value"] = value
    return answer


class Log:
    """What came, and what is to be answered next."""

    def __init__(self, directory, answers):
        self.directory = directory
        self.answers = [read_answer(a) for a in answers]
        self.lock = threading.Lock()
        self.n = 0
        self.here = 0
        self.most = 0

    def enter(self):
        with self.lock:
            self.here += 1
            if self.here <= self.most:
                return
            self.most = self.here
            with open(os.path.join(self.directory, "most"), "w",
                      encoding="ascii") as f:
                f.write(str(self.most))

    def leave(self):
        with self.lock:
            self.here -= 1

    def answer(self, n):
        """To request N."""
        try:
            with open(os.path.join(self.directory, "answer"),
                      encoding="utf-8") as f:
                return read_answer(f.read().rstrip("\n"))
        except FileNotFoundError:
            pass
        if not self.answers:
            return {"status": "200", "value": ""}
        return self.answers[min(n, len(self.answers)) - 1]

    def put(self, head, body):
        with self.lock:
            self.n += 1
            n = self.n
        base = os.path.join(self.directory, str(n))
        with open(base + ".head", "w", encoding="utf-8") as f:
            f.write(head)
        with open(base + ".tmp", "wb") as f:
            f.write(body)
        os.rename(base + ".tmp", base + ".body")
        return self.answer(n)


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def partial(n, text):
    inner = b"\x08" + varint(n)
    if text:
        inner += field(2, text.encode())
    return field(1, inner)


def retry_info(seconds):
    """A google.rpc.Status with a RetryInfo."""
    nanos = round(seconds % 1 * 1e9)
    delay = b"\x08" + varint(int(seconds)) + b"\x10" + varint(nanos)
    url = b"type.googleapis.com/google.rpc.RetryInfo"
    return b"\x08\x08" + field(3, field(1, url) + field(2, field(1, delay)))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log = None

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        size = len(body)
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        answer = self.log.put(f"{self.requestline}\n{self.headers}", body)
        self.log.enter()
        time.sleep(float(answer.get("sleep", 0)))
        self.log.leave()
        self.answer(answer, size)

    def answer(self, answer, size):
        status, text = answer["status"], answer.get("text", "")
        json_type = self.headers.get("Content-Type") == "application/json"
        content, kind = text.encode(), answer.get("type", "text/plain")
        if status == "close":
            self.close_connection = True
            return
        if status == "partial":
            kind = "application/json" if json_type else "application/x-protobuf"
            content = partial(int(answer["value"]), text)
            if json_type:
                content = json.dumps({"partialSuccess": {
                    "rejectedSpans": answer["value"],
                    "errorMessage": text}}).encode()
            status = "200"
        if status == "max":
            status = "413" if size > int(answer["value"]) else "200"
        self.send_response(int(status))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for key in ("retry-after", "location"):
            if key in answer:
                self.send_header(key, answer[key])
        self.end_headers()
        self.wfile.write(content)


def serve_http(args, log):
    Handler.log = log
    server = ThreadingHTTPServer(("127.0.0.1", args.port), Handler)
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server.server_address[1], server.serve_forever


def serve_grpc(args, log):
    from concurrent import futures

    import grpc

    def call(method):
        def handle(request, context):
            meta = "".join(f"{k}: {v}\n"
                           for k, v in context.invocation_metadata())
            answer = log.put(f"{method}\n{meta}", request)
            log.enter()
            time.sleep(float(answer.get("sleep", 0)))
            log.leave()
            status, text = answer["status"], answer.get("text", "")
            if status == "partial":
                return partial(int(answer["value"]), text)
            if status in ("200", "OK"):
                return b""
            if status == "max" and len(request) <= int(answer["value"]):
                return b""
            if status == "max":
                status = "RESOURCE_EXHAUSTED"
                text = "grpc: received message larger than max (2 vs. 1)"
            if "retry" in answer:
                context.set_trailing_metadata((
                    ("grpc-status-details-bin",
                     retry_info(float(answer["retry"]))),))
            context.abort(getattr(grpc.StatusCode, status), text)
        return handle

    class Service(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(call(details.method))

    server = grpc.server(futures.ThreadPoolExecutor(8),
                         options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Service(),))
    address = f"127.0.0.1:{args.port}"
    if args.tls:
        pair = [open(name, "rb").read() for name in args.tls]
        credentials = grpc.ssl_server_credentials([(pair[1], pair[0])])
        port = server.add_secure_port(address, credentials)
    else:
        port = server.add_insecure_port(address)
    server.start()
    return port, server.wait_for_termination


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--grpc", action="store_true")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("directory")
    parser.add_argument("answer", nargs="*")
    args = parser.parse_intermixed_args()
    os.makedirs(args.directory, exist_ok=True)
    log = Log(args.directory, args.answer)
    port, run = (serve_grpc if args.grpc else serve_http)(args, log)
    name = os.path.join(args.directory, "port")
    with open(name + ".tmp", "w", encoding="ascii") as f:
        f.write(str(port))
    os.rename(name + ".tmp", name)
    run()


if __name__ == "__main__":
    sys.exit(main())
