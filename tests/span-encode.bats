# SPDX-License-Identifier: Apache-2.0
#
# span-encode: what each format holds, and that its own readers, and others',
# find it there.

load lib

check() {
	"${PYTHON:-/usr/bin/python3}" "$SRC/tests/encode-check.py" "$@"
}

# A trace with work side by side, an error, an event, and a second one.
shop() {
	"$BUILD/tests/unit/make-spans" <<-'EOF'
	{"t":"ab","s":"1","at":0,"ms":10,"service":"web","name":"GET /","kind":"server","tags":{"http.status_code":500,"error":true}}
	{"t":"ab","s":"2","p":"1","at":1,"ms":4,"service":"cart","name":"list;all","events":[{"at":2,"name":"retry","fields":{"n":1}}]}
	{"t":"ab","s":"3","p":"1","at":3,"ms":4.0005,"service":"cart","name":"list;all"}
	{"t":"ac","s":"4","at":1000,"ms":0.000007,"service":"web","name":"GET /"}
	EOF
}

@test "span-encode: folded stacks count what no child covers" {
	shop | span-encode --to folded >got
	diff -u - got <<-'EOF'
	web:GET / 4000
	web:GET /;cart:list,all 8001
	EOF
	shop | span-encode --to folded --weight wall >got
	diff -u - got <<-'EOF'
	web:GET / 10000
	web:GET /;cart:list,all 8001
	EOF
	shop | span-encode --to folded --weight count >got
	diff -u - got <<-'EOF'
	web:GET / 2
	web:GET /;cart:list,all 2
	EOF
}

@test "span-encode: chrome has lanes that nest, arrows and instants" {
	shop | span-encode --to chrome >got
	same span-encode-chrome.want - <got
	[ "$(check chrome got)" = "4 4 2" ]
}

@test "span-encode: chrome has no more threads than spans at one time" {
	# Forty waves of fifty spans that overlap without nesting.
	"${PYTHON:-/usr/bin/python3}" >s.json <<-'EOF'
	import json
	print(json.dumps({"t": "1", "s": "1", "service": "a", "name": "root",
	                  "at": 0, "ms": 100000}))
	for wave in range(40):
	    for i in range(50):
	        print(json.dumps({
	            "t": "1", "s": "%x" % (2 + wave * 50 + i), "p": "1",
	            "service": "ab"[i % 2], "name": "call",
	            "at": wave * 1000 + i, "ms": 500}))
	EOF
	"$BUILD/tests/unit/make-spans" <s.json >s.spans
	span-encode --to chrome s.spans >got
	run -0 check chrome got
	# The first of a's is on the root's.
	[ "$output" = "50 2001 1960" ]
	span-encode --to speedscope s.spans >got
	run -0 check speedscope got
	[ "$output" = "50 2001 3" ]
}

@test "span-encode: arrows of chrome go from parent to child, forward in time" {
	"$BUILD/tests/unit/make-spans" >s.spans <<-'EOF'
	{"t":"1","s":"1","service":"a","name":"parent","at":100,"ms":100}
	{"t":"1","s":"2","p":"1","service":"b","name":"early","at":50,"ms":200}
	{"t":"1","s":"3","p":"1","service":"a","name":"covers","at":110,"ms":50}
	{"t":"1","s":"4","p":"1","service":"c","name":"beside","at":120,"ms":10}
	{"t":"1","s":"5","p":"1","service":"d","name":"late","at":300,"ms":10}
	{"t":"1","s":"6","p":"1","service":"e","name":"free","at":170,"ms":10}
	EOF
	span-encode --to chrome s.spans >got
	[ "$(check chrome got)" = "5 6 3" ]
	# The clock begins a day before the trace.
	run -0 jq -c '.traceEvents[] | select(.ph == "s" or .ph == "f") |
		[.ph, (.ts - 86400000000) / 1000]' got
	diff -u - <(echo "$output") <<-'EOF'
	["s",50]
	["f",70]
	["s",120]
	["f",120]
	["s",50]
	["f",250]
	EOF
}

@test "span-encode: of tags that come twice chrome has the first" {
	"$BUILD/tests/unit/make-spans" <<<'{"t":"1","s":"1","service":"s","name":"o","tags":{"k":1,"l":2,"k":3}}' |
		span-encode --to chrome | grep -F '"tags":{"k":1,"l":2}}}'
}

@test "span-encode: speedscope has profiles that nest" {
	shop | span-encode --to speedscope >got
	sed -i 's/spantools [0-9.]*/spantools X/' got
	same span-encode-speedscope.want - <got
	[ "$(check speedscope got)" = "3 4 2" ]
}

