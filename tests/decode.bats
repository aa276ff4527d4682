# SPDX-License-Identifier: Apache-2.0
#
# span-decode: payload streams, files of one message, and what is wrong in
# them. That the fields are right, tests/interop proves with another library.

load lib

spans() {
	"$BUILD/tests/interop/spans-jsonl"
}

# Payloads $1 to $2, counted from 1, of bad-messages.payloads.
payloads() {
	local at=(0 0 965 1111 1640 1703 1849 2361 2407 2553)
	head -c "${at[$(($2 + 1))]}" "$DATA/bad-messages.payloads" |
		tail -c "+$((at[$1] + 1))"
}

@test "span-decode: compact messages become spans, every field" {
	span-decode "$DATA/jaeger-compact.payloads" | spans >got
	diff -u "$DATA/jaeger-compact.want" got
}

@test "span-decode: Zipkin messages become spans, every field" {
	span-decode "$DATA/zipkin.payloads" | spans >got
	diff -u "$DATA/zipkin.want" got
}

@test "span-decode: binary messages of real clients become spans" {
	run --separate-stderr -0 span-decode -v --output out \
		"$DATA/real-clients.payloads"
	[[ $stderr = "span-decode: 9 messages in (204835 bytes), 0 bad; 256 spans out, 0 bad; "*" s" ]]
	spans <out >got
	[ "$(wc -l <got)" = 256 ]
	sed -E 's/.*"parent_id":[^,]*,"service":"([^"]*)".*/\1/' got | sort -u >services
	[ "$(paste -sd' ' services)" = \
		"api-gateway auth-service bank-api email-service frontend order-service payment-service product-service" ]
}

@test "span-decode: a bad message costs nothing but itself" {
	run --separate-stderr -0 bash -c 'span-decode "$1" >out' - \
		"$DATA/bad-messages.payloads"
	diff -u "$DATA/bad-messages.stderr.want" - <<<"${stderr//$DATA\//}"
	span-decode -q <(payloads 1 1) <(payloads 6 6) | spans >want
	[ "$(wc -l <want)" = 3 ]
	spans <out | diff -u want -
}

@test "span-decode: -v says each bad message, and counts them" {
	run --separate-stderr -0 bash -c 'span-decode -v "$1" >out' - \
		"$DATA/bad-messages.payloads"
	[ "$(grep -c ': payload at byte ' <<<"$stderr")" = 6 ]
	[[ ${stderr_lines[-1]} = "span-decode: 8 messages in (2185 bytes), 6 bad; 3 spans out, 0 bad; "* ]]
}

@test "span-decode: -q says nothing" {
	run --separate-stderr -0 bash -c 'span-decode -q "$1" >out' - \
		"$DATA/bad-messages.payloads"
	[ -z "$stderr" ]
}

@test "span-decode: --strict is exit 65 after the good messages" {
	run --separate-stderr -65 bash -c 'span-decode --strict "$1" >out' - \
		"$DATA/bad-messages.payloads"
	[ "$(spans <out | wc -l)" = 3 ]
	run --separate-stderr -0 bash -c 'span-decode --strict "$1" >out' - \
		"$DATA/jaeger-compact.payloads"
}

@test "span-decode: what clients lost is said" {
	run --separate-stderr -0 bash -c 'span-decode "$1" >out' - \
		"$DATA/jaeger-compact.payloads"
	[ "$stderr" = "span-decode: warning: clients say that they lost 8 spans" ]
}

@test "span-decode: no input is no spans" {
	run --separate-stderr -0 bash -c 'span-decode </dev/null >out'
	[ -z "$stderr" ]
	[ ! -s out ]
	: >empty
	run --separate-stderr -0 bash -c 'span-decode empty - empty </dev/null >out'
	[ ! -s out ]
}

@test "span-decode: a cut payload stream is exit 65, with what was whole" {
	head -c 1000 "$DATA/bad-messages.payloads" >cut.payloads
	run --separate-stderr -65 bash -c 'span-decode cut.payloads >out'
	[ "$stderr" = "span-decode: cut.payloads: bad payload at byte 965: the input ends inside it" ]
	[ "$(spans <out | wc -l)" = 2 ]
	run --separate-stderr -65 bash -c 'span-decode <cut.payloads >out'
	[[ $stderr = "span-decode: standard input: bad payload at byte 965: "* ]]
}

