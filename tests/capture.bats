# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
load lib

dump=$BUILD/tests/unit/payload-dump
blast=$BUILD/tests/bench/udp-blast
python=/usr/bin/python3

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# Start span-capture in the background, writing to file $1, and wait until it
# listens: $pid, and $port of the last address. What it says is in $1.err.
start() {
	local out=$1
	shift
	span-capture "$@" >"$out" 2>"$out.err" 3>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -qE 'listening on|capturing on' "$out.err"
	port=$(sed -nE 's/.*listening on udp.*:([0-9]+)$/\1/p' "$out.err")
}

stop() {
	kill -TERM "$1"
	ends 0 "$1"
}

has_ipv6() {
	grep -qs '^00000000000000000000000000000001 ' /proc/net/if_inet6
}

needs_ipv6() {
	has_ipv6 || skip "this host has no IPv6"
}

# Run a command in a network namespace of its own, where no port is taken.
in_namespace() {
	if [ "$(id -u)" = 0 ]; then
		unshare -n -- sh -c 'ip link set lo up && exec "$@"' - "$@"
	else
		unshare -rn -- sh -c 'ip link set lo up && exec "$@"' - "$@"
	fi
}

needs_namespace() {
	in_namespace true 2>/dev/null || skip "no network namespaces here"
}

# The value of a metric in file $1 that matches $2, summed.
metric() {
	awk -v name="$2" 'index($0, name) == 1 {n += $NF} END {print n + 0}' "$1"
}

# Each file: what comes out, and the counts without the time.
golden() {
	local file
	for file in "$@"; do
		span-capture -v -r "$DATA/pcap/$file" 2>err >out || return
		{ "$dump" <out; sed 's/, [0-9.]* s$//' err; } |
			same "pcap/$file.want" - || return
	done
}

@test "span-capture: Ethernet, with what is none of ours left out" {
	golden ethernet.pcap
}

@test "span-capture: VLAN tags, up to four" {
	golden vlan.pcap
}

@test "span-capture: Linux cooked, BSD loopback and raw IP" {
	golden cooked.pcap cooked2.pcap null.pcap loop.pcap raw.pcap ipv4.pcap \
		ipv6.pcap
}

@test "span-capture: IPv4 options and IPv6 extension headers" {
	golden headers.pcap
}

@test "span-capture: lengths that make no sense are counted" {
	golden lengths.pcap
}

@test "span-capture: IPv4 fragments in any order, and their losses" {
	golden fragments4.pcap
}

@test "span-capture: IPv6 fragments, and their losses" {
	golden fragments6.pcap
}

@test "span-capture: what the snapshot length cut is dropped and counted" {
	golden snaplen.pcap
}

@test "span-capture: --truncated writes what was cut, marked" {
	run -0 --separate-stderr bash -c 'span-capture -v --truncated \
		-r "$1" | "$2"' - "$DATA/pcap/snaplen.pcap" "$dump"
	grep -F ':40000 > 6831, truncated, 32 bytes: this text is cut after the word' \
		<<<"$output"
	grep -F '> 6831, truncated, 16 bytes: this text is cut' <<<"$output"
	[[ $stderr = *"written 5, dropped 5 (5 truncated)"* ]]
	[[ $stderr = *"2 of those written are truncated" ]]
}

@test "span-capture: nanoseconds, both byte orders, and pcapng" {
	golden nanoseconds.pcap big-endian.pcap two.pcapng
}

@test "span-capture: a recording of real clients, against tshark" {
	command -v tshark >/dev/null || skip "no tshark"
	tshark -r "$DATA/real-clients.pcap" -Y udp -T fields -E separator=' ' \
		-e frame.time_epoch -e ip.src -e udp.srcport -e udp.dstport \
		-e udp.payload 2>/dev/null |
		awk '{printf "%s %s:%s > %s, %d bytes: %s\n",
			$1, $2, $3, $4, length($5) / 2, $5}' >want
	[ "$(wc -l <want)" = 9 ]
	span-capture -f udp -r "$DATA/real-clients.pcap" | "$dump" -x |
		diff -u want -
}

