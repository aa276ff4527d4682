#!/usr/bin/env bats
# Completions, made from the option tables, in the shells themselves.

load lib

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	"$BUILD/tests/unit/cmd-probe" --completion >table
	awk=${AWK:-awk}
	"$awk" -v shell=bash -f "$SRC/cmd/completions.awk" table >cmd-probe
	"$awk" -v shell=zsh -f "$SRC/cmd/completions.awk" table >_cmd-probe
	"$awk" -v shell=fish -f "$SRC/cmd/completions.awk" table >probe.fish
}

# What bash offers after these words; the last one is being typed.
bash_offers() {
	bash -c '
		source "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		function=$(complete -p "$1")
		function=${function#*-F }
		"${function%% *}" 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"
	' - "$@"
}

probe_offers() {
	bash_offers "$BATS_FILE_TMPDIR/cmd-probe" cmd-probe "$@" | xargs
}

@test "completion: bash offers verbs, options and choices" {
	touch file
	mkdir dir
	[ "$(probe_offers '')" = "show copy source map" ]
	[ "$(probe_offers s)" = "show source" ]
	[ "$(probe_offers copy --a)" = "--all" ]
	[ "$(probe_offers show --a)" = "" ]
	[ "$(probe_offers --c)" = "--count --colour=" ]
	[ "$(probe_offers show --colour '')" = "red green blue" ]
	[ "$(probe_offers show -o g)" = "green" ]
	[ "$(probe_offers show --colour =)" = "red green blue" ]
	[ "$(probe_offers show --colour = b)" = "blue" ]
	probe_offers show --output ''
	[[ " $(probe_offers show --output '') " = *" file "* ]]
	[[ " $(probe_offers copy di) " = " dir " ]]
	[ "$(probe_offers show --string '')" = "" ]
}

@test "completion: fish offers verbs, options and choices" {
	command -v fish >/dev/null || skip "no fish"
	export HOME=$PWD
	offers() {
		fish -c "source $BATS_FILE_TMPDIR/probe.fish; complete -C '$1'" |
			cut -f 1 | sort | xargs
	}
	touch file
	fish -n "$BATS_FILE_TMPDIR/probe.fish"
	[ "$(offers 'cmd-probe ')" = "copy map show source" ]
	[ "$(offers 'cmd-probe --co')" = "--colour --count" ]
	[ "$(offers 'cmd-probe copy --a')" = "--all" ]
	[ "$(offers 'cmd-probe show --colour ')" = "blue green red" ]
	[ "$(offers 'cmd-probe copy f')" = "file" ]
}

@test "completion: zsh offers verbs, options and choices" {
	command -v zsh >/dev/null || skip "no zsh"
	cat >try.zsh <<'END'
# Type $1 into an interactive shell, list what it offers, wait for $2.
zmodload zsh/zpty
export TERM=dumb
zpty z zsh -f -i
zpty -w z "PS1=; fpath=($BATS_FILE_TMPDIR \$fpath); autoload -Uz compinit"
zpty -w z 'compinit -u -D; bindkey "^X" list-choices; cmd-probe() { }'
zpty -w z 'stty cols 200 rows 200; print -r R''EADY'
zpty -r -m z line '*READY*'
zpty -w -n z $1$'\x18'
zpty -r -m z line "*$2*"
found=$?
zpty -d z
exit $found
END
	while IFS='|' read -r typed offered; do
		echo "$typed: $offered"
		timeout 20 zsh -f try.zsh "$typed" "$offered"
	done <<'END'
cmd-probe |copy*show*source
cmd-probe --co|--colour*--count
cmd-probe copy --a|--all
cmd-probe show --colour |blue*green*red
END
}

@test "completion: every program's files load and offer its options" {
	for name in $(programs); do
		dir=$BUILD/completions
		bash -n "$dir/bash/$name"
		! command -v shellcheck >/dev/null ||
			shellcheck -s bash "$dir/bash/$name"
		! command -v zsh >/dev/null || zsh -n "$dir/zsh/_$name"
		! command -v fish >/dev/null || fish -n "$dir/fish/$name.fish"
		bash_offers "$dir/bash/$name" "$name" - | sed -n 's/=$//; /^--/p' |
			sort >offered
		"$name" --help | sed -nE 's/^ .{5}(--[a-z0-9-]+).*/\1/p' | sort \
			>options
		[ -s options ]
		diff -u options offered
	done
}
