#!/usr/bin/env bats
# examples/all-in-one stands in for jaeger-all-in-one.

load lib

PATH=$SRC/examples/all-in-one:$PATH
python=/usr/bin/python3
ports='
PROCESSOR_ZIPKIN_COMPACT_SERVER_HOST_PORT
PROCESSOR_JAEGER_COMPACT_SERVER_HOST_PORT
PROCESSOR_JAEGER_BINARY_SERVER_HOST_PORT
HTTP_SERVER_HOST_PORT
COLLECTOR_HTTP_SERVER_HOST_PORT
COLLECTOR_GRPC_SERVER_HOST_PORT
COLLECTOR_ZIPKIN_HOST_PORT
COLLECTOR_OTLP_GRPC_HOST_PORT
COLLECTOR_OTLP_HTTP_HOST_PORT
ADMIN_HTTP_HOST_PORT
QUERY_HTTP_SERVER_HOST_PORT'
# shellcheck disable=SC2086
unset JAEGER_LISTEN_HOST LOG_LEVEL SPAN_STORAGE_TYPE $ports

# Free ports of the loopback, for what is started after it.
free_ports() {
	local port
	export JAEGER_LISTEN_HOST=127.0.0.1 TMPDIR=$BATS_TEST_TMPDIR
	for port in $ports; do
		export "$port=:0"
	done
}

# start OPTION...: until it listens; its process is $pid, what it says in err.
start() {
	start_with '' "$@"
}

# The same, by another program.
start_with() {
	free_ports
	# shellcheck disable=SC2086
	$1 spans-all-in-one "${@:2}" 2>err 3>&- &
	pid=$!
	wait_until grep 'listening on otlp-grpc' err
}

# The rest of it ends by itself.
teardown() {
	local lock
	[ -z "${pid-}" ] || killed 2>/dev/null
	for lock in ./*.run/lock; do
		[ ! -e "$lock" ] || wait_until flock -n "$lock" true
	done
}

stop() {
	kill -TERM "$pid"
	ended 0
}

# ended STATUS: by itself.
ended() {
	ends "$1" "$pid"
	pid=''
}

killed() {
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	pid=''
}

# port PROTO [N]: the (Nth) port of it.
port() {
	grep "listening on $1 " err | grep -oE ':[0-9]+' | tr -d : |
		sed -n "${2:-1}p"
}

spans_of() {
	span-query -s "$1" --spans -c || [ $? = 1 ]
}

stored() {
	[ "$(spans_of "$1")" -ge "$2" ]
}

# The number of a part's process in a store.
part() {
	sed -n "s/^$2 //p" "$1.run/parts"
}

# Three traces by each protocol; their ids to sent.
send_all() {
	local n=0 to
	while read -r to; do
		span-gen --seed $((++n)) --traces 3 >in
		span-query -o ids in >>sent
		span-send -q "$(eval "echo $to")" in
	done <<-'ALL'
		jaeger+udp://127.0.0.1:$(port udp 1)?protocol=compact
		jaeger+udp://127.0.0.1:$(port udp 2)?protocol=compact
		jaeger+udp://127.0.0.1:$(port udp 3)?protocol=binary
		jaeger+http://127.0.0.1:$(port jaeger-http)
		jaeger+grpc://127.0.0.1:$(port jaeger-grpc)
		zipkin+http://127.0.0.1:$(port zipkin)
		otlp+http://127.0.0.1:$(port otlp-http)
		otlp+grpc://127.0.0.1:$(port otlp-grpc)
	ALL
}

@test "all-in-one: every protocol gets into the store, and comes out of it" {
	start --store s --no-serve
	send_all
	[ "$(sort -u sent | wc -l)" = 24 ]
	curl -sf "http://127.0.0.1:$(port sampling)/sampling?service=x" >strategy
	[ "$(jq .probabilisticSampling.samplingRate strategy)" = 1 ]
	stop
	span-query -s s -o ids | sort | diff - <(sort sent)
	span-store verify s
}

# span-send's account: what was acknowledged.
accepted() {
	sed -nE 's/.*, ([0-9,]+) accepted.*/\1/p' "$1" | tr -d ,
}

