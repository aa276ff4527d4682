#!/usr/bin/env bats

load lib

# What span-stats keeps: totals from run to run, and partial results.

demo() {
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 200
}

@test "span-stats: totals of a store have each span once, run after run" {
	span-gen --seed 1 --spans 3000 >a
	span-gen --seed 2 --spans 3000 >b
	calls() { span-stats -o prometheus --totals t "$@" | grep -v '^#' | sort; }
	span-store append -q s a
	alike <(calls -s s) <(span-stats -o prometheus a | grep -v '^#' | sort)
	cp t before
	calls -s s >same
	diff same <(span-stats -o prometheus a | grep -v '^#' | sort)
	span-store append -q s b
	span-store seal -q --all s
	span-stats -o prometheus a b | grep -v '^#' | sort >want
	diff want <(calls -s s)
	diff want <(calls -s s)
	# A run that could not keep its totals says so, and the next one counts
	# the same again.
	cp before t
	run --separate-stderr -74 bash -c 'ulimit -f 0; trap "" XFSZ; span-stats -o prometheus --totals t -s s'
	cmp before t
	diff want <(calls -s s)
}

@test "span-stats: totals that could not be shown are not kept" {
	demo >in
	span-store append -q s in
	for where in in "-s s"; do
		rm -f t
		# shellcheck disable=SC2086
		span-stats -o csv --totals t $where >/dev/null
		cp t before
		[ "$where" = in ] || span-gen --seed 2 -n 20 | span-store append -q s
		# shellcheck disable=SC2086
		run --separate-stderr -74 full_disk span-stats --totals t $where
		# shellcheck disable=SC2086
		run --separate-stderr -141 closed_pipe span-stats --totals t $where
		# shellcheck disable=SC2086
		run --separate-stderr -74 span-stats --totals t $where --output none/out
		cmp before t
	done
	# Damage that is found behind what was counted is such a failure, too.
	gzip <in | head -c -1 >torn.gz
	rm t
	run -65 span-stats --totals t torn.gz
	[ ! -e t ]
}

@test "span-stats: rates of totals are about all of their time, expired or not" {
	for day in 01 02; do
		span-gen --seed 1 -n 200 --start 2026-01-${day}T00:00:00Z |
			span-store append -q --no-seal s
		span-stats -o json --totals t -s s >seen
	done
	from=$(jq .from seen)
	[[ $from = '"2026-01-01T00:00:0'* ]]
	span-store expire -q --max-bytes 500K s
	[[ $(span-stats -o json -s s | jq .from) = '"2026-01-02T00:00:0'* ]]
	diff seen <(span-stats -o json --totals t -s s)
	diff seen <(span-stats -o json --totals t -s s)
}

@test "span-stats: spans that expired before totals saw them are told" {
	put() {
		span-gen --seed "$1" -n 200 | span-store append -q --no-seal s
	}
	put 1
	run --separate-stderr -0 span-stats -q --totals t -s s
	put 2
	put 3
	# What a first run does not see is not its loss, nor is what it saw.
	span-store expire -q --max-bytes 1000K s
	run --separate-stderr -0 span-stats --totals first -s s
	[ -z "$stderr" ]
	cp t again
	run --separate-stderr -0 span-stats --totals again -s s
	[ -z "$stderr" ]
	frames=$(span-store stat -o json s | jq .frames)
	span-store expire -q --max-bytes 500K s
	frames=$((frames - $(span-store stat -o json s | jq .frames)))
	run --separate-stderr -0 span-stats --totals t -s s
	[[ $stderr =~ ^"span-stats: warning: t: spans that arrived after 20"[-0-9T:]+"Z expired before this run saw them: $frames frames of them are left out"$ ]]
	run --separate-stderr -0 span-stats --totals t -s s
	[ -z "$stderr" ]
}

