#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2012,SC2030,SC2031,SC2154
# What cron and timers of systemd run in examples/, with as little in the
# environment as these give.

load lib

# A machine with the programs in its PATH, a store, and a mailer that keeps
# what it gets.
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir bin prometheus prometheus/node-exporter spans-metrics spans-errors
	for p in $(programs); do
		ln -s "$BUILD/bin/$p" bin/
	done
	ln -s "$SRC/examples/error-report" bin/
	printf '#!/bin/sh\ncat >"%s/mail.$$"\n' "$PWD" >bin/mailer
	chmod +x bin/mailer
}

# A file for this machine: its directories are below this one, and traces of a
# second ago are complete.
here() {
	sed "s,/usr/local/bin,$PWD/bin,g; s,/var/lib/,$PWD/,g
		s,/usr/sbin/sendmail -oi -t,$PWD/bin/mailer,g
		s,^[0-9].*error-report .*,& --window 1ns,
		s,^\(ExecStart=.*error-report .*\)',\1 --window 1ns'," "$1"
}

# Run a crontab once, as cron does.
cron() {
	local line env=()
	while IFS= read -r line; do
		case $line in
		'' | '#'*) ;;
		[A-Z]*=*) env+=("$line") ;;
		*)
			# To cron a percent sign is the end of the line.
			[[ $line =~ ^([0-9*/,-]+\ ){5}([^%]+)$ ]] || return
			env -i HOME=/ LOGNAME=root SHELL=/bin/sh PATH=/usr/bin:/bin \
				MAILER="$PWD/bin/mailer" "${env[@]}" \
				/bin/sh -c "${BASH_REMATCH[2]}" || return
			;;
		esac
	done < <(here "$SRC/examples/cron/$1")
}

# Run what a unit of a timer starts, as systemd does.
unit() {
	local line env=()
	[ -f "$SRC/examples/systemd/$1.timer" ] || return
	while IFS= read -r line; do
		case $line in
		Environment=*)
			line=${line#Environment=}
			line=${line#\"}
			env+=("${line%\"}")
			;;
		ExecStart=*)
			[[ $line =~ ^ExecStart=/bin/sh\ -c\ \'([^\']+)\'$ ]] || return
			env -i PATH="$PWD/bin:/usr/bin:/bin" "${env[@]}" \
				/bin/sh -c "${BASH_REMATCH[1]}" || return
			;;
		esac
	done < <(here "$SRC/examples/systemd/$1.service")
}

# traffic SEED [OPTION...]
traffic() {
	span-gen --topology "$SRC/examples/investigations.json" --seed "$1" -n 100 \
		--start 2026-11-22T10:00:00Z "${@:2}" | span-store append -q spans
}

# Retention twice: something to do, and nothing.
keeps_to_its_policy() {
	traffic 1
	span-store init -q --max-bytes 1 spans
	run --separate-stderr -0 "$@"
	[ -z "$stderr" ] || return
	[[ $output = *"sealed 1 log"*"removed 1 file"* ]] || return
	run --separate-stderr -0 "$@"
	[ -z "$output$stderr" ]
}

@test "cron: retention" {
	keeps_to_its_policy cron spans
}

@test "cron: retention by systemd" {
	keeps_to_its_policy unit span-store-upkeep
}

# Metrics of two hours, each span once.
counts_each_span_once() {
	local seed
	for seed in 1 2; do
		traffic $seed
		run --separate-stderr -0 "$@"
		[ -z "$output$stderr" ] || return
	done
	span-stats -s spans -o prometheus --metric-names otel-seconds | sort >want
	[ -s want ] || return
	sort prometheus/node-exporter/spans.prom | diff want -
}

@test "cron: hourly metrics" {
	counts_each_span_once cron metrics
}

@test "cron: hourly metrics by systemd" {
	counts_each_span_once unit span-store-metrics
}

# A mail about each failure once, and silence else.
reports_failures() {
	local n
	traffic 1
	run --separate-stderr -0 "$@"
	[ -z "$output$stderr" ] || return
	n=$(span-query -s spans -c --error)
	[ "$(ls mail.* | wc -l)" = 1 ] || return
	mv mail.* first
	grep -qx 'To: root' first || return
	grep -qx "Subject: $n failed traces on $(uname -n)" first || return
	grep -q 'payment Pay by paypal: no answer from paypal within' first || return
	# Its ids are those of traces that failed.
	grep -oE '^2026[^ ]* [0-9a-f]{32}' first | cut -d ' ' -f 2 | sort >ids
	[ "$(wc -l <ids)" = 10 ] || return
	span-query -s spans -o ids --error | sort | comm -13 - ids | diff /dev/null - || return
	# Nothing that is new has failed, and nothing is new.
	span-gen --seed 3 -n 5 --error-rate 0 | span-store append -q spans
	run --separate-stderr -0 "$@"
	[ -z "$output$stderr" ] || return
	run --separate-stderr -0 "$@"
	[ -z "$output$stderr" ] || return
	run ! ls mail.*
	# What fails later is told, and only that.
	traffic 4
	run --separate-stderr -0 "$@"
	[ -z "$output$stderr" ] || return
	grep -qx "Subject: $(($(span-query -s spans -c --error) - n)) failed traces on .*" mail.*
}

@test "cron: a report of errors by mail" {
	reports_failures cron errors
}

@test "cron: a report of errors by mail from systemd" {
	reports_failures unit span-store-errors
}

@test "cron: a report that cannot be mailed is told again" {
	traffic 1
	MAILER=false run --separate-stderr -1 error_report
	[ ! -e cursor ]
	run --separate-stderr -0 error_report
	[ "$(ls mail.* | wc -l)" = 1 ]
	rm mail.*
	run --separate-stderr -0 error_report
	run ! ls mail.*
}

error_report() {
	MAILER=${MAILER:-$PWD/bin/mailer} "$SRC/examples/error-report" spans cursor me --window 1ns "$@"
}

@test "cron: a report is about what its options say" {
	traffic 1
	run --separate-stderr -0 error_report --service stock
	run ! ls mail.*
	rm cursor
	run --separate-stderr -0 error_report --operation 'Pay by paypal'
	grep -qx "Subject: $(span-query -s spans -c --error --operation 'Pay by paypal') failed traces on .*" mail.*
}

@test "cron: a report that finds no store, or another one at work, says so" {
	run --separate-stderr -2 "$SRC/examples/error-report" spans cursor
	[ "$stderr" = 'usage: error-report STORE CURSOR TO [OPTION...]' ]
	run --separate-stderr ! error_report
	[[ $stderr = 'span-query: '*spans* ]]
	[ ! -e cursor ]
	traffic 1
	run --separate-stderr -75 flock cursor.lock "$SRC/examples/error-report" spans cursor me
	[ "$stderr" = 'error-report: cursor.lock: another report is at work' ]
	[ ! -e cursor ]
}

@test "cron: what attacks stays out of the head of a mail, and of its control" {
	span-gen -p hostile --seed 1 -n 56 | span-store append -q spans
	run --separate-stderr -0 error_report
	[ "$(ls mail.* | wc -l)" = 1 ]
	sed '/^$/q' mail.* >head
	[ "$(grep -c ':' head)" = 5 ]
	[ "$(wc -l <head)" = 6 ]
	run ! grep -nP '[\x00-\x08\x0b-\x1f\x7f]' mail.*
}
