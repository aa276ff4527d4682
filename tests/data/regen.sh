#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Write the fixtures that programs make; README.md says which. Needs
# thrift-compiler and python3-thrift. Expected output (*.want) is never
# written here: read it before it is accepted.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
export PYTHONDONTWRITEBYTECODE=1
"$python" ../interop/fixtures.py .
"$python" ../interop/fixtures.py --seeds ../fuzz/corpus
