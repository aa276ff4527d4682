# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
#
# The page of span-serve, used in Chromium as people use it: by addresses,
# keys and clicks, over a store of a shop.
load lib

teardown() {
	local pid
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# Ten minutes of a shop, that are over.
shop() {
	span-gen --seed 3 -n "${1:-60}" --rate 0.1 --error-rate 0.05 \
		--start "@$(($(date +%s) - 900))"
}

# Serve st; $url has a slash at its end.
start() {
	span-serve -s "${store:-st}" -l 127.0.0.1:0 "$@" 2>err 3>&- &
	started+=("$!")
	wait_until grep -q '^span-serve: http' err
	url=$(sed -nE 's/^span-serve: (http.*)/\1/p' err)
}

# Take steps of page-drive.py from an address of the server on.
drive() {
	local at=$1
	shift
	timeout 100 /usr/bin/python3 "$SRC/tests/page-drive.py" \
		"$BATS_TEST_TMPDIR/chromium" "$url$at" "${window:-1280x800}" "$@"
}

need_chromium() {
	[ -z "${CI-}" ] || skip "not in CI"
	command -v chromium >/dev/null || skip "no chromium"
}

# What a view says to the one who asked it: "=$(text '#found')".
text() {
	printf '(document.querySelector("%s") || {}).textContent' "$1"
}

there() {
	printf '?document.querySelector("%s")' "$1"
}

count() {
	printf '=document.querySelectorAll("%s").length' "$1"
}

# One span for each name that attacks, below a root.
attacks() {
	/usr/bin/python3 - <<-'PY'
		import json, time
		names = ['</script><script>alert(1)</script>', '<!--<script>', ']]>', '"];alert(1)//',
		    "' onload='x", '<b onclick=x>', '&lt;', 'a\nb\r\nc', '\x1b[31mred', '\u202egnp.exe',
		    '\u2028line', '{{7*7}}', '${1}', 'javascript:alert(1)', '__proto__', '$(id)`id`',
		    'A' * 10240, '<' * 10240]
		start = int(time.time() - 60) * 10**9
		for i, name in enumerate(names):
		    print(json.dumps({'trace_id': 'a1', 'span_id': '%x' % (i + 1),
		        'parent_id': None if i == 0 else '1', 'service': name, 'name': name,
		        'kind': 'server', 'start_ns': start + i * 1000,
		        'duration_ns': 100000 - i * 2000, 'status': 'error', 'status_message': name,
		        'tags': {name: name, 'url': 'javascript:alert(1)'}, 'process': {name: name},
		        'events': [{'time_ns': start, 'name': name, 'fields': {name: name}}],
		        'refs': []}))
	PY
}

# A trace of 50,000 spans.
large() {
	awk -v start="$(($(date +%s) - 60))" 'BEGIN { for (i = 1; i <= 50000; i++)
		printf "{\"trace_id\":\"b2\",\"span_id\":\"%x\",\"parent_id\":%s,\"service\":\"s%d\",\"name\":\"op %d\",\"kind\":\"server\",\"start_ns\":%d%05d0000,\"duration_ns\":%d,\"status\":\"unset\",\"tags\":{\"n\":%d},\"process\":{},\"events\":[],\"refs\":[]}\n",
			i, i == 1 ? "null" : sprintf("\"%x\"", int(i / 8) + 1 == i ? 1 : int(i / 8) + 1), i % 7, i, start, i, 600000000 - i * 1000, i }' |
		span-decode --from jsonl
}

