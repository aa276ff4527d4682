# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-sample.sh - the part of bench.sh about whole traces: as many open ones at
# once as spans are measured elsewhere, of three spans each, of which the first
# comes long before the last, so that no trace is complete before all have begun.

open_traces() {
	span-gen --topology - --seed 1 -n "$spans" --rate "$spans" <<-'END'
		{"services": [
		  {"name": "web", "instances": 20, "operations": [
		    {"name": "GET /", "weight": 1, "self": "20s", "sigma": 0.1, "calls": ["db:SELECT"]}]},
		  {"name": "db", "operations": [
		    {"name": "SELECT", "self": "5s", "sigma": 0.2}]}]}
	END
}

# tail_sampling NAME MIB: what it costs to decide with so much memory.
tail_sampling() {
	local early
	rm -f "$dir/m"
	measure "$dir/m" span-sample --preset production --wait 1m \
		--memory "$2M" <"$dir/open" >"$dir/kept" 2>"$dir/sample.log"
	early=$(sed -nE 's/.* ([0-9]+) traces were decided before.*/\1/p' \
		"$dir/sample.log")
	row "$1" "$(
		calc %.2f "3 * $spans / $(cpu span-sample "$dir/m") / 1e6"
	)" 'M spans/s' '>=' 0.3
	row "  peak anonymous memory, --memory ${2}M" \
		"$(calc %.0f "$(took span-sample 6 "$dir/m") / 1024")" MiB \
		'<=' "$(($2 + 8))"
	row '  decided early' "${early:-0}" traces "${@:3}"
}

samplings() {
	head_line "Tail sampling, $spans traces open at once"
	open_traces >"$dir/open"
	tail_sampling 'room for all' $((spans / 1536 + 16)) '<=' 0
	row '  kept in part' "$(
		span-query --spans -o '%(trace_id)' "$dir/kept" | sort |
			uniq -c | awk '$1 != 3' | wc -l
	)" traces '<=' 0
	tail_sampling 'full all the time' $((spans / 6144 + 16)) '>=' 1
	rm -f "$dir/open" "$dir/kept"
}