@test "span-capture: reassembled datagrams, against tshark" {
	command -v tshark >/dev/null || skip "no tshark"
	local file
	for file in fragments4 fragments6; do
		tshark -r "$DATA/pcap/$file.pcap" -Y 'udp.dstport == 6831' \
			-T fields -e udp.payload 2>/dev/null >theirs
		span-capture -q -r "$DATA/pcap/$file.pcap" | "$dump" -x |
			sed 's/.* //' >ours
		[ "$(wc -l <ours)" = 7 ]
		# It joins overlapping fragments, and ignores checksums.
		[ "$(wc -l <theirs)" -gt 7 ]
		while read -r line; do
			grep -qxF "$line" theirs
		done <ours
	done
}

@test "span-capture: gzip files, standard input, pipes" {
	span-capture -r "$DATA/pcap/vlan.pcap" >want
	[ -s want ]
	gzip -c "$DATA/pcap/vlan.pcap" >vlan.pcap.gz
	span-capture -r vlan.pcap.gz | cmp - want
	span-capture -r - <"$DATA/pcap/vlan.pcap" | cmp - want
	span-capture -r - <vlan.pcap.gz | cmp - want
	# shellcheck disable=SC2002
	cat "$DATA/pcap/two.pcapng" | span-capture -r - | "$dump" >out
	[ "$(wc -l <out)" = 3 ]
}

@test "span-capture: packets from a pipe come out before its end" {
	mkfifo packets
	span-capture -r packets >out 3>&- &
	started+=("$!")
	exec 8>packets
	head -c 200 "$DATA/pcap/ethernet.pcap" >&8
	wait_until bash -c '"$1" <out 2>/dev/null | grep -q IPv6' - "$dump"
	exec 8>&-
	ends 65 "$!"
}

@test "span-capture: a cut file is an error with packet and offset" {
	head -c 200 "$DATA/pcap/ethernet.pcap" >cut.pcap
	run -65 --separate-stderr bash -c 'set -o pipefail
		span-capture -r cut.pcap | "$1"' - "$dump"
	[ "${#lines[@]}" = 2 ]
	[[ $stderr = "span-capture: cut.pcap: packet 3 at byte 168: truncated dump file"* ]]
	[ "${#stderr_lines[@]}" = 1 ]
	gzip cut.pcap
	run -65 --separate-stderr span-capture -r cut.pcap.gz
	[[ $stderr = "span-capture: cut.pcap.gz: packet 3 at byte 168: "* ]]
}

@test "span-capture: a damaged file is an error, what came before is written" {
	cp "$DATA/pcap/ethernet.pcap" bad.pcap
	printf '\xff\xff\xff\x7f' | dd of=bad.pcap bs=1 seek=176 conv=notrunc \
		status=none
	run -65 --separate-stderr bash -c 'set -o pipefail
		span-capture -r bad.pcap | "$1"' - "$dump"
	[ "${#lines[@]}" = 2 ]
	[[ $stderr = "span-capture: bad.pcap: packet 3 at byte 168: "* ]]
}

@test "span-capture: no capture file, an empty one, a damaged gzip file" {
	run -65 --separate-stderr span-capture -r "$SRC/LICENSE"
	[[ $stderr = "span-capture: $SRC/LICENSE: no capture file: "* ]]
	run -65 --separate-stderr span-capture -r - </dev/null
	[[ $stderr = "span-capture: stdin: no capture file: "* ]]
	gzip -c "$DATA/pcap/fragments4.pcap" | head -c 400 >bad.gz
	run -65 --separate-stderr span-capture -r bad.gz --output out
	[ ! -e out ]
	run -74 --separate-stderr span-capture -r missing.pcap
	[[ $stderr = "span-capture: "*missing.pcap*"No such file or directory" ]]
}

@test "span-capture: another link type is an error that names it" {
	run -65 --separate-stderr span-capture -r "$DATA/pcap/wlan.pcap"
	[ "$stderr" = "span-capture: $DATA/pcap/wlan.pcap: cannot read packets of link type IEEE802_11" ]
}