@test "span-serve: the page is small, and lets in nothing but its own script and style" {
	shop 5 | span-store append st
	start --base-path /traces
	for path in '' search dependencies monitor upload trace/a1 trace/a1...b2; do
		curl -sS -D headers -o page "$url$path"
		grep -q '^HTTP/1.1 200' headers
		grep -qi '^content-type: text/html; charset=utf-8' headers
		grep -qi "^content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; " headers
		run ! grep -qi '<style\|style=\|onclick=' page
		[ "$(grep -c '<script' page)" = 1 ]
		# Below whatever path it is.
		script=$(sed -nE 's/.*<script src="([^"]*)".*/\1/p' page)
		style=$(sed -nE 's/.*"stylesheet" href="([^"]*)".*/\1/p' page)
		dir=$url$path
		curl -sS -D headers -o script "${dir%/*}/$script"
		grep -q '^HTTP/1.1 200' headers
		grep -qi '^cache-control:.*immutable' headers
		grep -qi '^content-type: text/javascript' headers
		curl -sS -D headers -o style "${dir%/*}/$style"
		grep -q '^HTTP/1.1 200' headers
		grep -qi '^content-type: text/css' headers
	done
	[ "$(cat page script style | wc -c)" -lt 150000 ]
	# What is asked for by another hash is not kept.
	curl -sS -D headers -o script "${url}static/page.js?0123456789abcdef"
	run ! grep -qi immutable headers
	[ "$(curl -sS -o page -w '%{http_code}' "${url}static/other.js")" = 404 ]
	# It knows what the store is called, for its commands.
	ln -s st 'a"><b>&'
	store='a"><b>&' start
	curl -sS "${url}search" | grep -qxF '<meta name="store" content="a&quot;&gt;&lt;b&gt;&amp;">'
}

@test "span-serve: the page finds traces, opens one, and shows a span whole" {
	need_chromium
	shop | span-store append st
	start
	run -0 drive 'search?service=checkout&lookback=1h&limit=20' \
		"$(there '.traces li')" "$(count '.traces li')" "$(count '.scatter circle, .scatter .bad')" \
		"=$(text '#command-text')" \
		ArrowDown Enter "$(there .row)" '=document.querySelectorAll(".row").length > 5' \
		ArrowDown Enter "$(there 'aside dl')" "=$(text 'aside summary')" \
		'=document.querySelector("aside h2").textContent.includes(document.querySelector(".row.chosen .operation").textContent)' \
		'=location.pathname.startsWith("/trace/")' Escape '=document.querySelector("aside").hidden'
	want=$(span-query -c -s st --service checkout)
	[ "${lines[0]}" = "$want" ]
	[ "${lines[1]}" = "$want" ]
	[ "${lines[2]}" = '"span-query -s st --since 1h --service checkout --limit 20 -o table"' ]
	[ "${lines[3]}" = true ]
	[[ ${lines[4]} = '"Tags ('*')"' ]]
	[ "${lines[5]}" = true ]
	[ "${lines[6]}" = true ]
	[ "${lines[7]}" = true ]
}

@test "span-serve: the page searches by the form, and in TraceQL" {
	need_chromium
	shop | span-store append st
	start
	run -0 drive search "$(there '#search select')" \
		'!get("view").querySelector("[name=tags]").value = "error"' \
		'!get("view").querySelector("[name=limit]").value = "1000"' \
		'<#search .main' '?/ found$/.test(document.querySelector("#said").textContent)' \
		"$(count '.traces li')" '=new URLSearchParams(location.search).get("tags")' \
		'@/search?q=%7B%20resource.service.name%20%3D%20%22cart%22%20%26%26%20status%20%3D%20error%20%7D&limit=1000' \
		'?/ found$/.test(document.querySelector("#said").textContent)' \
		"$(count '.traces li')" \
		'@/search?q=%7B%20status%20%3D%20error%20%7D&service=cart&limit=1000' \
		'?/ found$/.test(document.querySelector("#said").textContent)' "$(count '.traces li')" \
		'@/search?q=%7B%20%22%C3%A4%22%20%3D%20nonsense%20%7D&limit=20' "$(there .trouble)" "=$(text .trouble)" \
		'=document.querySelector("[name=q]").ariaInvalid' '=document.activeElement.selectionStart' \
		'<#search .main' "$(there .trouble)" '@/search' "$(there '.traces li')" "$(count '.traces li')" \
		'!document.querySelector("[name=minDuration]").value = "long"' '<#search .main' \
		"$(there .trouble)" '=document.activeElement.name'
	[ "${lines[0]}" = "$(span-query -c -s st '{ status = error }')" ]
	[ "${lines[1]}" = '"{\"error\":\"true\"}"' ]
	[ "${lines[2]}" = "$(span-query -c -s st '{ resource.service.name = "cart" && status = error }')" ]
	[ "${lines[3]}" = "$(span-query -c -s st --service cart '{ status = error }')" ]
	# The column is in bytes, what is pointed at is in characters.
	[[ ${lines[4]} = '"\u2717 TraceQL, column 10: '*'\n{ \"\u00e4\" = nonsense }\n        \u2303"' ]]
	[ "${lines[5]}" = '"true"' ]
	[ "${lines[6]}" = 8 ]
	[ "${lines[7]}" = 20 ]
	[ "${lines[8]}" = '"minDuration"' ]
}