@test "all-in-one: a stop loses nothing that was acknowledged, and a second start goes on" {
	start --store s --no-serve
	mkfifo in
	span-send -v --no-retry --batch 50 "otlp+http://127.0.0.1:$(port otlp-http)" \
		<in 2>account 3>&- &
	sender=$!
	exec 7>in
	span-gen --seed 1 --spans 2000 >&7
	wait_until stored s 500
	span-gen --seed 2 --spans 2000 >&7
	stop
	exec 7>&-
	wait $sender || true
	cat account
	[ "$(accepted account)" -ge 500 ]
	[ "$(spans_of s)" -ge "$(accepted account)" ]
	before=$(spans_of s)
	start --store s --no-serve
	span-gen --seed 3 --spans 100 >more
	span-send -q "otlp+grpc://127.0.0.1:$(port otlp-grpc)" more
	stop
	[ "$(spans_of s)" = $((before + $(spans_of_file more))) ]
	span-store verify s
}

spans_of_file() {
	span-query --spans -c "$1"
}

@test "all-in-one: datagrams that the kernel holds at the stop are stored" {
	start --store s --no-serve
	span-gen --seed 1 --traces 20 >in
	span-send -q "jaeger+udp://127.0.0.1:$(port udp 2)" in
	stop
	[ "$(spans_of s)" = "$(spans_of_file in)" ]
}

@test "all-in-one: a hang-up and Ctrl-C, which every process of the group gets, lose nothing" {
	start_with "setsid env --default-signal=INT" --store s --no-serve \
		--capture '--ack queued'
	kill -STOP "$(part s span-store)"
	span-gen --seed 1 --spans 20000 >in
	span-send -q "otlp+http://127.0.0.1:$(port otlp-http)" in
	kill -HUP -- -"$pid"
	kill -INT -- -"$pid"
	wait_until grep stopping err
	kill -CONT "$(part s span-store)"
	ended 0
	[ "$(spans_of s)" = "$(spans_of_file in)" ]
}

@test "all-in-one: when a part dies all stops, and says which" {
	for part in capture decode store; do
		start --store s --no-serve
		span-gen --seed 1 --traces 1 |
			span-send -q "zipkin+http://127.0.0.1:$(port zipkin)"
		kill -KILL "$(part s span-$part)"
		ended 137
		grep -x "spans-all-in-one: span-$part ended by signal 9, and all stops" err
		run -1 grep -i killed err
		run -0 --separate-stderr flock -n s.run/lock true
	done
	span-store verify s
	[ "$(span-query -s s -c)" = 1 ]
}

@test "all-in-one: when the script is killed the rest stops by itself and loses nothing" {
	start --store s --no-serve
	span-gen --seed 1 --traces 20 >in
	span-send -q "otlp+http://127.0.0.1:$(port otlp-http)" in
	killed
	wait_until flock -n s.run/lock true
	[ "$(spans_of s)" = "$(spans_of_file in)" ]
	run -1 --separate-stderr spans-all-in-one --store s --status
	[ "$stderr" = "spans-all-in-one: s: nobody runs with it" ]
}

@test "all-in-one: a second one with the same store ends with 75" {
	start --store s --no-serve
	run -75 --separate-stderr spans-all-in-one --store s --no-serve
	[ "${stderr_lines[-1]}" = "spans-all-in-one: s: another one runs with it" ]
	stop
}

@test "all-in-one: a store may be named with a slash at its end" {
	start --store st//
	[ -e st.run/lock ]
	[ ! -e st/.run ]
	run -75 spans-all-in-one --store st/
	run -0 --separate-stderr spans-all-in-one --status --store st/
	stop
	span-store stat -q st >/dev/null
}

@test "all-in-one: without a store spans are gone at the end" {
	start --no-serve
	store=$PWD/spans-all-in-one-$UID/spans
	grep -x "spans-all-in-one: the store is $store, and removed at the end" err
	[ "$(stat -c %a "$PWD/spans-all-in-one-$UID")" = 700 ]
	span-gen --seed 1 --traces 1 |
		span-send -q "otlp+http://127.0.0.1:$(port otlp-http)"
	wait_until stored "$store" 1
	stop
	[ ! -e "$store" ]
}