@test "span-encode: sql is taken by sqlite, with every tag and event" {
	shop | span-encode --to sql >got
	# Keys are hashes: numbers, as they come, stand for them.
	perl -pe 's/VALUES\(\K-?\d+/$n{$&} ||= ++$c/e' got |
		same span-encode-sql.want -
	command -v sqlite3 || skip "no sqlite3"
	sqlite3 -bail t.db <got
	run -0 sqlite3 t.db "SELECT service, name, start_ns, value FROM spans
		JOIN tags ON tags.span = spans.id WHERE key = 'http.status_code'"
	[ "$output" = "web|GET /|1795341600000000000|500" ]
	run -0 sqlite3 t.db "SELECT name, fields FROM events"
	[ "$output" = 'retry|{"n":1}' ]
}

@test "span-encode: sql that is loaded twice adds nothing, another file what is new" {
	span-gen --seed 3 -n 60 >all.spans
	span-encode --to jsonl all.spans >all.jsonl
	span-encode --to sql all.spans >all.sql
	[ "$(check sql all.jsonl all.sql all.sql)" = "$(wc -l <all.jsonl)" ]
	# Two files that share some spans.
	span-decode <(head -n 500 all.jsonl) | span-encode --to sql >head.sql
	span-decode <(tail -n +400 all.jsonl) | span-encode --to sql >tail.sql
	check sql all.jsonl head.sql tail.sql
	check sql all.jsonl tail.sql head.sql all.sql
}

@test "span-encode: numbers of sql are the same numbers in sqlite" {
	"${PYTHON:-/usr/bin/python3}" >s.jsonl <<-'EOF'
	import json, random, struct
	random.seed(1)
	tags = {"nan": {"$double": "NaN"}, "inf": {"$double": "Infinity"},
	        "-inf": {"$double": "-Infinity"}, "-0": -0.0, "one": 1.0,
	        "least": -2**63, "most": 2**63 - 1, "tiny": 5e-324,
	        "normal": 2.2250738585072014e-308, "e22": 1e22, "e-7": 1e-7,
	        "max": 1.7976931348623157e308, "yes": True, "none": None}
	for i in range(900):
	    d = struct.unpack("<d", struct.pack("<Q", random.getrandbits(64)))[0]
	    if i % 3 == 0:
	        d = random.uniform(-1, 1) * 10.0 ** random.randint(-20, 20)
	    if d == d and abs(d) != float("inf"):
	        tags[str(i)] = d
	print(json.dumps({"trace_id": "1", "span_id": "1", "service": "s",
	                  "name": "n", "start_ns": 1, "duration_ns": 1,
	                  "tags": tags}))
	EOF
	span-decode --strict s.jsonl >s.spans
	span-encode --to jsonl s.spans >want
	span-encode --to sql s.spans >s.sql
	[ "$(check sql want s.sql)" = 1 ]
	grep -F "'double',NULL)" s.sql
}

@test "span-encode: hostile names mean nothing in any format" {
	span-gen -p hostile --spans 400 --seed 7 >h.spans
	span-encode --to chrome h.spans >got
	check chrome got
	# Traces come without the spans that are there twice.
	slices=$(grep -c '"ph":"X"' got)
	span-encode --to speedscope h.spans >got
	check speedscope got
	span-encode --to folded --weight count h.spans >got
	run -1 grep -vE ' [0-9]+$' got
	run -1 grep -qP '[\x00-\x09\x0b-\x1f\x7f]' got
	[ "$(awk '{n += $NF} END {print n}' got)" = "$slices" ]
	span-encode --to sql h.spans >got
	run -1 grep -qP '[\x00-\x09\x0b-\x1f\x7f]' got
	if command -v sqlite3; then
		sqlite3 -bail t.db <got
		[ "$(sqlite3 t.db 'SELECT count(*) FROM spans')" = "$slices" ]
	fi
	span-encode --to jaeger-json h.spans | jq -e '.data | length > 0'
}

@test "span-encode: what sqlite gets are the names as they are" {
	command -v sqlite3 || skip "no sqlite3"
	"$BUILD/tests/unit/make-spans" >s.spans <<-'EOF'
	{"t":"1","s":"1","service":"it's","name":"a\u001b[31m'); DROP TABLE spans;--"}
	EOF
	span-encode --to sql s.spans | sqlite3 -bail t.db
	run -0 sqlite3 t.db "SELECT service, hex(name), length(name) FROM spans"
	[ "$output" = "it's|611B5B33316D27293B2044524F50205441424C45207370616E733B2D2D|29" ]
}

