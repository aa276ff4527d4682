#!/usr/bin/env bats
# The page and the picture that trace-view writes, read by other programs.

load lib

check() {
	/usr/bin/python3 "$SRC/tests/page-check.py" "$@"
}

# What Chromium makes of a page, as text.
browse() {
	# Its own directory, no network, bounded time.
	timeout 25 chromium --headless=new --no-sandbox --disable-gpu \
		--user-data-dir="$BATS_TEST_TMPDIR/chromium" --window-size=1280,4000 \
		--virtual-time-budget=2000 --dump-dom "file://$1" 2>/dev/null
}

# Press keys in a page and print what came of it.
drive() {
	timeout 50 /usr/bin/python3 "$SRC/tests/page-drive.py" \
		"$BATS_TEST_TMPDIR/chromium" "$@"
}

need_chromium() {
	[ -z "${CI-}" ] || skip "not in CI"
	command -v chromium >/dev/null || skip "no chromium"
}

# One span for each name that attacks, below a root.
attacks() {
	/usr/bin/python3 - <<-'PY'
		import json
		names = ['</script><script>alert(1)</script>', '<!--<script>', ']]>', '"];alert(1)//',
		    "' onload='x", '<b onclick=x>', '&lt;', 'a\nb\r\nc', '\x1b[31mred', '\u202egnp.exe',
		    '\u2028line', '\x00', '{{7*7}}', '${1}', 'javascript:alert(1)', 'A' * 10240, '<' * 10240]
		for i, name in enumerate(names):
		    print(json.dumps({'trace_id': 'a1', 'span_id': '%x' % (i + 1),
		        'parent_id': None if i == 0 else '1', 'service': name, 'name': name,
		        'kind': 'client', 'start_ns': 1800000000000000000 + i * 1000,
		        'duration_ns': 100000 - i * 2000, 'status': 'error', 'status_message': name,
		        'tags': {name: name, 'n': 1}, 'process': {name: name},
		        'events': [{'time_ns': 1800000000000000000, 'name': name, 'fields': {name: name}}],
		        'refs': []}))
	PY
}

# LEVELS spans, each the child of the one before.
deep() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
		printf "{\"trace_id\":\"a1\",\"span_id\":\"%x\",\"parent_id\":%s,\"service\":\"s\",\"name\":\"op\",\"kind\":\"server\",\"start_ns\":18000000000%08d0,\"duration_ns\":%d,\"status\":\"unset\",\"tags\":{},\"process\":{},\"events\":[],\"refs\":[]}\n",
			i, i == 1 ? "null" : sprintf("\"%x\"", i - 1), i, 20 * (n - i) + 10 }' |
		span-decode --from jsonl
}

@test "trace-view: --html is a page whose policy allows its own script and style only" {
	span-gen --seed 3 -n 50 >in
	run --separate-stderr -0 trace-view --html --output page.html in
	[ -z "$stderr" ]
	check html page.html | sort >got
	span-query --spans -o jsonl in | jq -r '"[\"\(.service)\", \"\(.name)\"]"' |
		sort | diff - got
	[ "$(grep -c 'class="trace"' page.html)" = "$(span-query -c in)" ]
	trace-view --html in | cmp - page.html
}

@test "trace-view: the axis of a page has marks at round times" {
	need_chromium
	echo '{"trace_id":"c3","span_id":"1","parent_id":null,"service":"s","name":"op","kind":"server","start_ns":1795341600000000000,"duration_ns":100000000000,"status":"unset","tags":{},"process":{},"events":[],"refs":[]}' |
		span-decode --from jsonl | trace-view --html --output page.html
	run -0 drive page.html 1280x800 \
		'=[...document.querySelectorAll("#ticks span")].map(e => e.textContent + " " + e.style.left).join(", ")'
	[ "$output" = '"0 0%, 30s 30%, 1m 60%, 1m30s 90%"' ]
}

@test "trace-view: --svg is a picture that is XML, with every line a tooltip" {
	span-gen --seed 3 -n 50 >in
	run --separate-stderr -0 trace-view --svg --no-fold --output picture.svg in
	[ -z "$stderr" ]
	check svg picture.svg >got
	[ "$(wc -l <got)" = "$(span-query -c --spans in)" ]
	trace-view --svg --no-fold in | cmp - picture.svg
	[ "$(trace-view --svg in | grep -c '^<g class="r">')" -lt "$(wc -l <got)" ]
	[ "$(trace-view --svg --depth 1 in | grep -c '^<g class="r">')" = "$(span-query -c in)" ]
}

