#!/usr/bin/env bats
# The frame that all commands share, seen through tests/unit/cmd-probe.

load lib

probe=$BUILD/tests/unit/cmd-probe

@test "cmd: --help lists options, groups and choices within 80 columns" {
	run --separate-stderr -0 "$probe" show --help
	[ -z "$stderr" ]
	same "$SRC/tests/data/cmd-probe-help.want"
	run -1 grep -E '.{80}' <<<"$output"
}

@test "cmd: --help of a command with verbs lists the verbs" {
	run -0 "$probe" -h
	[ "${lines[0]}" = "usage: cmd-probe [OPTION...] VERB ..." ]
	grep -qx '  copy  *copy files' <<<"$output"
}

@test "cmd: --help of a verb shows its options before those of all verbs" {
	run -0 "$probe" copy --help
	[ "${lines[0]}" = "usage: cmd-probe copy [OPTION...] [FILE...]" ]
	[ "${lines[3]}" = "  -a, --all               copy everything" ]
}

@test "cmd: --version names the program and the package" {
	run -0 "$probe" --version
	[[ $output =~ ^"cmd-probe (spantools) "[0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "cmd: every kind of option takes its argument in every form" {
	run --separate-stderr -0 "$probe" show -fcc -s a --string=b -lone -l two \
		--list=three -n10k --size 64M --duration=1h30m \
		--since @1795341600.5 -u --udp=::1 -o blue --ratio .25 --no-keep -v
	[ "$output" = "flag 1 keep 0 count 2 colour blue ratio 0.25
string b optional ::1
number 10000 size 67108864 duration 5400000000000 since 1795341600500000000
item one
item two
item three
quiet 0 verbose 1" ]
}

@test "cmd: an optional argument is taken after = only" {
	run -0 "$probe" show -q --udp x
	[ "${lines[1]}" = "string - optional " ]
	[ "${lines[3]}" = "operand x" ]
}

@test "cmd: options and operands mix, -- ends the options, - is an operand" {
	run -0 "$probe" show -q a -f - b -- -f --
	[ "${lines[0]}" = "flag 1 keep 1 count 0 colour red ratio 0.5" ]
	[ "${lines[*]:3:5}" = "operand a operand - operand b operand -f operand --" ]
}

@test "cmd: an argument may begin with a dash" {
	run -0 "$probe" show -q --since -15m -s -f
	[ "${lines[1]}" = "string -f optional -" ]
}

@test "cmd: wrong usage is exit 2, a sentence and a usage line" {
	while IFS='|' read -r args text; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 "$probe" $args
		echo "$args: $stderr"
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "cmd-probe: $text" ]
		[[ ${stderr_lines[1]} = "usage: cmd-probe "* ]]
		[ ${#stderr_lines[@]} = 2 ]
	done <<'END'
|which verb?
walk|unknown verb: 'walk'
--wrong show|unknown option: --wrong
show --strin x|unknown option: --strin (did you mean --string?)
show --strimg|unknown option: --strimg (did you mean --string?)
show -z|unknown option: -z
show -fz|unknown option: -z
show -f=1|unknown option: -=
show --flag=1|--flag takes no argument
show --string|--string needs an argument: TEXT
show -s|-s needs an argument: TEXT
show --number ten|--number: 'ten' is no count (like 100, 10k, 2M)
show -n 99999999999999999999|--number: '99999999999999999999' is no count (like 100, 10k, 2M)
show --size 1MB|--size: '1MB' is no size (like 4096, 64K, 16M, 5G)
show --duration 5|--duration: '5' is no duration (like 500us, 2s, 1h30m, 7d)
show --since tomorrow|--since: 'tomorrow' is no time (like 15m, 14:30, yesterday, yesterday 14:00, 2026-11-22, 2026-11-22T10:00:00Z, @1795341600, now)
show -o pink|--colour: 'pink' is none of red, green, blue
show --ratio x|--ratio: 'x' is not a number
show --ratio nan|--ratio: 'nan' is not a number
END
}

@test "cmd: a message shows no control characters" {
	run --separate-stderr -2 "$probe" $'\e[31mred\xc2\x9b'
	[ "${stderr_lines[0]}" = "cmd-probe: unknown verb: '\x1b[31mred\u009b'" ]
}

@test "cmd: -q silences warnings" {
	run --separate-stderr -0 "$probe" show x
	[ "$stderr" = "cmd-probe: warning: a warning about x" ]
	run --separate-stderr -0 "$probe" show -q x
	[ -z "$stderr" ]
}

@test "cmd: every error code has its exit code" {
	local code=0 want
	# IO NOMEM TRUNCATED CORRUPT LIMIT PIPE INVALID FORMAT BUSY NOTFOUND
	# AMBIGUOUS PEER
	for want in 74 74 65 65 65 141 2 65 75 74 2 69; do
		code=$((code + 1))
		run --separate-stderr -$want "$probe" show --fail $code
		[ -z "$output" ]
		if [ $want = 141 ]; then
			[ -z "$stderr" ]
		else
			[[ $stderr = "cmd-probe: failed as told"* ]]
		fi
	done
}

@test "cmd: a full disk is exit 74, for --help too" {
	for args in --help --version "show -q" --completion; do
		# shellcheck disable=SC2086
		run --separate-stderr -74 full_disk "$probe" $args
		[ "$stderr" = "cmd-probe: cannot write standard output: No space left on device" ]
	done
	run --separate-stderr -74 full_disk "$probe" copy "$SRC/LICENSE"
	[ "$stderr" = "cmd-probe: cannot write: No space left on device" ]
	# Text that does not fit into the buffer fails before the last flush.
	run --separate-stderr -74 full_disk "$probe" show -q {10000..13000}
	[ "$stderr" = "cmd-probe: cannot write standard output: No space left on device" ]
	run --separate-stderr -141 closed_pipe "$probe" show -q {10000..13000}
	[ -z "$stderr" ]
}

@test "cmd: a closed pipe ends a command by SIGPIPE, silently" {
	for args in --help "show -q" "copy $SRC/LICENSE"; do
		# shellcheck disable=SC2086
		run --separate-stderr -141 closed_pipe "$probe" $args
		[ -z "$stderr" ]
	done
}

@test "cmd: SIGPIPE that the caller ignores changes nothing" {
	trap '' PIPE
	run --separate-stderr -141 closed_pipe "$probe" show -q
	[ -z "$stderr" ]
}

@test "cmd: a closed standard output is an error, not a lost result" {
	run --separate-stderr -74 bash -c '"$1" show -q >&-' - "$probe"
	[ "$stderr" = "cmd-probe: cannot write standard output: Bad file descriptor" ]
	run --separate-stderr -74 bash -c '"$1" copy "$2" >&-' - "$probe" "$SRC/LICENSE"
	[ "$stderr" = "cmd-probe: cannot write: Bad file descriptor" ]
}

@test "cmd: a closed standard input is an error" {
	run --separate-stderr -74 bash -c '"$1" copy <&-' - "$probe"
	[ "$stderr" = "cmd-probe: cannot read: Bad file descriptor" ]
}

@test "cmd: a closed standard error does not become a file" {
	run -2 bash -c '"$1" copy --output out --wrong 2>&-' - "$probe"
	run -0 bash -c '"$1" copy -q --output out "$2" 2>&-' - "$probe" "$SRC/LICENSE"
	cmp out "$SRC/LICENSE"
}

@test "cmd: a missing file is exit 74 and a directory exit 2" {
	run --separate-stderr -74 "$probe" copy missing
	[ "$stderr" = "cmd-probe: cannot open missing: No such file or directory" ]
	run --separate-stderr -2 "$probe" copy .
	[ "$stderr" = "cmd-probe: . is a directory (a store is read with -s)" ]
}

@test "cmd: --output replaces the file at the end and keeps its mode" {
	echo old >out
	chmod 640 out
	run -0 "$probe" copy --output out out "$SRC/LICENSE"
	(echo old; cat "$SRC/LICENSE") | cmp - out
	[ "$(stat -c %a out)" = 640 ]
	[ "$(ls)" = out ]
}

@test "cmd: --output leaves the old file when the command fails" {
	echo old >out
	run -74 "$probe" copy --output out "$SRC/LICENSE" missing
	[ "$(cat out)" = old ]
	[ "$(ls)" = out ]
}

@test "cmd: --output follows a symbolic link and writes into a FIFO" {
	echo old >target
	ln -s target link
	run -0 "$probe" copy --output link "$SRC/LICENSE"
	[ -L link ]
	cmp target "$SRC/LICENSE"
	mkfifo fifo
	cat fifo >got &
	run -0 "$probe" copy --output fifo "$SRC/LICENSE"
	ends 0 $!
	cmp got "$SRC/LICENSE"
	[ -p fifo ]
}

@test "cmd: --output into a missing or full place is exit 74" {
	run --separate-stderr -74 "$probe" copy --output no/such "$SRC/LICENSE"
	[[ $stderr = "cmd-probe: cannot create no/such."*": No such file or directory" ]]
	run --separate-stderr -74 "$probe" copy --output /dev/full "$SRC/LICENSE"
	[ "$stderr" = "cmd-probe: cannot write: No space left on device" ]
}

@test "cmd: a signal removes the unfinished --output" {
	mkfifo fifo
	"$probe" copy --output out - fifo <"$SRC/LICENSE" &
	pid=$!
	wait_until compgen -G 'out.*.tmp'
	kill -TERM $pid
	ends 143 $pid
	[ "$(ls)" = fifo ]
}

@test "cmd: gzip input is inflated, from a file, a pipe, in several members" {
	seq 100000 >a
	seq 7 >b
	gzip -c a >a.gz
	(gzip -c b; head -c 100 /dev/zero) >b.gz
	cat a.gz b.gz >ab.gz
	cat a b >want
	"$probe" copy ab.gz | cmp - want
	"$probe" copy <ab.gz | cmp - want
	cat a.gz b.gz | "$probe" copy | cmp - want
	"$probe" copy b ab.gz b | cmp - <(cat b a b b)
	: | gzip | "$probe" copy >empty
	[ ! -s empty ]
	: | "$probe" copy >empty
	[ ! -s empty ]
}

@test "cmd: damaged gzip input is exit 65 however well the rest went" {
	seq 100000 | gzip >good.gz
	head -c 30000 good.gz >cut.gz
	(head -c 30000 good.gz; head -c 100 /dev/zero; tail -c +30101 good.gz) >bad.gz
	(cat good.gz; echo garbage) >tail.gz
	run --separate-stderr -65 bash -c '"$@" >got' - "$probe" copy cut.gz
	[ "$stderr" = "cmd-probe: cut.gz: the gzip data ends early, at byte 30000" ]
	[ -s got ]
	for bad in bad.gz tail.gz; do
		run --separate-stderr -65 bash -c '"$@" >got' - "$probe" copy $bad
		[[ $stderr = "cmd-probe: $bad: damaged gzip data near byte "* ]]
	done
	run --separate-stderr -65 bash -c 'cat cut.gz | "$@" >got' - "$probe" copy
	[ "$stderr" = "cmd-probe: standard input: the gzip data ends early, at byte 30000" ]
}

@test "cmd: damaged gzip input leaves the old --output" {
	seq 1000 | gzip | head -c 500 >cut.gz
	echo old >out
	run -65 "$probe" copy --output out cut.gz
	[ "$(cat out)" = old ]
	[ -z "$(compgen -G 'out.*')" ]
}

@test "cmd: gzip input that nobody reads to its end is no error" {
	head -c 10000000 /dev/zero | gzip >zeros.gz
	run --separate-stderr -141 closed_pipe "$probe" copy zeros.gz
	[ -z "$stderr" ]
}

@test "cmd: binary output to a terminal needs --force" {
	run -2 script -qec "$probe copy $SRC/LICENSE" /dev/null
	[[ $output = *"cmd-probe: this is no output for a terminal: use a pipe, --output FILE, or --force"* ]]
	run -0 script -qec "$probe copy --force $SRC/LICENSE" /dev/null
	[[ $output = *"Apache License"* ]]
	run -0 script -qec "$probe copy $SRC/LICENSE | head -n 2" /dev/null
	[[ $output = *"Apache License"* ]]
}

@test "cmd: input from a terminal is refused with advice" {
	run -2 script -qec "$probe copy >/dev/null" /dev/null
	[[ $output = *"cmd-probe: standard input is a terminal: name a FILE, or use a pipe"* ]]
}

@test "cmd: --metrics-file is valid for Prometheus and replaced whole" {
	run -0 "$probe" copy --metrics-file m.prom --output out "$SRC/LICENSE"
	size=$(stat -c %s "$SRC/LICENSE")
	[ "$(cat m.prom)" = "# HELP probe_bytes_total bytes copied
# TYPE probe_bytes_total counter
probe_bytes_total $size
# HELP probe_open files open
# TYPE probe_open gauge
probe_open{kind=\"file\"} $size
probe_open{kind=\"pipe\"} $size" ]
	[ "$(ls)" = "m.prom
out" ]
}

@test "cmd: a metrics file that is a device, a pipe or a link stays one" {
	mkfifo pipe
	exec 7<>pipe
	timeout 10 "$probe" copy --metrics-file pipe --output out "$SRC/LICENSE"
	[ -p pipe ]
	read -r -t 10 line <&7
	[ "$line" = "# HELP probe_bytes_total bytes copied" ]
	exec 7<&-
	: >file
	ln -s file link
	"$probe" copy --metrics-file link --output out "$SRC/LICENSE"
	[ -L link ]
	grep -x "probe_bytes_total $(stat -c %s "$SRC/LICENSE")" file
	[ "$(ls)" = "file
link
out
pipe" ]
}

@test "cmd: a metrics file that is a pipe which nobody reads is one warning" {
	mkfifo pipe
	run --separate-stderr -0 timeout 10 "$probe" copy --metrics-file pipe \
		--output out "$SRC/LICENSE"
	[ "$stderr" = "cmd-probe: warning: --metrics-file: cannot open $PWD/pipe: No such device or address" ]
	cmp out "$SRC/LICENSE"
}

@test "cmd: a metrics file that cannot be written is one warning" {
	run --separate-stderr -0 "$probe" copy --metrics-file no/such \
		--output out "$SRC/LICENSE"
	[[ $stderr = "cmd-probe: warning: --metrics-file: cannot create no/such."*": No such file or directory" ]]
	[ ${#stderr_lines[@]} = 1 ]
}

@test "cmd: a mapped file that cannot be read is an I/O error, exit 74" {
	run --separate-stderr -74 "$probe" map --output out file
	[ "$stderr" = "cmd-probe: I/O error while a mapped file was read" ]
	[ "$output" = "" ]
	run ! compgen -G 'out*'
	run --separate-stderr -74 bash -c '"$1" map file 2>/dev/full' - "$probe"
	[ "$output" = "" ]
}

@test "cmd: SIGBUS that somebody sends kills" {
	"$probe" source >out &
	pid=$!
	wait_until [ -s out ]
	kill -BUS $pid
	ends 135 $pid
}

@test "cmd: a source ends well on the first SIGINT or SIGTERM" {
	for sig in INT TERM; do
		rm -f out
		env --default-signal=INT "$probe" source >out &
		pid=$!
		wait_until test -s out
		kill -$sig $pid
		ends 0 $pid
		[ "$(tail -n 1 out)" = stopped ]
	done
}

@test "cmd: a source is killed by the second signal" {
	"$probe" source -f >out &
	pid=$!
	wait_until grep -q descriptors out
	kill -TERM $pid
	# The same signal twice at once is what timeout(1) does: one request.
	kill -TERM $pid
	for ((i = 0; i < 1000; i++)); do
		kill -TERM $pid 2>/dev/null || break
		sleep 0.01
	done
	ends 143 $pid
}

@test "cmd: a program that reads a pipe drains it after the first signal" {
	mkfifo fifo
	"$probe" copy --output out <fifo &
	pid=$!
	exec 6>fifo
	echo one >&6
	wait_until bash -c "grep -q '^SigCgt:.*[4567cdef]...$' /proc/$pid/status"
	kill -TERM $pid
	echo two >&6
	exec 6>&-
	ends 0 $pid
	[ "$(cat out)" = "one
two" ]
}

@test "cmd: READY=1 reaches the notify socket, and passed descriptors count" {
	python=/usr/bin/python3
	[ -x $python ] || skip "no $python"
	cat >listen.py <<'END'
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
s.settimeout(20)
env = dict(os.environ, NOTIFY_SOCKET=os.path.abspath("notify"))
code = 'LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" source'
p = subprocess.Popen(["sh", "-c", code, sys.argv[1]], env=env,
                     stdout=subprocess.PIPE)
print(s.recv(100).decode())
p.terminate()
print(p.stdout.read().decode(), end="")
sys.exit(p.wait())
END
	run -0 $python listen.py "$probe"
	[ "$output" = "READY=1
2 descriptors
stopped" ]
}

@test "cmd: a progress line appears on a terminal after a second, and goes" {
	run -0 script -qec "(seq 3; sleep 1.2; seq 3) | $probe copy --output out" \
		/dev/null
	[[ $output = *$'\r'"cmd-probe: 12 bytes, "*"/s"$'\e[K\r\e[K'* ]]
	run -0 script -qec "(seq 3; sleep 1.2; seq 3) | $probe copy -q --output out" \
		/dev/null
	[ -z "$output" ]
}
