#!/usr/bin/env bats
# The rules of the house, proved for every program in bin_PROGRAMS as it
# comes, every page in man/ and every file of the library.

load lib

layers='base model stream text codec trace store query sample graph render'

setup_file() {
	export MAKEFLAGS='' MAKELEVEL=''
	# A tree under which all of it is installed, for several tests.
	make -s -C "$BUILD" install DESTDIR="$BATS_FILE_TMPDIR/root" \
		>"$BATS_FILE_TMPDIR/install" 2>&1 ||
		cat "$BATS_FILE_TMPDIR/install"
	ROOT=$BATS_FILE_TMPDIR/root
	export ROOT
}

# The verbs of a program, if it has any.
verbs() {
	"$1" --completion | sed -n 's/^verb\t\([^\t]*\)\t.*/\1/p'
}

# All help texts of a program, those of its verbs too.
help_texts() {
	local verb
	"$1" --help
	for verb in $(verbs "$1"); do
		"$1" "$verb" --help
	done
}

# How each program is made to write something: its name, then a shell command
# without its redirection. What is not here fails, so that a new program
# is added.
writes() {
	case $1 in
	span-capture) echo "span-capture -r '$DATA/real-clients.pcap'" ;;
	span-decode)
		# shellcheck disable=SC2016
		echo 'span-decode "$DATA/zipkin.payloads"'
		;;
	span-encode) echo "span-gen --seed 1 | span-encode --to jsonl" ;;
	span-gen) echo "span-gen --seed 1" ;;
	span-graph) echo "span-gen --seed 1 | span-graph" ;;
	span-query) echo "span-query '$DATA/store.spans'" ;;
	span-redact) echo "span-gen --seed 1 | span-redact" ;;
	span-sample) echo "span-gen --seed 1 | span-sample -r 1" ;;
	span-stats) echo "span-gen --seed 1 | span-stats" ;;
	span-store)
		# shellcheck disable=SC2016
		echo 'span-store append --ack-fd 1 "$BATS_TEST_TMPDIR/$BASHPID" "$DATA/store.spans"'
		;;
	trace-diff) echo "trace-diff '$DATA/store.spans' '$DATA/store.spans'" ;;
	trace-to-loki) echo "span-gen --seed 1 | trace-to-loki -q" ;;
	trace-view) echo "span-gen --seed 1 | trace-view" ;;
	*) return 1 ;;
	esac
}

# What a program does goes somewhere else than to standard output.
silent() {
	[ "$1" = span-send ] || [ "$1" = span-serve ]
}

