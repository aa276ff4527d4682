#!/usr/bin/env bats

load lib

# The spans of the golden cases; a key for hashes.
golden() {
	span-decode --from jsonl "$DATA/redact.jsonl"
}

make_key() {
	printf 'a key of sixteen bytes\n' >key
}

# One span, with these tags in JSON.
tagged() {
	printf '%s%s}\n' '{"trace_id":"1","span_id":"2","service":"a",' \
		"\"name\":\"n\",\"start_ns\":1767225600000000000,\"tags\":$1" |
		span-decode --from jsonl
}

# The tags of a stream's spans.
tags() {
	span-encode --to jsonl | grep -o '"tags":{[^}]*}' | sed 's/"tags"://'
}

@test "span-redact: by default secrets go from every place, and nothing else" {
	make_key
	golden >in
	span-redact --key-file key in | span-encode --to jsonl |
		diff -u "$DATA/span-redact.want" -
	# Once more finds nothing.
	span-redact in | span-redact --check
}

@test "span-redact: nothing of what was taken out is anywhere in the stream" {
	golden | span-redact >out
	for secret in jo pw@ shoes 4111 5500 078051120 123456789012 tok-1 \
		203.0 10.0.0.1 10.1.2.3 ann@ abcdef0123 sk_live db8 "t 1" "x''1"; do
		echo "$secret"
		run -1 grep -aF "$secret" out
	done
}

@test "span-redact: spans without secrets come out as they went in" {
	tagged '{"http.method":"GET","n":5,"list":["a",1]}' >in
	span-redact in >out
	cmp in out
}

@test "span-redact: XML, short credentials and long keys hide no secret" {
	long=$(printf '%0600d' 0 | tr 0 k)
	tags='{"a":"<r><password>hush</password><apiKey t=\"x\">hush</apiKey><db pwd=\"hush\"/></r>",
		"b":"Authorization: Basic eDp5","c":"Cookie: a=1; sid=hush",
		"'"$long.Password.$long"'":"hush","d":"<p>Your password, List<Token> and <b>cookie</b></p>"}'
	tagged "$(tr -d '\n\t' <<<"$tags")" | span-redact | tags >got
	run -1 grep -E 'hush|eDp5' got
	grep -F '"a":"<r><password>[secret]</password><apiKey t=\"x\">[secret]</apiKey><db pwd=\"[secret]\"/></r>"' got
	grep -F '"b":"Authorization: [secret] [token]","c":"Cookie: [secret]"' got
	grep -F "\"$long.Password.$long\":\"[redacted]\"" got
	grep -F '"d":"<p>Your password, List<Token> and <b>cookie</b></p>"' got
}

@test "span-redact: options of commands and Jaeger's pairs hide no secret" {
	while IFS= read -r text; do
		jq -nc --arg text "$text" '{trace_id: "1", span_id: "1", service: "s", name: "n",
			kind: "server", start_ns: 1, duration_ns: 1, status: "unset", tags: {text: $text},
			process: {}, events: [], refs: []}'
	done >in <<-'END'
		mysqldump --password hunter2 --host db
		args: ["curl", "--token", "hunter2"]
		{"key":"db.password","type":"string","value":"hunter2"}
		usage: mysqldump --password <password>
	END
	span-decode --from jsonl in | span-redact >out
	run -0 span-redact --check out
	span-encode --to jsonl out | jq -r .tags.text >texts
	diff -u - texts <<-'END'
		mysqldump --password [secret] --host db
		args: ["curl", "--token", "[secret]"]
		{"key":"db.password","type":"string","value":"[secret]"}
		usage: mysqldump --password <password>
	END
}

@test "span-redact: --check lists what would go, never its value, and exits 1" {
	golden >in
	run --separate-stderr -1 span-redact --check in
	[ -z "$stderr" ]
	same span-redact-check.want
	run -1 grep -F jo@ <<<"$output"
	# Nor what a key has in it.
	tagged '{"token=hush":"Bearer abcdef0123456789"}' >key
	run -1 span-redact --check key
	[ "${lines[0]}" = "0000000000000001 0000000000000002 span:token=[secret] mask * @token" ]
	[ "${lines[1]}" = "0000000000000001 0000000000000002 field:key mask * @secret" ]
	tagged '{"n":5}' | span-redact --check >none
	[ ! -s none ]
}

@test "span-redact: -v tells how often each rule applied" {
	golden >in
	run --separate-stderr -0 bash -c 'span-redact -v in >out'
	[[ $stderr = *"         3  mask * @email"* ]]
	[[ ${stderr_lines[-1]} = "span-redact: 2 spans, 2 of them changed, 20 values, 0 left out, "* ]]
}

