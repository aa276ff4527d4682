# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# live.sh - what tests with live programs share; sourced
#
# The caller has set build, the build tree, and work, a directory of its own
# below it, which becomes the current one.
PATH=$build/bin:$build/tests/interop:$PATH
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$work"
cd "$work" || exit 1
n=0
failed=0
pipe=

# say ok|not|skip NAME [DIRECTORY|REASON]: a line of TAP; what programs of a
# failed test said is in DIRECTORY/*.err.
say() {
	n=$((n + 1))
	case $1 in
	ok) echo "ok $n - $2" ;;
	skip) echo "ok $n - $2 # SKIP $3" ;;
	*)
		echo "not ok $n - $2"
		failed=$((failed + 1))
		sed 's/^/# /' "$3"/*.err | cut -c 1-300 | head -n 40
		;;
	esac
}

finish() {
	echo "1..$n"
	exit $((failed > 0))
}

# wait_for PID TEXT FILE [HUNDREDTHS]: until a line of the file has it; 1 when
# the process ends before, or after so many hundredths of a second.
wait_for() {
	local i
	for ((i = 0; i < ${4:-1000}; i++)); do
		grep -q -- "$2" "$3" 2>/dev/null && return
		kill -0 "$1" 2>/dev/null || return
		sleep 0.01
	done
	return 1
}

# start_pipe DIRECTORY OPTION...: span-capture with these options, and
# span-decode into DIRECTORY/spans.
start_pipe() {
	pipe=$1
	shift
	rm -rf "$pipe"
	mkdir "$pipe"
	mkfifo "$pipe/pipe"
	span-capture -v "$@" >"$pipe/pipe" 2>"$pipe/capture.err" &
	capture=$!
	span-decode -v <"$pipe/pipe" >"$pipe/spans" 2>"$pipe/decode.err" &
	decode=$!
	wait_for "$capture" 'listening on' "$pipe/capture.err"
}

# port_of PROTOCOL: where the pipe listens.
port_of() {
	sed -nE "s/.*listening on $1 .*:([0-9]+)\$/\\1/p" "$pipe/capture.err" |
		head -n 1
}

stop_pipe() {
	local status
	[ "$pipe" ] || return
	pipe=
	kill -TERM "$capture" 2>/dev/null
	wait "$capture"
	status=$?
	wait "$decode" && return "$status"
}

# run_to_log NAME COMMAND...: what it says goes to NAME.log; it has LIMIT
# seconds.
run_to_log() {
	local log=$work/$1.log
	shift
	timeout -k 5 "${LIMIT:-300}" "$@" >"$log" 2>&1 && return
	tail -n 5 "$log" | sed 's/^/# /'
	return 1
}

# same FILE STAMP: nothing has changed since it was installed.
same() {
	cmp -s "$1" "$2"
}

# install_npm DIRECTORY PACKAGE.JSON
install_npm() {
	mkdir -p "$1"
	same "$2" "$1/package.json" && [ -d "$1/node_modules" ] &&
		[ -e "$1/installed" ] && return
	rm -f "$1/installed"
	cp "$2" "$1/package.json"
	run_to_log npm npm install --prefix "$1" --no-audit --no-fund \
		--ignore-scripts && touch "$1/installed"
}

# install_pip VENV REQUIREMENTS
install_pip() {
	same "$2" "$1/installed" && return
	rm -rf "$1"
	run_to_log venv python3 -m venv "$1" &&
		run_to_log pip "$1/bin/pip" install -r "$2" &&
		cp "$2" "$1/installed"
}

# build_go DIRECTORY SOURCE: the program DIRECTORY/client.
build_go() {
	mkdir -p "$1"
	cp "$2"/*.go "$2/go.mod" "$1"
	run_to_log go go build -C "$1" -mod=mod -o client .
}
