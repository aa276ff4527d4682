#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
# trace-to-loki --push: what reaches a Loki, and what is said of the rest.

load lib

python=/usr/bin/python3

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	unset LOKI_ORG_ID LOKI_USERNAME LOKI_PASSWORD LOKI_BEARER_TOKEN LOKI_BEARER_TOKEN_FILE
	started=()
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 50 --start -10m >in
	n=$(trace-to-loki -q in | jq -s '[.[].streams[].values | length] | add')
}

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# Start a server of the tests with its log in ./DIR: `server loki DIR [OPTION...]`,
# `server collector DIR [ANSWER...]`. $url.
server() {
	local script=$1 dir=$2
	shift 2
	mkdir "$dir"
	if [ "$script" = loki ]; then
		"$python" "$SRC/tests/loki.py" serve "$dir" "$@" 3>&- 2>"$dir.err" &
	else
		"$python" "$SRC/tests/collector.py" "$dir" "$@" 3>&- 2>"$dir.err" &
	fi
	started+=($!)
	disown
	wait_until test -s "$dir/port"
	url=http://127.0.0.1:$(<"$dir/port")
}

# All entries of requests, from standard input.
entries() {
	jq -c '.streams[] | .stream as $s | .values[] | [$s] + .' | sort
}

# The account that -v ends with: `account ACCEPTED REJECTED DROPPED...`
account() {
	[[ ${stderr_lines[-1]} = "trace-to-loki: $n entries: $1 accepted, $2 rejected, $3"* ]] || {
		echo "$stderr" >&2
		return 1
	}
}

# Entries with a result, of the metrics file ./m.
in_metrics() {
	sed -n "s/^trace_to_loki_entries_total{result=\"$1\"} //p" m
}

@test "trace-to-loki --push: every entry arrives, as it would have been written" {
	server loki log
	run --separate-stderr -0 trace-to-loki --push "$url" -v --batch-size 50k in
	[ -z "$output" ]
	account "$n" 0 "0 dropped; 0 sent again; "
	[ "$(wc -l <log/taken)" -gt 1 ]
	alike <(trace-to-loki -q in | entries) <(entries <log/taken)
	run --separate-stderr -0 trace-to-loki --push "$url/loki/api/v1/push" --no-gzip in
	[ -z "$stderr" ]
	alike <(trace-to-loki -q in | entries) <(entries <log/taken | sort -u)
}

@test "trace-to-loki --push: who we are comes from files or the environment" {
	server loki log --tenant shop --user me:se:cret
	run --separate-stderr -69 trace-to-loki --push "$url" in
	[ "${stderr_lines[-1]}" = "trace-to-loki: $url: HTTP 401: unauthorized" ]
	(umask 077 && echo me:se:cret >user)
	run --separate-stderr -69 trace-to-loki --push "$url" --user-file user in
	[ "${stderr_lines[-1]}" = "trace-to-loki: $url: HTTP 401: no org id" ]
	run --separate-stderr -0 trace-to-loki --push "$url" --user-file user --tenant shop in
	LOKI_ORG_ID=shop LOKI_USERNAME=me LOKI_PASSWORD=se:cret trace-to-loki --push "$url" in
	# What is given counts more.
	LOKI_ORG_ID=other LOKI_USERNAME=other trace-to-loki --push "$url" --user-file user --tenant shop in
	[ "$(wc -l <log/taken)" = 3 ]
	server loki tokens --token t0k
	(umask 077 && echo t0k >token)
	trace-to-loki --push "$url" --token-file token in
	LOKI_BEARER_TOKEN=t0k trace-to-loki --push "$url" in
	LOKI_BEARER_TOKEN_FILE=token trace-to-loki --push "$url" in
	LOKI_BEARER_TOKEN=no run --separate-stderr -69 trace-to-loki --push "$url" in
	[ "$(wc -l <tokens/taken)" = 3 ]
	LOKI_USERNAME=a LOKI_BEARER_TOKEN=b run --separate-stderr -2 trace-to-loki --push "$url" in
}

@test "trace-to-loki --push: what is too large goes in parts" {
	server collector log max=6000
	run --separate-stderr -0 trace-to-loki --push "$url" -v --no-gzip in
	account "$n" 0 "0 dropped"
	find log -name '*.body' -size -6001c -exec cat {} + | jq -c . >taken
	"$python" "$SRC/tests/loki.py" check <taken
	alike <(trace-to-loki -q in | entries) <(entries <taken)
}

@test "trace-to-loki --push: an entry that is too large alone is dropped, and counted" {
	server collector log max=10
	run --separate-stderr -69 trace-to-loki --push "$url" -v in
	account 0 0 "$n dropped ($n too large)"
}

