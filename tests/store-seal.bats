#!/usr/bin/env bats
# span-store: sealing, what segments know in advance, and what a store is told
# to keep.

load lib

in=$DATA/store.spans # 4 frames, 155 spans

# The value of a key that stat prints as JSON.
stat_of() {
	span-store stat -o json "$1" | jq -r "$2"
}

# All spans of a stream or store, in an order that says nothing of files.
spans_of() {
	span-query "$@" --spans -o jsonl | sort
}

@test "seal: closed logs become a segment with the same spans" {
	span-store append s "$in"
	span-store append s "$in"
	spans_of -s s >want
	run --separate-stderr -0 span-store seal --all s
	[[ $output = "sealed 2 logs: 310 spans, "*" KiB to "*" KiB" ]]
	[ -z "$stderr" ]
	[ -e s/00000002.seg ]
	[ ! -e s/00000001.log ]
	[ ! -e s/00000002.log ]
	spans_of -s s | diff want -
	[ "$(stat_of s .segments)" = 1 ]
	[ "$(stat_of s .sealedSpans)" = 310 ]
	[ "$(stat_of s .closed)" = 0 ]
	[ "$(stat_of s '.files[0].state')" = sealed ]
	run -0 span-store verify -v s
	[ "$output" = "00000002.seg: sound, 310 spans" ]
}

@test "seal: what is not due is left alone, silently and without a lock" {
	span-store append s "$in"
	exec 8<>s/MAINT
	flock 8
	run --separate-stderr -0 span-store seal s 8>&-
	[ -z "$output$stderr" ]
	[ -e s/00000001.log ]
	run --separate-stderr -75 span-store seal --all s 8>&-
	[ "$stderr" = "span-store: s: another process maintains it" ]
	exec 8>&-
	# Nothing is there to seal twice.
	span-store seal -q --all s
	run --separate-stderr -0 span-store seal --all s
	[ -z "$output$stderr" ]
}

@test "seal: a log that is old enough is due" {
	span-store append s "$in"
	run --separate-stderr -0 span-store seal --max-age 1ns s
	[[ $output = "sealed 1 log: 155 spans, "* ]]
}