@test "span-serve: the page is moved in by keys, and finds in a trace by Jaeger's rules" {
	need_chromium
	shop | span-store append st
	id=$(span-query -s st -o ids --sort spans --limit 1)
	n=$(span-query -c --spans -s st --trace-id "$id")
	first=$(span-query -s st --spans --root -o jsonl --trace-id "$id" | jq -r .span_id)
	start
	run -0 drive "trace/$id?uiFind=$first" "$(there .row.found)" \
		"=$(text '#found')" '=document.querySelector("#find").value' \
		/ '!document.querySelector("#find").value = ""' '"service=x -x nothing-has-this' "=$(text '#found')" Enter \
		Escape '!document.querySelector("#find").value = ""' / '"e' Escape \
		']' '?document.querySelectorAll(".row").length === 1' '[' \
		'?document.querySelectorAll(".row").length > 5' \
		End "$(there ".row.chosen[aria-rowindex='$n']")" \
		Home ArrowLeft '?document.querySelectorAll(".row").length === 1' ArrowRight \
		+ + d '?!document.querySelector(".minimap .part").hidden' 0 '?document.querySelector(".minimap .part").hidden' \
		'?document.querySelectorAll("i.path").length > 0' c '?document.querySelectorAll("i.path").length === 0' \
		'=document.querySelectorAll("i.path").length' \
		'?' '=document.querySelector("#help").open' Escape \
		g d '?document.title === "Graph"' '=location.pathname' g m '=location.pathname' g u '=location.pathname' g s '=location.pathname' \
		/ '=document.activeElement.id' "\"$id" Enter "$(there .row)" '=location.pathname.length > 20'
	[ "${lines[0]}" = '"1 of 1"' ]
	[ "${lines[1]}" = "\"$first\"" ]
	[ "${lines[2]}" = '"0 spans"' ]
	[ "${lines[3]}" = 0 ]
	[ "${lines[4]}" = true ]
	[ "${lines[5]}" = '"/dependencies"' ]
	[ "${lines[6]}" = '"/monitor"' ]
	[ "${lines[7]}" = '"/upload"' ]
	[ "${lines[8]}" = '"/search"' ]
	[ "${lines[9]}" = '"lookup-id"' ]
	[ "${lines[10]}" = true ]
}

@test "span-serve: the page is as it was left for who comes back to it" {
	need_chromium
	shop | span-store append st
	start
	run -0 drive 'search?lookback=1h&limit=50' "$(there '.traces li')" \
		'!document.querySelector("[name=sort]").value = "LONGEST_FIRST"' \
		'!document.querySelector("[name=sort]").dispatchEvent(new Event("change"))' \
		"$(printf '!{ const a = document.querySelectorAll("a.open")[19]; window.left = a.pathname; window.asked = 0; a.focus(); const f = fetch; window.fetch = (...all) => { asked += /summaries/.test(all[0]); return f(...all); } }')" \
		Enter "$(there .row)" ArrowDown Enter "$(there 'aside dl')" \
		'?history.state && history.state.open' '!window.span = document.querySelector("aside dd").textContent' \
		'!history.back()' "$(there '.traces li')" '?document.activeElement.pathname === left' \
		'=document.activeElement === document.querySelectorAll("a.open")[19]' \
		'=document.querySelector("#view").scrollTop > 0' '=asked' \
		'!history.forward()' "$(there 'aside dl')" '=document.querySelector("aside dd").textContent === span' \
		'!(location.reload(), window.span = 0, 0)' '?window.span === undefined && document.querySelector("aside dl")' \
		'=document.querySelector(".row.chosen").ariaRowIndex'
	[ "${lines[*]}" = 'true true 0 true "2"' ]
}

