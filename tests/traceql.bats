#!/usr/bin/env bats
# Expressions on the command line; what they mean is tested in
# tests/unit/t-traceql-*.c.

# The files are written by the test and read by the program, or the other way
# round, never both.
# shellcheck disable=SC2094

load lib

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	"$BUILD/tests/unit/make-spans" <"$DATA/query.jsonl" >q.spans
	span-store append -q q.store q.spans
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	q=$BATS_FILE_TMPDIR/q.spans
	store=$BATS_FILE_TMPDIR/q.store
}

@test "traceql: an expression finds what an option finds" {
	for from in "$q" "-s$store"; do
		for spans in "" --spans; do
			# shellcheck disable=SC2086
			same_as() { diff -u <(span-query -o ids $spans "$@" "$from") got; }
			find() { span-query -o ids ${spans:+"$spans"} -e "$1" "$from" >got; }
			find 'service = "payment"'
			same_as --service payment
			find '{ name =~ "POST .*" }'
			same_as --operation 'POST *'
			find '{ status = error }'
			same_as --error
			find '{ duration >= 500ms && duration <= 2s }'
			same_as --min-duration 500ms --max-duration 2s
			find '{ .http.status_code = 500 }'
			same_as --tag http.status_code=500
			find '{}'
			same_as
		done
	done
}

@test "traceql: an expression and options hold for the same span" {
	span-query --spans -o ids --service payment --error "$q" >want
	[ -s want ]
	for from in "$q" "-s$store"; do
		span-query --spans -o ids --service payment -e 'status = error' "$from" >got
		diff -u want got
		span-query --spans -o ids --error -e 'service = "payment"' "$from" >got
		diff -u want got
	done
	run -1 span-query --service db '{ service = "payment" }' "$q"
}

@test "traceql: the first operand is the expression" {
	want=$(span-query -c --error "$q")
	[ "$(span-query -c '{ status = error }' "$q")" = "$want" ]
	[ "$(span-query -c 'status = error' "$q")" = "$want" ]
	[ "$(span-query -c '{ status = error }' - <"$q")" = "$want" ]
	[ "$(span-query -c '{ status = error }' <"$q")" = "$want" ]
	[ "$(span-query -c -s "$store" 'status = error')" = "$want" ]
	[ "$(span-query -c --since @0 '{ status = error }' "$q")" = "$want" ]
	[ "$(SPAN_STORE=$store span-query -c '{ status = error }' </dev/null)" = "$want" ]
}

@test "traceql: an operand is a file when one of that name is there" {
	cp "$q" '{}'
	cp "$q" 'a=b'
	all=$(span-query -c "$q")
	[ "$(span-query -c '{}')" = "$all" ]
	[ "$(span-query -c 'a=b')" = "$all" ]
	[ "$(span-query -c 'status = error' 'a=b')" = "$(span-query -c --error "$q")" ]
	[ "$(span-query -c -e '{}' '{}')" = "$all" ]
	run --separate-stderr -74 span-query none
	[ "$stderr" = "span-query: cannot open none: No such file or directory" ]
}

@test "traceql: behind -e all operands are files" {
	run --separate-stderr -74 span-query -e '{}' '{ status = error }'
	[ "$stderr" = "span-query: cannot open { status = error }: No such file or directory" ]
	run --separate-stderr -2 span-query -s "$store" -e '{}' x.spans
	[ "${stderr_lines[0]}" = "span-query: a FILE and --store at once: 'x.spans'" ]
}

# shellcheck disable=SC2030
@test "traceql: several expressions are alternatives" {
	span-query --spans -o ids --service payment "$q" >one
	span-query --spans -o ids --service db "$q" >two
	span-query --spans -o ids -e 'service = "payment"' -e '{ service = "db" }' "$q" >got
	alike <(sort one two) <(sort got)
	n=$(span-query -c -e '{} | count() > 1000' -e 'service = "db"' "$q")
	[ "$n" = "$(span-query -c --service db "$q")" ]
}

# The message, the line, and the mark below it.
wrong() {
	run --separate-stderr -2 span-query "$@" "$q"
	echo "$stderr"
	# shellcheck disable=SC2031
	[ -z "$output" ]
	diff -u - <(echo "$stderr")
}

