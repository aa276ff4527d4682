#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A sampler took as many traces as its strategy says.

  check_sampling.py WANT GOT   sampling.tsv, and what a client prints
"""

import sys

with open(sys.argv[1]) as f:
    want = [line.rstrip("\n").split("\t") for line in f]
with open(sys.argv[2]) as f:
    got = [line.rstrip("\n").split("\t") for line in f]
counts = {(service, operation): int(n) for service, operation, n in got}
failed = len(counts) < len(want) - 1
for service, operation, low, high in want:
    n = counts.get((service, operation))
    if n is not None and not int(low) <= n <= int(high):
        print(f"# {service}, {operation}: {n} of 100 are sampled, "
              f"not {low} to {high}")
        failed = True
print(f"# {len(counts)} strategies")
sys.exit(failed)