@test "span-capture: --port and --filter choose datagrams" {
	run -0 bash -c 'span-capture -p 7000 -r "$1" | "$2"' - \
		"$DATA/pcap/ethernet.pcap" "$dump"
	[[ $output = *"> 7000, 10 bytes: other port" ]]
	[ "${#lines[@]}" = 1 ]
	run -0 bash -c 'span-capture -p 7000 --port=5775 -r "$1" | "$2"' - \
		"$DATA/pcap/ethernet.pcap" "$dump"
	[ "${#lines[@]}" = 2 ]
	run -0 bash -c 'span-capture -f "src port 6831" -r "$1" | "$2"' - \
		"$DATA/pcap/ethernet.pcap" "$dump"
	[[ $output = *"> 53, 25 bytes: from port 6831 to another" ]]
	[ "${#lines[@]}" = 1 ]
	run -0 bash -c 'span-capture -f ip6 -p 6831 -r "$1" | "$2"' - \
		"$DATA/pcap/ethernet.pcap" "$dump"
	[[ $output = *"> 6831, 4 bytes: IPv6" ]]
	[ "${#lines[@]}" = 1 ]
	run -2 --separate-stderr span-capture -f 'udp prot 1' -r \
		"$DATA/pcap/ethernet.pcap"
	[[ $stderr = "span-capture: filter 'udp prot 1': "* ]]
	run -2 --separate-stderr span-capture -p 65536 -r \
		"$DATA/pcap/ethernet.pcap"
	[[ $stderr = "span-capture: no port: '65536'"* ]]
}

@test "span-capture: --count stops after so many payloads" {
	run -0 bash -c 'span-capture --count 3 -r "$1" | "$2"' - \
		"$DATA/pcap/ethernet.pcap" "$dump"
	[ "${#lines[@]}" = 3 ]
}

@test "span-capture: datagrams over IPv4 arrive whole, with time and peer" {
	start out -v --listen udp:127.0.0.1:0
	before=$(date +%s)
	"$blast" 127.0.0.1 "$port" 100 1400
	"$blast" 127.0.0.1 "$port" 2 65507
	stop "$pid"
	after=$(date +%s)
	"$dump" <out >text
	[ "$(grep -cE "^[0-9.]+ 127\.0\.0\.1:[0-9]+ > $port, 1400 bytes" text)" = 100 ]
	[ "$(grep -cE "> $port, 65507 bytes" text)" = 2 ]
	"$dump" -n <out >numbers
	{ seq 0 99; seq 0 1; } | diff - numbers
	awk -v a="$before" -v b="$after" \
		'$1 < a || $1 > b + 1 {exit 1}' text
	grep -E '^span-capture: received 102 \(271014 bytes\), written 102, dropped 0, [0-9.]+ s$' out.err
}

@test "span-capture: datagrams over IPv6" {
	needs_ipv6
	start out --listen 'udp:[::1]:0'
	"$blast" ::1 "$port" 10 100
	stop "$pid"
	"$dump" <out >text
	[ "$(grep -cE '^[0-9.]+ \[::1\]:[0-9]+ > [0-9]+, 100 bytes' text)" = 10 ]
}

@test "span-capture: a payload comes out at once, not at the end" {
	start out --listen udp:127.0.0.1:0
	"$blast" 127.0.0.1 "$port" 1 100
	wait_until test -s out
	stop "$pid"
}

@test "span-capture: --udp listens on the agent's ports of the loopback" {
	needs_namespace
	cat >inside <<-'END'
		span-capture --udp >out 2>err &
		pid=$!
		until grep -q 'listening on' err; do sleep 0.01; done
		for port in 5775 6831 6832; do "$1" 127.0.0.1 $port 1 100; done
		! grep -q ::1 err || "$1" ::1 6831 1 200
		kill $pid && wait $pid
	END
	in_namespace timeout 20 sh inside "$blast"
	"$dump" <out >text
	grep -q 'listening on udp 127.0.0.1:5775 ' err
	[ "$(grep -c '127.0.0.1:.* > 5775, 100 bytes' text)" = 1 ]
	[ "$(grep -c '127.0.0.1:.* > 6831, 100 bytes' text)" = 1 ]
	[ "$(grep -c '127.0.0.1:.* > 6832, 100 bytes' text)" = 1 ]
	if grep -q ::1 err; then
		grep -q 'listening on udp .*\[::1\]:6831' err
		grep -q '\[::1\]:.* > 6831, 200 bytes' text
	fi
}

@test "span-capture: without IPv6 --udp listens on IPv4" {
	needs_namespace
	cat >inside <<-'END'
		sysctl -qw net.ipv6.conf.lo.disable_ipv6=1 || exit 7
		span-capture --udp --duration 1ms >/dev/null 2>err
	END
	status=0
	in_namespace timeout 20 sh inside || status=$?
	[ "$status" != 7 ] || skip "IPv6 cannot be switched off"
	[ "$status" = 0 ]
	grep -x 'span-capture: listening on udp 127.0.0.1:5775 127.0.0.1:6831 127.0.0.1:6832' err
}

