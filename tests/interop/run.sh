#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - the long form of the comparisons, and live clients; prints TAP
#
# usage: run.sh BUILD-TREE [MESSAGES [SEED]]
set -u
build=$(cd "$1" && pwd)
messages=${2:-20000}
seed=${3:-$RANDOM}
here=$(cd "$(dirname "$0")" && pwd)
PATH=$build/bin:$build/tests/interop:$PATH
export PYTHONDONTWRITEBYTECODE=1
status=0

if ! command -v thrift >/dev/null ||
	! /usr/bin/python3 -c 'import thrift' 2>/dev/null; then
	echo "1..0 # SKIP no thrift-compiler or python3-thrift"
else
	"$here/compare.py" recorded "$here"/../data/*.pcap \
		"$here"/../data/*.payloads || status=1
	"$here/compare.py" random "$messages" "$seed" || status=1
	"$here/compare.py" mutated "$messages" "$seed" || status=1
fi
if ! command -v protoc >/dev/null ||
	! /usr/bin/python3 -c 'import google.protobuf' 2>/dev/null; then
	echo "1..0 # SKIP no protobuf-compiler or python3-protobuf"
else
	"$here/compare_otlp.py" random "$((messages / 5))" "$seed" || status=1
	"$here/compare_otlp.py" mutated "$messages" "$seed" || status=1
	"$here/compare_zipkin.py" random "$messages" "$seed" || status=1
	"$here/compare_zipkin.py" recorded "$here/../data/real-clients.pcap" ||
		status=1
fi
for suite in graphs clients examples collectors samplers logs manifests; do
	"$here/$suite.sh" "$build" || status=1
done
exit $status
