#!/usr/bin/env bats
# span-store, as somebody uses it. What it promises about crashes is tested in
# tests/unit/t-store and tests/crash.

load lib

in=$DATA/store.spans # 4 frames, 155 spans

# The value of a key that stat prints as JSON.
stat_of() {
	span-store stat -o json "$1" | jq -r "$2"
}

@test "span-store: append creates a store, and stat counts what is in it" {
	run --separate-stderr -0 span-store append s "$in"
	[ -z "$output$stderr" ]
	run --separate-stderr -0 span-store stat s
	[ "${lines[2]}" = "spans     155 in 4 frames" ]
	[ "${lines[3]}" = "files     1 closed, 0 open" ]
	[ "$(stat_of s .lastEnd)" = "2026-11-22T10:04:00.091711000Z" ]
	run -0 span-store verify -v s
	[ "$output" = "00000001.log: sound, 155 spans" ]
}