@test "span-capture: --udp=* listens on every address" {
	needs_namespace
	in_namespace timeout 20 span-capture '--udp=*' --duration 1ms 2>err >out
	grep -q 'listening on udp 0.0.0.0:5775' err
	! has_ipv6 || grep -q '\[::\]:6832' err
}

@test "span-capture: a taken port is an error that names it" {
	[ -x $python ] || skip "no $python"
	cat >hold.py <<-'END'
		import os, socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("127.0.0.1", 0))
		port = str(s.getsockname()[1])
		print(port, flush=True)
		s.set_inheritable(True)
		os.execvp(sys.argv[1], [*sys.argv[1:], "udp:127.0.0.1:" + port])
	END
	run -74 --separate-stderr $python hold.py span-capture -l
	[ "$stderr" = "span-capture: cannot listen on udp 127.0.0.1:$output (to see who does: ss -ulpn 'sport = :$output'): Address already in use" ]
}

@test "span-capture: an address of another host is an error" {
	run -74 --separate-stderr span-capture -l udp:192.0.2.77:0
	[ "$stderr" = "span-capture: cannot listen on udp 192.0.2.77:0: Cannot assign requested address" ]
}

@test "span-capture: a socket from systemd, and sd_notify" {
	[ -x $python ] || skip "no $python"
	cat >systemd.py <<-'END'
		import os, signal, socket, subprocess, sys
		notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		notify.bind("notify")
		notify.settimeout(20)
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("127.0.0.1", 0))
		# The second one goes on with the same socket, and with what came
		# while nobody ran.
		for n in range(3):
		    s.sendto(b"before %d" % n, s.getsockname())
		    child = subprocess.Popen(
		        ["sh", "-c", 'export LISTEN_PID=$$; exec "$@" 3<&$FD', "-",
		         *sys.argv[1:]], pass_fds=[s.fileno()],
		        env={**os.environ, "LISTEN_FDS": "1",
		             "FD": str(s.fileno()),
		             "NOTIFY_SOCKET": os.getcwd() + "/notify"})
		    print(notify.recv(100).decode(), file=sys.stderr)
		    s.sendto(b"during %d" % n, s.getsockname())
		    child.send_signal(signal.SIGTERM)
		    print(notify.recv(100).decode(), file=sys.stderr)
		    if child.wait():
		        sys.exit(1)
	END
	$python systemd.py span-capture -v >out 2>err 3>&-
	"$dump" <out | sed 's/.*bytes: //' | diff - <(
		for n in 0 1 2; do echo "before $n"; echo "during $n"; done)
	[ "$(grep -cx READY=1 err)" = 3 ]
	[ "$(grep -cx STOPPING=1 err)" = 3 ]
	grep 'listening on udp 127.0.0.1:' err
}

@test "span-capture: the units for systemd are sound" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	# Programs that are not installed are an error for it.
	run -0 systemd-analyze verify "$SRC"/examples/systemd/span-store.s*
	[ -z "$output" ]
	run -0 systemd-analyze security --offline=yes --threshold=15 \
		"$SRC/examples/systemd/span-store.service"
}

@test "span-capture: a passed descriptor that is no UDP socket is an error" {
	run -2 --separate-stderr sh -c 'export LISTEN_PID=$$ LISTEN_FDS=1
		exec span-capture 3</dev/null'
	[ "$stderr" = "span-capture: descriptor 3 is not a UDP socket" ]
}

@test "span-capture: several share a port, and hand over without a loss" {
	start one -v -l udp:127.0.0.1:0
	first=$pid
	start two -v -l "udp:127.0.0.1:$port"
	second=$pid
	grep "warning: somebody else listens on udp 127.0.0.1:$port too" two.err
	run -1 grep warning:.*somebody one.err
	# Many clients, each from a port of its own; the first stops meanwhile.
	for i in {1..40}; do
		[ "$i" != 20 ] || stop "$first"
		"$blast" 127.0.0.1 "$port" 10 100 >>sent
	done
	stop "$second"
	[ "$(cat one two | "$dump" | wc -l)" = 400 ]
	[ "$("$dump" <one | wc -l)" -gt 0 ]
	[ "$("$dump" <two | wc -l)" -gt 200 ]
}

