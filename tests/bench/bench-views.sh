# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-views.sh - the part of bench.sh about what people look at: one trace of
# 100,000 spans, from a stream, in each form. The spans are those of many
# traces under one root, so that their tags are as in others.

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
