#!/usr/bin/env bats
# span-store, as somebody uses it. What it promises about crashes is tested in
# tests/unit/t-store-crash, t-store-harm and tests/crash; contract.md lists it.

load lib

in=$DATA/store.spans # 4 frames, 155 spans

# The value of a key that stat prints as JSON.
stat_of() {
	span-store stat -o json "$1" | jq -r "$2"
}

@test "span-store: append creates a store, and stat counts what is in it" {
	run --separate-stderr -0 span-store append s "$in"
	[ -z "$output$stderr" ]
	run --separate-stderr -0 span-store stat s
	[[ ${lines[2]} = "spans     155, "*" KiB, "*" bytes a span" ]]
	[[ ${lines[3]} = "logs      1 with 155 spans, "*" bytes a span" ]]
	[ "$(stat_of s .lastEnd)" = "2026-11-22T10:04:00.091711000Z" ]
	run -0 span-store verify -v s
	[ "$output" = "00000001.log: sound, 155 spans" ]
}

@test "span-store: streams come from standard input or from files, in order" {
	span-store append a "$in" "$in"
	cat "$in" "$in" | span-store append b
	[ "$(stat_of a .spans)" = 310 ]
	[ "$(stat_of b .spans)" = 310 ]
	span-store append c - <"$in"
	[ "$(stat_of c .spans)" = 155 ]
}

@test "span-store: a second append goes on after the first" {
	span-store append s "$in"
	span-store append s "$in"
	[ "$(stat_of s .spans)" = 310 ]
	[ "$(stat_of s '.files[1].firstFrame')" = 5 ]
	run -0 span-store verify s
	[ -z "$output" ]
}

@test "span-store: an empty input makes an empty store" {
	run --separate-stderr -0 span-store append s </dev/null
	[ -z "$output$stderr" ]
	run -0 span-store stat s
	[ "${lines[2]}" = "spans     none" ]
	run --separate-stderr -0 span-store verify s
	[ -z "$output$stderr" ]
	[ "$(stat_of s .firstStart)" = null ]
}

@test "span-store: SPAN_STORE names the store" {
	SPAN_STORE=s span-store append <"$in"
	SPAN_STORE=s run -0 span-store stat
	[ "${lines[0]}" = "store     s" ]
	run --separate-stderr -2 span-store stat
	[ "${stderr_lines[0]}" = "span-store: no STORE, and SPAN_STORE is not set" ]
}

@test "span-store: files are 0600, directories 0700, whatever the umask" {
	(umask 0 && span-store append s "$in")
	[ "$(stat -c %a s)" = 700 ]
	[ "$(stat -c %a s/*  | sort -u)" = 600 ]
}

@test "span-store: a directory that everybody may write to is refused" {
	mkdir -m 777 s
	run --separate-stderr -2 span-store append s "$in"
	[ "$stderr" = "span-store: s: everybody may write to it" ]
}

@test "span-store: a directory of other things is refused and left alone" {
	mkdir s
	echo dear >s/letter.txt
	run --separate-stderr -2 span-store append s "$in"
	[ "$stderr" = "span-store: s: it is no store, and not empty" ]
	[ ! -e s/FORMAT ]
}

@test "span-store: a link in the directory is not followed" {
	span-store append s "$in"
	mv s/00000001.log elsewhere
	ln -s ../elsewhere s/00000001.log
	run --separate-stderr -74 span-store stat s
	[[ $stderr = "span-store: s: 00000001.log: cannot open: "* ]]
}