@test "all-in-one: a place in a shared directory that somebody else made is not used" {
	free_ports
	mkdir elsewhere
	ln -s "$PWD/elsewhere" "spans-all-in-one-$UID"
	run -2 --separate-stderr spans-all-in-one --no-serve
	[ "${stderr_lines[-1]}" = "spans-all-in-one: $PWD/spans-all-in-one-$UID: is not ours" ]
	[ -z "$(ls elsewhere)" ]
}

@test "all-in-one: --status shows memory, processor time and health" {
	start --store s --no-serve --max-age 7d --max-bytes 4G
	wait_until grep -q pipe s.run/addresses
	run -0 --separate-stderr spans-all-in-one --store s --status
	[ -z "$stderr" ]
	for part in span-capture span-decode span-store script; do
		grep -E "^$part +[0-9]+ +[0-9]+\.[0-9] MiB +[0-9]+\.[0-9]{2} s$" <<<"$output"
	done
	grep -xE "pipe +ok +HTTP/1.1 200 OK from 127.0.0.1:$(port admin)/" <<<"$output"
	grep -xE "disk +ok +[0-9]+ MiB free" <<<"$output"
	grep -xE "store +ok +store +s" <<<"$output"
	grep -xE " +policy +keep 7d, at most 4.0 GiB" <<<"$output"

	[ "$(awk '/MiB +[0-9.]+ s$/ { n += $3 } END { print int(n) }' <<<"$output")" -lt 32 ]
	stop
}