@test "span-stats: totals go on whatever the time of a run is" {
	demo >in
	span-store append -q s in
	for since in 2020-01-01T00:00:07Z 2020-01-01T00:00:19Z; do
		for where in in "-s s"; do
			# shellcheck disable=SC2086
			span-stats -o csv --totals "t${where// /}" --step 1m --since $since $where >got
		done
	done
	diff got <(span-stats -o csv --step 1m in)
}

@test "span-stats: --merge takes partial results alone, and from standard input" {
	demo >in
	span-stats --partial --step 1s in >a.spm
	span-stats --step 1s in >want
	diff want <(span-stats --merge --step 1s - <a.spm)
	diff want <(span-stats --merge --step 1s <a.spm)
	diff want <(gzip <a.spm | span-stats --merge --step 1s)
	run --separate-stderr -65 span-stats --merge - <in
	[[ $stderr = "span-stats: standard input: bad partial result: "* ]]
	# An odd beginning of the buckets comes with the first one.
	since=2026-01-01T00:00:00.3Z
	span-stats --partial --step 1s --since $since in >b.spm
	span-stats -o csv --step 1s --since $since in >want
	diff want <(span-stats --merge -o csv --step 1s b.spm)
	run --separate-stderr -2 span-stats --merge --step 1s a.spm b.spm
	for option in "store s" "since 1h" "until 1h" "around now+-1h" "limit 3" \
		"window 3s" "memory 1M" skip-bad; do
		# shellcheck disable=SC2086
		refuses "--merge adds up partial results, and takes no --${option% *}" \
			span-stats --merge --$option a.spm
	done
	refuses "--merge and --totals at once" span-stats --merge --totals t a.spm
}

@test "span-stats: partial results of nothing add nothing" {
	demo >in
	span-stats --partial </dev/null >empty.spm
	span-stats --partial in >a.spm
	span-stats -o json in >want
	diff want <(span-stats --merge -o json empty.spm a.spm empty.spm)
	run --separate-stderr -0 span-stats --merge -o json empty.spm
	jq -e '. == {from: null, to: null, groups: [], spans: 0, left_out: 0}' <<<"$output"
	run --separate-stderr -0 span-stats --merge empty.spm
	[ -z "$output$stderr" ]
	# A run that failed leaves an empty file: its spans were not counted.
	for file in /dev/null -; do
		run --separate-stderr -65 span-stats --merge a.spm $file </dev/null
		[[ -z $output && $stderr = *": there is no partial result in it"* ]]
	done
	# Several results make one, too.
	diff want <(span-stats --merge --partial a.spm empty.spm | span-stats --merge -o json)
}

@test "span-stats: totals of files add up" {
	demo >in
	span-stats -o csv --totals t in | cut -d, -f1-4 >once
	span-stats -o csv --totals t in | cut -d, -f1-4 >twice
	diff <(span-stats -o csv in in | cut -d, -f1-4) twice
	diff <(span-stats -o csv in | cut -d, -f1-4) once
	run --separate-stderr -2 span-stats --totals t --by kind in
	[[ $stderr = "span-stats: t: a partial result of other options"* ]]
	span-store append -q s in
	run --separate-stderr -2 span-stats --totals t -s s
	[ "$stderr" = "span-stats: t: these are totals of a FILE, not of a store" ]
	head -c 100 t >torn
	run --separate-stderr -65 span-stats --totals torn in
	[[ $stderr = "span-stats: torn: bad partial result: "* ]]
}

@test "span-stats: partial results make what one run makes" {
	span-gen --seed 1 --spans 3000 >a
	span-gen --seed 2 --spans 2000 >b
	span-gen --seed 3 -p hostile -n 20 >c
	for how in "" "--step 1s" "--all-kinds --histogram --by kind,http.method"; do
		for f in a b c; do
			# shellcheck disable=SC2086
			span-stats --partial $how $f >$f.spm
		done
		for format in csv json; do
			# shellcheck disable=SC2086
			span-stats -o $format $how a b c >want
			# shellcheck disable=SC2086
			diff want <(span-stats --merge -o $format $how a.spm b.spm c.spm)
			# shellcheck disable=SC2086
			diff want <(cat c.spm a.spm b.spm | span-stats --merge -o $format $how)
		done
	done
	run --separate-stderr -2 span-stats --merge --by kind a.spm
	[[ $stderr = "span-stats: a.spm: a partial result of other options; "* ]]
	head -c 200 a.spm >torn
	run --separate-stderr -65 span-stats --merge torn
	run --separate-stderr -65 span-stats --merge a
	[ "$stderr" = "span-stats: a: bad partial result: it is none" ]
}

