#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What grpc.pcap was recorded of: calls of grpcio over two connections.

In a network namespace of its own, dumpcap -P -i lo -w grpc.pcap beside it.
The messages are texts that say what they are.
"""
import concurrent.futures
import time

import grpc

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
POST_SPANS = "/jaeger.api_v2.CollectorService/PostSpans"


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, c: b"")


def serve(port):
    pool = concurrent.futures.ThreadPoolExecutor(4)
    server = grpc.server(pool, handlers=(Handler(),))
    server.add_insecure_port("127.0.0.1:%d" % port)
    server.start()
    return server


def call(channel, method, body, **kw):
    channel.unary_unary(method)(body, timeout=10, **kw)


servers = [serve(4317), serve(14250)]
with grpc.insecure_channel("127.0.0.1:4317") as otlp:
    for i in range(3):
        call(otlp, EXPORT, b"message %d" % i,
             metadata=(("x-n", "value %d" % i),
                       ("authorization", "Bearer %d" % (i // 2))))
    call(otlp, EXPORT, b"")
    call(otlp, LOGS, b"logs are not wanted")
    call(otlp, EXPORT, b"gzip " * 400, compression=grpc.Compression.Gzip)
    call(otlp, EXPORT, b"deflate " * 400, compression=grpc.Compression.Deflate)
    call(otlp, EXPORT, b"large " * 5000)
    for future in [otlp.unary_unary(EXPORT).future(b"at once %d" % i, timeout=10)
                   for i in range(5)]:
        future.result()
with grpc.insecure_channel("127.0.0.1:14250") as jaeger:
    call(jaeger, POST_SPANS, b"PostSpans")
    call(jaeger, POST_SPANS, b"PostSpans, once more")
time.sleep(0.3)