@test "span-capture: SIGTERM while the reader is slow loses nothing" {
	mkfifo pipe
	exec 8<>pipe
	start pipe.out -v --queue 256K -l udp:127.0.0.1:0 --output pipe
	"$blast" 127.0.0.1 "$port" 3000 1000
	kill -TERM "$pid"
	cat pipe >out 8>&- &
	exec 8>&-
	ends 0 "$pid"
	wait $!
	grep -E 'received [0-9]+ ' pipe.out.err
	if grep 'dropped 0,' pipe.out.err; then
		"$dump" -n <out | sort -n | diff <(seq 0 2999) -
	else
		# A small socket buffer: then it is counted.
		grep 'the system gives sockets' pipe.out.err
	fi
}

@test "span-capture: in overload sent = written + each counted drop" {
	mkfifo pipe
	exec 8<>pipe
	start pipe.out --queue 256K --socket-buffer 256K -l udp:127.0.0.1:0 \
		--output pipe --metrics-file metrics
	"$blast" 127.0.0.1 "$port" 40000 1400
	kill -TERM "$pid"
	cat pipe >out 8>&- &
	exec 8>&-
	ends 0 "$pid"
	wait $!
	"$dump" -n <out >numbers
	[ "$(sort -nu numbers | wc -l)" = "$(wc -l <numbers)" ]
	[ "$(metric metrics span_capture_written_total)" = "$(wc -l <numbers)" ]
	dropped=$(metric metrics span_capture_dropped_total)
	[ "$dropped" -gt 0 ]
	[ $((dropped + $(wc -l <numbers))) = 40000 ]
	kernel=$(awk '/cause="kernel"/ {n += $NF} END {print n + 0}' metrics)
	[ "$(metric metrics span_capture_received_total)" = $((40000 - kernel)) ]
	grep "warning: received $((40000 - kernel)) datagrams, dropped $dropped (" \
		pipe.out.err
}

@test "span-capture: a reader that goes away ends it, without traffic too" {
	mkfifo pipe
	exec 8<>pipe
	span-capture -l udp:127.0.0.1:0 2>err >pipe 3>&- 8>&- &
	pid=$!
	started+=("$pid")
	wait_until grep -q listening err
	exec 8>&-
	ends 141 "$pid"
	[ "$(wc -l <err)" = 1 ]
}

@test "span-capture: a closed pipe ends it by SIGPIPE, silently" {
	run --separate-stderr -141 closed_pipe span-capture -r \
		"$DATA/real-clients.pcap"
	[ -z "$stderr" ]
	run --separate-stderr -141 closed_pipe span-capture -q -l \
		udp:127.0.0.1:0
	[ -z "$stderr" ]
}

@test "span-capture: a full disk is an error" {
	run --separate-stderr -74 full_disk span-capture -r \
		"$DATA/pcap/ethernet.pcap"
	[ "$stderr" = "span-capture: cannot write: No space left on device" ]
}

@test "span-capture: SIGUSR1 prints the counts and goes on" {
	start out -l udp:127.0.0.1:0
	"$blast" 127.0.0.1 "$port" 5 100
	wait_until test -s out
	kill -USR1 "$pid"
	wait_until grep -E 'received 5 \(500 bytes\), written 5, dropped 0' out.err
	"$blast" 127.0.0.1 "$port" 5 100
	stop "$pid"
	[ "$("$dump" <out | wc -l)" = 10 ]
}

@test "span-capture: --count and --duration end a live capture" {
	start out -v -l udp:127.0.0.1:0 --count 7
	"$blast" 127.0.0.1 "$port" 20 100 || true
	ends 0 "$pid"
	"$dump" -n <out | diff <(seq 0 6) -
	run -0 timeout 20 span-capture -q -l udp:127.0.0.1:0 --duration 10ms
}

@test "span-capture: --metrics-file has the counts of each port" {
	start out -l udp:127.0.0.1:0 -l udp:127.0.0.1:0 --metrics-file metrics
	"$blast" 127.0.0.1 "$port" 5 100
	wait_until grep -q "^span_capture_received_total{port=\"$port\"} 5\$" metrics
	stop "$pid"
	grep -x "span_capture_received_bytes_total{port=\"$port\"} 500" metrics
	grep -x "span_capture_written_total{port=\"$port\"} 5" metrics
	grep -x "span_capture_dropped_total{port=\"$port\",cause=\"queue_full\"} 0" metrics
	grep -x "span_capture_dropped_total{port=\"unknown\",cause=\"overlap\"} 0" metrics
	grep -x '# TYPE span_capture_queue_bytes gauge' metrics
	[ "$(grep -c '^span_capture_received_total{' metrics)" = 3 ]
	if command -v promtool; then
		# shellcheck disable=SC2094
		promtool check metrics <metrics
	fi
}

