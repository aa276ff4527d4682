# SPDX-License-Identifier: Apache-2.0
#
# span-decode beside Apache Thrift's own library: tests/interop/README.md.
# More messages, and live clients, are in `make check-interop`.

load lib

compare() {
	/usr/bin/python3 -c 'import thrift' 2>/dev/null ||
		skip "no python3-thrift"
	command -v thrift >/dev/null || skip "no thrift-compiler"
	PATH=$BUILD/tests/interop:$PATH PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 "$SRC/tests/interop/compare.py" "$@"
}

compare_zipkin() {
	/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null ||
		skip "no python3-protobuf"
	command -v protoc >/dev/null || skip "no protobuf-compiler"
	PATH=$BUILD/tests/interop:$PATH PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 "$SRC/tests/interop/compare_zipkin.py" "$@"
}

@test "interop: recorded messages are what Apache Thrift's library reads" {
	compare recorded "$DATA"/*.pcap "$DATA"/*.payloads
}

@test "interop: generated messages are what that library wrote" {
	compare random 2000
}

@test "interop: damaged messages are taken or refused as by that library" {
	compare mutated 4000
}

# Bodies of one format that clients have sent, and what these were told.
recorded() {
	local told n=0
	for told in "$DATA"/clients/*."$1".told; do
		span-decode --strict --from "$1" "${told%.told}" |
			"$BUILD/tests/interop/spans-jsonl" >"$BATS_TEST_TMPDIR/got"
		PYTHONDONTWRITEBYTECODE=1 \
			/usr/bin/python3 "$SRC/tests/interop/clients/check.py" \
			"$told" "$BATS_TEST_TMPDIR/got"
		n=$((n + 1))
	done
	[ $n -gt 0 ]
}

@test "interop: what clients sent is what they were told" {
	for format in jaeger-binary jaeger-proto otlp-json otlp-proto \
		zipkin-binary zipkin-json zipkin-proto; do
		recorded $format
	done
}

compare_otlp() {
	/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null ||
		skip "no python3-protobuf"
	command -v protoc >/dev/null || skip "no protobuf-compiler"
	PATH=$BUILD/tests/interop:$PATH PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 "$SRC/tests/interop/compare_otlp.py" "$@"
}

@test "interop: OTLP in protobuf and JSON is what python3-protobuf says, both ways" {
	compare_otlp random 500
}

@test "interop: damaged OTLP is taken or refused as by that library" {
	compare_otlp mutated 2000
}

@test "interop: Zipkin's JSON and protobuf are what Python wrote" {
	compare_zipkin random 1000
}

@test "interop: what a Zipkin client sent is what tshark and Python read" {
	command -v tshark >/dev/null || skip "no tshark"
	compare_zipkin recorded "$DATA/real-clients.pcap"
}