@test "span-decode: --skip-bad goes on after damage, and says how much" {
	{ payloads 1 1; echo garbage; payloads 6 6; payloads 1 1 | head -c 99; } >damaged
	run --separate-stderr -65 bash -c 'span-decode damaged >out'
	[[ $stderr = "span-decode: damaged: bad payload at byte 965: "* ]]
	run --separate-stderr -0 bash -c 'span-decode --skip-bad damaged >out'
	[ "$stderr" = "span-decode: warning: damage: 107 bytes skipped in 2 places" ]
	[ "$(spans <out | wc -l)" = 3 ]
}

@test "span-decode: a span stream as input is told so" {
	span-decode "$DATA/zipkin.payloads" >spans.file
	run --separate-stderr -65 span-decode spans.file
	[ "$stderr" = "span-decode: spans.file: bad payload at byte 0: a span stream, which needs no decoding" ]
}

@test "span-decode: a message that the capture cut is said to be" {
	payloads 2 2 | LC_ALL=C sed 's/\xc2\xd9\x00\xd9\x00\xc6/\xc3\xd9\x00\xd9\x00\xc6/' >cut
	run --separate-stderr -0 bash -c 'span-decode cut >out'
	[ "$stderr" = "span-decode: warning: cut: payload at byte 0 from 192.0.2.1:40001, cut by the capture: a list is longer than the message at byte 45" ]
}

@test "span-decode: --from takes a file as one message" {
	span-decode --from jaeger-binary "$DATA/jaeger-body.bin" | spans >got
	head -n 2 "$DATA/jaeger-compact.want" | diff -u - got
	span-decode --from auto <"$DATA/jaeger-body.bin" | spans | diff -u - got
	run --separate-stderr -0 bash -c 'span-decode --from zipkin-compact "$1" >out' - \
		"$DATA/jaeger-body.bin"
	[ "$stderr" = "span-decode: warning: $DATA/jaeger-body.bin: there is more behind an empty list at byte 1" ]
	run --separate-stderr -2 span-decode --from jaeger
	[[ $stderr = "span-decode: --from"*"zipkin-binary"* ]]
}

@test "span-decode: a file of any known format needs no --from" {
	span-decode "$DATA/jaeger-body.bin" | spans >got
	head -n 2 "$DATA/jaeger-compact.want" | diff -u - got
	span-decode "$DATA/text-sample.jaeger.want" | spans >got
	[ "$(wc -l <got)" = 3 ]
	span-decode <"$DATA/text-sample.jaeger.want" | spans | diff -u got -
	gzip -c "$DATA/text-sample.jaeger.want" >t.gz
	span-decode t.gz | spans | diff -u got -
	echo hello, world >text
	run --separate-stderr -65 span-decode text
	[ "$stderr" = "span-decode: text: bad payload at byte 0: not a payload stream, and no format that is known" ]
}

@test "span-decode: a bad line of JSON lines costs only itself, with its place" {
	line='{"traceID":"1","spanID":"2","operationName":"o","process":{"serviceName":"s"}}'
	{
		echo "$line"
		echo "${line:0:40}"
		echo "$line" | tr '}' ']'
		echo '{"traceID":7,"spanID":"2","spans":{}}'
		echo "$line"
	} >lines
	run --separate-stderr -0 span-decode -v --output out lines
	[ "$(spans <out | wc -l)" = 2 ]
	diff -u - <(printf '%s\n' "$stderr" | sed 's/; [0-9.]* s$//') <<-EOF
	span-decode: warning: lines: the JSON text is cut short by the line's end at byte 119
	span-decode: warning: lines: the JSON text is damaged at byte 196
	span-decode: warning: lines: an array should be here at byte 233
	span-decode: 5 messages in (193 bytes), 3 bad; 2 spans out, 0 bad
	EOF
	run --separate-stderr -65 span-decode -q --strict --output out lines
}

@test "span-decode: CSV of other programs, a bad line costs only itself" {
	cat >in.csv <<-'EOF'
	traceID,spanID,operation,service,start,duration,http.method,tag.note
	1,2,"GET, all",web,2026-11-22T10:00:00Z,1.5ms,GET,
	1,3,"bad"x,web,2026-11-22T10:00:00Z,1.5ms,GET,
	1,4,o,web,1795341600.5,5,GET,
	1,5,o,web,1795341600.5,2us,POST,"a
	b"
	EOF
	run --separate-stderr -0 span-decode -v --output out in.csv
	diff -u - <(printf '%s\n' "$stderr" | sed 's/; [0-9.]* s$//') <<-EOF
	span-decode: warning: in.csv: a span is skipped: quotes that do not match at byte 120
	span-decode: 1 messages in (235 bytes), 0 bad; 2 spans out, 2 bad
	EOF
	spans <out | jq -c '[.name, .start_ns, .duration_ns, .tags]' >got
	diff -u - got <<-'EOF'
	["GET, all",1795341600000000000,1500000,{"http.method":"GET"}]
	["o",1795341600500000000,2000,{"http.method":"POST","note":"a\nb"}]
	EOF
}

