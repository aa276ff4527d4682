# SPDX-License-Identifier: Apache-2.0
#
# span-decode beside Apache Thrift's own library, and segments beside a reader
# that was written from span-store(5): tests/interop/README.md.
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

# A segment of the spans in FILE, compressed with CODEC, is read by both.
read_segment() {
	span-query --spans -o jsonl "$2" >want
	"$BUILD/tests/unit/make-segment" "$1" <"$2" >segment
	/usr/bin/python3 "$SRC/tests/interop/read_segment.py" segment want
}

@test "interop: segments are what span-store(5) says" {
	span-gen --spans 5000 --seed 1 --output shop.spans
	span-gen -p deep --spans 2000 --seed 2 --nanoseconds \
		--output deep.spans
	span-gen -p hostile --spans 600 --seed 3 --output hostile.spans
	for codec in none zlib; do
		for file in shop deep hostile; do
			read_segment "$codec" "$file.spans"
		done
	done
	read_segment zlib "$DATA/store.spans"
}

@test "interop: segments are what span-store(5) says, with zstd" {
	/usr/bin/python3 -c 'import zstandard' 2>/dev/null ||
		skip "no python3-zstandard"
	span-gen --spans 5000 --seed 1 --output shop.spans
	run read_segment zstd shop.spans
	[[ $output != *"cannot compress"* ]] || skip "built without zstd"
	[ "$status" = 0 ]
}