@test "span-store: each sync is a line that --ack-fd gets" {
	run --separate-stderr -0 span-store append --sync each --ack-fd 1 s "$in"
	[ "$output" = "ack 1 1296 1 2
ack 1 9144 2 43
ack 1 17632 3 44
ack 1 29336 4 66" ]
	run -0 span-store append --sync group --ack-fd 1 s "$in"
	[ "$output" = "ack 2 29336 5 155" ]
	run --separate-stderr -0 span-store append --sync none --ack-fd 1 s "$in"
	[ "${#lines[@]}" = 4 ]
	[ "$stderr" = "span-store: warning: --sync none: a power cut loses acknowledged spans" ]
}

@test "span-store: --ack-fd and --sync are checked" {
	run --separate-stderr -2 span-store append --ack-fd 77 s "$in"
	[ "${stderr_lines[0]}" = "span-store: descriptor 77 is not open" ]
	run --separate-stderr -2 span-store append --sync often s "$in"
	[ "${stderr_lines[0]}" = "span-store: no such mode: --sync=often" ]
	run --separate-stderr -2 span-store append --sync group:1s s "$in"
	[ "$stderr" = "span-store: no bytes in --sync=group:1s" ]
	[ ! -e s ]
}

@test "span-store: a group is synced in time while the input is idle" {
	mkfifo in acks
	span-store append --sync group:50ms,4M --ack-fd 3 s <in 3>acks &
	pid=$!
	exec 7>in 8<acks
	cat "$in" >&7
	read -r -t 10 -u 8 line
	[ "$line" = "ack 1 29336 1 155" ]
	# The appender still runs, and a reader sees what was acknowledged.
	[ "$(stat_of s .spans)" = 155 ]
	[ "$(stat_of s .open)" = 1 ]
	exec 7>&-
	ends 0 $pid
	[ "$(stat_of s .closed)" = 1 ]
}

@test "span-store: a log is closed by age while the input is idle" {
	mkfifo in
	span-store append --rotate-age 20ms s <in 7>&- &
	pid=$!
	exec 7>in
	cat "$in" >&7
	wait_until test -e s/00000001.log
	[ ! -e s/00000002.open ]
	cat "$in" >&7
	wait_until test -e s/00000002.log
	exec 7>&-
	ends 0 $pid
	[ "$(stat_of s .spans)" = 310 ]
}

@test "span-store: logs are closed by size" {
	span-store append --rotate-size 10K s "$in"
	[ "$(stat_of s .closed)" = 3 ]
	[ "$(stat_of s .spans)" = 155 ]
	run -0 span-store verify s
}

@test "span-store: a second appender is refused at once" {
	mkfifo in
	span-store append s <in 7>&- &
	pid=$!
	exec 7>in
	cat "$in" >&7
	wait_until test -e s/00000001.open
	run --separate-stderr -75 timeout 1 span-store append s "$in"
	[ "$stderr" = "span-store: s: another process appends to it" ]
	exec 7>&-
	ends 0 $pid
	[ "$(stat_of s .spans)" = 155 ]
}

@test "span-store: the first SIGTERM and SIGINT do not lose what comes" {
	for signal in TERM INT; do
		rm -rf s in
		mkfifo in
		# A background job ignores SIGINT, unless it is told not to.
		python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' span-store append s <in 7>&- &
		pid=$!
		exec 7>in
		cat "$in" >&7
		wait_until test -e s/00000001.open
		kill -$signal $pid
		cat "$in" >&7
		exec 7>&-
		ends 0 $pid
		[ "$(stat_of s .spans)" = 310 ]
	done
}

@test "span-store: a killed appender is recovered from, and loses no span" {
	mkfifo in acks
	span-store append --sync each --ack-fd 3 s <in 3>acks &
	pid=$!
	exec 7>in 8<acks
	cat "$in" >&7
	for _ in 1 2 3 4; do
		read -r -t 10 -u 8 _
	done
	kill -KILL $pid
	ends 137 $pid
	[ "$(stat_of s .open)" = 1 ]
	[ "$(stat_of s .spans)" = 155 ]
	run --separate-stderr -0 span-store append -v s </dev/null
	grep -qx 'span-store: s: recovered 155 spans of an unfinished log' \
		<<<"$stderr"
	[ "$(stat_of s .open)" = 0 ]
	[ "$(stat_of s .spans)" = 155 ]
}

@test "span-store: what is no span stream is exit 65, what came before is kept" {
	cat "$in" >bad
	echo garbage >>bad
	run --separate-stderr -65 span-store append --ack-fd 1 s bad
	[ "$output" = "ack 1 29336 1 155" ]
	[ "$stderr" = "span-store: bad: bad frame at byte 28967: not a span stream" ]
	[ "$(stat_of s .spans)" = 155 ]
	run --separate-stderr -65 span-store append t <<<"no span stream"
	[ "$stderr" = "span-store: standard input: bad frame at byte 0: not a span stream" ]
}

@test "span-store: a torn stream is exit 65, its whole frames are kept" {
	head -c -7 "$in" >torn
	run --separate-stderr -65 span-store append s torn
	[ "$stderr" = "span-store: torn: bad frame at byte 17325: the input ends inside it" ]
	[ "$(stat_of s .spans)" = 89 ]
}

@test "span-store: --skip-bad goes on after damage, and counts it" {
	{
		cat "$in"
		echo garbage
		cat "$in"
	} >bad
	run --separate-stderr -0 span-store append --skip-bad s bad
	[ "$stderr" = "span-store: warning: bad: 8 bytes passed over in 1 place" ]
	[ "$(stat_of s .spans)" = 310 ]
}

@test "span-store: a frame above --max-frame is refused" {
	run --separate-stderr -65 span-store append --max-frame 9K s "$in"
	[ "$stderr" = "span-store: $in: the frame at byte 17325: s: a frame of 11642 bytes is above the limit of 9216" ]
	[ "$(stat_of s .spans)" = 89 ]
	run --separate-stderr -0 span-store append --skip-bad --max-frame 9K t "$in"
	[ "${stderr_lines[1]}" = "span-store: warning: 1 frame was left out" ]
	[ "$(stat_of t .spans)" = 89 ]
}

@test "span-store: spans of the future are stored and counted" {
	run --separate-stderr -0 span-store append --max-future 1ms s "$in"
	future=$stderr
	[ "$(stat_of s .spans)" = 155 ]
	# The spans are of 2026-11-22: later than now, or not.
	if [ "$(date +%s)" -lt 1795341660 ]; then
		[ "$future" = "span-store: warning: 155 spans are dated in the future" ]
	else
		[ -z "$future" ]
	fi
}

@test "span-store: -v ends with the counts, --metrics-file has them" {
	run --separate-stderr -0 span-store append -v --metrics-file m s "$in"
	[ "${stderr_lines[0]}" = "span-store: s: sync group:200ms,4M" ]
	[[ ${stderr_lines[1]} = "span-store: 155 spans in 4 frames (28967 bytes), 155 spans acknowledged, 1 syncs, 0."*" s" ]]
	grep -qx 'span_store_spans_total 155' m
	grep -qx 'span_store_acknowledged_spans_total 155' m
}

@test "span-store: acknowledgements that nobody reads end it by SIGPIPE" {
	run --separate-stderr -141 closed_pipe span-store append --ack-fd 1 s "$in"
	[ -z "$stderr" ]
}

@test "span-store: acknowledgements on a full disk are exit 74" {
	run --separate-stderr -74 full_disk span-store append --ack-fd 1 s "$in"
	[ "$stderr" = "span-store: s: cannot write acknowledgements: No space left on device" ]
}

@test "span-store: a short write is cut off, and the store goes on" {
	# RLIMIT_FSIZE cuts the write of the last frame, then fails it.
	run --separate-stderr -74 bash -c 'ulimit -f 20; exec 2>&1; trap "" XFSZ
		exec span-store append --sync each s "$1"' - "$in"
	[[ $output = "span-store: s: 00000001.open: cannot write at byte 20480: File too large" ]]
	[ "$(stat -c %s s/00000001.open)" = 17632 ]
	span-store append s </dev/null
	[ "$(stat_of s .spans)" = 89 ]
	run -0 span-store verify s
	[ -z "$output" ]
}

@test "span-store: after a failed sync nothing more is acknowledged, exit 74" {
	command -v strace >/dev/null || skip "no strace"
	[ "$SANITIZERS" != yes ] || skip "the leak checker does not run in strace"
	run --separate-stderr -74 strace -f -qq -o trace \
		-e inject=fdatasync:error=EIO:when=4 \
		span-store append --no-seal --sync each --ack-fd 1 s "$in"
	[ "$stderr" = "span-store: s: 00000001.open: cannot sync: Input/output error" ]
	[ "${#lines[@]}" = 2 ]
	# Not even tried again.
	[ "$(sed -n '/fdatasync.*INJECTED/,$p' trace | grep -cE 'sync\(')" = 1 ]
}

@test "span-store: whichever call fails, what was acknowledged is kept" {
	command -v strace >/dev/null || skip "no strace"
	[ "$SANITIZERS" != yes ] || skip "the leak checker does not run in strace"
	for call in openat:EMFILE pwrite64:EIO pwrite64:ENOSPC fdatasync:EIO \
		fsync:EIO renameat:EIO flock:ENOLCK; do
		first=1
		# The first files that are opened are libraries.
		[ "$call" != openat:EMFILE ] || first=6
		for ((when = first; when < first + 6; when++)); do
			rm -rf s
			span-store append s <"$in"
			status=0
			strace -f -qq -o trace -e trace="${call%:*}" \
				-e inject="${call%:*}:error=${call#*:}:when=$when" \
				span-store append --no-seal --sync each --ack-fd 1 \
				--on-full fail s "$in" >acks 2>err || status=$?
			acked=$(awk '{ n += $5 } END { print n + 0 }' acks)
			echo "$call $when: status $status, $acked acknowledged"
			if grep -q INJECTED trace; then
				# a footer without room, a boot id that is not known
				[ $status = 74 ] || [ "$acked" = 155 ]
			else
				[ $status = 0 ]
			fi
			run --separate-stderr -0 span-store append s </dev/null
			[ "$(stat_of s .spans)" -ge $((155 + acked)) ]
			run -0 span-store verify s
		done
	done
}

@test "span-store: --min-free and --on-full=fail" {
	run --separate-stderr -74 span-store append --min-free 1000T \
		--on-full fail s "$in"
	[[ $stderr = "span-store: s: only "*" bytes are left on the disk" ]]
}

@test "span-store: a small disk fills, --on-full=block waits for room" {
	[ "$(id -u)" = 0 ] || skip "only root can mount"
	mkdir disk
	mount -t tmpfs -o size=256k tmpfs disk 2>/dev/null ||
		skip "tmpfs cannot be mounted here"
	mkfifo acks
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do cat "$in"; done >input
	span-store append --sync each --min-free 0 --rotate-size 64K \
		--ack-fd 3 disk/s input 2>err 3>acks &
	pid=$!
	cat acks >acked &
	cat=$!
	# It says that it waits; then the oldest logs make room.
	wait_until grep -q 'waiting until there is room' err
	[ -d /proc/$pid ]
	span-store expire --max-bytes 100K disk/s
	ends 0 $pid
	ends 0 $cat
	[ "$(awk '{ n += $5 } END { print n }' acked)" = 1860 ]
	run -0 span-store verify disk/s
	umount disk
	grep -qx 'span-store: warning: there is room again' err
}

teardown() {
	! mountpoint -q "$BATS_TEST_TMPDIR/disk" || umount "$BATS_TEST_TMPDIR/disk"
}

@test "span-store: expire removes the oldest logs down to --max-bytes" {
	for _ in 1 2 3; do span-store append s "$in"; done
	run --separate-stderr -0 span-store expire --max-bytes 70K --dry-run s
	[ "$output" = "would remove 00000001.log, 155 spans, 29.1 KiB: too many bytes" ]
	[ -e s/00000001.log ]
	run --separate-stderr -0 span-store expire --max-bytes 70K s
	[ "$output" = "removed 1 file, 155 spans, 29.1 KiB" ]
	[ ! -e s/00000001.log ]
	run --separate-stderr -0 span-store expire --max-bytes 70K s
	[ -z "$output$stderr" ]
	[ "$(stat_of s .spans)" = 310 ]
	run --separate-stderr -0 span-store expire --max-bytes 1 -q s
	[ -z "$output$stderr" ]
	[ "$(stat_of s .spans)" = 0 ]
}

@test "span-store: expire removes by the age of arrival" {
	span-store append s "$in"
	run --separate-stderr -0 span-store expire --max-age 1h s
	[ -z "$output$stderr" ]
	run --separate-stderr -0 span-store expire --max-age 1ns -v s
	[ "${lines[0]}" = "00000001.log, 155 spans, 29.1 KiB: too old" ]
	[ "${lines[1]}" = "removed 1 file, 155 spans, 29.1 KiB" ]
}

@test "span-store: expire runs beside append, once at a time" {
	mkfifo in
	span-store append --rotate-size 10K s <in 7>&- &
	pid=$!
	exec 7>in
	cat "$in" >&7
	wait_until test -e s/00000003.open
	run --separate-stderr -0 span-store expire --max-bytes 1 s
	[[ $output = "removed 2 files, 89 spans, 1"*" KiB" ]]
	[ -e s/00000003.open ]
	exec 8<>s/MAINT
	flock 8
	run --separate-stderr -75 span-store expire --wait 0 --max-bytes 1 s 8>&-
	[ "$stderr" = "span-store: s: another process maintains it" ]
	run --separate-stderr -75 span-store expire --wait 20ms --max-bytes 1 s \
		8>&-
	exec 7>&- 8>&-
	ends 0 $pid
}

@test "span-store: expire waits for whoever seals" {
	span-store append s "$in"
	exec 8<>s/MAINT
	flock 8
	span-store expire -v --max-bytes 1 s >out 2>err 8>&- &
	pid=$!
	wait_until grep -qx 'span-store: s: another process maintains it, waiting' err
	[ -e s/00000001.log ]
	exec 8>&-
	ends 0 $pid
	[ ! -e s/00000001.log ]
	grep -q '^removed 1 file' out
}

# Spans for a second or so, in many small logs, in the background.
append_busily() {
	span-gen --spans 20000 --seed 1 >busy
	: >acks
	for _ in {1..25}; do cat busy; done |
		span-store append --sync group:2ms,100K --rotate-size 200K \
			--ack-fd 3 s 3>>acks &
	pid=$!
	wait_until test -s acks
}

# Spans that were acknowledged until now; the last line may be incomplete.
acked() {
	sed '$d' acks | awk '{ n += $5 } END { print n + 0 }'
}

@test "span-store: a reader sees all that was acknowledged before it began" {
	append_busily
	runs=0
	while kill -0 $pid 2>/dev/null; do
		before=$(acked)
		run --separate-stderr -0 span-query -s s -c --spans
		[ -z "$stderr" ]
		[ "$output" -ge "$before" ] ||
			echo "$output of $before spans are seen"
		[ "$output" -ge "$before" ]
		runs=$((runs + 1))
	done
	ends 0 $pid
	echo "$runs readers"
	[ $runs -ge 2 ]
	[ "$(span-query -s s -c --spans)" = "$(awk '{ n += $5 } END { print n }' acks)" ]
	[ "$(stat_of s .missingFrames)" = 0 ]
	run -0 span-store verify s
}

@test "span-store: readers and the appender never notice expiry" {
	append_busily
	while kill -0 $pid 2>/dev/null; do
		run --separate-stderr -0 span-store expire --max-bytes 1M s
		[ -z "$stderr" ]
	done &
	expirer=$!
	while kill -0 $pid 2>/dev/null; do
		run --separate-stderr -0 span-query -s s -c --spans
		[ -z "$stderr" ]
		run --separate-stderr -0 span-store verify s
		[ -z "$output$stderr" ]
	done
	ends 0 $pid
	ends 0 $expirer
	run -0 span-store verify s
	[ "$(stat_of s .missingFrames)" = 0 ]
}

@test "span-store: a log that is being created is no damage" {
	span-store append s "$in"
	: >s/00000002.open
	run --separate-stderr -0 span-store verify s
	[ -z "$output$stderr" ]
	head -c 100 s/00000001.log >s/00000002.open
	run --separate-stderr -0 span-store verify s
	[ -z "$output$stderr" ]
	run --separate-stderr -0 span-query -s s -c --spans
	[ -z "$stderr" ]
	head -c 128 /dev/zero >s/00000002.open
	run --separate-stderr -1 span-store verify s
	[ "$output" = "00000002.open: its header is damaged" ]
}

@test "span-store: expire needs to know what" {
	span-store append s "$in"
	run --separate-stderr -2 span-store expire s
	[ "${stderr_lines[0]}" = "span-store: what is to go? The store has no policy (see init), and there is no option that says it" ]
}

@test "span-store: verify names the place of each damage, readers go on" {
	span-store append s "$in"
	printf X | dd of=s/00000001.log bs=1 seek=5000 conv=notrunc status=none
	run --separate-stderr -1 span-store verify s
	[ "${lines[0]}" = "00000001.log: damaged at byte 1296, 7848 bytes" ]
	[ "${lines[1]}" = "00000001.log: frame 2 is missing before byte 9144" ]
	[ "${lines[2]}" = "00000001.log: its footer counts other frames than it has" ]
	[ "${lines[3]}" = "00000001.log: the hash of the file is wrong" ]
	[ "${#lines[@]}" = 4 ]
}

@test "span-store: damage in an active log is set aside, the rest is kept" {
	mkfifo in acks
	span-store append --sync each --ack-fd 3 s <in 3>acks &
	pid=$!
	exec 7>in 8<acks
	cat "$in" >&7
	for _ in 1 2 3 4; do
		read -r -t 10 -u 8 _
	done
	kill -KILL $pid
	ends 137 $pid
	printf X | dd of=s/00000001.open bs=1 seek=5000 conv=notrunc status=none
	run --separate-stderr -0 span-store append s </dev/null
	[ "${stderr_lines[0]}" = "span-store: warning: 00000001.open: damaged at byte 1296, 7848 bytes were passed over, frame 2 is missing" ]
	[ "${stderr_lines[1]}" = "span-store: warning: 00000001.open: kept as 00000001.bad, 112 spans were recovered" ]
	run -0 span-store stat s
	grep -qx 'logs      1 with 112 spans, [0-9.]* bytes a span' <<<"$output"
	grep -qx 'missing   1 frame' <<<"$output"
	grep -qx 'damaged   1 file was set aside' <<<"$output"
	run -0 span-store expire --max-bytes 30K s
	[[ $output = "removed 1 file, 112 spans, 2"*" KiB" ]]
	[ -e s/00000001.bad ]
}

@test "span-store: a store of a later version is refused" {
	span-store append s "$in"
	sed -i 's/^incompat 0/incompat 1/' s/FORMAT
	python3 - <<'END'
# CRC-32C of FORMAT, by hand
text = open('s/FORMAT', 'rb').read()
text = text[:text.rindex(b'crc32c')]
crc = 0xffffffff
for b in text:
    crc ^= b
    for _ in range(8):
        crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
open('s/FORMAT', 'wb').write(text + b'crc32c %08x\n' % (crc ^ 0xffffffff))
END
	for verb in stat verify "append s $in" "expire --max-age 1s"; do
		# shellcheck disable=SC2086
		run --separate-stderr -65 span-store $verb s
		[ "$stderr" = "span-store: s: a later version wrote it" ]
	done
}

@test "span-store: FORMAT is written again when it is lost" {
	span-store append s "$in"
	cp s/FORMAT want
	rm s/FORMAT
	run --separate-stderr -0 span-store stat s
	[ "$stderr" = "span-store: warning: FORMAT is missing" ]
	run --separate-stderr -0 span-store append s </dev/null
	[ "$stderr" = "span-store: warning: FORMAT is missing; it was written again" ]
	diff -u want s/FORMAT
}

@test "span-store: a read-only store is read" {
	span-store append s "$in"
	mkdir disk
	if [ "$(id -u)" = 0 ]; then
		# Root may write everywhere but to a read-only mount.
		mount --bind s disk 2>/dev/null || skip "cannot mount here"
		mount -o remount,ro,bind disk
	else
		mv s/* disk
		chmod -w disk disk/*
	fi
	run ! touch disk/LOCK
	run --separate-stderr -0 span-store stat disk
	[ -z "$stderr" ]
	run -0 span-store verify -v disk
	[ "$output" = "00000001.log: sound, 155 spans" ]
	run --separate-stderr -74 span-store append disk "$in"
	[[ $stderr = "span-store: disk: LOCK: cannot open: "* ]]
	[ "$(id -u)" = 0 ] || chmod -R u+w disk
}

@test "span-store: a store of version 1 is read for ever" {
	# Two closed logs, and one whose appender was killed over a frame.
	(cd "$DATA" && cat store-v1/*) >before
	span-query --spans -o jsonl "$DATA/store-v1.spans" >want
	span-query --spans -o jsonl -s "$DATA/store-v1" >got
	diff -u want got
	(cd "$DATA" && span-store stat -o json store-v1) |
		jq 'del(.freeBytes, .fullInSeconds, .holdsSeconds)' |
		same store-v1.want -
	run -0 span-store verify -v "$DATA/store-v1"
	[ "$output" = "00000001.log: sound, 45 spans
00000002.log: sound, 256 spans
00000003.open: sound, 45 spans" ]
	(cd "$DATA" && cat store-v1/*) | cmp - before
	# An appender recovers it, and goes on.
	cp -r "$DATA/store-v1" s
	chmod -R u+w s
	run --separate-stderr -0 span-store append --no-seal s "$in"
	[ -z "$stderr" ]
	cat "$DATA/store-v1.spans" "$in" | span-query --spans -o jsonl >want
	span-query --spans -o jsonl -s s >got
	diff -u want got
	[ "$(stat_of s '.files[3].firstFrame')" = 6 ]
}

@test "span-store: the format is what the man page says" {
	read_store=$SRC/tests/interop/read_store.py
	python3 "$read_store" "$DATA/store-v1" 2>notes |
		cmp - "$DATA/store-v1.spans"
	diff -u - notes <<'END'
00000001.log: 2 frames, 45 spans, 0 bytes behind them
00000002.log: 1 frames, 256 spans, 0 bytes behind them
00000003.open: 2 frames, 45 spans, 1000 bytes behind them
END
	span-store append s "$in"
	python3 "$read_store" s 2>notes | cmp - "$in"
	if command -v xxhsum >/dev/null; then
		# The hash in the trailer is the one that xxhsum prints.
		hash=$(head -c -128 s/00000001.log | xxhsum -H2 2>/dev/null)
		[ "${hash%% *}" = "$(tail -c 48 s/00000001.log | head -c 16 |
			od -An -v -tx1 | tr -d ' \n')" ]
	fi
}

@test "span-store: the filters of a log are what the man page says" {
	span-gen --spans 9000 --seed 5 | span-store append --no-seal s
	/usr/bin/python3 "$SRC/tests/interop/read_filters.py" s >got 2>notes
	diff -u - got <<'END'
00000001.log: 36 frames, 32 with a filter
END
}

@test "span-store: a store of version 2 is read for ever" {
	jsonl() {
		span-query --spans -o jsonl "$@" | LC_ALL=C sort
	}
	(cd "$DATA" && cat store-v2/*) >before
	jsonl "$DATA/store-v2.spans" >want
	jsonl -s "$DATA/store-v2" >got
	diff -u want got
	run -0 span-store verify -v "$DATA/store-v2"
	[ "$output" = "ea5ba427e7f742cfa7abcc27a4b1a06f-00000001.seg: sound, 16 spans
00000002.seg: sound, 162 spans
00000003.seg: sound, 61 spans
00000004.log: sound, 23 spans
00000005.open: sound, 15 spans" ]
	span-query -o ids "$DATA/store-v2.spans" | while read -r id; do
		jsonl --trace-id "$id" "$DATA/store-v2.spans" >want.trace
		jsonl --trace-id "$id" -s "$DATA/store-v2" >got.trace
		diff -u want.trace got.trace
	done
	alike <(span-graph "$DATA/store-v2.spans") \
		<(span-graph -s "$DATA/store-v2")
	(cd "$DATA" && cat store-v2/*) | cmp - before
	# It is appended to, and sealed anew.
	cp -r "$DATA/store-v2" s
	chmod -R u+w s
	run --separate-stderr -0 span-store append --no-seal s "$in"
	[ -z "$stderr" ]
	run --separate-stderr -0 span-store seal -q --all s
	[ "$(stat_of s .closed)" = 0 ]
	cat "$DATA/store-v2.spans" "$in" >all.spans
	jsonl all.spans >want
	jsonl -s s >got
	diff -u want got
}

# The segment FILE, where the spans are those in FILE of jsonl.
read_segment() {
	/usr/bin/python3 "$SRC/tests/interop/read_segment.py" "$@"
}

# A segment of the spans in FILE, compressed with CODEC.
read_new_segment() {
	span-query --spans -o jsonl "$2" >want
	"$BUILD/tests/unit/make-segment" "$1" <"$2" >segment
	read_segment segment want
}

@test "span-store: segments are what the man page says" {
	for segment in "$DATA"/store-v2/*.seg; do
		read_segment "$segment"
	done | wc -l >lines
	[ "$(cat lines)" = 239 ]
	span-gen --spans 1500 --seed 1 --output shop.spans
	span-gen -p deep --spans 700 --seed 2 --nanoseconds --output deep.spans
	span-gen -p hostile --spans 200 --seed 3 --output hostile.spans
	for file in shop deep hostile; do
		read_new_segment none "$file.spans"
	done
	read_new_segment zlib shop.spans
}

@test "span-store: segments are what the man page says, with zstd" {
	/usr/bin/python3 -c 'import zstandard' 2>/dev/null ||
		skip "no python3-zstandard"
	span-gen --spans 1500 --seed 1 --output shop.spans
	run read_new_segment zstd shop.spans
	[[ $output != *"cannot compress"* ]] || skip "built without zstd"
	[ "$status" = 0 ]
}

@test "span-store: what is missing says so" {
	run --separate-stderr -74 span-store stat nothing
	[ "$stderr" = "span-store: nothing: no such store" ]
	run --separate-stderr -2 span-store
	run --separate-stderr -2 span-store polish s
	[ "${stderr_lines[0]}" = "span-store: unknown verb: 'polish'" ]
	run --separate-stderr -74 span-store append s missing
	[[ $stderr = "span-store: "*missing*": No such file or directory" ]]
}