@test "span-decode: a first line that is cut costs only itself" {
	line='{"traceID":"1","spanID":"2","operationName":"o","process":{"serviceName":"s"}}'
	for cut in '{"traceID":"1","spans":[' '{"traceID":"1",' '{"traceID":' \
		'{"traceID":"1","logs":[{"fields":[' '{"tra'; do
		printf '%s\n' "$cut" "$line" "$line" >lines
		run --separate-stderr -0 span-decode -v --output out lines
		[ "$(spans <out | wc -l)" = 2 ]
		[ "${stderr_lines[0]}" = "span-decode: warning: lines: the JSON text is cut short by the line's end at byte ${#cut}" ]
	done
}

@test "span-decode: what a file is does not depend on reads or on order" {
	tags=$(printf '"t%d":"x",' {1..900})
	echo "[{\"kind\":\"SERVER\",\"tags\":{${tags}\"z\":\"\"},\"duration\":5,\"id\":\"2\",\"traceId\":\"1\"}]" >zipkin
	echo "{\"resource\":{\"x\":{${tags}\"z\":0}},\"schemaUrl\":\"\",\"instrumentationLibrarySpans\":[{\"spans\":[{\"traceId\":\"00000000000000000000000000000001\",\"spanId\":\"0000000000000002\"}]}]}" >otlp
	{ seq -f 'column number %g' -s, 400; echo ',trace_id,span_id'; } |
		tr -d '\n' >csv
	echo >>csv
	seq -s, 402 >>csv
	echo '[[{"traceID":"1","spanID":"2","operationName":"o"}],[{"traceID":"1","spanID":"2"}]]' >lists
	for file in zipkin otlp csv lists; do
		span-decode "$file" | spans >want
		[ -s want ]
		{ head -c 3 "$file"; tail -c +4 "$file" | head -c 70
			tail -c +74 "$file"; } | span-decode | spans | diff -u want -
	done
	[ "$(wc -l <want)" = 2 ]
}

@test "span-decode: records that 0x1e begins are read as JSON" {
	span='{"traceID":"1","spanID":"2","process":{"serviceName":"s"}}'
	printf '\x1e%s\n' "$span" "${span:0:30}" "$span" >seq
	run --separate-stderr -0 span-decode --output out seq
	[ "$(spans <out | wc -l)" = 2 ]
	[ "$stderr" = "span-decode: warning: seq: the JSON text is cut short by the line's end at byte 91" ]
}

@test "span-decode: nothing but space is no spans" {
	printf ' \n\t\r\n' >space
	run --separate-stderr -0 bash -c 'span-decode space >out'
	[ -z "$stderr" ]
	[ ! -s out ]
	run --separate-stderr -0 bash -c 'span-decode --from auto space >out'
	[ -z "$stderr" ]
	[ ! -s out ]
}

@test "span-decode: JSON of no known format is exit 65" {
	echo '{"some":"thing"}' >other.json
	run --separate-stderr -65 span-decode -q --output out other.json
	[ "$stderr" = "span-decode: other.json: no format that is known" ]
	run --separate-stderr -0 span-decode -q --from auto --output out other.json
}

@test "span-decode: CSV has OTLP's words, and durations of parts" {
	printf '\xef\xbb\xbf' >in.csv
	cat >>in.csv <<-'EOF'
	"link_id",trace_id,span_id,kind,status,duration
	x,1,2,SPAN_KIND_SERVER,STATUS_CODE_ERROR,1m30.5s
	x,1,3,SPAN_KIND_UNSPECIFIED,STATUS_CODE_UNSET,1d2h3ms
	x,1,4,client,ok,1m30
	EOF
	run --separate-stderr -0 span-decode --output out in.csv
	[ "$stderr" = "span-decode: warning: in.csv: a span is skipped: a duration without a number or a unit at byte 154" ]
	spans <out | jq -c '[.kind, .status, .duration_ns]' >got
	diff -u - got <<-'EOF'
	["server","error",90500000000]
	[null,"unset",93600003000000]
	EOF
}