@test "span-capture: a capped socket buffer is said" {
	[ "$(id -u)" = 0 ] || skip "needs root to become somebody else"
	command -v setpriv >/dev/null || skip "no setpriv"
	max=$(cat /proc/sys/net/core/rmem_max)
	[ "$max" -lt 1000000000 ] || skip "the system allows any buffer"
	run -0 --separate-stderr setpriv --bounding-set -net_admin \
		--inh-caps -net_admin \
		"$BUILD/bin/span-capture" -l udp:127.0.0.1:0 --duration 1ms \
		--socket-buffer 1000M
	[[ $stderr = *"warning: the system gives sockets a buffer of "*" MiB, not 1000 MiB; to allow it, as root: sysctl -w net.core.rmem_max=1048576000"* ]]
}

@test "span-capture: --user gives up root for good" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	id nobody || skip "no user nobody"
	start out -l udp:127.0.0.1:0 --user nobody
	uid=$(id -u nobody) gid=$(id -g nobody)
	grep -P "^Uid:\t$uid\t$uid\t$uid\t$uid\$" "/proc/$pid/status"
	grep -P "^Gid:\t$gid\t$gid\t$gid\t$gid\$" "/proc/$pid/status"
	grep -P '^CapEff:\t0+$' "/proc/$pid/status"
	grep -P '^NoNewPrivs:\t1$' "/proc/$pid/status"
	[ "$(sed -n 's/^Groups:\s*//p' "/proc/$pid/status" | tr -d ' ')" = "$gid" ]
	"$blast" 127.0.0.1 "$port" 1 100
	stop "$pid"
	[ "$("$dump" <out | wc -l)" = 1 ]
	run -2 --separate-stderr span-capture -r "$DATA/pcap/raw.pcap" \
		-Z no-such-user
	[ "$stderr" = "span-capture: no user 'no-such-user'" ]
}

