# SPDX-License-Identifier: Apache-2.0
#
# Text for people and other programs, judged by other programs' parsers.

load lib

# What text-probe writes holds against text-check.py.
holds() {
	[ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
	/usr/bin/python3 "$SRC/tests/text-check.py" \
		"$BUILD/tests/unit/text-probe" "$1"
}

# The sample spans in FORMAT are what was read by eye, byte for byte.
sample() {
	"$BUILD/tests/unit/text-probe" sample "$1" >got
	diff -u "$DATA/text-sample.$1.want" got
}

@test "text: hostile names come out of JSON as they went in" {
	holds json
}

@test "text: hostile names come out of CSV, formulas disarmed" {
	holds csv
}

@test "text: hostile names are text in HTML and XML" {
	holds html
}

@test "text: hostile names come out of quoted strings as they went in" {
	holds quoted
}

@test "text: hostile names come out of logfmt as they went in" {
	holds logfmt
}

@test "text: hostile names do nothing to a terminal and fit their columns" {
	holds terminal
}

@test "text: hostile names are drawn by Graphviz as they are" {
	command -v dot >/dev/null || skip "no graphviz"
	holds dot
}

@test "text: doubles are the shortest that read back" {
	holds doubles
}

@test "encode: jsonl of random spans holds every field" {
	command -v jq >/dev/null || skip "no jq"
	holds jsonl
}

@test "encode: csv of random spans holds its columns" {
	holds csv-rows
}

@test "encode: Jaeger JSON of random spans says everything once" {
	holds jaeger
}

@test "encode: jsonl is what the header promises" {
	sample jsonl
}

@test "encode: csv is what the header promises" {
	sample csv
}

@test "encode: Jaeger JSON is what Jaeger's API answers" {
	sample jaeger
}