# A million spans and more go through the memory of a few.
@test "span-decode: a large file takes little memory" {
	[ "${SANITIZERS:-no}" != yes ] || skip "sanitizers take their own"
	trace='{"spans":[{"traceID":"1","spanID":"2","operationName":"o","processID":"p"}],"processes":{"p":{"serviceName":"s"}}}'
	limited() {
		ulimit -v 65536
		span-decode -v --output /dev/null 2>&1
	}
	{
		echo '{"total":0,"data":['
		yes "$trace," | head -n 400000
		echo "$trace]}"
	} | limited >said
	[[ $(<said) = "span-decode: 400001 messages in "*", 0 bad; 400001 spans out, 0 bad; "* ]]
	{
		echo trace_id,span_id,service,name
		yes '1,2,"a service",o' | head -n 400000
	} | limited >said
	[[ $(<said) = *", 0 bad; 400000 spans out, 0 bad; "* ]]
	{ printf '[%s' "$trace"; yes ",$trace" | head -n 400000; echo ']'; } |
		limited >said
	[[ $(<said) = "span-decode: 400001 messages in "*", 0 bad; 400001 spans out, 0 bad; "* ]]
}

@test "span-decode: a span of a good message that is bad is said, counted and strict" {
	echo '{"data":[{"spans":[{"spanID":"1"},{"traceID":"1","spanID":"1","operationName":"o","process":{"serviceName":"s"}},{}]}]}' >in.json
	run --separate-stderr -0 span-decode -v --metrics-file metrics \
		--from jaeger-json --output out in.json
	[ "${stderr_lines[0]}" = "span-decode: warning: in.json: a span is skipped: a span has no valid traceID at byte 19" ]
	[[ ${stderr_lines[1]} = *"1 messages in (108 bytes), 0 bad; 1 spans out, 2 bad; "* ]]
	grep -xF 'span_decode_bad_spans_total{cause="message"} 2' metrics
	grep -xF 'span_decode_bad_spans_total{cause="stream"} 0' metrics
	run --separate-stderr -65 span-decode --strict --from jaeger-json --output out in.json
}

@test "span-decode: what protoc makes of Jaeger's model becomes spans" {
	protoc -I"$DATA" --encode=PostSpansRequest jaeger-model.proto \
		<"$DATA/jaeger-batch.txt" >body || skip "no protoc"
	span-decode --from auto body | spans | jq -c \
		'[.service, .name, .start_ns % 1000, .duration_ns, .tags.i, (.tags | length)]' >got
	diff -u - got <<-'EOF'
	["cart","GET /cart",768,2000000005,-500,6]
	["db","SELECT",0,0,null,1]
	EOF
}

@test "span-decode: --add-process-tag adds to every process, after its own" {
	export ZONE=b UNSET=
	span-decode --add-process-tag host=h=1 --add-process-tag empty= \
		--add-process-tag 'zone=${ZONE}' --add-process-tag 'none=${UNSET}' \
		--add-process-tag 'other=${UNSET:it is: so}' \
		--add-process-tag 'text=${ZONE' --add-process-tag 'odd=${}' \
		"$DATA/zipkin.payloads" | spans | head -n 1 >got
	grep -F '"process":{"hostname":"web-1","ip":167772161,"port":8080,"host":"h=1","empty":"","zone":"b","other":"it is: so","text":"${ZONE"}' got
	run --separate-stderr -2 span-decode --add-process-tag =x
	[ "${stderr_lines[0]}" = "span-decode: --add-process-tag needs KEY=VALUE: '=x'" ]
	run --separate-stderr -2 span-decode --add-process-tag x
}

@test "span-decode: --metrics-file has the counts" {
	span-decode -q --metrics-file metrics "$DATA/bad-messages.payloads" >out
	grep -xF 'span_decode_messages_total 8' metrics
	grep -xF 'span_decode_bad_messages_total 6' metrics
	grep -xF 'span_decode_spans_total 3' metrics
	grep -xF 'span_decode_marked_spans_total{mark="renamed"} 0' metrics
}

@test "span-decode: a lone message passes on though the input stays open" {
	mkfifo in
	exec 7<>in
	span-decode <in >out 3>&- 7>&- &
	pid=$!
	payloads 1 1 >&7
	wait_until test -s out
	[ "$(spans <out | wc -l)" = 2 ]
	exec 7>&-
	ends 0 $pid
}

@test "span-decode: the first SIGINT drains the pipe" {
	mkfifo in
	exec 7<>in
	span-decode <in >out 3>&- 7>&- &
	pid=$!
	payloads 1 1 >&7
	wait_until test -s out
	kill -TERM $pid
	payloads 6 6 >&7
	exec 7>&-
	ends 0 $pid
	[ "$(spans <out | wc -l)" = 3 ]
}