@test "trace-view: a picture says what the golden one says" {
	run --separate-stderr -0 bash -c 'span-gen --topology "$1" --seed 1 -n 200 |
		trace-view --utc --svg --error --limit 1' - "$SRC/examples/topology.json"
	same trace-view.svg.want
}

@test "trace-view: names that attack are text in a page and a picture" {
	attacks | span-decode --from jsonl >hostile
	trace-view --html hostile >page.html
	check html page.html >got
	[ "$(wc -l <got)" = 17 ]
	grep -qF '"</script><script>alert(1)</script>"' got
	run -1 grep -qF '</script><script>alert' page.html
	trace-view --svg hostile >picture.svg
	check svg picture.svg >got
	[ "$(wc -l <got)" = 17 ]
	for file in page.html picture.svg; do
		run -1 grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]' $file
	done
	span-gen --seed 3 -p hostile -n 60 >hostile
	trace-view --html hostile >page.html
	check html page.html | wc -l | diff - <(span-query -o jsonl hostile | wc -l)
	trace-view --svg --no-fold hostile >picture.svg
	check svg picture.svg >got
}

@test "trace-view: 100,000 levels are no wider than others, in every output" {
	deep 100000 >deep
	trace-view deep >text
	[ "$(wc -l <text)" = 100003 ]
	run -1 grep -qE '.{400}' text
	trace-view --html deep >page.html
	[ "$(check html page.html | wc -l)" = 100000 ]
	trace-view --svg deep >picture.svg
	[ "$(grep -c '^<g class="r">' picture.svg)" = 100000 ]
	run -1 grep -qE '.{1500}' picture.svg
}

@test "trace-view: nothing to show is an empty page, an empty picture, and exit 1" {
	run -1 trace-view --html --output page.html /dev/null
	check html page.html
	run -1 trace-view --svg --output picture.svg /dev/null
	check svg picture.svg
}

@test "trace-view: a page and a picture go with trees only" {
	run -2 trace-view --html --svg /dev/null
	run -2 trace-view --html --events /dev/null
	run -2 trace-view --svg --span 1 /dev/null
	[[ $output = *"--svg goes with no --span, --events or --errors"* ]]
}

