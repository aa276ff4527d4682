# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-store.sh - the part of bench.sh about sealed stores

# bench.sh reads what is set here.
# shellcheck disable=SC2034

# What stat prints as JSON: of_store DIR FILTER
of_store() {
	span-store stat "$1" -o json | jq "$2"
}

# build NAME RATE: a sealed store in $dir/NAME, of traces that start RATE a
# second. At the higher rate more traces are unfinished when a log is closed.
build() {
	local store=$dir/$1 m=$dir/m traces
	rm -f "$m"
	span-gen --seed 1 --rate "$2" --spans "$store_spans" |
		measure "$m" span-store append --no-seal "$store"
	local stored
	stored=$(of_store "$store" .spans)
	row 'append' "$(calc %.2f "$stored / $(cpu span-store "$m") / 1e6")" \
		'M spans/s'
	row '  peak anonymous memory' \
		"$(calc %.1f "$(took span-store 6 "$m") / 1024")" MiB '<=' 32
	rm -f "$m"
	measure "$m" span-store seal -q --all --jobs 1 "$store"
	row 'seal' "$(calc %.2f "$stored / $(cpu span-store "$m") / 1e6")" \
		'M spans/s' '>=' 0.8
	row '  peak anonymous memory' \
		"$(calc %.1f "$(took span-store 6 "$m") / 1024")" MiB '<=' 256
	row 'segments' "$(of_store "$store" .segments)" ''
	row 'everything included' \
		"$(calc %.2f "$(du -sb "$store" | cut -f 1) / $stored")" \
		'bytes/span' '<=' 22
	traces=$(span-query -s "$store" -c)
	row 'traces that are in two segments' "$(calc %.3f \
		"($(of_store "$store" .sealedTraces) - $traces) * 100 / $traces")" %
}

# Spans that have nothing in common, some of them hostile to each part.
hostile() {
	local store=$dir/hostile m=$dir/m want
	span-gen -q -p hostile --seed 1 --spans 60000 >"$dir/odd"
	want=$(span-sum <"$dir/odd")
	span-store append -q --no-seal "$store" <"$dir/odd"
	rm -f "$dir/odd" "$m"
	measure "$m" span-store seal -q --all --jobs 1 "$store"
	row 'seal: peak anonymous memory' \
		"$(calc %.1f "$(took span-store 6 "$m") / 1024")" MiB '<=' 256
	row 'seal' "$(calc %.1f "$(cpu span-store "$m") * 1e6 / 60000")" \
		'us/span'
	row 'logs that do not fit' "$(of_store "$store" .closed)" '' '<=' 0
	[ "$want" = "$(span-query -s "$store" --spans -o spans | span-sum)" ] || {
		echo "  they are not read back as they were"
		missed=1
	}
	rm -rf "$store"
}

# What came out must be what went in, every field of every span.
read_back() {
	local want got
	want=$(span-gen --seed 1 --rate "$1" --spans "$store_spans" | span-sum)
	got=$(span-query -s "$dir/$2" --spans -o spans | span-sum)
	if [ "$want" = "$got" ]; then
		row 'read back: sum of hashes of all fields' equal ''
	else
		row 'read back: sum of hashes of all fields' "$got" "for $want"
		missed=1
	fi
}

# Milliseconds of a command from start to end, the median of nine runs, in $t.
# Exit status 1, nothing found, is fine.
time_it() {
	local i begin end runs=()
	for ((i = 0; i < 9; i++)); do
		begin=${EPOCHREALTIME/./}
		"$@" >/dev/null || [ $? = 1 ]
		end=${EPOCHREALTIME/./}
		runs+=($((end - begin)))
	done
	t=$(printf '%s\n' "${runs[@]}" | sort -n | sed -n 5p)
	t=$(calc %.2f "$t / 1000")
}

# A command on one processor, which has one thread then.
one_thread() {
	taskset -c "$cpu_of_one" "$@"
}

# Complain when two answers differ.
compare() {
	[ "$1" = "$2" ] && return
	row '  WRONG' "${1:0:40}" "for ${2:0:40}"
	missed=1
}

# search NAME FLOOR OPTION...: count spans, on all processors and on one, and
# find the newest traces; compare with a plain scan of the same spans in a
# stream.
search() {
	local name=$1 limit=$2 t
	shift 2
	time_it span-query -s "$dir/slow" --spans -c "$@"
	row "$name" "$t" ms '<=' "$limit"
	time_it one_thread span-query -s "$dir/slow" --spans -c "$@"
	row '  on one processor' "$t" ms '<=' "$limit"
	time_it one_thread span-query -s "$dir/slow" --limit 20 -o table "$@"
	row '  the 20 newest traces, on one processor' "$t" ms '<=' "$limit"
	compare "$(span-query -s "$dir/slow" --spans -c "$@")" \
		"$(span-query --spans -c "$@" "$dir/all")"
	compare "$(span-query -s "$dir/slow" --limit 20 -o ids "$@")" \
		"$(span-query --limit 20 -o ids "$@" "$dir/all")"
}