@test "span-redact: -v counts the same, from whatever the spans come" {
	# 300 processes by turns are more than it remembers.
	for t in 1 2 3; do
		seq 300 | sed "s/.*/{\"trace_id\":\"&\",\"span_id\":\"$t\",/
			s/\$/\"service\":\"a\",\"name\":\"n\",/
			s/\$/\"start_ns\":1767225600000000000,/
			s/\([0-9]*\)\",.*/&\"process\":{\"ip\":\"2001:db8::\1\"}}/
			p; s/span_id\":\"/&f/"
	done | span-decode --from jsonl >in
	[ "$(span-query -c --spans in)" = 1800 ]
	span-store append store in
	counted() {
		span-redact -v "$@" 2>&1 >/dev/null | sed 's/[0-9.]* s$//'
	}
	counted in >want
	grep -F '      1800  mask * @ip' want
	grep -F ' 1800 spans, 1800 of them changed, 1800 values, ' want
	counted -s store | diff want -
	counted --service a in | diff want -
	while IFS= read -r line; do
		printf '%s\n' "$line" | span-decode --from jsonl
	done < <(span-encode --to jsonl in | head -n 40) >lone
	[ "$(counted lone | tail -n 1)" = 'span-redact: 40 spans, 40 of them changed, 40 values, 0 left out, ' ]
}

