#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# big-json.sh - one JSON document of many gigabytes through span-decode
#
# usage: big-json.sh FORMAT GIGABYTES [FILE]
#
# FORMAT is jaeger-json or otlp-json. The document is made on the fly and goes
# through a pipe; with FILE it is written there first, read from there, and
# removed. Prints the bytes, the seconds and the peak of resident memory. Not
# part of `make check`: it takes minutes.

set -euo pipefail

format=${1:?FORMAT} gigabytes=${2:?GIGABYTES} file=${3:-}

# A document of traces of TRACE_SPANS spans, until there are SIZE bytes.
make_document() {
	python3 - "$format" "$((gigabytes * 1000000000))" <<-'PYTHON'
	import sys

	jaeger = sys.argv[1] == "jaeger-json"
	left = int(sys.argv[2])
	out = sys.stdout.buffer

	def jaeger_trace(i):
	    span = ('{"traceID":"%016x","spanID":"%016x","operationName":"GET /%d",'
	            '"references":[],"startTime":%d,"duration":1500,"tags":['
	            '{"key":"http.status_code","type":"int64","value":200},'
	            '{"key":"http.url","type":"string","value":"http://shop/%d?q=1"},'
	            '{"key":"span.kind","type":"string","value":"server"}],'
	            '"logs":[],"processID":"p1"}')
	    spans = ",".join(span % (i + 1, i * 16 + k + 1, k, 1700000000000000 + i, k)
	                     for k in range(14))
	    return ('{"traceID":"%016x","spans":[%s],"processes":{"p1":'
	            '{"serviceName":"shop","tags":[]}}}' % (i + 1, spans))

	def otlp_resource(i):
	    span = ('{"traceId":"%032x","spanId":"%016x","name":"GET /%d","kind":2,'
	            '"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":['
	            '{"key":"http.status_code","value":{"intValue":"200"}},'
	            '{"key":"http.url","value":{"stringValue":"http://shop/%d?q=1"}}],'
	            '"status":{}}')
	    spans = ",".join(span % (i + 1, i * 16 + k + 1, k, 1700000000000000000 + i,
	                             1700000000001500000 + i, k) for k in range(14))
	    return ('{"resource":{"attributes":[{"key":"service.name","value":'
	            '{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[%s]}]}' % spans)

	make = jaeger_trace if jaeger else otlp_resource
	out.write(b'{"data":[' if jaeger else b'{"resourceSpans":[')
	some = (",".join(make(i) for i in range(2000))).encode()
	comma = b""
	while left > 0:
	    out.write(comma + some)
	    left -= len(some)
	    comma = b",\n"
	out.write(b"]}\n")
	PYTHON
}

measured() {
	/usr/bin/env time -f '%e s, %U s of CPU, peak RSS %M KiB' \
		span-decode -v --output /dev/null "$@"
}

echo "$format, $gigabytes GB, from ${file:-a pipe}:"
if [ -n "$file" ]; then
	trap 'rm -f "$file"' EXIT
	make_document >"$file"
	measured "$file"
else
	make_document | measured
fi