@test "seal: --dry-run changes nothing and says what would be done" {
	span-store append s "$in"
	echo s/* >before
	run --separate-stderr -0 span-store seal -n --all s
	[[ $output = "would seal 00000001.log, 155 spans, "*" KiB"* ]]
	[ -z "$stderr" ]
	[ "$(echo s/*)" = "$(cat before)" ]
	run --separate-stderr -0 span-store seal -n s
	[ -z "$output$stderr" ]
}

@test "seal: -v shows files and counts, -q nothing" {
	span-store append s "$in"
	run --separate-stderr -0 span-store seal -v --all s
	[[ ${lines[0]} = "00000001.log, 155 spans, "*" KiB"* ]]
	[[ ${lines[1]} = "sealed 1 log: "* ]]
	[[ $stderr = "span-store: 155 spans in 1 logs and 0 segments ("*" bytes) to 1 segments ("*" bytes), 0."*" s" ]]
	span-store append t "$in"
	run --separate-stderr -0 span-store seal -q --all t
	[ -z "$output$stderr" ]
	[ "$(stat_of t .segments)" = 1 ]
}

@test "seal: each codec keeps every span" {
	for codec in zstd zlib none; do
		span-gen --seed 3 --spans 1000 --profile hostile |
			span-store append $codec
		spans_of -s $codec >want
		span-store seal -q --all --codec $codec $codec ||
			[ $codec = zstd ]
		spans_of -s $codec | diff want -
		span-store verify $codec
	done
	run --separate-stderr -2 span-store seal --codec lzma none
	[ "${stderr_lines[0]}" = "span-store: --codec: 'lzma' is none of zstd, zlib, none" ]
}

@test "seal: a missing store, an unknown option, an operand too many" {
	run --separate-stderr -74 span-store seal nowhere
	[[ $stderr = "span-store: nowhere: "* ]]
	span-store append s </dev/null
	run --separate-stderr -2 span-store seal s t
	[ "${stderr_lines[0]}" = "span-store: unexpected argument: 't'" ]
	run --separate-stderr -0 span-store seal --all s
	[ -z "$output$stderr" ]
}

@test "seal: a damaged segment is named, and what is sound is read" {
	span-gen --seed 1 --spans 5000 | span-store append s
	span-store seal -q --all s
	size=$(stat -c %s s/00000001.seg)
	printf XXXX | dd of=s/00000001.seg bs=1 seek=$((size / 2)) \
		conv=notrunc status=none
	run --separate-stderr -1 span-store verify s
	[[ ${lines[0]} = "00000001.seg: "*" byte "* ]]
	run span-query -s s --spans -c
	[ "$status" -le 1 ]
	# It is kept, and never merged away.
	span-store seal --all s || true
	[ -e s/00000001.seg ] || [ -e s/00000001.bad ]
}

@test "seal: append passes on once what sealing complains of" {
	# Its directory cannot be read as a store by the child: FORMAT is of a
	# later version from now on.
	mkfifo in
	span-store append --rotate-size 10K s <in 2>err 7>&- &
	pid=$!
	exec 7>in
	cat "$in" >&7
	wait_until test -e s/00000003.open
	cp s/FORMAT format
	python3 - <<'END'
text = open('s/FORMAT', 'rb').read().replace(b'incompat 0', b'incompat 1')
text = text[:text.rindex(b'crc32c')]
crc = 0xffffffff
for b in text:
    crc ^= b
    for _ in range(8):
        crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
open('s/FORMAT', 'wb').write(text + b'crc32c %08x\n' % (crc ^ 0xffffffff))
END
	cat "$in" "$in" "$in" >&7
	wait_until test -s err
	cat "$in" "$in" "$in" >&7
	wait_until test -e s/00000020.log
	exec 7>&-
	ends 0 $pid
	diff -u - err <<<'span-store: warning: sealing: s: a later version wrote it'
}

@test "seal: --memory holds for spans that have nothing in common" {
	[ "$SANITIZERS" != yes ] || skip "sanitizers take memory of their own"
	span-gen -q -p hostile --seed 3 --spans 20000 |
		span-store append -q --no-seal --rotate-size 8M s
	spans_of -s s >want
	cp -r s t
	# All private memory of the process, used or not, in KiB.
	run -74 bash -c 'ulimit -d 70000; span-store seal -j 1 --all t'
	[[ $output = *memory* ]]
	run -0 bash -c 'ulimit -d 70000
		span-store seal -j 1 --memory 64M --all s'
	[[ $output = "sealed 6 logs: 20,032 spans, "* ]]
	spans_of -s s | cmp want -
	span-store verify s
}

@test "seal: segments are the same with any number of threads" {
	span-gen --seed 4 --spans 40000 |
		span-store append -q --no-seal --rotate-size 2M s
	for n in 1 3; do
		cp -r s s$n
		span-store seal -q -j $n --all s$n
		span-store stat --columns -o csv s$n | cut -d , -f 3- >sizes$n
		spans_of -s s$n >spans$n
	done
	cmp sizes1 sizes3
	cmp spans1 spans3
}

@test "draft: the active log gets one, which searches read and seal removes" {
	mkfifo fifo
	span-store append s <fifo 7>&- &
	appender=$!
	exec 7>fifo
	span-gen --seed 3 --spans 20000 >in
	cat in >&7
	wait_until test -e s/00000001.draft
	[ "$(stat_of s .drafts)" = 1 ]
	span-store stat -o csv s >stat.csv
	[ "$(tail -n 1 stat.csv | cut -d, -f 17)" = 1 ]
	[ "$(stat_of s .spans)" = "$(span-query --spans -c in)" ]
	[ "$(stat_of s '.files[0].state')" = draft ]
	run -0 span-store stat s
	[[ $output = *" 1 open, "*" of drafts"* ]]
	cat "$in" >&7
	exec 7>&-
	ends 0 "$appender"
	cat in "$in" >both
	spans_of both >want
	spans_of -s s | diff want -
	rm s/00000001.draft
	spans_of -s s | diff want -
	run --separate-stderr -0 span-store seal --no-drafts s
	[ -z "$output$stderr" ]
	[ ! -e s/00000001.draft ]
	run -0 span-store seal -n s
	[[ $output = "would draft 00000001.log, 20,1"*" spans, "* ]]
	run --separate-stderr -0 span-store seal -v s
	[[ $output = "draft of 00000001.log, 20,1"*" spans, "* ]]
	spans_of -s s | diff want -
	span-store seal -q --all s
	[ ! -e s/00000001.draft ]
	spans_of -s s | diff want -
}

@test "seal: append --no-seal starts nobody" {
	command -v strace >/dev/null || skip "no strace"
	[ "$SANITIZERS" != yes ] || skip "the leak checker does not run in strace"
	strace -f -qq -e trace=execve -o trace \
		span-store append --no-seal s "$in"
	[ "$(grep -c execve trace)" = 1 ]
	strace -f -qq -e trace=execve -o trace span-store append s "$in"
	grep -q '"seal", "--jobs=1", "--no-drafts", "--", "s"' trace
	run -1 grep -q '"expire"' trace
}

@test "init: a store remembers what it is to keep" {
	run --separate-stderr -0 span-store init --max-age 7d --max-bytes 5G s
	[ "$output" = "store     s
policy    keep 7d, at most 5.0 GiB" ]
	[ -z "$stderr" ]
	run --separate-stderr -0 span-store init --min-free 1G --max-age 36h s
	[ "${lines[1]}" = "policy    keep 1d12h, at most 5.0 GiB, leave 1.0 GiB free" ]
	run --separate-stderr -0 span-store init --max-age 0 s
	[ "${lines[1]}" = "policy    at most 5.0 GiB, leave 1.0 GiB free" ]
	run --separate-stderr -0 span-store init s
	[ "${lines[1]}" = "policy    at most 5.0 GiB, leave 1.0 GiB free" ]
	span-store init -q --max-bytes 0 --min-free 0 s >out
	[ ! -s out ]
	run --separate-stderr -0 span-store stat s
	[ "${lines[-1]}" = "policy    keep everything" ]
	[ "$(stat_of s .maxBytes)" = null ]
}

@test "init: without options nothing is changed, and nobody locked out" {
	span-store init -q --max-bytes 1M s
	exec 8<>s/MAINT
	flock 8
	run --separate-stderr -0 span-store init s 8>&-
	[ "${lines[1]}" = "policy    at most 1.0 MiB" ]
	run --separate-stderr -75 span-store init --wait 0 --max-bytes 2M s 8>&-
	exec 8>&-
	[ "$(stat_of s .maxBytes)" = 1048576 ]
}

@test "init: a directory of other things is refused and left alone" {
	mkdir s
	echo dear >s/letter.txt
	run --separate-stderr -2 span-store init --max-age 1d s
	[ "$stderr" = "span-store: s: it is no store, and not empty" ]
	[ -e s/letter.txt ]
	[ ! -e s/FORMAT ]
}

@test "expire: without options the policy holds, with them they do" {
	span-store init -q --max-bytes 40K s
	span-store append --no-seal s "$in"
	span-store append s </dev/null
	run --separate-stderr -0 span-store expire s
	[ -z "$output$stderr" ]
	span-store init -q --max-bytes 1 s
	run --separate-stderr -0 span-store expire --max-age 1h s
	[ -z "$output$stderr" ]
	run --separate-stderr -0 span-store expire -n s
	[[ $output = "would remove 00000001.log, 155 spans, "*" KiB: too many bytes" ]]
	run --separate-stderr -0 span-store expire s
	[[ $output = "removed 1 file, 155 spans, "*" KiB" ]]
}

@test "expire: segments go as logs do" {
	for _ in 1 2 3; do
		span-store append s "$in"
		span-store seal -q --all s
	done
	[ "$(stat_of s .spans)" = 465 ]
	run --separate-stderr -0 span-store expire --max-age 1ns s
	[[ $output = "removed "*" 465 spans, "* ]]
	[ "$(stat_of s .spans)" = 0 ]
}

@test "expire: --min-free removes until there is room" {
	[ "$(id -u)" = 0 ] || skip "only root can mount"
	mkdir disk
	mount -t tmpfs -o size=1M tmpfs disk 2>/dev/null ||
		skip "tmpfs cannot be mounted here"
	for _ in {1..8}; do span-store append --min-free 0 disk/s "$in"; done
	run --separate-stderr -0 span-store expire --min-free 850K disk/s
	[[ $output = "removed "?" files, "*" spans, "*" KiB" ]]
	[ "$(stat_of disk/s .freeBytes)" -ge 870400 ]
	[ "$(stat_of disk/s .spans)" -gt 0 ]
}

@test "append: a full disk has retention run first, then goes on" {
	[ "$(id -u)" = 0 ] || skip "only root can mount"
	mkdir disk
	mount -t tmpfs -o size=256k tmpfs disk 2>/dev/null ||
		skip "tmpfs cannot be mounted here"
	for _ in {1..40}; do cat "$in"; done >input
	span-store init -q --min-free 60K disk/s
	run --separate-stderr -0 span-store append --no-seal --sync each \
		--min-free 20K --rotate-size 32K --on-full fail --ack-fd 1 \
		disk/s input
	[ -z "$stderr" ]
	[ "$(awk '{ n += $5 } END { print n }' <<<"$output")" = 6200 ]
	[ "$(stat_of disk/s .spans)" -lt 6200 ]
	[ "$(stat_of disk/s .spans)" -gt 0 ]
	span-store verify disk/s
}

teardown() {
	! mountpoint -q "$BATS_TEST_TMPDIR/disk" || umount "$BATS_TEST_TMPDIR/disk"
}

@test "append: the policy is carried out while it runs" {
	span-store init -q --max-bytes 100K s
	mkfifo in
	span-store append --no-seal --rotate-size 32K s <in 2>err 7>&- &
	pid=$!
	exec 7>in
	for _ in {1..20}; do cat "$in" >&7; done
	gone() { [ ! -e s/00000003.log ] && [ "$(stat_of s .spans)" -gt 0 ]; }
	wait_until gone
	exec 7>&-
	ends 0 $pid
	[ ! -s err ]
}

# A store with a segment and a log, made from spans whose number is known.
half_sealed() {
	span-gen --seed 1 --spans 3000 >one
	span-gen --seed 2 --spans 1000 >two
	span-store append "$1" one
	span-store seal -q --all "$1"
	span-store append "$1" two
}

@test "operations: counts are those of a plain scan" {
	half_sealed s
	cat one two | span-query --spans -o jsonl |
		jq -r '[.service, .name, .kind // ""] | join("|")' | sort |
		uniq -c | awk '{ n = $1; $1 = ""; print substr($0, 2) "|" n }' |
		sort >want
	span-store operations -o json s |
		jq -r '.[] | [.service, .operation, .kind, .spans] | join("|")' |
		sort >got
	diff -u want got
	cat one two | span-query --spans --error -c >errors
	[ "$(span-store operations -o json s | jq 'map(.errors) | add')" = \
		"$(cat errors)" ]
}

@test "operations: a table of 80 columns, JSON, CSV" {
	span-store append s "$in"
	run --separate-stderr -0 span-store operations s
	same store-operations.want
	run -0 span-store operations -o csv s frontend
	[ "${lines[0]}" = "service,operation,kind,spans,errors" ]
	run -1 grep -qv -e '^"frontend",' -e '^service,' <<<"$output"
	[ "$(span-store operations -o json s | jq 'map(.spans) | add')" = 155 ]
	run --separate-stderr -1 span-store operations s nobody
	[ -z "$output$stderr" ]
	run -1 span-store operations -o json s nobody
	[ "$output" = '[]' ]
}

@test "operations, services: hostile names stay in their column" {
	span-gen --seed 5 --profile hostile --spans 2000 | span-store append s
	span-store seal -q --all s
	for verb in operations services "stat --services"; do
		# shellcheck disable=SC2086
		span-store $verb s >out
		python3 -c 'import sys, unicodedata
for line in open("out", encoding="utf-8", newline="\n"):
    line = line.rstrip("\n")
    assert line.isprintable() or "Cc" not in map(unicodedata.category, line)
    assert sum(0 if unicodedata.category(c) in ("Mn", "Me") else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line) <= 80, line'
	done
	span-store operations -o json s | jq -e 'length > 0' >json
	span-store operations -o csv s | python3 -c 'import csv, sys
for row in csv.reader(sys.stdin):
    assert len(row) == 5, row'
}

@test "services: each once, with sums" {
	half_sealed s
	span-store services -o csv s >csv
	[ "$(awk -F, 'NR > 1 { n += $3 } END { print n }' csv)" = \
		"$(stat_of s .spans)" ]
	[ "$(tail -n +2 csv | cut -d, -f1 | sort | uniq -d)" = "" ]
	run -0 span-store services s
	[[ ${lines[0]} = "service  "*"operations         spans     errors" ]]
	span-store append empty </dev/null
	run --separate-stderr -0 span-store services empty
	[ -z "$output$stderr" ]
	[ "$(span-store services -o json empty)" = "[]" ]
}

@test "stat: a new store, one of logs, one of segments" {
	span-store init -q --max-age 7d s
	normal() {
		sed -E 's/^uuid .*/uuid      UUID/; s/^(arrived  ).*/\1 TIME/
			s/^disk .*/disk      DISK/
			s/[0-9.]+ (KiB|bytes a span)/N \1/g'
	}
	{
		span-store stat s
		echo
		span-store append --no-seal s "$in"
		span-store stat -v s | sed -E 's/(KiB  )2.*/\1TIME/'
		echo
		span-store seal -q --all s
		span-store append --no-seal s "$in"
		span-store stat s
		echo
		span-store seal -q --all s
		span-store stat -v s | sed -E 's/(KiB  )2.*/\1TIME/'
	} | normal | same store-stat.want -
}

