#!/usr/bin/env bats
# What a store promises, each sentence with its test: contract.md lists them.

load lib

teardown() {
	umount disk 2>/dev/null || true
}

@test "contract: each promise has a test that is there" {
	table=$SRC/tests/contract.md
	for ((n = 1; n <= 29; n++)); do
		grep -q "^| D$n | " "$table" || echo "D$n is missing"
		grep -q "^| D$n | " "$table"
	done
	# | D1 | promise | `file`: a name in it; `file`: ... |
	grep -oE '`[^`]+`: [^;|]+' "$table" | while IFS= read -r test; do
		file=${test#\`}
		name=${test#*\`: }
		file=$SRC/${file%%\`*}
		name=${name%"${name##*[! ]}"}
		echo "$file: $name"
		grep -qF -- "$name" "$file"
	done
}

# The hash of every file that must not change any more.
closed() {
	find s -name '*.log' -o -name '*.seg' | LC_ALL=C sort | xargs sha256sum
}

@test "contract: closed files never change, the active log only grows" {
	span-gen --seed 1 --spans 20000 --rate 500 >in
	span-store append --no-seal -q --rotate-size 1M s in
	span-store seal -q --all s
	span-store append --no-seal -q --rotate-size 1M s in
	mkfifo fifo acks
	span-store append --no-seal -q --sync each --rotate-size 64M \
		--ack-fd 3 s <fifo 3>acks &
	pid=$!
	exec 7>fifo 8<acks
	head -c 2000000 in >part
	span-query --skip-bad --spans -o spans part 2>/dev/null >whole
	cat whole >&7
	read -r -t 10 -u 8 _
	closed >before
	[ "$(grep -c 'seg$' before)" -ge 1 ]
	[ "$(grep -c 'log$' before)" -ge 2 ]
	cp s/*.open active
	span-query -s s -c --spans
	span-query -s s --error --limit 5 >/dev/null
	span-graph -s s >/dev/null
	span-store stat --columns s >/dev/null
	span-store expire --max-bytes 1 --dry-run s >/dev/null
	run -0 span-store verify s
	cat whole >&7
	wait_until test "$(wc -c <active)" -lt "$(stat -c %s s/*.open)"
	closed | diff before -
	cmp -n "$(wc -c <active)" active s/*.open
	# Others are sealed; it still only grows.
	span-store seal -q --all s
	[ "$(find s -name '*.log')" = "" ]
	cmp -n "$(wc -c <active)" active s/*.open
	exec 7>&-
	ends 0 $pid
	run -0 span-store verify s
}

@test "contract: the sync mode is told, and is in the header of each log" {
	number=0
	for mode in group:200ms,4M each none; do
		rm -rf s
		run --separate-stderr -0 span-store append --no-seal -v \
			--sync $mode s "$DATA/store.spans"
		[ "${stderr_lines[0]}" = "span-store: s: sync $mode" ]
		[ "$(od -An -t u4 -j 104 -N 4 s/00000001.log | tr -d ' ')" = $number ]
		number=$((number + 1))
	done
}

@test "contract: readers map no file that can still change" {
	command -v strace >/dev/null || skip "no strace"
	[ "$SANITIZERS" != yes ] || skip "the leak checker does not run in strace"
	span-gen --seed 1 --spans 5000 >in
	span-store append --no-seal -q s in
	span-store seal -q --all s
	span-store append --no-seal -q s in
	# A log whose writer is busy, or died.
	cp s/00000002.log s/00000003.open
	for command in "span-query -s s -c --spans" \
		"span-query -s s --tag http.status_code=500 -o csv" \
		"span-graph -s s" "span-store stat s" "span-store verify s" \
		"span-store operations s"; do
		# shellcheck disable=SC2086
		strace -f -qq -y -o trace -e trace=mmap,openat,flock \
			$command >/dev/null 2>&1 || true
		echo "$command"
		grep -q '00000001.seg>, 0' trace
		grep -q 'openat.*00000003.open' trace
		run -1 grep -E 'mmap.*\.(open|log)>' trace
		run -1 grep -E 'flock|openat.*s>, .*O_(WRONLY|RDWR|CREAT)' trace
	done
}

@test "contract: a store with segments is read where nothing can be written" {
	span-gen --seed 1 --spans 5000 >in
	span-store append --no-seal -q s in
	span-store seal -q --all s
	span-store append --no-seal -q s in
	mkdir disk
	if [ "$(id -u)" = 0 ]; then
		mount --bind s disk 2>/dev/null || skip "cannot mount here"
		mount -o remount,ro,bind disk
	else
		cp s/* disk
		chmod -w disk disk/*
	fi
	run ! touch disk/LOCK
	for command in "span-query -c --spans -s" "span-graph -s" \
		"span-store stat" "span-store services" "span-store verify"; do
		# shellcheck disable=SC2086
		case $command in
		*stat | *verify) ;; # its name, and nothing
		*) alike <($command s) <($command disk) ;;
		esac
		# shellcheck disable=SC2086
		run --separate-stderr -0 $command disk
		[ -z "$stderr" ]
	done
	[ "$(id -u)" = 0 ] || chmod -R u+w disk
}