@test "span-serve: marks for comparing are there for who comes back" {
	need_chromium
	shop | span-store append st
	start
	marked='=[...document.querySelectorAll(".traces input")].flatMap((b, i) => b.checked ? [i] : [])'
	run -0 drive 'search?lookback=1h&limit=20' "$(there '.traces li')" \
		ArrowDown x ArrowDown ArrowDown x "$marked" ArrowDown Enter "$(there .row)" \
		'!history.back()' "$(there '.traces li')" "$marked" "=$(text '#compare')" '=document.querySelector("#compare").disabled' \
		'!(location.reload(), window.old = true, 0)' '?!window.old && document.querySelector(".traces li")' "$marked" \
		'!document.querySelector("#compare").click()' "$(there '.halves h2')" "$(count '.halves h2')" \
		'@/search?lookback=6h&limit=20' "$(there '.traces li')" "$marked" "=$(text '#compare')"
	[ "${lines[*]}" = '[0, 2] [0, 2] "Compare (2 of 2)" false [0, 2] 2 [] "Compare"' ]
}

# Of one trace N spans, each of a service of its own.
services() {
	awk -v start="$(($(date +%s) - 60))" -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
		printf "{\"trace_id\":\"d4\",\"span_id\":\"%x\",\"parent_id\":%s,\"service\":\"s%d\",\"name\":\"op\",\"kind\":\"server\",\"start_ns\":%d%09d,\"duration_ns\":1000,\"status\":\"unset\",\"tags\":{},\"process\":{},\"events\":[],\"refs\":[]}\n",
			i, i == 1 ? "null" : "\"1\"", i, start, i }' | span-decode --from jsonl
}

@test "span-serve: in a trace each of twelve services has a colour of its own" {
	need_chromium
	services 12 | span-store append st
	start
	colours='=new Set([...document.querySelectorAll(".bar")].map(e => /s[0-9]+/.exec(e.className)[0])).size'
	dots='[...document.querySelectorAll(".count .dot")].map(e => e.className).sort().join()'
	run -0 drive 'search?lookback=1h' "$(there '.traces li')" "!window.before = $dots" \
		'=new Set(before.split(",")).size < 12' '!document.querySelector("a.open").click()' "$(there .row)" "$colours" \
		"!window.within = $dots" '=new Set(within.split(",")).size' \
		'=new Set(before.split(",")).isSubsetOf(new Set(within.split(",")))' \
		'!history.back()' "$(there '.traces li')" "=$dots === before"
	[ "${lines[*]}" = 'true 12 12 true true' ]
}

@test "span-serve: statistics that are cut say so" {
	need_chromium
	large | span-store append st
	start
	run -0 drive trace/b2 "$(there .row)" v "$(there '.stats tbody tr')" "$(count '.stats tbody tr')" "=$(text '.stats caption')"
	[ "${lines[0]}" = 3000 ]
	[ "${lines[1]}" = '"The first 3,000 of 50,000, in the order of the column that sorts; the command has all."' ]
	[ "$(span-query -s st --spans --trace-id b2 | span-stats --all-kinds --by service,operation -o csv | tail -n +2 | wc -l)" = 50000 ]
}

@test "span-serve: a span has an address, which shows it whole" {
	need_chromium
	shop | span-store append st
	id=$(span-query -s st -o ids --sort spans --limit 1)
	span=$(span-query -s st --spans -o jsonl --trace-id "$id" | jq -rs '.[-1].span_id')
	start
	run -0 drive "trace/$id?uiFind=$span" "$(there 'aside dl')" "=$(text 'aside dd')" \
		'=navigator.clipboard.writeText = async text => { window.copied = text; }, 0' \
		'<aside button' '?window.copied' '=copied === location.href'
	[ "${lines[0]}" = "\"$span\"" ]
	[ "${lines[2]}" = true ]
}

@test "span-serve: a trace by service and operation, with where its time is" {
	need_chromium
	shop | span-store append st
	id=$(span-query -s st -o ids --sort spans --limit 1)
	start
	run -0 drive "trace/$id" "$(there .row)" v "$(there '.stats tbody tr')" "$(count '.stats tbody tr')" \
		'=[...document.querySelectorAll(".stats td:nth-child(2)")].reduce((n, e) => n + +e.textContent, 0)' \
		'=document.querySelector(".stats th[aria-sort=descending]").textContent' "=$(text '#command-text')" \
		'<.stats th:nth-child(2) button' "=$(text '.stats td:nth-child(2)')" \
		'!window.name = document.querySelector(".stats .link").textContent' '<.stats .link' "$(there .row.chosen.found)" \
		"=$(text '.row.chosen .operation') === window.name" '=document.querySelector(".counted").hidden' v Escape '=document.querySelector(".counted").hidden'
	span-query -s st --spans --trace-id "$id" | span-stats --all-kinds --by service,operation -o json >stats
	[ "${lines[0]}" = "$(jq '.groups | length' stats)" ]
	[ "${lines[1]}" = "$(span-query -c --spans -s st --trace-id "$id")" ]
	[ "${lines[2]}" = '"Self"' ]
	[ "${lines[3]}" = "\"span-query -s st --spans --trace-id $id | span-stats --all-kinds --by service,operation\"" ]
	[ "${lines[4]}" = "\"$(jq '[.groups[].calls] | max' stats)\"" ]
	[ "${lines[5]} ${lines[6]} ${lines[7]}" = 'true true true' ]
}

