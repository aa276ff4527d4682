#!/usr/bin/env bats
# README.md is true: the commands in it print what it says.

load lib

# The block after a line "<!-- run -->", without its indentation.
run_block() {
	sed -n '/^<!-- run -->/,/^[^ <]/p' "$SRC/README.md" | sed -n 's/^    //p'
}

# Run each command of a block and print it and its output as the block has it.
replay() {
	local line
	grep '^\$ ' "$1" | while IFS= read -r line; do
		printf '%s\n' "$line"
		bash -o pipefail -c "${line#\$ }" || echo "[exit $?]"
	done
}

@test "readme: the commands of the first look print what it says" {
	ln -s "$SRC/tests" tests
	run_block | sed "s,/tmp/spans,$BATS_TEST_TMPDIR/spans,g" >want
	grep -q '^\$ span-query' want
	replay want >got
	diff -u want got
}

@test "readme: the table of programs has those that are there" {
	sed -nE 's/^\| `([a-z-]+)` \|.*/\1/p' "$SRC/README.md" | sort >listed
	programs | sort >there
	[ -s there ]
	diff -u there listed
}

@test "readme: the files it names are there" {
	grep -oE '\]\([^)]*\)' "$SRC/README.md" | tr -d ']()' |
		while read -r file; do
			echo "$file"
			[ -f "$SRC/$file" ]
		done
	grep -oE '\b[A-Z]+\.md\b' "$SRC/README.md" "$SRC/CONTRIBUTING.md" -h |
		sort -u | while read -r file; do
			echo "$file"
			[ -f "$SRC/$file" ]
		done
}