@test "span-redact: each action does what it says" {
	make_key
	tagged '{"a":"secret value 12","b":"secret value 12"}' >in
	redact() {
		span-redact --no-default-rules --key-file key "$@" in | tags
	}
	[ "$(redact -r 'mask a')" = '{"a":"[redacted]","b":"secret value 12"}' ]
	[ "$(redact -r 'mask=XX a ~[0-9]+')" = '{"a":"secret value XX","b":"secret value 12"}' ]
	[ "$(redact -r 'drop a')" = '{"b":"secret value 12"}' ]
	[ "$(redact -r 'truncate=6 span:*')" = '{"a":"secret","b":"secret"}' ]
	[ "$(redact -r 'keep a' -r 'mask span:*')" = '{"a":"secret value 12","b":"[redacted]"}' ]
	[ "$(redact -r 'template=<{first:3}..{last:9}-{length}{{> a')" = '{"a":"<sec.. 12-15{>","b":"secret value 12"}' ]
	[ "$(redact -r 'template={kind}-{length} a ~[a-z]+')" = '{"a":"redacted-6 redacted-5 12","b":"secret value 12"}' ]
	[[ $(redact -r 'hash span:*') =~ ^'{"a":"[hash:'([a-p]{16})']","b":"[hash:'([a-p]{16})']"}'$ ]]
	[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
	[[ $(redact -r 'template={hash} a') =~ ^'{"a":"'"${BASH_REMATCH[1]}" ]]
}

@test "span-redact: a rule of a place leaves the others alone" {
	golden >in
	span-redact --no-default-rules -r 'mask=P process:*' \
		-r 'mask=L link:*' -r 'mask=E event:*' -r 'mask=C scope:*' in |
		span-encode --to jsonl | head -n 1 >got
	grep -F '"process":{"hostname":"P","ip":"P"}' got
	grep -F '"fields":{"message":"E"}' got
	grep -F '"tags":{"why":"L"}' got
	grep -F '"tags":{"owner":"C"}' got
	grep -F '"user.id":"jo"' got
	span-redact --no-default-rules -r 'mask=F field:name' \
		-r 'mask=S field:service' -r 'drop field:state' in |
		span-encode --to jsonl | head -n 1 >got
	grep -F '"service":"S","name":"F"' got
	run -1 grep -F trace_state got
}

@test "span-redact: the same key hashes alike, another one not, no key never" {
	make_key
	printf 'another one of 16 bytes' >other
	golden >in
	hashes() {
		span-redact --key-file "$1" in | span-encode --to jsonl |
			grep -o 'hash:[a-p]*' | sort -u
	}
	hashes key >a
	[ "$(wc -l <a)" = 1 ]
	hashes key | diff a -
	hashes other >b
	run -1 cmp -s a b
	run --separate-stderr -2 span-redact -r 'hash user.id' in
	[ "${stderr_lines[0]}" = "span-redact: --rule 'hash user.id', column 1: a hash needs a key" ]
	# Without one the default rules mask.
	span-redact in | tags | grep -F '"user.id":"[redacted]"'
	printf 'short\n' >short
	run --separate-stderr -2 span-redact --key-file short in
	[ "${stderr_lines[0]}" = "span-redact: short: a key has 16 bytes at least, this has 5" ]
}

@test "span-redact: an error in a file of rules has its line and column" {
	printf '# good\nmask a\n\nhide b\n' >rules
	run --separate-stderr -2 span-redact --rules rules
	[ "${stderr_lines[0]}" = "span-redact: rules:4:1: an action is wanted: keep, drop, mask, hash, truncate=BYTES, template=TEXT" ]
	printf 'mask a ~[\n' >rules
	run --separate-stderr -2 span-redact --rules rules
	[[ ${stderr_lines[0]} = "span-redact: rules:1:"*": regular expression"* ]]
	run --separate-stderr -2 span-redact -r 'template={name} a'
	[[ ${stderr_lines[0]} = *"column 10: {hash}, {kind},"* ]]
	run --separate-stderr -74 span-redact --rules none
	[ "$stderr" = "span-redact: cannot open none: No such file or directory" ]
	# A field that there is not would be looked for in vain.
	run --separate-stderr -2 span-redact -r 'mask field:nmae'
	[ "${stderr_lines[0]}" = "span-redact: --rule 'mask field:nmae', column 12: a field is name, status, service, event, scope, version, state, schema or key" ]
	run -0 span-redact --no-default-rules -r 'mask field:s[ct]*' --show-rules
	printf 'mask a\nmask %9000d\n' 1 >long
	run --separate-stderr -2 span-redact --rules long
	[ "${stderr_lines[0]}" = "span-redact: long:2:8193: a rule above 8192 bytes" ]
}

@test "span-redact: --show-rules are rules, in their order" {
	make_key
	span-redact --show-rules -r 'keep x' --key-file key >rules
	[ "$(head -n 1 rules)" = "keep x" ]
	span-redact --no-default-rules --key-file key --rules rules \
		--show-rules | diff rules -
	golden >in
	span-redact --key-file key -r 'keep x' in >a
	span-redact --no-default-rules --key-file key --rules rules in >b
	cmp a b
	# Without a key those that hash mask, and say so.
	grep -x 'hash user.id' rules
	span-redact --show-rules -r 'keep x' | diff <(sed 's/^hash /mask /' rules) -
	span-redact -v in 2>&1 >/dev/null | grep 'mask user.id'
}

@test "span-redact: the key of a map is looked at however many keys are in it" {
	for i in {10..29}; do
		printf '"12345678%d":{"x":0' "$i"
		printf ',"k%d":1' $(seq "${i}000" "${i}999")
		printf '},'
	done >maps
	printf '{"trace_id":"1","span_id":"1","service":"s","name":"n","start_ns":1,"duration_ns":1,"tags":{%s"a":1}}\n' "$(<maps)" |
		span-decode --from jsonl | span-redact | span-query --spans -o jsonl >out
	grep -F '"[digits]":{' out
	run -1 grep -o '"12345678..":' out
}

@test "span-redact: anonymous spans have no name left, and the same shape" {
	make_key
	golden >in
	span-redact --anonymize --key-file key in | span-encode --to jsonl |
		diff -u "$DATA/span-redact-anonymous.want" -
	span-gen --seed 3 -n 50 >many
	span-redact --anonymize many >out
	run -1 grep -aE 'shop|frontend|catalogue|payment' out
	span-query -c many >a
	span-query -c out | diff a -
	# The services call each other as often as before.
	calls() {
		span-graph -o csv "$1" | tail -n +2 | cut -d, -f3- | sort
	}
	calls many >a
	[ -s a ]
	calls out | diff a -
	span-query -c --spans --root --error many >a
	span-query -c --spans --root --error out | diff a -
}

@test "span-redact: anonymous spans of two runs fit together only by a key" {
	make_key
	golden >in
	for i in a b; do
		span-redact --anonymize --key-file key in >$i
		span-redact --anonymize in >$i.alone
	done
	cmp a b
	run -1 cmp -s a.alone b.alone
	span-query -o ids a.alone >x
	span-query -o ids b.alone >y
	run -1 cmp -s x y
}

@test "span-redact: a span that a rule cannot judge is left out, and counted" {
	a=$(printf '%040d' 0 | tr 0 a)
	{
		tagged "{\"t\":\"$a$a$a!\"}"
		tagged '{"t":"good"}'
	} >in
	run --separate-stderr -0 bash -c 'span-redact -v -r "mask t ~(a|aa)+\$" in >out'
	[[ $stderr = *"warning: a span is left out: regular expression '(a|aa)+\$' takes too many steps"* ]]
	[[ $stderr = *" 1 left out, "* ]]
	[ "$(span-query -c --spans out)" = 1 ]
}

@test "span-redact: a span that outgrows the limit is left out, and counted" {
	x=$(printf '%03000d' 0)
	{
		tagged "{$(seq 1000 | sed 's/.*/"k&":"&"/' | paste -sd,)}"
		tagged '{"t":"good"}'
	} >in
	[ "$(span-query -c --spans in)" = 2 ]
	printf 'another one of 16 bytes' >key
	run --separate-stderr -0 bash -c 'span-redact -v --key-file key -r "template=$1{hash} k*" in >out' - "$x"
	[[ $stderr = *"warning: a span is left out: a span is refused: "* ]]
	[[ $stderr = *" 1 left out, "* ]]
	[ "$(span-query -c --spans out)" = 1 ]
}

@test "span-redact: a nested value is masked as a whole, or member by member" {
	tagged '{"m":{"$map":[["k","10.0.0.1"],["n",[1,"a@b.org"]]]}}' >in
	span-redact in | span-encode --to jsonl |
		grep -F '"m":{"k":"[ip]","n":[1,"[email]"]}'
	span-redact -r 'mask=[nested] m' in | tags | grep -Fx '{"m":"[nested]"}'
	span-redact -r 'truncate=100 m' in | span-encode --to jsonl |
		grep -F '"m":{"k":"[ip]","n":[1,"[email]"]}'
	[ "$(span-redact -r 'drop m' in | tags)" = '{}' ]
}

@test "span-redact: it reads stores and selections, and writes whole files" {
	span-gen --seed 1 -n 30 >in
	span-store append store in
	span-redact -s store --service payment --output out
	n=$(span-query -c --spans --service payment in)
	[ "$(span-query -c --spans out)" = "$n" ]
	span-redact --service payment in >from-stream
	[ "$(span-query -c --spans from-stream)" = "$n" ]
	span-redact --check out
	span-redact --metrics-file m in >/dev/null
	grep -Fx "span_redact_spans_total $(span-query -c --spans in)" m
}

@test "span-redact: a frame as a whole has the spans that it has one by one" {
	span-gen --seed 5 -n 400 >in
	make_key
	for options in '' '--key-file key' '--no-default-rules --key-file key -r hash\ *' \
		'-r drop\ peer.ipv4' '-r mask=x\ field:key\ ~[.]'; do
		echo "$options"
		eval "span-redact -v $options in" 2>notes >whole
		eval "span-redact -v $options --since 2001-01-01 in" \
			2>notes-each >each
		span-encode --to jsonl whole >a
		[ -s a ]
		span-encode --to jsonl each | cmp a -
		sed 's/[0-9.]* s$//' notes >a
		sed 's/[0-9.]* s$//' notes-each | diff a -
	done
	# What it did not touch has its bytes.
	span-redact --no-default-rules -r 'mask zzz' in | cmp in -
}

@test "span-redact: damage is an error with its place, or passed over" {
	golden >in
	head -c 300 in >torn
	run --separate-stderr -65 bash -c 'span-redact torn >out'
	[[ $stderr = *torn* ]]
	cat torn in >both
	run --separate-stderr -0 bash -c 'span-redact --skip-bad both >out'
	[ "$(span-query -c --spans out)" = 2 ]
	run --separate-stderr -0 bash -c 'span-redact </dev/null >none'
	[ ! -s none ]
	run --separate-stderr -74 full_disk span-redact in
	run --separate-stderr -141 closed_pipe span-redact in
	[ -z "$stderr" ]
}

@test "span-redact: a frame whose sum is right and whose span is not is damage" {
	tagged '{"n":5}' >good
	python3 - good bad <<-'END'
		import sys
		frame = bytearray(open(sys.argv[1], "rb").read())
		frame[-6] = 0xC1
		crc = 0xFFFFFFFF
		for byte in frame[:-5]:
		    crc ^= byte
		    for _ in range(8):
		        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
		frame[-4:] = (crc ^ 0xFFFFFFFF).to_bytes(4, "big")
		open(sys.argv[2], "wb").write(frame)
	END
	cat bad good >both
	run --separate-stderr -65 bash -c 'span-redact both >out'
	[[ $stderr = "span-redact: both: bad frame before byte $(stat -c %s bad): "* ]]
	run --separate-stderr -0 bash -c 'span-redact --skip-bad both >out'
	[[ $stderr = *"warning: both: "* ]]
	[ "$(span-query -c --spans out)" = 1 ]
	run --separate-stderr -65 bash -c 'span-redact --service a both >out'
}