# One span of 100 s, that began at 2026-11-22T10:00:00Z.
hundred() {
	echo '{"trace_id":"c3","span_id":"1","parent_id":null,"service":"s","name":"op","kind":"server","start_ns":1795341600000000000,"duration_ns":100000000000,"status":"unset","tags":{},"process":{},"events":[],"refs":[]}' |
		span-decode --from jsonl
}

@test "span-serve: the page's axes have marks at round times" {
	need_chromium
	hundred | span-store append st
	start
	marks='=[...document.querySelectorAll(".ticks span")].map(e => e.textContent).join(" ")'
	run -0 drive trace/c3 "$(there .row)" "$marks" + + "?!document.querySelector('.minimap .part').hidden" \
		"?/40s/.test($(text .ticks))" "$marks" \
		'=(l => Math.abs(l(".axis .ticks") - l(".bars")) < 1)(s => document.querySelector(s).getBoundingClientRect().left)' \
		'@/search?traceID=c3' "$(there .scatter)" '=[...document.querySelectorAll(".scatter text")].map(e => e.textContent).join(" ")'
	[ "${lines[0]}" = '"0 15s 30s 45s 1m 1m15s 1m30s"' ]
	# The last one is left out where there is no room for all of it.
	[[ ${lines[1]} = '"30s 40s 50s 1m '* ]]
	[[ ${lines[1]} != *'1m10"' ]]
	[ "${lines[2]}" = true ]
	[[ ${lines[3]} = '"0 30s 1m 1m30s'* ]]
}

@test "span-serve: the page tells times of here, or UTC, and keeps the choice" {
	need_chromium
	hundred | span-store append st
	start
	TZ=Asia/Kolkata run -0 drive trace/c3 "$(there .row)" "=$(text '#zone')" "=$(text .facts).includes('2026-11-22 15:30:00.000 UTC+5:30')" \
		z "?/2026-11-22 10:00:00.000 UTC/.test($(text .facts))" "=$(text '#zone')" \
		'@/search?start=1795341001000000&end=1795342000000000&lookback=custom' "$(there '.traces li')" \
		'=document.querySelector("[name=start]").value' '<#search .main' \
		'?/ found$/.test(document.querySelector("#said").textContent)' "$(there '.traces li')" \
		'=new URLSearchParams(location.search).get("start")' "=$(text .when).slice(0, 23)"
	[ "${lines[0]}" = '"Time: UTC+5:30"' ]
	[ "${lines[1]}" = true ]
	[ "${lines[2]}" = '"Time: UTC"' ]
	[ "${lines[3]}" = '"2026-11-22T09:50:01"' ]
	[ "${lines[4]}" = '"1795341001000000"' ]
	[ "${lines[5]}" = '"2026-11-22 10:00:00.000"' ]
}

@test "span-serve: a server that is gone is said by the page, and may be tried again" {
	need_chromium
	shop 5 | span-store append st
	start
	run -0 drive monitor "$(there tbody)" \
		'!{ window.was = fetch; window.fetch = async () => { throw new TypeError("Failed to fetch"); } }' \
		g d "$(there .trouble)" "=$(text .trouble)" g s "$(there '#results .trouble button')" \
		'!window.fetch = was' '<.trouble button' "$(there '.traces li')" "$(count .trouble)"
	[[ ${lines[0]} = *'The server does not answer'* ]]
	[ "${lines[1]}" = 0 ]
}