@test "trace-to-loki --push: 429 and 5xx are tried again, 400 is not" {
	server collector log 429,retry-after=0 500 502 503 504 204
	run --separate-stderr -0 trace-to-loki --push "$url" -v --retry-min 1ms in
	account "$n" 0 "0 dropped; "
	[[ $stderr = *" sent again; 6 requests ("*"), 5 failed; "* ]]
	[[ $stderr = *"HTTP 429; trying again"*"HTTP 503; trying again"* ]]
	for i in 2 3 4 5 6; do
		cmp log/1.body log/$i.body
	done
	server collector bad '400,text=entry too far behind' 204
	run --separate-stderr -69 trace-to-loki --push "$url" -v --batch-size 20k --metrics-file m in
	[[ ${stderr_lines[0]} = "trace-to-loki: warning: $url: HTTP 400: entry too far behind; "*" entries are in a request that was rejected" ]]
	lost=$(jq '[.streams[].values | length] | add' bad/1.body)
	account $((n - lost)) "$lost" "0 dropped"
	[ "$(in_metrics rejected)" = "$lost" ]
	[ "$(in_metrics accepted)" = "$((n - lost))" ]
	# Each was sent once.
	alike <(trace-to-loki -q in | entries) <(cat bad/*.body | entries)
}

@test "trace-to-loki --push: a success that is none, and what cannot be, end it" {
	server collector log 260,text=blocked
	run --separate-stderr -69 trace-to-loki --push "$url" -v --batch-size 20k in
	[ "${stderr_lines[-1]}" = "trace-to-loki: $url: HTTP 260: blocked" ]
	[[ $stderr = *" 0 accepted, 0 rejected, "*" refused)"*"; 1 requests "* ]]
	server collector moved 404
	run --separate-stderr -69 trace-to-loki --push "$url" in
	[ "${stderr_lines[-1]}" = "trace-to-loki: $url: HTTP 404" ]
	# The peer's own words are escaped.
	server collector rude $'400,text=a\e[31mb' $'403,text=a\e[31mb'
	run --separate-stderr -69 trace-to-loki --push "$url" --batch-size 20k in
	[[ ${stderr_lines[0]} = *" HTTP 400: a"*"[31mb; "* ]]
	[ "${stderr_lines[-1]}" = "trace-to-loki: $url: HTTP 403: a?[31mb" ]
	[[ $stderr != *$'\e'* ]]
}

@test "trace-to-loki --push: nobody there is given up after a time" {
	run --separate-stderr -69 trace-to-loki --push http://127.0.0.1:1 -v \
		--retry-min 1ms --retry-max-time 50ms in
	[[ ${stderr_lines[0]} = *"http://127.0.0.1:1: cannot connect: Connection refused; trying again" ]]
	[[ $stderr = *" $n entries: 0 accepted, 0 rejected, $n dropped ($n given up); "* ]]
	[ "${stderr_lines[-1]}" = "trace-to-loki: http://127.0.0.1:1: cannot connect: Connection refused" ]
	run --separate-stderr -69 trace-to-loki --push http://127.0.0.1:1 --no-retry in
	[ "${stderr_lines[0]}" = "trace-to-loki: warning: $n entries: 0 accepted, 0 rejected, $n dropped ($n given up)" ]
	[ ${#stderr_lines[@]} = 2 ]
}

@test "trace-to-loki --push: what waits is pushed while the input stays open" {
	server loki log
	mkfifo pipe
	trace-to-loki --push "$url" --batch-wait 10ms <pipe &
	pid=$!
	exec 7>pipe
	cat in >&7
	wait_until test -s log/taken
	# A signal ends no pipe.
	kill -TERM $pid
	cat in >&7
	exec 7>&-
	ends 0 $pid
	[ "$(entries <log/taken | wc -l)" = $((2 * n)) ]
}

@test "trace-to-loki --push: TLS, when the certificate is trusted" {
	command -v openssl >/dev/null || skip "no openssl"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem \
		-days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
	server collector log --tls cert.pem key.pem 204
	url=${url/http:/https:}
	run --separate-stderr -0 trace-to-loki --push "$url" --cacert cert.pem in
	run --separate-stderr -69 trace-to-loki --push "$url" in
	[[ $stderr = *certificate* ]]
}

@test "trace-to-loki --push: wrong usage" {
	refuses "--push sends requests: *" trace-to-loki --push http://x -o json in
	refuses "--push and --output at once" trace-to-loki --push http://x --output out in
	refuses "--retry-min, * go with --push" trace-to-loki --retry-max 1s in
	refuses "--tenant goes with --push or --fetch" trace-to-loki --tenant x in
	refuses "--metrics-file goes with --push" trace-to-loki --metrics-file m in
	refuses "--no-gzip goes with --push or --fetch" trace-to-loki --no-gzip in
	refuses "--cacert, --cert, --key and --insecure go with https" trace-to-loki --push http://x --insecure in
	refuses "--header: a secret in an argument *" trace-to-loki --push http://x --header 'Authorization: x' in
	run --separate-stderr -2 trace-to-loki --push localhost:3100 in
	[ "$stderr" = "trace-to-loki: 'localhost:3100': no URL; they look like http://HOST:3100" ]
	run --separate-stderr -2 trace-to-loki --push http://a:b@x in
	[[ $stderr = *"--user-file or --token-file"* ]]
	[ ! -e out ]
}