@test "stat: the bytes of all columns are the size of the store" {
	half_sealed s
	[ "$(span-store stat --columns -o json s |
		jq '.columns | map(.bytes) | add')" = "$(stat_of s .bytes)" ]
	run -0 span-store stat --columns s
	grep -qE '^span ids  ' <<<"$output"
	grep -qE '^tag http.url  ' <<<"$output"
	grep -qE '^logs  ' <<<"$output"
	run -1 grep -qE '.{81}' <<<"$output"
	run -0 span-store stat --columns -o csv s
	[ "${lines[0]}" = "part,key,bytes,values" ]
	run --separate-stderr -2 span-store stat --columns --services -o csv s
	[[ ${stderr_lines[0]} = "span-store: --columns and --services are two tables"* ]]
}

@test "stat: CSV is a line of totals" {
	half_sealed s
	span-store stat -o csv s | python3 -c 'import csv, sys
rows = list(csv.DictReader(sys.stdin))
assert len(rows) == 1, rows
r = rows[0]
assert r["store"] == "s" and int(r["spans"]) > 4000 and r["segments"] == "1"
assert int(r["sealed_spans"]) < int(r["spans"]), r'
}

@test "stat: growth is not told of a few seconds" {
	run -0 span-store stat "$DATA/store-v1"
	run -1 grep -q growth <<<"$output"
	[ "$(stat_of "$DATA/store-v1" .bytesADay)" = null ]
}