@test "span-serve: the page compares two traces that are marked" {
	need_chromium
	shop | span-store append st
	start
	run -0 drive 'search?service=gateway&lookback=1h&limit=20' "$(there '.traces li')" \
		ArrowDown x ArrowDown x "=$(text '#compare')" c "$(there 'tbody tr')" \
		'=/^\/trace\/[0-9a-f]+\.\.\.[0-9a-f]+$/.test(location.pathname)' \
		"$(count '.halves h2')" '!document.querySelector("#only").checked && document.querySelector("#only").click()' \
		'=[...document.querySelectorAll("tbody td:nth-child(3)")].reduce((n, e) => n + +e.textContent, 0)' \
		"=$(text '#command-text')"
	[ "${lines[0]}" = '"Compare (2 of 2)"' ]
	[ "${lines[1]}" = true ]
	[ "${lines[2]}" = 2 ]
	said=$(jq -r . <<<"${lines[4]}")
	read -r _ _ _ a _ <<<"$said"
	[ "${lines[3]}" = "$(span-query -c --spans -s st --trace-id "$a")" ]
	# It is a command that does the same.
	bash -c "$said" >compared || [ $? = 1 ]
	grep -q gateway compared
}

@test "span-serve: the page draws who calls whom, and what is around one" {
	need_chromium
	shop | span-store append st
	start
	run -0 drive dependencies "$(there .node)" "$(count .node)" "$(count '.edge path')" \
		'=document.querySelectorAll(".edge.worst, .edge.bad").length > 0' \
		'@/dependencies?service=checkout&depth=1' "$(there .node.focus)" "$(count .node)" "=$(text '#command-text')"
	span-graph -s st -o json >graph
	[ "${lines[0]}" = "$(jq '[.calls[] | .parent, .child] | unique | length' graph)" ]
	[ "${lines[1]}" = "$(jq '.calls | map([.parent, .child]) | unique | length' graph)" ]
	[ "${lines[2]}" = true ]
	[ "${lines[3]}" = "$(span-graph -s st -o json --focus checkout --depth 1 | jq '[.calls[] | .parent, .child] | unique | length')" ]
	[ "${lines[4]}" = '"span-graph -s st --since 24h --focus checkout --depth 1 | dot -Tsvg >graph.svg"' ]
}

@test "span-serve: the page watches services and their operations" {
	need_chromium
	shop | span-store append st
	start
	run -0 drive monitor "$(there 'tbody tr')" "$(count 'tbody tr')" \
		'@/monitor?service=cart' "$(there .chart)" "$(count .chart)" "$(count 'tbody tr')" "=$(text '#command-text')"
	[ "${lines[0]}" = "$(span-stats -s st --kind server --by service -o json | jq '.groups | length')" ]
	[ "${lines[1]}" = 3 ]
	[ "${lines[2]}" = "$(span-stats -s st --kind server --service cart --by operation -o json | jq '.groups | length')" ]
	[[ ${lines[3]} = '"span-stats -s st --since 1h --kind server --service cart --by operation '* ]]
}

@test "span-serve: the page fits a window of 800 by 600" {
	need_chromium
	large | span-store append st
	start
	inside='(document.querySelector("%s").getBoundingClientRect().top + 20 < innerHeight)'
	fits='document.querySelector("#view").scrollWidth <= document.querySelector("#view").clientWidth'
	# shellcheck disable=SC2059
	window=800x600 run -0 drive 'search?lookback=1h&limit=20' "$(there '.traces li')" \
		"=$(printf "$inside" '.traces li')" "=$fits" \
		'@/trace/b2' "$(there .row)" '=document.querySelectorAll(".row").length < 100' \
		ArrowDown Enter "$(there 'aside dl')" "=$(printf "$inside" 'aside dl')" "=$fits" \
		'@/monitor' "$(there '.monitor tbody tr')" "=$fits" \
		'@/monitor?service=s1' "$(there '.monitor tbody tr')" "=$(printf "$inside" '.chart')" "=$fits"
	[ "${#lines[@]}" = 8 ]
	for line in "${lines[@]}"; do
		[ "$line" = true ]
	done
}

