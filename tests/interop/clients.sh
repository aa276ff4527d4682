#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# clients.sh - live clients send to span-capture and span-decode
#
# usage: clients.sh BUILD-TREE
#
# Installs clients from npm, PyPI and the Go proxy into BUILD-TREE/clients,
# runs each against `span-capture | span-decode` on a free port of the
# loopback, and compares what it was told with what came out. Prints TAP; what
# cannot be installed is skipped with the reason.
set -u
build=$(cd "$1" && pwd)
src=$(cd "$(dirname "$0")/clients" && pwd)
PATH=$build/bin:$build/tests/interop:$PATH
work=$build/clients
mkdir -p "$work"
cd "$work" || exit 1
export PYTHONDONTWRITEBYTECODE=1
n=0
failed=0

# say RESULT NAME: a line of TAP.
say() {
	n=$((n + 1))
	case $1 in
	ok) echo "ok $n - $2" ;;
	skip) echo "ok $n - $2 # SKIP $3" ;;
	*)
		echo "not ok $n - $2"
		failed=$((failed + 1))
		;;
	esac
}

# Wait, ten seconds at most, for a line in a file.
wait_for() {
	local i
	for ((i = 0; i < 1000; i++)); do
		grep -q "$1" "$2" 2>/dev/null && return
		sleep 0.01
	done
	return 1
}

# client NAME COMMAND...: run it, told the port in $PORT.
client() {
	local name=$1 dir=$work/run port capture decode
	shift
	rm -rf "$dir"
	mkdir "$dir"
	mkfifo "$dir/pipe"
	span-capture -v --listen udp:127.0.0.1:0 >"$dir/pipe" \
		2>"$dir/capture.err" &
	capture=$!
	span-decode -v <"$dir/pipe" >"$dir/spans" 2>"$dir/decode.err" &
	decode=$!
	wait_for 'listening on' "$dir/capture.err"
	port=$(sed -nE 's/.*listening on udp.*:([0-9]+)$/\1/p' "$dir/capture.err")
	PORT=$port timeout 60 "$@" >"$dir/told" 2>"$dir/client.err"
	status=$?
	kill -TERM $capture
	wait $capture && wait $decode || status=1
	if [ $status = 0 ] && spans-jsonl <"$dir/spans" >"$dir/got" &&
		/usr/bin/python3 "$src/check.py" "$dir/told" "$dir/got"; then
		say ok "$name"
	else
		say not "$name"
		sed 's/^/# /' "$dir"/*.err | head -n 40
	fi
	grep -h 'messages in' "$dir/decode.err" | sed 's/^/# /'
}

# install NAME COMMAND...: what it says goes to NAME.log.
install() {
	local log=$work/$1.log
	shift
	timeout 300 "$@" >"$log" 2>&1 && return
	tail -n 5 "$log" | sed 's/^/# /'
	return 1
}

if ! command -v npm >/dev/null; then
	say skip "clients of npm" "no npm"
elif cp "$src/package.json" . && install npm npm install --no-audit --no-fund \
	--ignore-scripts; then
	for name in jaeger-node otel-node; do
		cp "$src/$name.js" .
		client "$name (npm), binary" node "$name.js"
	done
else
	say skip "clients of npm" "npm cannot install them"
fi

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
	say skip "clients of PyPI" "no python3 with venv"
elif { [ -x venv/bin/python ] || install venv python3 -m venv venv; } &&
	install pip venv/bin/pip install -r "$src/requirements.txt"; then
	for name in jaeger-python otel-python; do
		client "$name (PyPI), compact" venv/bin/python "$src/$name.py"
	done
else
	say skip "clients of PyPI" "pip cannot install them"
fi

if ! command -v go >/dev/null; then
	say skip "jaeger-client-go" "no go"
elif mkdir -p go && cp "$src"/go/* go && install go \
	go build -C go -mod=mod -o client .; then
	client "jaeger-client-go, compact" go/client
else
	say skip "jaeger-client-go" "go cannot build it"
fi

echo "1..$n"
exit $((failed > 0))