# What stands in the pixel columns beside a row's name must not be hit by it.
@test "trace-view: a deep row of a picture leaves room for its marks and its duration" {
	deep 2000 >deep
	trace-view --svg --depth 1500 deep >picture.svg
	check svg picture.svg >got
	# every name is clipped, and cut by what stands beside it
	[ "$(grep -c ' clip-path="url(#n)">' picture.svg)" = 1500 ]
	awk 'BEGIN { for (i = 1; i <= 40; i++)
		printf "{\"trace_id\":\"a1\",\"span_id\":\"%x\",\"parent_id\":%s,\"service\":\"s\",\"name\":\"%s\",\"kind\":\"server\",\"start_ns\":1800,\"duration_ns\":%d,\"status\":\"error\",\"tags\":{},\"process\":{},\"events\":[],\"refs\":[]}\n",
			i, i == 1 ? "null" : sprintf("\"%x\"", i - 1), sprintf("%0200d", 0), 90 - i }' |
		span-decode --from jsonl | trace-view --svg >picture.svg
	/usr/bin/python3 - <<-'PY'
		import re
		n = 0
		for x, text in re.findall(r'<text x="(\d+)" y="\d+" clip[^>]*>(.*?)</text>', open('picture.svg').read()):
		    text = re.sub('<[^>]*>', '', text)
		    n += 1
		    assert int(x) + 7 * len(text) <= 476, (x, len(text), text)
		assert n == 40, n
	PY
}

@test "trace-view: --depth folds a page, and says so to its script" {
	span-gen --seed 3 -n 5 >in
	trace-view --html --depth 2 in >page.html
	check html page.html | wc -l | diff - <(span-query -c --spans in)
	[ "$(grep -o '"depth":2' page.html | wc -l)" = 5 ]
	need_chromium
	drive page.html 1280x4000 '=shown.length' '=shown.every(i => rows[i].level <= 2)' \
		'=rows.filter(r => r.level <= 2).length - shown.length' \
		'=get("all").click(), shown.length === rows.length' >got
	[ "$(sed -n 2p got)" = true ]
	[ "$(sed -n 3,4p got)" = 0$'\n'true ]
}

@test "trace-view: a page is used by keys: find, go on, fold, detail" {
	need_chromium
	span-gen --topology "$SRC/examples/topology.json" --seed 1 -n 20 >in
	trace-view --html in >page.html
	# Enter goes to what was found, and n and N on, though a text was typed
	drive page.html 1280x800 / '"payment' Enter '=found.textContent.slice(0, 5)' \
		n '=found.textContent.slice(0, 5)' N '=found.textContent.slice(0, 5)' \
		'=search.value' '=hits.has(chosen)' Enter '=isOpen' Escape '=isOpen' >got
	printf '%s\n' '"1 of "' '"2 of "' '"1 of "' '"payment"' true true false | diff - got
	# What is folded away is chosen no longer, and keys go on
	drive page.html 1280x800 End '=get("none").click()' '=shown.length' \
		'=place[chosen] === shown.length - 1' '=document.activeElement.id' \
		ArrowUp '=place[chosen] === shown.length - 2' >got
	printf '%s\n' null 40 true '"list"' true | diff - got
	# The chosen row is in sight, also when the detail takes half of the height
	sight='=(e => e.top >= list.getBoundingClientRect().top + AXIS - 0.5 && e.bottom <= list.getBoundingClientRect().bottom + 0.5)(get("row" + chosen).getBoundingClientRect())'
	drive page.html 700x700 End "$sight" Enter "$sight" Home "$sight" \
		ArrowDown ArrowDown "$sight" Escape "$sight" >got
	printf 'true\n%.0s' 1 2 3 4 5 | diff - got
}

@test "trace-view: a page says durations as a terminal does" {
	need_chromium
	/usr/bin/python3 - >times.jsonl <<-'PY'
		import json, random
		random.seed(1)
		ns = [0, 1, 999, 1000, 1005, 9994, 9995, 99949, 99950, 999499, 999500, 1005000,
		    10050000, 999499999, 999500000, 59949999999, 59950000000, 3599499999999,
		    3599500000000, 86369999999999, 86370000000000, 86398190000000000,
		    86398200000000000, 2 ** 63, 2 ** 64 - 1]
		ns += [int(10 ** random.uniform(3, 19)) for _ in range(60)]
		ns += [random.randint(1000, 9999) * 10 ** random.randint(0, 6) * 5 // 10 for _ in range(40)]
		for i, n in enumerate(ns):
		    print(json.dumps({'trace_id': 'a1', 'span_id': '%x' % (i + 1), 'parent_id': '1' if i else None,
		        'service': 's', 'name': 'n%d' % i, 'kind': 'server', 'start_ns': 0, 'duration_ns': n,
		        'status': 'unset', 'tags': {}, 'process': {}, 'events': [], 'refs': []}))
	PY
	span-decode --from jsonl times.jsonl >times
	trace-view --no-fold --no-critical --columns operation,duration times | sed 1,3d |
		sed -nE 's/.*(n[0-9]+) +([^ ]+).*/\1 \2/p' | sort >want
	[ "$(wc -l <want)" = 125 ]
	trace-view --html times >page.html
	drive page.html 1280x800 '=rows.filter(r => r.span).map(r => name(r) + " " + duration(r.span[6])).join("\n")' |
		jq -r . | sort | diff want -
}

@test "trace-view: names in a page leave the times alone, however deep they are" {
	need_chromium
	deep 60 >deep
	trace-view --html deep >page.html
	for size in 1280x800 700x700; do
		drive page.html $size End Enter '=[...document.querySelectorAll(".row")].every(e => [...e.querySelector(".name").children].filter(c => c.className !== "operation").every(c => c.getBoundingClientRect().right <= e.querySelector(".duration").getBoundingClientRect().left))' >got
		[ "$(cat got)" = true ]
	done
}

@test "trace-view: Chromium shows the page, by its own script" {
	need_chromium
	attacks | span-decode --from jsonl >hostile
	trace-view --html hostile >page.html
	browse "$PWD/page.html" >dom
	[ "$(grep -o 'role="row"' dom | wc -l)" = 17 ]
	grep -q 'aria-activedescendant="row1"' dom
	/usr/bin/python3 - <<-'PY'
		from html.parser import HTMLParser
		class Dom(HTMLParser):
		    scripts = 0
		    def handle_starttag(self, tag, attrs):
		        assert not any(k.startswith('on') for k, _ in attrs), attrs
		        assert tag not in ('a', 'img', 'iframe', 'link', 'object')
		        self.scripts += tag == 'script'
		dom = Dom()
		dom.feed(open('dom').read())
		assert dom.scripts == 1, dom.scripts
	PY
	run -1 grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80[\xa8-\xae]' dom
	span-gen --seed 3 -n 20 | trace-view --html >page.html
	browse "$PWD/page.html" >dom
	grep -q '<title>20 traces</title>' dom
}