@test "span-decode: gzip input is read" {
	gzip -c "$DATA/zipkin.payloads" >z.gz
	span-decode z.gz | spans | diff -u "$DATA/zipkin.want" -
}

@test "span-decode: a message of the byte that zstd begins with is a message" {
	printf '(' >one
	run --separate-stderr -0 span-decode --from otlp-proto one
	[ -z "$output" ]
	[[ $stderr = *"one: "*" at byte "* ]]
	[[ $stderr != *zstd* ]]
}

@test "span-decode: zstd input is read, in whatever frames; damage is exit 65" {
	grep -q '^#define HAVE_ZSTD 1' "$BUILD/config.h" || {
		printf '\x28\xb5\x2f\xfd' >z.zst
		run --separate-stderr -2 span-decode z.zst
		[[ $stderr = *"z.zst is compressed with zstd, which this build does not read" ]]
		return
	}
	command -v zstd || skip "no zstd"
	size=$(stat -c %s "$DATA/zipkin.payloads")
	head -c 100 "$DATA/zipkin.payloads" | zstd -q >z.zst
	tail -c "$((size - 100))" "$DATA/zipkin.payloads" | zstd -q >>z.zst
	span-decode z.zst | spans | diff -u "$DATA/zipkin.want" -
	span-decode <z.zst | spans | diff -u "$DATA/zipkin.want" -
	seq 100000 | zstd -q | head -c 5000 >cut.zst
	run --separate-stderr -65 bash -c 'span-decode --from csv cut.zst >out'
	[[ $stderr = *"cut.zst: the zstd data ends early, at byte 5000" ]]
	{ head -c 50 z.zst; printf '%030d' 0; tail -c +81 z.zst; } >bad.zst
	run --separate-stderr -65 bash -c 'span-decode --from csv bad.zst >out'
	[[ $stderr = *"bad.zst: damaged zstd data near byte "* ]]
}

@test "span-decode: a parent of 0 and a negative duration of Zipkin's are said in tags" {
	printf '\x1c\x16\x02\x28\x01o\x16\x04\x16\x00\x19\x0c\x29\x0c\x36\x09\x00' >bin
	echo '[{"traceId":"1","id":"2","duration":-7}]' >json
	span-decode bin json | spans |
		jq -c '[.parent_id, .duration_ns, .tags, .marks]' >got
	diff -u - got <<-'EOF'
	[null,1000,{"errZeroParentID":"0","errNegativeDuration":"-5"},["clamped","renamed"]]
	[null,1000,{"errNegativeDuration":"-7"},["clamped","renamed"]]
	EOF
}

@test "span-decode: wrong options and files are refused" {
	run --separate-stderr -2 span-decode --nonsense
	[[ ${stderr_lines[0]} = "span-decode: unknown option: --nonsense"* ]]
	run --separate-stderr -74 span-decode missing
	[ "$stderr" = "span-decode: cannot open missing: No such file or directory" ]
}

@test "span-decode: a full disk is exit 74, a closed pipe silent" {
	run --separate-stderr -74 full_disk span-decode "$DATA/zipkin.payloads"
	[ "$stderr" = "span-decode: cannot write: No space left on device" ]
	run --separate-stderr -141 closed_pipe span-decode "$DATA/zipkin.payloads"
	[ -z "$stderr" ]
}

@test "span-decode: --help says what the options are" {
	run -0 span-decode --help
	[[ $output = *--add-process-tag* ]]
}

@test "span-decode: a file of Zipkin's JSON, or one span of it, is read" {
	cat >list <<-'END'
	[{"traceId":"1","id":"2","kind":"PRODUCER","name":"send","shared":true,
	  "localEndpoint":{"serviceName":"shop","port":80}},
	 {"traceId":"1","id":"zz"},
	 {"traceId":"1","id":"3","name":"old","annotations":[{"timestamp":5,
	  "value":"sr","endpoint":{"serviceName":"db"}}]}]
	END
	echo '{"traceId":"1","id":"2","name":"alone"}' >one
	span-decode --from zipkin-json list one | spans |
		jq -c '[.service,.name,.kind,.tags,.process]' >got
	cat >want <<-'END'
	["shop","send","producer",{"span.kind":"producer","zipkin.shared":true},{"port":80}]
	["db","old","server",{"span.kind":"server"},{}]
	["unknown-service-name","alone",null,{},{}]
	END
	diff -u want got
}