@test "span-serve: the page needs no scrolling to the side in a window of a phone" {
	need_chromium
	shop 20 | span-store append st
	id=$(span-query -s st -o ids --sort spans --limit 1)
	start
	fits='=document.documentElement.scrollWidth <= innerWidth && document.querySelector("#view").scrollWidth <= document.querySelector("#view").clientWidth'
	window=400x800 run -0 drive 'search?lookback=1h' "$(there '.traces li')" "$fits" \
		'=document.querySelector(".traces .operation").clientWidth > 40' \
		"@/trace/$id" "$(there .row)" "$fits" ArrowDown Enter "$(there 'aside dl')" "$fits" \
		Escape v "$(there '.stats tr')" '=document.querySelector(".counted").scrollWidth <= innerWidth' \
		"@/trace/$id...$(span-query -s st -o ids --limit 1)" "$(there 'tbody')" "$fits" \
		'@/dependencies' "$(there .node)" "$fits" '@/monitor' "$(there tbody)" "$fits" \
		'@/monitor?service=cart' "$(there .charts)" "$fits" '@/upload' "$(there '#file')" "$fits"
	[ "${#lines[@]}" = 10 ]
	for line in "${lines[@]}"; do
		[ "$line" = true ]
	done
}

@test "span-serve: the page says that a store is empty, and what no id is" {
	need_chromium
	span-store append st </dev/null
	start
	run -0 drive 'search?lookback=1h&limit=20' "$(there '#results .empty')" \
		"?/no spans yet/.test($(text '#results'))" \
		'@/monitor' "?/has sent spans/.test($(text '#view'))" \
		'@/dependencies' "?/No service calls/.test($(text '#view'))" \
		'@/trace/xyz' "$(there .trouble)" "=$(text .trouble)" \
		'@/trace/12' "$(there .trouble)" "=$(text .trouble)"
	[ "${lines[0]}" = '"\u2717 xyz is no id of a trace, which has 1 to 32 hex digits"' ]
	[ "${lines[1]}" = '"\u2717 trace not found"' ]
}

# Eight hours, of which segments know the calls by five minutes, not by one.
@test "span-serve: the page's monitor has points as far apart as the store is quick with" {
	need_chromium
	awk -v start="$(($(date +%s) - 28030))" 'BEGIN { for (i = 1; i <= 4000; i++)
		printf "{\"trace_id\":\"b2\",\"span_id\":\"%x\",\"parent_id\":null,\"service\":\"s\",\"name\":\"op\",\"kind\":\"server\",\"start_ns\":%d000000000,\"duration_ns\":1000000,\"status\":\"unset\",\"tags\":{},\"process\":{},\"events\":[],\"refs\":[]}\n",
			i, start + i * 7 }' | span-decode --from jsonl | span-store append st
	start
	run -0 drive monitor "$(there '#step')" "=$(text '#step')"
	[ "$output" = '"a point every 2m"' ]
	span-store seal --all st >/dev/null
	run -0 drive monitor "$(there '#step')" "=$(text '#step')" '@/monitor?lookback=12h' "$(there '#step')" "=$(text '#step')" \
		'@/monitor?lookback=5m' "$(there '#step')" "=$(text '#step')"
	[ "${lines[0]}" = '"a point every 5m"' ]
	[ "${lines[1]}" = '"a point every 20m"' ]
	[ "${lines[2]}" = '"a point every 1m"' ]
}

@test "span-serve: the page shows traces from files of Jaeger, OTLP and Zipkin" {
	need_chromium
	shop 5 | span-store append st
	span-gen --seed 8 -n 1 >other
	id=$(span-query -o ids other)
	n=$(span-query -c --spans other)
	span-query -o json other >jaeger.json
	span-encode --to otlp-json other >otlp.json
	span-encode --to zipkin-json other >zipkin.json
	echo '{"neither": 1}' >bad.json
	start
	for file in jaeger otlp zipkin; do
		run -0 drive upload "$(there '#file')" "^$file.json" "$(there '.traces li')" \
			"=$(text '.second')" '<.traces a.open' "$(there .row)" '=location.pathname' '=document.querySelector(".list").ariaRowCount'
		[[ ${lines[0]} = "\"$n spans"* ]]
		[[ ${lines[1]} = *"$id"* ]]
		[ "${lines[2]}" = "\"$n\"" ]
	done
	run -0 drive upload "$(there '#file')" ^bad.json "$(there .trouble)" "=$(text .trouble)"
	[[ $output = *'no trace in it'* ]]
}