# Spans by service, counted one by one.
count_services() {
	span-query --spans -o csv "$dir/all" | awk -F '"' '
		NR > 1 { n[$2]++ } END { for (s in n) print s, n[s] }' | sort
}

print_traces() {
	local id
	for id; do
		span-query -s "$dir/slow" --trace-id "$id" -o spans
	done
}

# The mean over 20 traces.
trace_by_id() {
	local ids t
	mapfile -t ids < <(span-query -o ids "$dir/all" |
		awk 'NR % 9973 == 1' | head -n 20)
	[ ${#ids[@]} -ge 1 ] || return
	time_it print_traces "${ids[@]}"
	row "trace by id (mean of ${#ids[@]})" \
		"$(calc %.2f "$t / ${#ids[@]}")" ms '<=' 5
}

# An appender that waits for more, so that its log stays open.
with_active_log() {
	mkfifo "$dir/fifo"
	span-store append --no-seal "$dir/slow" <"$dir/fifo" &
	appender=$!
	exec 7>"$dir/fifo"
	span-gen --seed 2 --spans 200000 >"$dir/young"
	cat "$dir/young" >&7
	while [ "$(of_store "$dir/slow" .open)" = 0 ] ||
		[ "$(of_store "$dir/slow" '.spans - .sealedSpans')" -lt 200000 ]; do
		sleep 0.1
	done
	{
		span-gen --seed 1 --rate 100 --spans "$store_spans"
		cat "$dir/young"
	} >"$dir/all"
}

# Draft it, as append does unless it is told --no-seal, once it is old enough.
draft_active_log() {
	while [ "$(of_store "$dir/slow" '.drafts // 0')" = 0 ]; do
		span-store seal -q "$dir/slow"
		sleep 0.2
	done
}

searches() {
	local t
	trace_by_id
	search 'service, operation, duration' 30 --service catalogue \
		--operation 'redis GET' --min-duration 2ms
	search 'tag of few values: http.status_code=500' 30 \
		--tag http.status_code=500
	search 'tag of many values: user.id=4754' 30 --tag user.id=4754
	search 'error' 30 --error
	search 'no match: service' 30 --service nobody
	search 'no match: tag' 30 --tag nothing=here
	search 'duration' 30 --min-duration 5s
	time_it span-store services "$dir/slow"
	row 'services' "$t" ms '<=' 50
	compare "$(span-store services -o json "$dir/slow" |
		jq -r '.[] | "\(.service) \(.spans)"' | sort)" \
		"$(count_services)"
	time_it span-store operations "$dir/slow"
	row 'operations' "$t" ms '<=' 50
	time_it /bin/true
	row '/bin/true, for comparison' "$t" ms
	rm -f "$dir/m"
	measure "$dir/m" span-query -s "$dir/slow" -c --spans \
		'{ .db.system != nil } | by(span:parentID) | count() > 4' \
		>/dev/null
	row 'span-query: peak anonymous memory' \
		"$(calc %.1f "$(took span-query 6 "$dir/m") / 1024")" MiB '<=' 64
}

columns() {
	local stored
	stored=$(of_store "$dir/slow" .spans)
	span-store stat --columns -o csv "$dir/slow" |
		awk -F , -v n="$stored" 'NR > 1 && $3 / n >= 0.05 {
			gsub("\"", ""); name = $1 ($2 == "" ? "" : " " $2)
			printf "  %-46s %12.2f bytes/span\n", name, $3 / n }'
}

stores() {
	local cpu_of_one
	cpu_of_one=$(taskset -pc $$ | sed 's/.*[ ,-]//')
	head_line "A sealed store: span-gen --seed 1 --spans $store_spans, 100 traces/s"
	build slow 100
	read_back 100 slow
	head_line "The same at 300,000 spans/s: --rate 21000"
	build fast 21000
	read_back 21000 fast
	rm -rf "$dir/fast"
	head_line '60,000 spans of span-gen -p hostile'
	hostile
	head_line 'Bytes by column, from 0.05 on'
	columns
	head_line 'Whole processes over it, and over an active log of 200,000 spans'
	with_active_log
	draft_active_log
	searches
	head_line 'The same, on one processor: searches that nobody chose'
	random_searches '<=' 30
	head_line 'The same: expressions'
	expressions
	head_line 'The same: graph and statistics, and from a pipe'
	overviews
	head_line 'The random searches once more, before the log has a draft'
	rm "$dir"/slow/*.draft
	random_searches
	draft_active_log
	exec 7>&-
	wait "$appender"
	serving
	rm -rf "$dir/slow" "$dir/all" "$dir/young" "$dir/fifo"
}
