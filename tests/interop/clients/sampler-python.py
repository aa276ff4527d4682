# SPDX-License-Identifier: Apache-2.0
"""PyPI jaeger-client's remote sampler, with the questions of sampling.tsv.

Prints how many of 100 traces of each service and operation are sampled.
"""

import os
import random
import sys
import threading
import time

from jaeger_client.local_agent_net import LocalAgentHTTP
from jaeger_client.sampler import ConstSampler, RemoteControlledSampler
from tornado.ioloop import IOLoop

agent = LocalAgentHTTP("127.0.0.1", os.environ["PORT"])
loop = IOLoop()
threading.Thread(target=loop.start, daemon=True).start()


class Channel:
    """What jaeger_client.Config gives a sampler."""
    io_loop = loop

    @staticmethod
    def request_sampling_strategy(service):
        return agent.request_sampling_strategy(service)


def ask(service):
    initial = ConstSampler(False)
    sampler = RemoteControlledSampler(
        Channel, service, init_sampler=initial, sampling_refresh_interval=0.05)
    for _ in range(500):
        if sampler.sampler is not initial:
            sampler.close()
            return sampler
        time.sleep(0.01)
    sys.exit(f"no strategy of {service} has come")


samplers = {}
for line in sys.stdin:
    service, operation, *_ = line.split("\t")
    if service not in samplers:
        samplers[service] = ask(service)
    n = sum(samplers[service].is_sampled(random.getrandbits(64), operation)[0]
            for _ in range(100))
    print(service, operation, n, sep="\t")