@test "traceql: a mistake is shown where it is" {
	wrong '{ name = }' <<'END'
span-query: expression, column 10: a field or a value was expected, not '}'
  { name = }
           ^
END
	wrong -e 'service = payment' <<'END'
span-query: expression, column 11: 'payment' is no field: an attribute is written .payment or span.payment, a text in quotes
  service = payment
            ^
END
	wrong -e '{' <<'END'
span-query: expression, column 2: a field or a value was expected, not the end
  {
   ^
END
	wrong '{ .ä = "ö" && 1 }' <<'END'
span-query: expression, column 17: a condition was expected here, not a number
  { .ä = "ö" && 1 }
                ^
END
	wrong $'{ .a = 1 &&\n\t.b == 2 }' <<'END'
span-query: expression, column 18: a field or a value was expected, not '='
  \t.b == 2 }
        ^
END
	wrong -e "{ .a = \"$(printf 'x%.0s' {1..100})\" && 3 }" <<END
span-query: expression, column 114: a condition was expected here, not a number
  ...$(printf 'x%.0s' {1..43})" && 3 }
     $(printf ' %.0s' {1..48})^
END
}

@test "traceql: a second expression is shown when it is the wrong one" {
	wrong -e '{}' -e '{ 1 }' <<'END'
span-query: expression, column 3: a condition was expected here, not a number
  { 1 }
    ^
END
}

@test "traceql: what a search cannot do is said" {
	wrong '{} | rate()' <<'END'
span-query: expression, column 6: rate() is a metrics function, which is not supported in a search: see span-stats(1)
  {} | rate()
       ^
END
	wrong '{} with(most_recent=true)' <<'END'
span-query: expression, column 4: hints such as with(most_recent=true) are not supported
  {} with(most_recent=true)
     ^
END
}

@test "traceql: a hostile expression does not reach the terminal" {
	run --separate-stderr -2 span-query -e $'{ .a = \e[31m }' "$q"
	[[ $stderr != *$'\e'* ]]
	[[ $stderr = *'\x1b'* ]]
	run --separate-stderr -2 span-query -e $'{ a\e[31m = 1 }' "$q"
	[[ $stderr != *$'\e'* ]]
}

@test "traceql: an expression that is too much is refused at once" {
	deep=$(printf '(%.0s' {1..5000})
	run --separate-stderr -2 span-query -q -e "{ $deep true }" "$q"
	[[ ${stderr_lines[0]} = *"the expression is nested too deeply" ]]
	long=$(printf '{ .a = 1 } || %.0s' {1..6000})
	run --separate-stderr -2 span-query -q -e "$long" "$q"
	[[ ${stderr_lines[0]} = *"the expression is above 65536 bytes" ]]
}

@test "traceql: a regular expression that takes too long ends the search" {
	"$BUILD/tests/unit/make-spans" >long.spans <<-END
		{"t":"1","s":"1","at":0,"ms":1,"service":"x","name":"$(printf 'a%.0s' {1..60})b"}
	END
	run --separate-stderr -65 span-query '{ name =~ "(a+)+" }' long.spans
	[ "$stderr" = "span-query: regular expression '(a+)+' takes too many steps" ]
	run --separate-stderr -65 span-query '{ name =~ "(a+)+" } >> {} || {}' long.spans
}

@test "traceql: structures and pipelines find the same in a store" {
	span-gen --seed 3 -n 150 >in
	span-store append -q s in
	span-gen --seed 4 -n 150 | span-store append -q s
	span-store seal -q --all s
	span-gen --seed 5 -n 150 | span-store append -q s
	cat in <(span-gen --seed 4 -n 150) <(span-gen --seed 5 -n 150) >all
	for e in '{ status = error } >> { .db.system != nil }' \
		'{ kind = server } !< { kind = client }' \
		'{ .db.system != nil } | by(span:parentID) | count() > 2' \
		'{ service = "cart" } && { service = "user" }' \
		'{ span:childCount > 0 } ~ { duration > 1us }' \
		'{ duration > 0.5 * trace:duration && parent != nil }' \
		'{ event:name != nil } &>> { status = error }'; do
		echo "$e"
		n=$(span-query -c "$e" all)
		[ "$n" -gt 0 ]
		[ "$(span-query -c -s s "$e")" = "$n" ]
		for spans in "" --spans; do
			# shellcheck disable=SC2086
			alike <(span-query $spans -o ids "$e" all | sort) \
				<(span-query $spans -o ids -s s "$e" | sort)
			# shellcheck disable=SC2086
			alike <(span-query $spans -o ids --limit 9 "$e" all) \
				<(span-query $spans -o ids --limit 9 -s s "$e")
		done
		# Spans that start together come as they arrived.
		alike <(span-query -o jsonl "$e" all | sort) \
			<(span-query -o jsonl -s s "$e" | sort)
		alike <(span-query -o ids --sort duration "$e" all) \
			<(span-query -o ids --sort duration -s s "$e")
		alike <(span-query -c --spans "$e" all) \
			<(span-query -c --spans -s s "$e")
		span-query -q "$e" all
		span-query -q -s s "$e"
	done
}

