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

@test "interop: recorded messages are what Apache Thrift's library reads" {
	compare recorded "$DATA"/*.pcap "$DATA"/*.payloads
}

@test "interop: generated messages are what that library wrote" {
	compare random 2000
}

@test "interop: damaged messages are taken or refused as by that library" {
	compare mutated 4000
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
