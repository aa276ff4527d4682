# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: Apache-2.0
#
# jaeger-environment.bash - what the variables of jaeger-all-in-one become
#
# For spans-all-in-one, whose options come first: read_environment sets
# $store, $run, $ephemeral, $max_age, $max_bytes, $sync, $strategies and the
# arguments of the programs, and says on standard error what each variable
# became. What cannot be, and would matter, ends it with 2.

# Is the variable set? Kubernetes sets some of these names too, for services.
given() {
	known[$1]=1
	[[ ${!1:-} && ! ${!1} =~ ^(tcp|udp):// ]]
}

became() {
	[ "$mode" = status ] || say "$1=${!1}: $2"
}

# A boolean as Go reads it.
yes() {
	case ${!1} in
	1 | t | T | true | TRUE | True) ;;
	0 | f | F | false | FALSE | False) return 1 ;;
	*) fail "$1=${!1}: is neither true nor false" ;;
	esac
}

# The whole seconds of a duration as Go writes it: 72h0m0s, 1.5h.
seconds() {
	local unit='(ns|us|µs|ms|s|m|h)'
	[[ $1 =~ ^(([0-9]+(\.[0-9]*)?|\.[0-9]+)$unit)+$ ]] || return
	awk -v t="$1" 'BEGIN {
		of["h"] = 3600; of["m"] = 60; of["s"] = 1; of["ms"] = 1e-3
		while (match(t, /^[0-9.]+/)) {
			n = substr(t, 1, RLENGTH); t = substr(t, RLENGTH + 1)
			match(t, /^[^0-9.]+/)
			sum += n * of[substr(t, 1, RLENGTH)]
			t = substr(t, RLENGTH + 1)
		}
		printf "%d\n", sum
	}'
}

read_age() {
	local name age
	for name in BADGER_SPAN_STORE_TTL BADGER_TTL; do
		given $name || continue
		if [ "$max_age" ]; then
			became $name "ignored, as spans go after $max_age"
			continue
		fi
		age=$(seconds "${!name}") || fail "$name=${!name}: is no duration"
		[ "$age" -gt 0 ] || fail "$name=${!name}: is shorter than a second"
		max_age=${age}s
		became $name "spans are removed after $max_age"
	done
	max_age=${max_age:-72h}
}

read_badger() {
	local key=BADGER_DIRECTORY_KEY value=BADGER_DIRECTORY_VALUE
	ephemeral=yes
	if given BADGER_EPHEMERAL; then
		yes BADGER_EPHEMERAL || ephemeral=no
		became BADGER_EPHEMERAL "$([ "$ephemeral" = no ] ||
			echo 'not ')kept after the end"
	fi
	read_age
	if given BADGER_CONSISTENCY && yes BADGER_CONSISTENCY; then
		sync=each
		became BADGER_CONSISTENCY "each frame is synced at once"
	fi
	if given BADGER_READ_ONLY && yes BADGER_READ_ONLY; then
		fail "BADGER_READ_ONLY=$BADGER_READ_ONLY: to read only, run span-serve -s DIR"
	fi
	if given $value; then
		[ "$ephemeral" = yes ] || [ "$store" ] || store=${!value}/spans
		if [ "$ephemeral" = yes ]; then
			became $value "ignored, as BADGER_EPHEMERAL is not false"
		else
			became $value "the store is $store"
		fi
	fi
	given $key && became $key "ignored, as a store has its indexes inside"
	[ "$ephemeral" = yes ] || [ "$store" ] ||
		fail "BADGER_EPHEMERAL=false wants $value, or --store"
}

read_memory() {
	ephemeral=yes
	given MEMORY_MAX_TRACES || return
	[[ $MEMORY_MAX_TRACES =~ ^[0-9]{1,9}$ ]] ||
		fail "MEMORY_MAX_TRACES=$MEMORY_MAX_TRACES: is no number"
	[ "$max_bytes" ] || [ "$MEMORY_MAX_TRACES" -eq 0 ] ||
		max_bytes=$((MEMORY_MAX_TRACES / 256 + 128))M
	became MEMORY_MAX_TRACES "at most ${max_bytes:-1G}, 4 KiB for a trace"
}