@test "span-serve: the page has files turned into Jaeger's in parts that the server takes" {
	need_chromium
	shop 5 | span-store append st
	/usr/bin/python3 - >otlp.json <<-'PY'
		import json, time
		start = int(time.time()) * 10**9
		print(json.dumps({'resourceSpans': [{'resource': {'attributes': [
		    {'key': 'service.name', 'value': {'stringValue': 's%d' % i}}]}, 'scopeSpans': [{'spans': [{
		        'traceId': 'c4' * 16, 'spanId': '%016x' % (i + 1), 'parentSpanId': '%016x' % 1 if i else '',
		        'name': 'op', 'startTimeUnixNano': str(start + i), 'endTimeUnixNano': str(start + 10**6),
		        'attributes': [{'key': 'text', 'value': {'stringValue': 'x' * 900000}}]}]}]} for i in range(10)]}))
	PY
	start --max-body 9M
	run -0 drive upload "$(there '#file')" '!{ window.parts = 0; const f = fetch; window.fetch = (...all) => { parts++; return f(...all); } }' \
		^otlp.json "$(there '.traces li')" "=$(text '.second').startsWith('10 spans')" '=parts' "$(count '.traces li')" \
		"$(count '.second .count')" "$(count '.trouble')" \
		"=[...new Set([...document.querySelectorAll('.scatter text')].map(e => e.textContent))].length === document.querySelectorAll('.scatter text').length"
	[ "${lines[*]}" = 'true 2 1 10 0 true' ]
}

@test "span-serve: a trace of 50,000 spans scrolls in the page" {
	need_chromium
	large | span-store append st
	start
	run -0 drive trace/b2 "$(there .row)" '=document.querySelector(".list").ariaRowCount' \
		'=document.querySelectorAll(".row").length < 100' \
		'!document.querySelector(".list").scrollTop = 650000' '?+document.querySelector(".row").ariaRowIndex > 20000' \
		'=document.querySelectorAll(".row").length < 100' \
		End '?document.querySelector(".row.chosen[aria-rowindex=\"50000\"]")' \
		/ '"n=49999' Enter '?document.querySelector(".row.chosen.found")' "=$(text '.row.chosen .operation')"
	[ "${lines[0]}" = '"50000"' ]
	[ "${lines[1]}" = true ]
	[ "${lines[2]}" = true ]
	[ "${lines[3]}" = '"op 49999"' ]
}

@test "span-serve: names that attack are text in every view" {
	need_chromium
	attacks | span-decode --from jsonl | span-store append st
	start
	bad='document.querySelectorAll("script").length - 1 + document.querySelectorAll("#view [onclick], #view [onload], #view script, #view b[x]").length + /[\u202e\u2028\u001b]/.test(document.body.textContent)'
	run -0 drive trace/a1 "$(there .row)" "=$bad" "$(count .row)" Enter "$(there 'aside dl')" "=$bad" \
		'=[...document.querySelectorAll("aside a")].filter(a => !/^https?:/.test(a.href)).length' \
		'@/search?q=%7B%7D&limit=20&lookback=1h' "$(there '.traces li')" "=$bad" \
		'@/dependencies' "$(there .node)" "=$bad" '@/monitor' "$(there 'tbody tr')" "=$bad" \
		'@/trace/a1...a1' "$(there .halves)" "=$bad" \
		'@/search?service=%1b%5B31m%24(id)%60id%60%27%0a&lookback=1h' "$(there .empty)" "=$(text '#command-text')"
	[ "${lines[0]}" = 0 ]
	[ "${lines[1]}" = 18 ]
	for i in 2 3 4 5 6 7; do
		[ "${lines[i]}" = 0 ]
	done
	# A command is the words that it seems to be, whatever is pasted.
	said=$(jq -r . <<<"${lines[8]}")
	[ "$said" = "span-query -s st --since 1h --service \$'\\x1b\\\\[31m\$(id)\`id\`\\'\\n' --limit 20 -o table" ]
}

@test "span-serve: what is not there is said by the page" {
	need_chromium
	shop 5 | span-store append st
	start
	run -0 drive trace/abcdef "$(there .trouble)" "=$(text .trouble)" \
		'@/trace/zz' "$(there .trouble)" "=$(text .trouble)" \
		'@/search?service=nobody&lookback=1h' '?/No trace/.test(document.querySelector(".empty").textContent)'
	[[ ${lines[0]} = *'trace not found'* ]]
	[[ ${lines[1]} != '"✗ "' ]]
}
