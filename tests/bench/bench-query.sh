# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-query.sh - the part of bench.sh about searches that span-query is for:
# many that nobody chose, and expressions that take more than an equality.
# Over the store of bench-store.sh, with its log, on one processor.

# The options of COUNT searches, a line each, quoted for the shell: of services,
# operations, tags and durations that newest spans of the store have.
make_searches() {
	span-query -s "$dir/slow" --spans --limit 20000 -o jsonl |
		jq -r '. as $s | .tags | to_entries
			| map(select(.value | type | IN("string", "number", "boolean")))
			| map("\(.key)=\(.value | tostring)")
			| map(select(test("[ \"\\\\]") | not))
			| ["--service", $s.service, "--operation", $s.name,
			   "--min-duration", "\($s.duration_ns)ns", .[]] | @tsv' |
		awk -F '\t' -v count="$1" '
			function quoted(s) {
				gsub("\047", "\047\\\047\047", s)
				return "\047" s "\047"
			}
			BEGIN { srand(7) }
			{ line[NR] = $0 }
			END {
				while (count-- > 0 && NR) {
					n = split(line[1 + int(rand() * NR)], f, "\t")
					how = int(rand() * 5)
					tag = n > 6 ? " --tag " quoted(f[7 + int(rand() * (n - 6))]) : ""
					service = f[1] " " quoted(f[2])
					operation = f[3] " " quoted(f[4])
					duration = f[5] " " quoted(f[6])
					print how == 0 ? service " " operation " " duration \
						: how == 1 && tag ? tag \
						: how == 2 ? service " --error" \
						: how == 3 ? operation tag \
						: service " " duration
				}
			}'
}

# Milliseconds of one run, in $t; its output in $dir/got.
time_once() {
	local begin=${EPOCHREALTIME/./}
	"$@" >"$dir/got" || [ $? = 1 ]
	t=$(calc %.2f "(${EPOCHREALTIME/./} - $begin) / 1000")
}

# spread NAME [OPERATOR MS]: the median, the 95th percentile and the longest of
# the numbers that come.
spread() {
	local name=$1
	shift
	sort -n >"$dir/sorted"
	local n
	n=$(wc -l <"$dir/sorted")
	row "$name: median of $n" "$(sed -n "$(((n + 1) / 2))p" "$dir/sorted")" ms
	row '  95 of 100 take at most' \
		"$(sed -n "$(((n * 95 + 99) / 100))p" "$dir/sorted")" ms
	row '  the longest' "$(tail -n 1 "$dir/sorted")" ms "$@"
	row '  above 30 ms' "$(awk '$1 > 30' "$dir/sorted" | wc -l)" searches
}

# random_searches [OPERATOR MS]: every twentieth answer is compared with that of
# a stream.
random_searches() {
	local line t i=0
	local -a args
	[ -s "$dir/searches" ] || make_searches 200 >"$dir/searches"
	while read -r line; do
		eval "args=($line)"
		time_once one_thread span-query -s "$dir/slow" --spans -c "${args[@]}"
		echo "$t" >&3
		if ((i++ % 20 == 0)); then
			compare "$(cat "$dir/got")" \
				"$(span-query --spans -c "${args[@]}" "$dir/all")"
		fi
		time_once one_thread span-query -s "$dir/slow" --limit 20 \
			-o table "${args[@]}"
		echo "$t" >&4
	done <"$dir/searches" 3>"$dir/counts" 4>"$dir/newest"
	spread 'random searches, counted' "$@" <"$dir/counts"
	spread 'random searches, the 20 newest traces' "$@" <"$dir/newest"
}

# expression TEXT: spans are counted, and the newest traces found.
expression() {
	local t
	echo "  $1"
	time_once one_thread span-query -s "$dir/slow" --spans -c "$1"
	row '  spans counted' "$t" ms '<=' 150
	compare "$(cat "$dir/got")" \
		"$(span-query --spans -c --memory 2G "$1" "$dir/all")"
	time_it one_thread span-query -s "$dir/slow" --limit 20 -o table "$1"
	row '  the 20 newest traces' "$t" ms '<=' 150
}

expressions() {
	expression '{ span.http.url =~ ".*product.*" }'
	expression '{ .db.statement =~ "SELECT.*stock.*" }'
	expression '{ event.message != nil && duration > 100ms }'
	expression '{ status = error } >> { .db.system != nil }'
	expression '{ resource.service.name = "gateway" } > { status = error }'
	expression '{ .db.system != nil } | by(span:parentID) | count() > 4'
	expression '{ status = error } | count() > 3'
}