read_storage() {
	local type=SPAN_STORAGE_TYPE stored
	given $type && storage=${!type}
	case ${storage:=memory} in
	memory) read_memory ;;
	badger) read_badger ;;
	*)
		[ "$store" ] || fail "$type=$storage: spans are kept in a store" \
			"here: make it badger or memory, or give --store"
		;;
	esac
	# With a slash at its end, as completion has it, DIR.run would be in it.
	while [[ $store = *?/ ]]; do
		store=${store%/}
	done
	if [ "$store" ]; then
		ephemeral=no
		stored="the store is $store"
	elif [ "$ephemeral" = yes ]; then
		store=${TMPDIR:-/tmp}/spans-all-in-one-$UID/spans
		max_bytes=${max_bytes:-1G}
		stored="the store is $store, and removed at the end"
	fi
	if given $type; then
		became $type "$stored"
	elif [ "$mode" != status ]; then
		say "$stored"
	fi
	run=$store.run
}

# "9411", ":9411" or "HOST:9411" of the variable $1 to $host and $port.
host_port() {
	local host_name='[^][/:]+' ipv6='\[[0-9A-Fa-f:.%]+\]'
	if [[ ${!1} =~ ^:?([0-9]{1,5})$ ]]; then
		host=${address:-$loopback}
		port=${BASH_REMATCH[1]}
	elif [[ ${!1} =~ ^($host_name|$ipv6):([0-9]{1,5})$ ]]; then
		host=${BASH_REMATCH[1]}
		port=${BASH_REMATCH[2]}
	else
		fail "$1=${!1}: is no HOST:PORT"
	fi
}

# The place of a port that is $1 unless one of the variables says another.
place() {
	local name said=''
	host=${address:-$loopback} port=$1
	for name in "${@:2}"; do
		given "$name" || continue
		host_port "$name"
		became "$name" "port $port of $host"
		said=yes
		break
	done
	[[ $host != *:* || $host = \[* ]] || host="[$host]"
	[ "$said" ]
}

read_ports() {
	local proto usual names otlp=yes name
	if given COLLECTOR_OTLP_ENABLED; then
		yes COLLECTOR_OTLP_ENABLED || otlp=no
		became COLLECTOR_OTLP_ENABLED "$([ $otlp = yes ] ||
			echo 'no ')ports for OTLP"
	fi
	while read -r proto usual names; do
		[[ $otlp = yes || $proto != otlp-* ]] || continue
		# shellcheck disable=SC2086
		place "$usual" $names
		listen+=(-l "$proto:$host:$port")
	done <<-END
		udp 5775 PROCESSOR_ZIPKIN_COMPACT_SERVER_HOST_PORT
		udp 6831 PROCESSOR_JAEGER_COMPACT_SERVER_HOST_PORT
		udp 6832 PROCESSOR_JAEGER_BINARY_SERVER_HOST_PORT
		sampling 5778 HTTP_SERVER_HOST_PORT
		jaeger-http 14268 COLLECTOR_HTTP_SERVER_HOST_PORT
		jaeger-grpc 14250 COLLECTOR_GRPC_SERVER_HOST_PORT
		zipkin 9411 COLLECTOR_ZIPKIN_HOST_PORT COLLECTOR_ZIPKIN_HTTP_PORT
		otlp-grpc 4317 COLLECTOR_OTLP_GRPC_HOST_PORT
		otlp-http 4318 COLLECTOR_OTLP_HTTP_HOST_PORT
		admin 14269 ADMIN_HTTP_HOST_PORT
	END
	place 16686 QUERY_HTTP_SERVER_HOST_PORT QUERY_PORT
	serve=(--listen "$host:$port" "${serve[@]}")
}

read_tags() {
	local name tag
	for name in COLLECTOR_TAGS AGENT_TAGS; do
		given $name || continue
		while IFS= read -r tag; do
			decode+=(--add-process-tag "$tag")
		done < <(tr ',' '\n' <<<"${!name}")
		became $name "tags of each process"
	done
}