@test "rules: every program has help, a version and a man page" {
	for p in $(programs); do
		echo "$p"
		[ -f "$SRC/man/$p.1" ]
		run --separate-stderr -0 "$p" --help
		[ -z "$stderr" ]
		[[ ${lines[0]} = "usage: $p "* ]]
		run -0 "$p" --version
		[[ $output = "$p (spantools) "* ]]
		run --separate-stderr -2 "$p" --no-such-option
		[ "${stderr_lines[0]}" = "$p: unknown option: --no-such-option" ]
		[ ${#stderr_lines[@]} = 2 ]
	done
}

@test "rules: --help and the man page name the same options" {
	for p in $(programs); do
		echo "$p"
		help_texts "$p" | grep -E '^  ( {4}|-., )--' |
			sed -E 's/^  (-.)?,? *(--[a-z0-9-]+).*/\1 \2/' |
			tr ' ' '\n' | sed '/^$/d' | sort -u >help
		sed -nE 's/^\.It (Fl .*)/\1/p' "$SRC/man/$p.1" |
			grep -oE '(^| )Fl [^ ]+' | sed -E 's/^ ?Fl /-/' |
			sort -u >page
		[ -s help ]
		diff -u help page
	done
}

@test "rules: help reads as if one hand had written it" {
	for p in $(programs); do
		echo "$p"
		"$p" --completion >table
		# A summary, and every explanation, is a phrase.
		run -1 grep -E '\.$' <(cut -f 3- table | grep -vE '\.\.\.$')
		run -1 grep -P '^(command|verb)\t[^\t]*\t[^\t]*\t[A-Z][a-z]' table
		run -1 grep -P '^option(\t[^\t]*){5}\t[A-Z][a-z]' table
		# The same letter means the same everywhere.
		run -1 grep -P '^option\t[^\t]*\to\t(?!format\t)' table
		run -1 grep -P '^option\t[^\t]*\ts\t(?!store\t)' table
		run -1 grep -P '^option\t[^\t]*\tc\t(?!count\t)' table
	done
}

@test "rules: every verb is in the man page" {
	for p in $(programs); do
		for verb in $(verbs "$p"); do
			echo "$p $verb"
			grep -qE "(Cm|Ic) $verb( |\$)" "$SRC/man/$p.1"
		done
	done
}

@test "rules: help fits 80 columns" {
	for p in $(programs); do
		help_texts "$p" >help
		run -1 grep -nE '.{80}' help
	done
}

@test "rules: man pages are clean for mandoc" {
	command -v mandoc >/dev/null || skip "no mandoc"
	for page in "$SRC"/man/*.[1-8]; do
		# Pages that are about to land are named before they are there.
		run -0 mandoc -T lint -W warning "$page"
		[ -z "$output" ]
		grep -qF "$(basename "$page")" "$SRC/Makefile.am"
	done
}

@test "rules: examples in man pages use options that are there" {
	for page in "$SRC"/man/*.[1-8]; do
		sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$page" |
			sed -E 's/^\.Dl //; /^\.[A-Z]/d; s/\\e/\\/g; s/\\-/-/g' >lines
		for p in $(programs); do
			grep -oE "(^|[ |(\$;&])$p [^|;&)]*" lines >uses || continue
			help_texts "$p" >help
			grep -oE -- ' --?[a-zA-Z][a-z0-9-]*' uses | sort -u |
				while read -r option; do
					case $option in
					--*) ;;
					-*) option=${option:0:2} ;;
					esac
					echo "$(basename "$page"): $p $option"
					grep -qE -- "^ .*$option([ =,[]|\$)" help
				done
		done
	done
}

@test "rules: a closed pipe ends every program by SIGPIPE, silently" {
	for p in $(programs); do
		echo "$p"
		run --separate-stderr -141 closed_pipe "$p" --help
		[ -z "$stderr" ]
		silent "$p" && continue
		command=$(writes "$p")
		[ -n "$command" ]
		bash -c "$command" >out
		[ -s out ]
		run --separate-stderr -141 closed_pipe bash -c "$command"
		[ -z "$stderr" ]
	done
}

@test "rules: a full disk is exit 74 for every program" {
	for p in $(programs); do
		echo "$p"
		run --separate-stderr -74 full_disk "$p" --help
		[[ $stderr = "$p: "*": No space left on device" ]]
		silent "$p" && continue
		run --separate-stderr -74 full_disk bash -c "$(writes "$p")"
		[[ $stderr = "$p: "*": No space left on device" ]]
	done
}

@test "rules: -v ends with a line of counts" {
	for p in $(programs); do
		silent "$p" && continue
		command=$(writes "$p")
		run --separate-stderr -0 bash -c "${command/$p/$p -v} >out"
		echo "$p: $stderr"
		[[ ${stderr_lines[-1]} = "$p: "*[0-9]* ]]
		run --separate-stderr -0 bash -c "$command >out"
		[ -z "$stderr" ]
	done
}

@test "rules: programs are programs, not scripts around them" {
	for p in $(programs); do
		[ "$(head -c 4 "$BUILD/bin/$p" | od -An -c | tr -d ' ')" = '177ELF' ]
		ldd "$BUILD/bin/$p" >libraries
		run -1 grep libspan libraries
	done
}

@test "rules: programs and library are hardened" {
	[ "$SANITIZERS" != yes ] || skip "not with sanitizers"
	for file in $(programs | sed s,^,bin/,) lib/.libs/libspan.so; do
		readelf -WhldS "$BUILD/$file" >elf
		echo "$file"
		grep -q 'Type: *DYN' elf
		grep -q 'GNU_RELRO' elf
		grep -qE 'BIND_NOW|Flags:.* NOW' elf
		grep -qE 'GNU_STACK .* RW +0x' elf
		# No segment is both writable and executable.
		run -1 grep -E 'LOAD .* RWE ' elf
		readelf -Ws "$BUILD/$file" | grep -q __stack_chk_fail
	done
}

@test "rules: libspan.so exports what the headers declare, and nothing else" {
	nm -D --defined-only "$BUILD/lib/.libs/libspan.so" |
		awk '{ print $3 }' | sort >exported
	run -1 grep -vE '^span_[a-z]' exported
	# Declarations over several lines: join them, take the name before (.
	for h in "$SRC"/lib/span/*.h; do
		sed -E '/^#/,/[^\\]$/d; /^ ?\*|^\/\*/d; s/\/\*.*\*\///' "$h" | tr '\n\t' '  ' |
			grep -oE 'SPAN_API [^;]*;' |
			sed -E 's/SPAN_PRINTF\([^)]*\)//; s/^([^(]*[ *])?(span_[a-z0-9_]+) *\(.*/\2/'
	done | sort -u >declared
	# What is declared and still to come.
	comm -23 declared exported |
		grep -vE '^span_(store|cursor|query|search|render|table|tree)' >late ||
		true
	cat late
	[ ! -s late ]
	run -0 comm -13 declared exported
	[ -z "$output" ]
}

@test "rules: every program links with libspan.so alone" {
	flags=$(make_variable HARDEN_CFLAGS)
	[ "$SANITIZERS" != yes ] || skip "the library is built with sanitizers"
	for p in $(programs); do
		v=bin_${p//-/_}
		objects=$(make_variable "${v}_OBJECTS")
		libs=$(make_variable "${v}_LDADD")
		[ -n "$objects" ]
		libs="$libs $(make_variable ZLIB_LIBS) $(make_variable ZSTD_LIBS)"
		libs=${libs//lib\/libspancore.la/lib\/.libs\/libspan.so}
		libs=$(sed -E 's,(lib|cmd)/(lib[a-z]+)\.la,\1/.libs/\2.a,g' <<<"$libs")
		echo "$p: $objects $libs"
		# shellcheck disable=SC2086
		(cd "$BUILD" && $CC $flags -pie -o "$BATS_TEST_TMPDIR/$p" \
			$objects $libs -Wl,-rpath,"$BUILD/lib/.libs")
		ldd "$p" | grep -q "$BUILD/lib/.libs/libspan.so"
		"./$p" --version
	done
}

@test "rules: a layer of the library includes only layers below it" {
	below=' span base '
	for layer in $layers; do
		below="$below$layer "
		[ -d "$SRC/lib/$layer" ] || continue
		for file in "$SRC/lib/$layer"/*.[ch]; do
			for used in $(sed -nE 's/^#include "([a-z]+)\/.*/\1/p' "$file"); do
				echo "$file includes $used"
				[[ $below = *" $used "* ]]
			done
		done
	done
	# What answers requests knows the library by its headers only.
	run grep -hEv '^#include "(base|serve)/' <(grep -h '^#include "' \
		"$SRC"/lib/serve/*.[ch])
	[ -z "$output" ]
	# Every directory of lib/ is a layer, net/, serve/ and the headers apart.
	for dir in "$SRC"/lib/*/; do
		[[ " $layers net serve span " = *" $(basename "$dir") "* ]]
	done
}

@test "rules: public headers of a layer are not used below it" {
	# Which public header belongs to which layer.
	while read -r header layer; do
		forbidden=${layers%%"$layer"*}
		for below in $forbidden; do
			[ -d "$SRC/lib/$below" ] || continue
			run -1 grep -rn "#include <span/$header.h>" "$SRC/lib/$below"
		done
	done <<'END'
model model
stream stream
payload stream
text text
codec codec
trace trace
adjust trace
diff trace
findings trace
patterns trace
store store
query query
sample sample
graph graph
render render
END
}

@test "rules: commands use public headers and cmd/ only" {
	for file in "$SRC"/cmd/*.[ch]; do
		for used in $(sed -nE 's/^#include "([^"]+)".*/\1/p' "$file"); do
			echo "$file includes $used"
			case $used in
			base/banned.h | config.h | net/* | serve/*) ;;
			cmd/*.inc) [ -f "$BUILD/$used" ] ;;
			cmd/*) [ -f "$SRC/$used" ] ;;
			*/*) false ;;
			*) [ -f "$SRC/cmd/$used" ] ;;
			esac
		done
	done
}

@test "rules: every public header compiles alone, in C and in C++" {
	for h in "$SRC"/lib/span/*.h; do
		line="#include <span/$(basename "$h")>"
		echo "$line"
		echo "$line" | $CC -std=c11 -Wall -Wextra -Wpedantic -Werror \
			-I"$SRC/lib" -fsyntax-only -x c -
		command -v g++ >/dev/null || continue
		echo "$line" | g++ -std=c++11 -Wall -Wextra -Werror \
			-I"$SRC/lib" -fsyntax-only -x c++ -
	done
	for h in "$SRC"/lib/span/*.h; do
		grep -qF "lib/span/$(basename "$h")" "$SRC/Makefile.am"
	done
}

@test "rules: every C file begins with its licence and ends with banned.h" {
	for file in "$SRC"/lib/*/*.[ch] "$SRC"/cmd/*.[ch] "$SRC"/tests/*/*.[ch] \
		"$SRC"/examples/*.c; do
		echo "$file"
		[ "$(head -n 1 "$file")" = "/* SPDX-License-Identifier: Apache-2.0 */" ]
	done
	for file in "$SRC"/lib/*/*.c "$SRC"/cmd/*.c; do
		echo "$file"
		[ "$(grep '^#include' "$file" | tail -n 1)" = '#include "base/banned.h"' ]
	done
}

@test "rules: no file holds the marks of a merge" {
	run -1 grep -rlE '^(<<<<<<<|>>>>>>>) ' "$SRC"/{cmd,lib,man,tests,examples} \
		"$SRC/Makefile.am" "$SRC/configure.ac"
}

@test "rules: every file is in the Makefile, and so in a release" {
	for file in "$SRC"/{cmd,lib/*,tests/unit,tests/fuzz,tests/bench}/*.[ch] \
		"$SRC"/man/*.[1-8] "$SRC"/tests/*.bats; do
		echo "$file"
		grep -qF "${file#"$SRC"/}" "$SRC/Makefile.am"
	done
}

@test "rules: files are short and their names unique" {
	for file in "$SRC"/lib/*/*.c "$SRC"/cmd/*.c; do
		[ "$(wc -l <"$file")" -le 500 ] || wc -l "$file"
		[ "$(wc -l <"$file")" -le 500 ]
	done
	for file in "$SRC"/cmd/span-*.c "$SRC"/cmd/trace-*.c; do
		[ -f "$file" ] || continue
		[ "$(wc -l <"$file")" -le 350 ] || wc -l "$file"
		[ "$(wc -l <"$file")" -le 350 ]
	done
	run -0 bash -c 'basename -a "$1"/lib/*/*.c "$1"/cmd/*.c | sort | uniq -d' \
		- "$SRC"
	[ -z "$output" ]
}

@test "rules: what is installed is complete" {
	prefix=$(make_variable prefix)
	for p in $(programs); do
		[ -x "$ROOT$prefix/bin/$p" ]
		[ -f "$ROOT$prefix/share/man/man1/$p.1" ]
		[ -f "$ROOT$prefix/share/bash-completion/completions/$p" ]
		[ -f "$ROOT$prefix/share/zsh/site-functions/_$p" ]
		[ -f "$ROOT$prefix/share/fish/vendor_completions.d/$p.fish" ]
	done
	for page in "$SRC"/man/*.[1-8]; do
		name=$(basename "$page")
		[ -f "$ROOT$prefix/share/man/man${name##*.}/$name" ]
	done
	for h in "$SRC"/lib/span/*.h; do
		[ -f "$ROOT$prefix/include/span/$(basename "$h")" ]
	done
	[ -f "$ROOT$prefix/lib/libspan.so" ]
	[ ! -e "$ROOT$prefix/lib/libspan.a" ]
}

@test "rules: a program of somebody else builds with pkg-config and runs" {
	[ "$SANITIZERS" != yes ] || skip "the library is built with sanitizers"
	prefix=$(make_variable prefix)
	export PKG_CONFIG_PATH=$ROOT$prefix/lib/pkgconfig
	flags=$(pkg-config --define-variable=prefix="$ROOT$prefix" \
		--cflags --libs libspan)
	# shellcheck disable=SC2086
	$CC -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -o count-spans \
		"$SRC/examples/count-spans.c" $flags
	export LD_LIBRARY_PATH=$ROOT$prefix/lib
	run -0 ./count-spans </dev/null
	[ -z "$output" ]
	run -1 ./count-spans <<<"no span stream"
	run -0 ./count-spans <"$DATA/store.spans"
	[ "$(awk '{ n += $1 } END { print n }' <<<"$output")" = \
		"$(span-query -c --spans "$DATA/store.spans")" ]
}

@test "rules: the example in libspan(3) compiles" {
	{
		echo '#include <span/span.h>'
		echo '#include <stdio.h>'
		echo 'int main(void) {'
		sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$SRC/man/libspan.3" |
			sed -n '/^\.Bd/,/^\.Ed/p' | sed '/^\./d; s/\\e/\\/g'
		echo 'return rc < 0; }'
	} >example.c
	grep -q span_reader_next example.c
	$CC -std=c11 -Wall -Wextra -Werror -I"$SRC/lib" -fsyntax-only example.c
}

@test "rules: git is told to ignore what the build makes" {
	git -C "$SRC" rev-parse 2>/dev/null || skip "not a git checkout"
	git -C "$SRC" ls-files --others --exclude-standard | while read -r file; do
		[ "$(head -c 4 "$SRC/$file" | tr -d '\177')" != ELF ] ||
			echo "$file"
	done >programs
	diff -u /dev/null programs
}
