#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# spantools(7) is true: its examples print what stands there.

load lib

page=$SRC/man/spantools.7

# The examples with what they print, as a reader sees them, without empty lines.
examples() {
	sed -n '/^\.Bd -literal/,/^\.Ed/{/^\.[BE]d/!p;}' "$page" |
		sed 's/^\\&//; s/\\e/\\/g; /^$/d'
}

# Run them and print the same; a command goes on after "\", "|" and "&&". That
# nothing was found, or that something differs, is exit 1.
replay() {
	local line command=
	while IFS= read -r line; do
		case $command$line in
		'$ '*) ;;
		*) continue ;;
		esac
		printf '%s\n' "$line"
		command+=$line$'\n'
		[[ $line =~ ([\\|]|&&)$ ]] && continue
		bash -o pipefail -c "${command#\$ }" </dev/null || [ $? = 1 ] || echo "[exit $?]"
		command=
	done
}

@test "tutorial: its examples print what it says" {
	ln -s "$SRC/examples" examples
	examples >want
	[ "$(grep -c '^\$ ' want)" -gt 25 ]
	replay <want 2>&1 | sed '/^$/d' >got
	diff -u want got
}

@test "tutorial: what is named in it is there" {
	sed -nE 's/^\.It Pa ([a-z.]+)( , ([a-z]+))?$/\1\n\3/p' "$page" | sed '/^$/d' >files
	[ "$(wc -l <files)" = 7 ]
	while read -r file; do
		echo "$file"
		[ -e "$SRC/examples/$file" ]
	done <files
	for program in $(programs); do
		echo "$program"
		grep -q "^\.Xr $program 1" "$page"
	done
}

@test "tutorial: real services get into a store as it says" {
	command=$(sed -n 's/^\.Dl //p' "$page")
	[[ $command = 'span-capture --all | '* ]]
	span-capture --help >help
	grep -qF -- ' --all[' help
	command=${command/--all/-q -r $DATA/real-clients.pcap}
	run -0 bash -o pipefail -c "${command/\/var\/lib\/spans/-q spans}"
	[ "$(span-query -s spans -c)" -gt 0 ]
}

@test "tutorial: the main pages lead to it" {
	for program in span-{capture,gen,graph,query,redact,sample,stats,store} trace-{diff,to-loki,view}; do
		echo "$program"
		grep -q '^\.Xr spantools 7' "$SRC/man/$program.1"
	done
}