@test "export, import: what is sealed is copied once, and logs are told of" {
	half_sealed s
	run --separate-stderr -0 span-store export s copy
	[ "$output" = "copied 1 segment" ]
	[[ $stderr = "span-store: warning: s: 1"*" spans are not copied, as nothing has sealed them yet" ]]
	spans_of one >want
	spans_of -s copy | diff want -
	span-store verify copy
	run -0 span-store export -q s copy
	[ -z "$output" ]
	# Arrival stamps are those of the origin.
	[ "$(stat_of copy .firstArrival)" = "$(stat_of s .firstArrival)" ]
	# Into a store with spans of its own.
	span-store append all two
	run -0 span-store import -q all copy
	{ spans_of one; spans_of two; } | sort >want
	spans_of -s all | diff want -
	span-store seal -q --all all
	spans_of -s all | diff want -
	run --separate-stderr -2 span-store export s
	[ "${stderr_lines[0]}" = "span-store: to which DIR?" ]
	run --separate-stderr -2 span-store import s
	[ "${stderr_lines[0]}" = "span-store: from which DIR?" ]
	SPAN_STORE=s run -0 span-store export -q elsewhere
	[ -d elsewhere ]
}

@test "export: into a directory of other things nothing is written" {
	half_sealed s
	mkdir d
	echo dear >d/letter.txt
	run --separate-stderr -2 span-store export s d
	[ -e d/letter.txt ]
	[ ! -e d/FORMAT ]
}
