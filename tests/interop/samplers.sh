#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# samplers.sh - span-sample --like WHO keeps what that client keeps
#
# usage: samplers.sh BUILD-TREE [IDS [SEED]]
#
# Installs clients from npm, PyPI and the Go proxy into BUILD-TREE/samplers, and
# asks them and span-sample about so many random trace ids and some at the edges,
# with several shares. Prints TAP; what cannot be installed is skipped.
set -u
build=$(cd "$1" && pwd)
ids=${2:-100000}
seed=${3:-$RANDOM}
here=$(cd "$(dirname "$0")" && pwd)
src=$here/samplers
work=$build/samplers
# shellcheck source=tests/interop/live.sh
. "$here/live.sh"
PATH=$build/tests/unit:$PATH

shares='0 0.0000001 0.001 0.1 0.3333333333333333 0.5 0.75 0.999 1'

# compare WHO COMMAND...: the command gets a share, and ids on its input.
compare() {
	local who=$1 share bad=
	shift
	for share in $shares; do
		rm -f want got ./*.err
		"$@" "$share" <ids >want 2>want.err &&
			span-sample -r "$share" --like "$who" in.spans \
				>kept 2>sample.err &&
			span-query --spans -o '%(trace_id)' kept >got 2>got.err
		case $? in
		0 | 1) ;; # span-query: nothing is kept
		*) bad=$share ;;
		esac
		# What has failed wrote something, or has not made its file.
		[ -s want.err ] || [ ! -e got ] && bad=$share
		[ "$bad" ] && break
		sort -o want want
		pad <got | sort | diff want - >diff.err && continue
		bad=$share
		break
	done
	if [ "$bad" ]; then
		say not "$who, $ids ids of seed $seed: share $bad" .
	else
		rm -f ./*.err
		say ok "$who keeps the same of $ids ids of seed $seed"
	fi
}

# Ids with a zero half are printed shorter.
pad() {
	awk '{ printf("%s%s\n", substr("0000000000000000", 1, 32 - length($0)), $0) }'
}

python3 - "$ids" "$seed" >ids <<'END'
import random
import sys

random.seed(int(sys.argv[2]))
edges = {f"{h:016x}{l:016x}" for h in (0, 1, 2**63, 2**64 - 1)
         for l in (1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**63 + 1,
                   2**64 - 1)}
for i in sorted(edges) + [f"{random.getrandbits(128) | 1:032x}"
                          for _ in range(int(sys.argv[1]))]:
    print(i)
END
awk '{ printf("{\"t\":\"%s\",\"s\":\"1\",\"name\":\"x\"}\n", $0) }' ids |
	make-spans >in.spans

if ! command -v npm >/dev/null; then
	say skip "OpenTelemetry for JavaScript" "no npm"
elif install_npm . "$src/package.json"; then
	cp "$src/kept.js" .
	compare otel-js node kept.js
else
	say skip "OpenTelemetry for JavaScript" "npm cannot install it"
fi
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
	say skip "clients of PyPI" "no python3 with venv"
elif install_pip venv "$src/requirements.txt"; then
	for who in otel-python jaeger-python; do
		compare "$who" venv/bin/python3 "$src/kept.py" "$who"
	done
else
	say skip "clients of PyPI" "pip cannot install them"
fi
if ! command -v go >/dev/null; then
	say skip "clients for Go" "no go"
elif build_go go "$src/go"; then
	for who in otel-go jaeger-go; do
		compare "$who" go/client "$who"
	done
else
	say skip "clients for Go" "go cannot build them"
fi
finish
