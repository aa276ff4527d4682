#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# render-check.py PROBE - no line is wider than the terminal, and no line ends
# in spaces, for every width and every trace of render-probe. The width is
# counted here from Unicode's tables.

import re
import subprocess
import sys
import unicodedata

failed = 0


def width(text):
    columns = 0
    for c in text:
        if unicodedata.category(c) in ("Mn", "Me"):
            continue
        columns += 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return columns


for what in "tree", "traces", "spans":
    for trace in "shop", "odd", "hostile", "steps", "deep":
        for columns in list(range(1, 70)) + [100, 120, 121, 140, 200, 500]:
            if trace == "deep" and columns % 20:
                continue
            for extra in ["colour"], ["ascii", "match"]:
                args = [sys.argv[1], what, trace, str(columns)] + extra
                out = subprocess.run(args, stdout=subprocess.PIPE,
                                     check=True).stdout.decode()
                for line in out.split("\n")[:-1]:
                    line = re.sub("\x1b\\[[0-9;]*m", "", line)
                    if (width(line) > columns or line.endswith(" ")
                            or re.search("[\0-\x1f\x7f-\x9f]", line)):
                        failed += 1
                        print(" ".join(args[1:]), "%r" % line)

sys.exit(failed != 0)
