#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - the same spans in other stores, side by side: `make bench-peers`
#
# PEERS_SPANS     how many spans (default 1,000,000)
# PEERS_ODD       how many spans of each kind of odd data (default the same)
# PEERS           which peers (default all: see peers.py)
# PEERS_PYTHON    a Python that has duckdb and chdb; without it an environment
#                 is made and both are installed into it
#
# tests/bench/README.md says how it is measured. A peer that cannot be
# installed is left out, and the table says so.

set -eu
BUILD=${BUILD:-$PWD}
here=$(cd "$(dirname "$0")" && pwd)
export PATH=$BUILD/bin:$BUILD/tests/bench:$PATH LC_ALL=C.UTF-8
spans=${PEERS_SPANS:-1000000}
odd=${PEERS_ODD:-$spans}
python=${PEERS_PYTHON:-}
export PYTHONDONTWRITEBYTECODE=1
dir=$(mktemp -d "${TMPDIR:-/tmp}/span-peers.XXXXXX")
trap 'rm -rf "$dir"' EXIT

if [ -z "$python" ]; then
	python=$dir/env/bin/python
	python3 -m venv "$dir/env"
	for package in duckdb chdb; do
		"$python" -m pip install -q "$package" >"$dir/pip" 2>&1 ||
			echo "$package cannot be installed:" \
				"$(tail -n 1 "$dir/pip")"
	done
fi
echo "span-gen --seed 1 --spans $spans; $(nproc) cores," \
	"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1);" \
	"load $(cut -d ' ' -f 1-3 /proc/loadavg)"
span-gen --seed 1 --spans "$spans" >"$dir/spans"
span-query --spans -o jsonl "$dir/spans" >"$dir/jsonl"
mkdir "$dir/built" "$dir/odd"
status=0
# shellcheck disable=SC2086
"$python" "$here/peers.py" "$dir/spans" "$dir/jsonl" "$dir/built" ${PEERS-} ||
	status=1
rm -rf "$dir/built" "$dir/spans" "$dir/jsonl"
echo
if "$python" -c 'import duckdb' 2>/dev/null; then
	"$python" "$here/odd.py" "$dir/odd" "$odd" || status=1
else
	echo "odd data: skipped, as there is no duckdb"
fi
exit $status