@test "span-stats: partial results and totals keep to what was selected" {
	demo >in
	span-stats --partial --service cart --error in >a.spm
	span-stats --partial '{ kind = client }' in >b.spm
	span-stats --partial --all-kinds in >c.spm
	span-stats --partial --since 2020-01-01 in >d.spm
	# What they were made with holds, and need not be said again.
	alike <(span-stats -o csv --service cart --error in) <(span-stats -o csv --merge a.spm)
	span-stats -o csv --merge --service cart --error a.spm a.spm >/dev/null
	span-stats -o csv --merge --all-kinds c.spm >/dev/null
	span-stats -o csv --merge d.spm d.spm >/dev/null
	while IFS='|' read -r args theirs ours; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 span-stats --merge $args
		[ "$stderr" = "span-stats: ${args##* }: it was made with $theirs, not with $ours" ]
	done <<-'END'
		a.spm d.spm|--kind=server --kind=consumer|--kind=server --kind=consumer --service=cart --error
		a.spm b.spm|--all-kinds --expression="{ kind = client }"|--kind=server --kind=consumer --service=cart --error
		d.spm c.spm|--all-kinds|--kind=server --kind=consumer
		--service mail a.spm|--kind=server --kind=consumer --service=cart --error|--kind=server --kind=consumer --service=mail
		--all-kinds d.spm|--kind=server --kind=consumer|--all-kinds
	END
	span-stats -q --totals t --service cart in >/dev/null
	cp t before
	run --separate-stderr -2 span-stats --totals t in
	[ "$stderr" = "span-stats: t: it was made with --kind=server --kind=consumer --service=cart, not with --kind=server --kind=consumer" ]
	run --separate-stderr -2 span-stats --totals t --service cart --all-kinds in
	cmp before t
	span-stats -q --totals t --service cart --until 2100-01-01 in >/dev/null
	run -1 cmp -s before t
}

@test "span-stats: one run at a time has totals" {
	demo >in
	span-store append -q s in
	span-stats -q --totals t -s s >want
	cp t before
	for where in in "-s s"; do
		# shellcheck disable=SC2086
		run --separate-stderr -75 flock t.lock span-stats --totals t $where
		[ -z "$output" ]
		[ "$stderr" = "span-stats: $PWD/t.lock: another process has it" ]
		cmp before t
	done
	run --separate-stderr -0 flock -n t.lock true
	diff want <(span-stats -q --totals t -s s)
	[ ! -s t.lock ]
	# By a link to them it is the same lock.
	mkdir other
	ln -s ../t other/link
	run -75 flock t.lock span-stats --totals other/link -s s
	run --separate-stderr -74 span-stats --totals none/t in
	[[ $stderr = "span-stats: cannot open none/t.lock: "* ]]
}

@test "span-stats: the example of a day by the hour gives the day" {
	span-gen --seed 1 -n 200 --rate 1 --start 'yesterday 11:58' |
		span-store append DIR
	sed -n '/^seq -w/,/^\.Ed/{/^\.Ed/d;s/\\e$/\\/;p}' \
		"$SRC/man/span-stats.1" >example
	bash example >got
	files=(./*.spm)
	[ ${#files[@]} = 24 ]
	span-stats -s DIR --since yesterday --until today >want
	grep -q checkout want
	alike <(tail -n +3 want) <(tail -n +3 got)
}
