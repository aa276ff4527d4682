# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-views.sh - the part of bench.sh about what people look at: graph and
# statistics of all spans, and one trace of 100,000 spans, from a stream, in each
# form. The spans of that one are those of many traces under one root, so that
# their tags are as in others.

# What both ways have to count alike: lines of text, calls and errors.
counted() {
	cut -d , -f "$1" | sort
}

# overview NAME FIELDS COMMAND...: of the store and its log, where it comes from
# what is known in advance, then of the same spans in a pipe, one by one. FIELDS
# are the columns of CSV to compare.
overview() {
	local name=$1 fields=$2 program=$3 t
	shift 2
	time_it "$@" -s "$dir/slow" -o csv
	row "$name, of the store" "$t" ms '<=' 50
	time_it one_thread "$@" -s "$dir/slow" -o csv
	row '  on one processor' "$t" ms
	rm -f "$dir/m"
	# shellcheck disable=SC2002 # from a pipe
	cat "$dir/all" | measure "$dir/m" "$@" \
		-o csv >"$dir/got"
	row "$name, from a pipe" "$(
		calc %.2f "$n_all / $(cpu "$program" "$dir/m") / 1e6"
	)" 'M spans/s' '>=' 3
	row '  peak anonymous memory' \
		"$(calc %.0f "$(took "$program" 6 "$dir/m") / 1024")" MiB '<=' 64
	compare "$("$@" -s "$dir/slow" -o csv | counted "$fields")" \
		"$(counted "$fields" <"$dir/got")"
}

overviews() {
	local n_all
	n_all=$(of_store "$dir/slow" .spans)
	overview 'graph of services' 1-4 span-graph
	overview 'graph of operations' 1-6 span-graph --by operation
	overview 'statistics by operation' 1-4 span-stats
}

large_trace() {
	local root
	span-gen --seed 1 --spans 100000 | span-query --spans -o jsonl |
		head -n 100000 >"$dir/jsonl"
	root=$(head -n 1 "$dir/jsonl" | jq -r .span_id)
	sed -E 's/"trace_id":"[^"]*"/"trace_id":"a1"/
		1s/"parent_id":"[^"]*"/"parent_id":null/
		2,$s/"parent_id":null/"parent_id":"'"$root"'"/' "$dir/jsonl" |
		span-decode --from jsonl >"$dir/large"
	rm -f "$dir/jsonl"
}

# view NAME OPTION... [-- FLOOR...]: CPU of the whole process, the least of five
view() {
	local name=$1 best=999999 t i
	local -a args=() floor=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		args+=("$1")
		shift
	done
	[ $# = 0 ] || floor=("${@:2}")
	for ((i = 0; i < 5; i++)); do
		rm -f "$dir/m"
		measure "$dir/m" trace-view "${args[@]}" "$dir/large" >"$dir/got"
		t=$(calc %.0f "1000 * $(cpu trace-view "$dir/m")")
		best=$((t < best ? t : best))
	done
	row "$name" "$best" ms "${floor[@]}"
	row '  peak anonymous memory' \
		"$(calc %.0f "$(took trace-view 6 "$dir/m") / 1024")" MiB
	row '  output' "$(calc %.1f "$(stat -c %s "$dir/got") / 1048576")" MiB
}

views() {
	head_line 'A trace of 100,000 spans, CPU of one process'
	large_trace
	view 'waterfall' -- '<=' 300
	view 'waterfall, a line a span' --no-fold
	view 'page' --html
	view 'picture' --svg
	rm -f "$dir/large" "$dir/got"
}