@test "span-encode: formats that span-decode reads come back" {
	# More than one batch.
	span-gen --seed 3 -n 100 >in.spans
	span-query --spans -o csv in.spans | cut -d, -f 1-9 | sort >want
	for format in jaeger-json thrift jsonl csv otlp-json otlp-jsonl \
		otlp-proto zipkin-json zipkin-proto; do
		span-encode --to $format in.spans >file
		span-decode --strict file | span-query --spans -o csv |
			cut -d, -f 1-9 | sort | diff -u want -
	done
	# A second time nothing is left to lose.
	span-encode --to jsonl in.spans >one
	span-decode one | span-encode --to jsonl | cmp - one
	for format in jaeger-json thrift otlp-json otlp-jsonl otlp-proto \
		zipkin-json zipkin-proto; do
		span-encode --to $format in.spans >one
		# The process's tags move behind the span's once.
		if [[ $format = zipkin* ]]; then
			span-decode one | span-encode --to $format >two
			mv two one
		fi
		span-decode one | span-encode --to $format >two
		cmp one two
	done
}

# Spans of stdin in format $1, and back as JSON lines.
through() {
	span-encode --to "$1" | span-decode --strict
}

@test "span-encode: W3C's second flag is no debug, Jaeger's and Zipkin's is" {
	local own=" thrift jaeger-json zipkin-json zipkin-proto jsonl "

	span-decode --strict >s.spans <<-'EOF'
	{"trace_id":"1","span_id":"1","service":"s","name":"w3c","start_ns":1000,"duration_ns":1000,"scope":{"name":"l"},"flags":3}
	{"trace_id":"1","span_id":"2","service":"s","name":"debug","start_ns":1000,"duration_ns":1000,"flags":3}
	EOF
	for a in $own otlp-json otlp-proto; do
		for b in $own otlp-json otlp-proto; do
			through "$a" <s.spans | through "$b" |
				span-encode --to jsonl |
				jq -c '[.name, (.scope == null) and
					(.flags // 0) % 4 > 1]' | sort >got
			debug=false
			[[ $own = *" $a "* && $own = *" $b "* ]] && debug=true
			diff -u - got <<-EOF
			["debug",$debug]
			["w3c",false]
			EOF
		done
	done
	through otlp-proto <s.spans | through otlp-json |
		span-encode --to jsonl |
		jq -se 'map(select(.name == "w3c").flags) == [3]'
}

@test "span-encode: a tag that denies the status or the kind does not win" {
	span-decode --strict >s.spans <<-'EOF'
	{"trace_id":"1","span_id":"1","service":"s","name":"ok","status":"ok","kind":"internal","scope":{"name":"l"},"start_ns":1000,"duration_ns":1000,"tags":{"otel.status_code":"ERROR","span.kind":"client"}}
	{"trace_id":"1","span_id":"2","service":"s","name":"error","status":"error","kind":"server","start_ns":1000,"duration_ns":1000,"tags":{"otel.status_code":"OK","span.kind":"producer"}}
	{"trace_id":"1","span_id":"3","service":"s","name":"true","status":"ok","kind":"client","start_ns":1000,"duration_ns":1000,"tags":{"error":true}}
	EOF
	for format in thrift jaeger-json zipkin-json zipkin-proto otlp-json \
		otlp-proto jsonl csv; do
		through "$format" <s.spans | span-encode --to jsonl |
			jq -c '[.name, .status, .kind]' | sort >got
		diff -u - got <<-'EOF'
		["error","error","server"]
		["ok","ok","internal"]
		["true","ok","client"]
		EOF
	done
	span-encode --to sql s.spans >got
	grep -c "'ok','internal',.*,'ok'," got
	grep -c "'error','server',.*,'error'," got
	run -0 jq -r '.traceEvents[] | select(.ph == "X").args.status' \
		<(span-encode --to chrome s.spans)
	[ "$output" = "ok
error
ok" ]
}

@test "span-encode: a status or kind of no known number is kept, or none" {
	span-decode --strict >s.spans <<-'EOF'
	{"trace_id":"1","span_id":"1","service":"s","name":"odd","status":7,"kind":9,"start_ns":1000,"duration_ns":1000}
	EOF
	for format in otlp-json otlp-proto jsonl; do
		through "$format" <s.spans | span-encode --to jsonl |
			jq -e '.status == 7 and .kind == 9'
	done
	for format in thrift jaeger-json zipkin-json zipkin-proto csv; do
		through "$format" <s.spans | span-encode --to jsonl |
			jq -e '.status == "unset" and .kind == null and
				.tags == {}'
	done
	span-encode --to sql s.spans | grep -F "'odd',NULL,1000,1000,'unset'"
	span-encode --to chrome s.spans >got
	grep -F '"name":"odd"' got
	run -1 grep -E '"(kind|status)":' got
}

@test "span-encode: each format holds what the table of the man page says" {
	"${PYTHON:-/usr/bin/python3}" "$SRC/tests/encode-loss.py" \
		"$SRC/man/span-encode.1"
}

@test "span-encode: lists of many messages are one document" {
	span-gen --seed 3 -n 100 >in.spans
	n=$(span-query --spans -c in.spans)
	[ "$n" -gt 1024 ]
	[ "$(span-encode --to zipkin-json in.spans | jq length)" = "$n" ]
	[ "$(span-encode --to otlp-json in.spans |
		jq '[.resourceSpans[].scopeSpans[].spans | length] | add')" = "$n" ]
	[ "$(span-encode --to otlp-jsonl in.spans | jq -s length)" = \
		"$(((n + 511) / 512))" ]
}

@test "span-encode: csv and jsonl are span-query's" {
	shop >s.spans
	span-encode --to csv s.spans | alike <(span-query --spans -o csv s.spans) -
	span-encode --to jsonl s.spans | alike <(span-query --spans -o jsonl s.spans) -
	"$BUILD/tests/unit/make-spans" >f.spans <<<'{"t":"1","s":"1","service":"s","name":"=1+1"}'
	span-encode --to csv f.spans | grep -F "\"'=1+1\""
	span-encode --to csv --no-csv-safe f.spans | grep -F '"=1+1"'
}

@test "span-encode: no spans are an empty file of the format" {
	: >none
	[ -z "$(span-encode --to folded none)" ]
	[ "$(span-encode --to jaeger-json none | jq -c .data)" = "[]" ]
	span-encode --to chrome none >got
	[ "$(check chrome got)" = "0 0 0" ]
	span-encode --to speedscope none >got
	[ "$(check speedscope got)" = "0 0 0" ]
	[ -z "$(span-encode --to thrift none)" ]
	[ "$(span-encode --to otlp-json none)" = '{"resourceSpans":[]}' ]
	[ "$(span-encode --to zipkin-json none)" = "[]" ]
}

@test "span-encode: a store's selection is what is written" {
	shop | span-store append -q store
	run -0 span-encode -s store --to jsonl --min-duration 5ms
	[ "${#lines[@]}" = 1 ]
	run -0 span-encode -s store --to folded --weight count --min-duration 5ms
	[ "$output" = "web:GET / 1
web:GET /;cart:list,all 2" ]
}

@test "span-encode: torn input is exit 65, and the file is whole" {
	span-gen --seed 3 -n 200 | head -c 150000 >cut.spans
	run --separate-stderr -65 span-encode --to chrome cut.spans
	jq -e '.traceEvents | length > 500' <<<"$output"
	run --separate-stderr -65 bash -c 'span-encode --to sql cut.spans | tail -n 1; exit ${PIPESTATUS[0]}'
	[ "$output" = "COMMIT;" ]
}

@test "span-encode: wrong usage is refused" {
	run --separate-stderr -2 span-encode
	[ "${stderr_lines[0]}" = "span-encode: --to FORMAT is missing" ]
	run --separate-stderr -2 span-encode --to xml
	run --separate-stderr -2 span-encode --to csv --weight wall /dev/null
	[ "${stderr_lines[0]}" = "span-encode: --weight goes with --to folded" ]
}

@test "span-encode: a full disk is exit 74, a closed pipe silent" {
	shop >s.spans
	run --separate-stderr -74 full_disk span-encode --to jsonl s.spans
	run --separate-stderr -141 closed_pipe span-encode --to chrome s.spans
	[ -z "$stderr" ]
}

@test "span-encode: protobuf has no text that is not UTF-8, which readers refuse" {
	command -v protoc || skip "no protoc"
	printf '%b\n' '{"trace_id":"ab","span_id":"1","service":"s\xff","name":"n\xff","kind":"server","status":"error","status_message":"m\xff","start_ns":1,"tags":{"k\xff":"v\xff","list":["x\xff"],"plain":"caf\xc3\xa9"},"process":{"p\xff":"q\xff"},"events":[{"time_ns":1,"name":"e\xff","fields":{"f":"g\xff"}}]}' |
		span-decode --from jsonl >s.spans
	span-encode --to otlp-proto s.spans |
		protoc -I"$SRC/tests/interop" --decode=otlp.TracesData otlp.proto >got
	[ "$(grep -c '\\357\\277\\275' got)" = 6 ]
	grep -E 'bytes_value|string_value' got | sed 's/^ *//' | diff -u - <(cat <<-'EOF'
		string_value: "s\357\277\275"
		bytes_value: "q\377"
		bytes_value: "v\377"
		bytes_value: "x\377"
		string_value: "caf\303\251"
		bytes_value: "g\377"
	EOF
	)
}