@test "span-capture: without root --user is refused" {
	[ "$(id -u)" != 0 ] || command -v setpriv || skip "no setpriv"
	as=()
	[ "$(id -u)" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	run -74 --separate-stderr "${as[@]}" "$BUILD/bin/span-capture" \
		-l udp:127.0.0.1:0 -Z root
	[ "$stderr" = "span-capture: cannot become user 'root': Operation not permitted" ]
}

@test "span-capture: an interface, with real fragments, beside a socket" {
	needs_namespace
	cat >inside <<-'END'
		ip link set lo mtu 1500
		span-capture -v -i lo -p 6831 -p 7000 >packets 2>packets.err &
		a=$!
		span-capture -v -l udp:127.0.0.1:6831 >socket 2>socket.err &
		b=$!
		until grep -q capturing packets.err && grep -q listening socket.err
		do kill -0 $a || exit 7; sleep 0.01; done
		"$1" 127.0.0.1 6831 5 60000
		"$1" 127.0.0.1 6831 20 1000
		! ip -6 addr show dev lo | grep -q ::1 || "$1" ::1 7000 3 9000
		kill $a $b && wait $a && wait $b
	END
	status=0
	in_namespace timeout 20 sh inside "$blast" || status=$?
	! grep -q CAP_NET_RAW packets.err || skip "capturing is not allowed"
	[ "$status" = 0 ]
	"$dump" -x <socket | sed 's/^[^ ]* //' | sort >want
	"$dump" -x <packets | sed 's/^[^ ]* //' | grep -v '> 7000' | sort | diff want -
	[ "$(wc -l <want)" = 25 ]
	! has_ipv6 || [ "$("$dump" <packets | grep -c '> 7000, 9000 bytes')" = 3 ]
	[[ $(tail -n 1 packets.err) = *"dropped 0, "* ]]
}

@test "span-capture: the filter of an interface lets pass what a file has" {
	needs_namespace
	[ -x $python ] || skip "no $python"
	# Replays the packets of pcap files on an interface.
	cat >replay.py <<-'END'
		import socket, struct, sys
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind((sys.argv[1], 0))
		for name in sys.argv[2:]:
		    data = open(name, "rb").read()[24:]
		    while data:
		        n = struct.unpack("<I", data[8:12])[0]
		        s.send(data[16:16 + n])
		        data = data[16 + n:]
	END
	cat >inside <<-'END'
		ip link add v0 type veth peer name v1 || exit 7
		ip link set v0 up && ip link set v1 up
		span-capture -v -i v1 >out 2>out.err & a=$!
		span-capture -v -i any >any 2>any.err & b=$!
		span-capture -v -i v1 -p 6832 -p 53 >two 2>two.err & c=$!
		span-capture -v -i v1 -f 'vlan and ip6' >vlan 2>vlan.err & d=$!
		for i in out any two vlan; do
			until grep -q 'capturing on' $i.err; do
				kill -0 $d || exit 7
				sleep 0.01
			done
		done
		python=$1
		shift
		$python replay.py v0 "$@" || exit 8
		kill $a $b $c $d && wait $a && wait $b && wait $c && wait $d
	END
	files=()
	for name in ethernet vlan headers fragments6; do
		files+=("$DATA/pcap/$name.pcap")
	done
	status=0
	in_namespace timeout 20 sh inside $python "${files[@]}" || status=$?
	[ "$status" != 7 ] || skip "no interfaces of our own here"
	[ "$status" = 0 ]
	for file in "${files[@]}"; do
		span-capture -q -r "$file"
	done | "$dump" | sed 's/^[^ ]* //' >want
	[ "$(wc -l <want)" -gt 20 ]
	"$dump" <out | sed 's/^[^ ]* //' | diff want -
	# Once when it is sent and once when it comes in, less one VLAN tag.
	"$dump" <any | sed 's/^[^ ]* //' | grep -v 'five tags' | sort -u |
		alike <(sort -u want) -
	"$dump" <two | sed 's/.*bytes: //' |
		diff <(echo 'port 6832'; echo 'from port 6831 to another') -
	"$dump" <vlan | sed 's/.*bytes: //' | diff <(echo '802.1Q, IPv6') -
}

@test "span-capture: no such interface is an error" {
	run -74 --separate-stderr span-capture -i no-such-one
	[[ $stderr = "span-capture: no-such-one: "* ]]
}

@test "span-capture: --list-interfaces shows the loopback" {
	run --separate-stderr span-capture --list-interfaces
	[ "$status" = 0 ] || skip "$stderr"
	grep -E '^lo +up' <<<"$output"
}

@test "span-capture: binary output to a terminal is refused" {
	run -2 script -qec "span-capture -r $DATA/pcap/raw.pcap" /dev/null
	[[ $output = *"no output for a terminal"* ]]
}

@test "span-capture: wrong usage says what to try" {
	run -2 --separate-stderr span-capture
	[ "${stderr_lines[0]}" = "span-capture: nothing to receive from: try --udp, --all, --listen PROTO:ADDRESS:PORT, -r FILE or -i INTERFACE" ]
	[[ ${stderr_lines[1]} = "usage: span-capture "* ]]
	run -2 --separate-stderr span-capture file.pcap
	[[ $stderr = *"unexpected argument: 'file.pcap' (a file is read with -r)"* ]]
	run -2 span-capture -r x --udp
	run -2 span-capture -r x --duration 1s
	run -2 span-capture --udp --port 7000
	run -2 span-capture -r x --promiscuous
	run -2 span-capture --udp --queue 1K
	run -2 span-capture --no-such-option
	for address in tcp:127.0.0.1:1 127.0.0.1:1 udp:127.0.0.1 udp::: 'udp:[::1]' \
		udp:::1:6831 'udp:[::1:1' udp:127.0.0.1:x udp:127.0.0.1:65536 \
		udp::6831; do
		run -2 --separate-stderr span-capture -l "$address"
		[[ $stderr = "span-capture: "* ]]
	done
	run -2 --separate-stderr span-capture -l udp:::1:6831
	[[ $stderr = *"an IPv6 address goes in brackets: udp:[::1]:6831" ]]
}

@test "span-capture: --help" {
	run -0 --separate-stderr span-capture --help
	[[ ${lines[0]} = "usage: span-capture "* ]]
	[[ $output = *"--udp[=ADDRESS]"* ]]
	run -74 full_disk span-capture --help
}