read_origins() {
	local name origin
	for name in COLLECTOR_ZIPKIN_CORS_ALLOWED_ORIGINS \
		COLLECTOR_OTLP_HTTP_CORS_ALLOWED_ORIGINS \
		COLLECTOR_ZIPKIN_ALLOWED_ORIGINS; do
		given $name || continue
		while IFS= read -r origin; do
			capture+=(--cors-origin "${origin// /}")
		done < <(tr ',' '\n' <<<"${!name}")
		became $name "pages of these may send to Zipkin and OTLP"
	done
}

read_sampling() {
	local name=SAMPLING_STRATEGIES_FILE
	strategies=$run/strategies.json
	if given $name; then
		[[ ! ${!name} =~ ^https?:// ]] ||
			fail "$name=${!name}: has to be a file here"
		strategies=${!name}
		became $name "what clients are told; read again on SIGHUP"
	fi
	given DOWNSAMPLING_HASHSALT || DOWNSAMPLING_HASHSALT=''
	given DOWNSAMPLING_RATIO || return
	if [ ${#sample[@]} -gt 0 ]; then
		became DOWNSAMPLING_RATIO "ignored, as there is --sample"
		return
	fi
	# As Jaeger, which hashes with an empty salt too.
	sample=(-r "$DOWNSAMPLING_RATIO" "--hash-salt=$DOWNSAMPLING_HASHSALT")
	became DOWNSAMPLING_RATIO "the share of traces that is kept"
}

# VARIABLE OPTION WHAT: what span-serve has as Jaeger has it.
read_query() {
	local name option what
	while read -r name option what; do
		given "$name" || continue
		serve+=("$option" "${!name}")
		became "$name" "$what"
	done <<-END
		QUERY_BASE_PATH --base-path where pages and APIs begin
		QUERY_STATIC_FILES --ui-dir the files of Jaeger's UI
		QUERY_UI_CONFIG --ui-config the settings of Jaeger's UI
		QUERY_MAX_CLOCK_SKEW_ADJUSTMENT --adjust-clock clocks are set right by so much
	END
}

read_log_level() {
	given LOG_LEVEL || return
	case $LOG_LEVEL in
	debug)
		verbose=(-v)
		became LOG_LEVEL "each bad message, and counts at the end"
		;;
	info | warn | error | dpanic | panic | fatal)
		became LOG_LEVEL "warnings: a loss is always told"
		;;
	*) fail "LOG_LEVEL=$LOG_LEVEL: is no level of Jaeger" ;;
	esac
}

# Whatever else Jaeger would have listened to.
read_rest() {
	local name why
	for name in $(compgen -e | sort); do
		[[ $name =~ ^(ADMIN|AGENT|BADGER|CASSANDRA|COLLECTOR|DOWNSAMPLING|ES|GRPC_STORAGE|HTTP_SERVER|KAFKA|MEMORY|METRICS|MULTI_TENANCY|PROCESSOR|PROMETHEUS|QUERY|REPORTER|SAMPLING)_ ]] ||
			continue
		[ ! "${known[$name]:-}" ] || continue
		given "$name" || continue
		case $name in
		*_TLS_ENABLED | MULTI_TENANCY_ENABLED)
			if yes "$name"; then
				fail "$name=${!name}: is not to be had so; README.md has what is"
			fi
			continue
			;;
		BADGER_* | MEMORY_*)
			why='as the store is looked after all the time'
			[[ ${name,,} = $storage* ]] ||
				why="as SPAN_STORAGE_TYPE is not $(cut -d_ -f1 <<<"${name,,}")"
			;;
		ES_* | CASSANDRA_* | KAFKA_* | GRPC_STORAGE_*)
			why='as spans are kept in a store here' ;;
		METRICS_STORAGE_* | PROMETHEUS_*)
			why='as calls and times are counted from the spans' ;;
		*_QUEUE_SIZE* | *_WORKERS)
			why='as the pipe has queues of its own' ;;
		*) why='as nothing here is set so' ;;
		esac
		became "$name" "ignored, $why"
	done
}

read_environment() {
	read_storage
	read_ports
	read_tags
	read_origins
	read_sampling
	read_query
	read_log_level
	read_rest
}
