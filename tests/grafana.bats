#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
# examples/grafana fits what our programs write.

load lib

python=/usr/bin/python3

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	"$python" -c 'import yaml' 2>/dev/null || skip "no yaml for $python"
	cp -r "$SRC/examples/grafana" .
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 400 --error-rate 0.05 >in
	span-stats -q -o prometheus --metric-names otel-seconds in >metrics
	span-graph -q -o prometheus in >>metrics
	trace-to-loki -q in >requests
}

check() {
	"$python" "$SRC/tests/grafana-check.py" grafana metrics requests rules
}

@test "grafana: all data sources lead to each other, by queries that find something" {
	run -0 check
	[[ $output =~ ^[1-9][0-9]*" queries of metrics"$ ]]
	[ ! -e "$SRC/tests/__pycache__" ]
}

@test "grafana: queries of metrics are PromQL" {
	command -v promtool >/dev/null || skip "no promtool"
	check
	run -0 promtool check rules rules
	[[ $output = *"SUCCESS"* ]]
}

@test "grafana: the check sees what does not fit" {
	# shellcheck disable=SC2016
	for wrong in 's/traces_span_metrics_calls_total/traces_spanmetrics_calls_total/' \
		's/service_name, le/service, le/' 's/STATUS_CODE_ERROR/X/;s/status_code/status/' \
		's/datasourceUid: spantools-traces/datasourceUid: traces/' 's/in_line="true" or trace_id=/trace=/' \
		's/url: .\$\${__value.raw}./url: "${__value.raw}"/' '/targetUID/s/metrics/logs/'; do
		sed "$wrong" "$SRC/examples/grafana/datasources.yaml" >grafana/datasources.yaml
		run -1 cmp -s grafana/datasources.yaml "$SRC/examples/grafana/datasources.yaml"
		echo "$wrong"
		run -1 check
		[[ $output = *"grafana-check.py: "* ]]
	done
	cp "$SRC/examples/grafana/datasources.yaml" grafana/
	for wrong in 's/duration_seconds_bucket/duration_milliseconds_bucket/' \
		's/"uid": "spantools-logs"/"uid": "logs"/' 's/duration > 500ms/duration > 5m/' \
		's/"title": "Rate"/"title": "R"/'; do
		sed "$wrong" "$SRC/examples/grafana/services.json" >grafana/services.json
		echo "$wrong"
		run -1 check
		[[ $output = *"grafana-check.py: "* ]]
	done
}