stuck() {
	[ "$(curl -s -o /dev/null -w '%{http_code}' \
		"http://127.0.0.1:$(port admin)/")" = 503 ]
}

@test "all-in-one: --status tells that the store does not take what comes" {
	start --store s --no-serve
	wait_until grep -q pipe s.run/addresses
	kill -STOP "$(part s span-store)"
	span-gen --seed 1 --spans 20000 >in
	span-send -q "jaeger+udp://127.0.0.1:$(port udp 2)" in
	wait_until stuck
	run -1 --separate-stderr spans-all-in-one --store s --status
	grep -E "^pipe +failed +HTTP/1.1 503 " <<<"$output"
	kill -CONT "$(part s span-store)"
	stop
	stored s 1000
}

@test "all-in-one: a full disk stops nothing, health says so, and a second signal kills" {
	start --store s --no-serve --append '--min-free 1000000G'
	span-gen --seed 1 --spans 20000 >in
	span-send -q "jaeger+udp://127.0.0.1:$(port udp 2)" in
	wait_until stuck
	kill -0 "$pid"
	kill -TERM "$pid"
	wait_until grep stopping err
	kill -TERM "$pid"
	ended 137
	grep -x 'spans-all-in-one: killed: what is on its way into the store is lost' err
}

@test "all-in-one: SIGHUP has the strategies read again" {
	echo '{"default_strategy": {"type": "probabilistic", "param": 0.25}}' >strategies
	rate() {
		curl -s "http://127.0.0.1:$(port sampling)/sampling?service=x" |
			jq .probabilisticSampling.samplingRate
	}
	export SAMPLING_STRATEGIES_FILE=$PWD/strategies
	start --store s --no-serve
	[ "$(rate)" = 0.25 ]
	sed -i s/0.25/0.5/ strategies
	kill -HUP "$pid"
	again() {
		[ "$(rate)" = 0.5 ]
	}
	wait_until again
	stop
}

# VARIABLE=VALUE ... | what it says | what then runs
@test "all-in-one: the variables of jaeger-all-in-one become what the table says" {
	while IFS='|' read -r variables said runs; do
		echo "$variables"
		# shellcheck disable=SC2086
		run -0 --separate-stderr env $variables TMPDIR=/t spans-all-in-one -n
		[[ $stderr = *"spans-all-in-one: ${said# }"* ]]
		[[ $output = *"${runs# }"* ]]
	done <<-'TABLE'
		SPAN_STORAGE_TYPE=memory| SPAN_STORAGE_TYPE=memory: the store is /t/spans-all-in-one-| '/t/spans-all-in-one-
		MEMORY_MAX_TRACES=100000| MEMORY_MAX_TRACES=100000: at most 518M, 4 KiB for a trace|
		SPAN_STORAGE_TYPE=badger| SPAN_STORAGE_TYPE=badger: the store is /t/spans-all-in-one-|
		SPAN_STORAGE_TYPE=badger BADGER_EPHEMERAL=false BADGER_DIRECTORY_VALUE=/b/data| BADGER_EPHEMERAL=false: kept after the end| '--' '/b/data/spans'
		SPAN_STORAGE_TYPE=badger BADGER_EPHEMERAL=true BADGER_DIRECTORY_VALUE=/b/data| BADGER_DIRECTORY_VALUE=/b/data: ignored, as BADGER_EPHEMERAL is not false|
		SPAN_STORAGE_TYPE=badger BADGER_EPHEMERAL=F BADGER_DIRECTORY_VALUE=/b/data| BADGER_DIRECTORY_VALUE=/b/data: the store is /b/data/spans|
		SPAN_STORAGE_TYPE=badger BADGER_DIRECTORY_KEY=/b/key| BADGER_DIRECTORY_KEY=/b/key: ignored, as a store has its indexes inside|
		SPAN_STORAGE_TYPE=badger BADGER_SPAN_STORE_TTL=48h30m0s| BADGER_SPAN_STORE_TTL=48h30m0s: spans are removed after 174600s|
		SPAN_STORAGE_TYPE=badger BADGER_TTL=1.5h| BADGER_TTL=1.5h: spans are removed after 5400s|
		SPAN_STORAGE_TYPE=badger BADGER_SPAN_STORE_TTL=1h BADGER_TTL=2h| BADGER_TTL=2h: ignored, as spans go after 3600s|
		SPAN_STORAGE_TYPE=badger BADGER_CONSISTENCY=true| BADGER_CONSISTENCY=true: each frame is synced at once| '--sync' 'each'
		BADGER_TTL=2h| BADGER_TTL=2h: ignored, as SPAN_STORAGE_TYPE is not badger|
		BADGER_EPHEMERAL=false BADGER_DIRECTORY_VALUE=/b| BADGER_EPHEMERAL=false: ignored, as SPAN_STORAGE_TYPE is not badger|
		COLLECTOR_ZIPKIN_HOST_PORT=:9411| COLLECTOR_ZIPKIN_HOST_PORT=:9411: port 9411 of localhost| 'zipkin:localhost:9411'
		COLLECTOR_ZIPKIN_HOST_PORT=0.0.0.0:19411| COLLECTOR_ZIPKIN_HOST_PORT=0.0.0.0:19411: port 19411 of 0.0.0.0| 'zipkin:0.0.0.0:19411'
		COLLECTOR_ZIPKIN_HOST_PORT=[::1]:19411| COLLECTOR_ZIPKIN_HOST_PORT=[::1]:19411: port 19411 of [::1]| 'zipkin:[::1]:19411'
		COLLECTOR_ZIPKIN_HTTP_PORT=9412| COLLECTOR_ZIPKIN_HTTP_PORT=9412: port 9412 of localhost| 'zipkin:localhost:9412'
		COLLECTOR_OTLP_ENABLED=true| COLLECTOR_OTLP_ENABLED=true: ports for OTLP| '-l' 'otlp-grpc:localhost:4317' '-l' 'otlp-http:localhost:4318'
		COLLECTOR_OTLP_ENABLED=0| COLLECTOR_OTLP_ENABLED=0: no ports for OTLP| '-l' 'zipkin:localhost:9411' '-l' 'admin:localhost:14269'
		JAEGER_LISTEN_HOST=0.0.0.0| the store is | '-l' 'udp:0.0.0.0:5775' '-l' 'udp:0.0.0.0:6831' '-l' 'udp:0.0.0.0:6832'
		JAEGER_LISTEN_HOST=::| the store is | '-l' 'udp:[::]:5775'
		COLLECTOR_TAGS=zone=b,rack=${RACK:none}| COLLECTOR_TAGS=zone=b,rack=${RACK:none}: tags of each process| '--add-process-tag' 'zone=b' '--add-process-tag' 'rack=${RACK:none}'
		COLLECTOR_ZIPKIN_CORS_ALLOWED_ORIGINS=https://a.example,https://b.example| COLLECTOR_ZIPKIN_CORS_ALLOWED_ORIGINS=https://a.example,https://b.example: pages of these| '--cors-origin' 'https://a.example' '--cors-origin' 'https://b.example'
		DOWNSAMPLING_RATIO=0.1 DOWNSAMPLING_HASHSALT=x| DOWNSAMPLING_RATIO=0.1: the share of traces that is kept| '-r' '0.1' '--hash-salt=x'
		SAMPLING_STRATEGIES_FILE=/etc/s.json| SAMPLING_STRATEGIES_FILE=/etc/s.json: what clients are told; read again on SIGHUP| '--strategies' '/etc/s.json'
		QUERY_BASE_PATH=/jaeger| QUERY_BASE_PATH=/jaeger: where pages and APIs begin| '--base-path' '/jaeger'
		QUERY_PORT=tcp://10.0.0.1:16686| the store is | '--listen'
		LOG_LEVEL=debug| LOG_LEVEL=debug: each bad message, and counts at the end| 'append' '-v'
		LOG_LEVEL=error| LOG_LEVEL=error: warnings: a loss is always told|
		COLLECTOR_QUEUE_SIZE=5000| COLLECTOR_QUEUE_SIZE=5000: ignored, as the pipe has queues of its own|
		ES_SERVER_URLS=http://es:9200| ES_SERVER_URLS=http://es:9200: ignored, as spans are kept in a store here|
		PROMETHEUS_SERVER_URL=http://p:9090| PROMETHEUS_SERVER_URL=http://p:9090: ignored, as calls and times are counted from the spans|
		COLLECTOR_FROBNICATE=1| COLLECTOR_FROBNICATE=1: ignored, as nothing here is set so|
	TABLE
}

@test "all-in-one: what the environment wants and cannot have is an error" {
	while IFS='|' read -r variables said; do
		echo "$variables"
		# shellcheck disable=SC2086
		run -2 --separate-stderr env $variables spans-all-in-one -n
		[ -z "$output" ]
		[[ ${stderr_lines[-1]} = "spans-all-in-one: ${said# }"* ]]
	done <<-'TABLE'
		SPAN_STORAGE_TYPE=elasticsearch| SPAN_STORAGE_TYPE=elasticsearch: spans are kept in a store here: make it badger
		SPAN_STORAGE_TYPE=badger BADGER_EPHEMERAL=no| BADGER_EPHEMERAL=no: is neither true nor false
		SPAN_STORAGE_TYPE=badger BADGER_EPHEMERAL=false| BADGER_EPHEMERAL=false wants BADGER_DIRECTORY_VALUE, or --store
		SPAN_STORAGE_TYPE=badger BADGER_SPAN_STORE_TTL=3d| BADGER_SPAN_STORE_TTL=3d: is no duration
		SPAN_STORAGE_TYPE=badger BADGER_SPAN_STORE_TTL=-1h| BADGER_SPAN_STORE_TTL=-1h: is no duration
		SPAN_STORAGE_TYPE=badger BADGER_SPAN_STORE_TTL=0s| BADGER_SPAN_STORE_TTL=0s: is shorter than a second
		SPAN_STORAGE_TYPE=badger BADGER_READ_ONLY=true| BADGER_READ_ONLY=true: to read only, run span-serve
		COLLECTOR_ZIPKIN_HOST_PORT=zipkin| COLLECTOR_ZIPKIN_HOST_PORT=zipkin: is no HOST:PORT
		COLLECTOR_OTLP_ENABLED=yes| COLLECTOR_OTLP_ENABLED=yes: is neither true nor false
		COLLECTOR_GRPC_TLS_ENABLED=true| COLLECTOR_GRPC_TLS_ENABLED=true: is not to be had so
		MULTI_TENANCY_ENABLED=true| MULTI_TENANCY_ENABLED=true: is not to be had so
		SAMPLING_STRATEGIES_FILE=https://x/s.json| SAMPLING_STRATEGIES_FILE=https://x/s.json: has to be a file here
		LOG_LEVEL=loud| LOG_LEVEL=loud: is no level of Jaeger
		MEMORY_MAX_TRACES=many| MEMORY_MAX_TRACES=many: is no number
	TABLE
	run -2 --separate-stderr spans-all-in-one --stoer x
	[ "$stderr" = "spans-all-in-one: there is no '--stoer': see --help" ]
	run -2 --separate-stderr spans-all-in-one --store
	[ "$stderr" = "spans-all-in-one: --store needs a value" ]
}

@test "all-in-one: --help and README.md name the same options, and each variable of it is known" {
	spans-all-in-one --help | grep -oE -- '--[a-z-]+' | sort -u >help
	grep -oE '^ +(-., )?--[a-z-]+' "$SRC/examples/all-in-one/README.md" |
		grep -oE -- '--[a-z-]+' | sort -u | diff help -
	grep -oE '^\| `[A-Z_`, ]+' "$SRC/examples/all-in-one/README.md" |
		grep -oE '[A-Z][A-Z_]+[A-Z]' | sort -u >page
	[ "$(wc -l <page)" -gt 20 ]
	while read -r name; do
		echo "$name"
		grep -qE "\b$name\b" "$SRC/examples/all-in-one/jaeger-environment.bash" \
			"$SRC/examples/all-in-one/spans-all-in-one"
	done <page
}

@test "all-in-one: sampling, in the pipe, keeps what it says" {
	start --store s --no-serve --sample '-r 0.1'
	span-gen --seed 1 --traces 200 >in
	span-send -q "otlp+http://127.0.0.1:$(port otlp-http)" in
	stop
	span-query -s s -o ids | sort >got
	span-sample -q -r 0.1 in | span-query -o ids | sort | diff - got
	[ -s got ]
}

@test "all-in-one: --send hands on to another one, and keeps a spool" {
	start --store far --no-serve
	to=$(port otlp-grpc)
	spans-all-in-one --store near --send "otlp+grpc://127.0.0.1:$to" \
		2>near.err 3>&- &
	near=$!
	wait_until grep 'listening on otlp-grpc' near.err
	span-gen --seed 1 --traces 20 >in
	span-send -q "jaeger+http://127.0.0.1:$(grep jaeger-http near.err | grep -oE '[0-9]+$')" in
	wait_until stored far "$(spans_of_file in)"
	kill -TERM $near
	ends 0 $near
	stop
	[ "$(spans_of far)" = "$(spans_of_file in)" ]
}

# The traces of send_all are stored.
all_in() {
	[ "$(span-query -s "$1" -c)" = 24 ]
}

# The address that span-serve has said, with the slash.
served() {
	sed -n 's/^span-serve: //p' err | tail -n 1
}

@test "all-in-one: what came in is answered by span-serve, which comes again when it is killed" {
	start --store s
	wait_until grep '^span-serve: http' err
	span-gen --seed 1 --traces 3 >in
	span-send -q "otlp+grpc://127.0.0.1:$(port otlp-grpc)" in
	wait_until stored s "$(spans_of_file in)"
	run -0 --separate-stderr spans-all-in-one --store s --status
	grep -xE 'serve +ok +HTTP/1.1 200 OK from 127.0.0.1:[0-9]+/healthz' <<<"$output"
	[ "$(curl -s "$(served)healthz" | jq .spans)" = "$(spans_of_file in)" ]
	before=$(part s span-serve)
	kill -KILL "$before"
	wait_until grep -x 'spans-all-in-one: span-serve ended by signal 9, and is started again' err
	twice() { [ "$(grep -c "^span-serve: http" err)" = 2 ]; }
	wait_until twice
	[ "$(part s span-serve)" != "$before" ]
	[ "$(curl -s "$(served)healthz" | jq .spans)" = "$(spans_of_file in)" ]
	run -0 --separate-stderr spans-all-in-one --store s --status
	stop
}

@test "all-in-one: what came in by every protocol is what /api/traces answers" {
	start --store s
	wait_until grep '^span-serve: http' err
	send_all
	ids=$(sort -u sent)
	[ "$(wc -l <<<"$ids")" = 24 ]
	wait_until all_in s
	for id in $ids; do
		curl -sf "$(served)api/traces/$id" | jq -r '.data[0].traceID'
	done | sort | diff - <(cat <<<"$ids")
	service=$(curl -s "$(served)api/services" | jq -r '.data[0]')
	[ "$(curl -s "$(served)api/traces?service=$service&limit=1&start=0" |
		jq '.data | length')" = 1 ]
	stop
}

# A span-serve that fails, for what happens then.
@test "all-in-one: span-serve is started again, five times, while spans come in" {
	mkdir bin
	printf '#!/bin/sh\necho "span-serve: http://127.0.0.1:1/" >&2\nexit 7\n' >bin/span-serve
	chmod +x bin/span-serve
	PATH=$PWD/bin:$PATH
	free_ports
	run -7 --separate-stderr spans-all-in-one --store s
	[ "$(grep -c '^spans-all-in-one: span-serve ended with status 7, and is started again$' \
		<<<"$stderr")" = 5 ]
	grep -x 'spans-all-in-one: span-serve ended with status 7, and all stops' <<<"$stderr"
	printf '#!/bin/sh\nexit 2\n' >bin/span-serve
	run -2 --separate-stderr spans-all-in-one --store s
	run -1 grep 'started again' <<<"$stderr"
}

# The arguments of a command in a unit, as systemd.syntax(7) has them: unlike a
# shell's single quotes, its own do not keep a backslash.
words() {
	"$python" -c 'import re, sys
word = r"""(?:"(?:\\.|[^"\\])*"|\x27(?:\\.|[^\x27\\])*\x27|(?:\\.|[^\s"\x27\\])+)"""
for w in re.findall(word, sys.stdin.read()):
    w = w[1:-1] if w[0] in "\"\x27" else w
    print(re.sub(r"\\(.)", r"\1", w).replace("$$", "$"), end="\0")'
}

@test "all-in-one: the unit of the pipe runs, with a socket of systemd, and tells clients to send all" {
	command -v systemd-socket-activate >/dev/null || skip "no systemd-socket-activate"
	mkdir run
	# Free ports take the place of usual ones.
	sed -nE 's/^ExecStart(Pre)?=//p' "$SRC/examples/all-in-one/systemd/spans.service" |
		sed -E "s,/run/spans,$PWD/run,g; s,/var/lib/spans,$PWD/spans,g
			s/localhost:[0-9]+/127.0.0.1:0/g
			s/--zipkin --otlp/-l zipkin:127.0.0.1:0 -l otlp-grpc:127.0.0.1:0/" >lines
	[ "$(wc -l <lines)" = 3 ]
	for line in 1 2; do
		mapfile -d '' -t command < <(sed -n ${line}p lines | words)
		"${command[@]}"
	done
	[ "$(jq -c .default_strategy run/strategies.json)" = '{"type":"probabilistic","param":1}' ]
	[[ "$(span-store stat spans)" = *"keep 7d, at most 5.0 GiB"* ]]
	port=$("$python" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	mapfile -d '' -t command < <(sed -n 3p lines | words)
	setsid systemd-socket-activate --datagram -l "127.0.0.1:$port" \
		"${command[@]}" 2>err 3>&- &
	group=$!
	wait_until grep "Listening on 127.0.0.1:$port" err
	span-gen --seed 1 --traces 2 | span-send -q "jaeger+udp://127.0.0.1:$port"
	wait_until grep 'listening on otlp-grpc' err
	curl -sf "http://127.0.0.1:$(port sampling)/sampling?service=x" >strategy
	[ "$(jq .probabilisticSampling.samplingRate strategy)" = 1 ]
	# As systemd stops it: each process gets the signal.
	kill -TERM -- -$group
	both() {
		[ "$(span-query -s spans -c)" = 2 ]
	}
	wait_until both
	wait $group || true
}

@test "all-in-one: systemd takes the units, and they call programs with options that are there" {
	for unit in "$SRC"/examples/all-in-one/systemd/*.service; do
		grep -hoE '(span|trace)-[a-z]+ [^|&;)]*' <<<"$(grep ^Exec "$unit")"
	done >calls
	[ "$(grep -c 'span-store' calls)" = 4 ]
	while read -r program rest; do
		command -v "$program" >/dev/null || continue
		verb=${rest%% *}
		[[ $verb != -* ]] || verb=''
		# shellcheck disable=SC2086
		"$program" $verb --help >help
		for option in $(grep -oE -- '--[a-z-]+' <<<"$rest"); do
			echo "$program $verb $option"
			grep -qE -- "^ .*${option}[ =[]" help
		done
	done <calls
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	run -0 systemd-analyze verify "$SRC"/examples/all-in-one/systemd/*
	[ -z "$output" ]
	for unit in spans span-serve; do
		run -0 systemd-analyze security --offline=yes --threshold=15 \
			"$SRC/examples/all-in-one/systemd/$unit.service"
	done
}