@test "traceql: whole traces come with what matches in them" {
	span-query -o jsonl '{ service = "payment" } >> { service = "db" }' "$q" >got
	[ -s got ]
	jq -r .service got | sort -u >services
	[ "$(wc -l <services)" -gt 2 ]
	span-query -o jsonl --spans '{ service = "payment" } >> { service = "db" }' "$q" >got
	[ "$(jq -r .service got | sort -u)" = db ]
}

@test "traceql: other commands take an expression too" {
	span-gen --seed 1 -n 100 >in
	span-query --spans 'service = "cart"' in >want
	span-sample -r 1 'service = "cart"' in >got
	alike <(span-query --spans -o jsonl want | sort) <(span-query --spans -o jsonl got | sort)
	span-sample -r 1 -e '{ kind = server } > { kind = client }' in |
		span-query --spans -o ids | sort >got
	span-query --spans -o ids '{ kind = server } > { kind = client }' in | sort >want
	[ -s want ]
	diff -u want got
	trace-to-loki -e '{ status = error }' in >got
	trace-to-loki --error in >want
	diff -u want got
}

# The commands of a page of examples, run again, and what they print. What
# ends with an operator goes on in the next line.
replay() {
	local line command=
	sed -n 's/^    //p' "$1" | while IFS= read -r line; do
		case $command$line in
		'$ '*) printf '%s\n' "$line" ;;
		*) continue ;;
		esac
		command=$command$line$'\n'
		case $line in
		*'|' | *'&&') continue ;;
		esac
		bash -o pipefail -c "${command#??}" || true
		command=
	done
}

@test "traceql: the questions of the field have the answers they had" {
	ln -s "$SRC/tests" tests
	sed -n 's/^    //p' "$SRC/examples/questions.md" >want
	[ "$(grep -c '^\$ span-query' want)" -gt 12 ]
	replay "$SRC/examples/questions.md" >got
	diff -u want got
}

@test "traceql: the examples of the manual mean something" {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl //p' "$SRC/man/traceql.7" |
		sed 's/\\(dq/"/g' >examples
	[ "$(wc -l <examples)" -ge 6 ]
	while read -r e; do
		echo "$e"
		run --separate-stderr span-query -q -e "$e" "$q"
		[ "$status" -le 1 ]
	done <examples
}

@test "traceql: a store finds the sides of || each for itself, and counts once" {
	span-gen --seed 3 --spans 20000 >g.spans
	span-store append -q g g.spans
	span-store seal -q --all g
	span-gen --seed 4 --spans 3000 >h.spans
	span-store append -q --no-seal g h.spans
	cat h.spans >>g.spans
	while read -r expr; do
		for mode in '-c --spans' '-c' '-c --spans --min-duration 1ms' \
			'--limit 7 -o ids' '--sort duration --limit 5 -o ids'; do
			# shellcheck disable=SC2086
			alike <(span-query $mode --memory 1G -e "$expr" g.spans) \
				<(span-query $mode -e "$expr" -s g)
		done
	done <<-'EXPRESSIONS'
		{ status = error || .http.status_code >= 500 }
		{ .http.status_code = 200 || .http.status_code != 200 }
		{ service = "payment" && (duration > 10ms || status = error) }
		{ name =~ "GET.*" || .user.id = "4754" || duration > 100ms }
		{ kind = client || .db.system != nil }
	EXPRESSIONS
}

@test "traceql: a regular expression is asked once of texts that only numbers tell apart" {
	span-gen --seed 3 --spans 40000 >g.spans
	span-store append -q g g.spans
	span-store seal -q --all g
	while read -r expr; do
		span-query -c --spans "$expr" g.spans >want
		span-query -c --spans "$expr" -s g >got
		diff -u want got
		[ "$(cat got)" -gt 0 ]
	done <<-'EXPRESSIONS'
		{ .db.statement =~ "SELECT.*stock.*" }
		{ .db.statement !~ "SELECT.*stock.*" }
		{ .db.statement =~ ".*order.*|.*user.*" }
		{ .db.statement =~ ".*= 1.*" }
		{ .db.statement =~ ".* = ..." }
		{ .db.statement =~ ".*[02468]" }
		{ .db.statement =~ ".*id = \\d\\d\\d" }
		{ .db.statement =~ ".*id = .+ .*" }
		{ .http.url =~ "https.*/product/.*" }
		{ .http.url =~ ".*/product/...?" }
		{ .cache.key =~ ".*:.*:.*" || .http.url =~ ".*page=.*" }
	EXPRESSIONS
}
