#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print those of the trace ids on standard input that a client keeps.

usage: kept.py otel-python|jaeger-python SHARE <ids
"""
import sys

who, share = sys.argv[1], float(sys.argv[2])
if who == "otel-python":
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    sampler = TraceIdRatioBased(share)

    def keeps(trace_id):
        return sampler.should_sample(None, trace_id, "x").decision.is_sampled()
else:
    from jaeger_client.sampler import ProbabilisticSampler

    sampler = ProbabilisticSampler(share)

    def keeps(trace_id):
        return sampler.is_sampled(trace_id)[0]


for line in sys.stdin:
    if keeps(int(line, 16)):
        print(line, end="")
