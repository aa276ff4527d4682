# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-serve.sh - what span-serve answers in a second, over the store of
# bench-store.sh; part of bench.sh

# A script for wrk that asks for the targets in a file, one after another.
wrk_targets() {
	cat <<-EOF
		local targets, at = {}, 0
		for line in io.lines("$1") do targets[#targets + 1] = line end
		request = function()
			at = at % #targets + 1
			return wrk.format("GET", targets[at])
		end
	EOF
}

# latency_of PERCENT FILE: what wrk --latency says, in milliseconds.
latency_of() {
	awk -v percent="$1%" '$1 == percent {
		unit = $2
		gsub(/[0-9.]/, "", unit)
		print $2 * (unit == "us" ? 0.001 : unit == "s" ? 1000 : 1)
	}' "$2"
}

# serve: start it; $pid, $url
serve() {
	local i
	rm -f "$dir/serve.log" "$dir/m"
	measure "$dir/m" span-serve -s "$dir/slow" -l 127.0.0.1:0 \
		2>"$dir/serve.log" &
	pid=$!
	url=
	for ((i = 0; i < 1000 && ${#url} == 0; i++)); do
		sleep 0.01
		url=$(sed -nE 's,^span-serve: (http.*)/$,\1,p' "$dir/serve.log")
	done
}

unserve() {
	kill -TERM "$pid"
	wait "$pid" || :
	row '  peak anonymous memory' \
		"$(calc %.1f "$(took span-serve 6 "$dir/m") / 1024")" MiB \
		'<=' "$1"
}

# asked NAME CONNECTIONS TARGETS: what wrk gets
asked() {
	local failed
	wrk_targets "$3" >"$dir/get.lua"
	wrk -t 1 -c "$2" -d "$((seconds < 10 ? seconds : 10))" --timeout 30 \
		--latency -s "$dir/get.lua" "$url" >"$dir/load" 2>&1 || :
	failed=$(failures_of "$dir/load")
	row "$1, $2 connections" "$(requests_of "$dir/load")" 'requests/s'
	row '  half of them take at most' "$(latency_of 50 "$dir/load")" ms
	row '  99 of 100' "$(latency_of 99 "$dir/load")" ms
	row '  that failed' "${failed:-0}" requests '<=' 0
}

make_targets() {
	span-query -s "$dir/slow" --limit 2000 -o ids |
		sed 's,^,/api/traces/,' >"$dir/ids"
	make_searches 200 | grep -v -e --tag -e --error | tr -d \' | awk '{
		for (i = 1; i < NF; i += 2)
			v[substr($i, 3)] = $(i + 1)
		gsub(/[^A-Za-z0-9._~-]/, "", v["operation"])
		print "/api/traces?limit=20&lookback=custom&start=1&end=" \
			"9000000000000000&service=" v["service"] \
			"&minDuration=" v["min-duration"]
		delete v
	}' | grep 'service=[a-z]' >"$dir/searches"
}

serving() {
	head_line 'span-serve, wrk on the same processors'
	make_targets
	serve
	asked 'a trace by its id' 8 "$dir/ids"
	asked 'a search for 20 traces' 8 "$dir/searches"
	unserve 256
	serve
	# Seconds of somebody's own traffic, meanwhile.
	span-gen --seed 9 --rate 2000 --duration "$((seconds + 10))s" --pace |
		span-store append --no-seal "$dir/slow" 2>"$dir/store.log" &
	asked 'a trace by its id, while spans come in' 1000 "$dir/ids"
	kill -TERM %+ 2>/dev/null || :
	unserve 256
	wait
}
