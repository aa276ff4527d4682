#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Write the fixtures that programs make; README.md says which. Needs
# thrift-compiler and python3-thrift. Expected output (*.want) is never
# written here: read it before it is accepted.
#
# With "store DIR" it writes a store into DIR, and its spans into DIR.spans: each
# version that changes the format keeps one. Needs span-gen, span-query,
# span-store and make-spans in PATH.
set -eu
cd "$(dirname "$0")"

# Append what is on standard input to the store of that name and close the log.
close_log() {
	tee -a "$1.spans" | span-store append -q --no-seal "$1"
}

make_store() {
	rm -rf "$1" "$1.other" "$1.spans" "$1.other.spans"
	# Two logs in one segment, and one with everything that a span can have.
	span-gen --start @1795341600 --traces 12 --seed 21 | close_log "$1"
	make-spans <query.jsonl | close_log "$1"
	span-store seal -q --all --codec zlib "$1"
	span-gen --start @1795341700 -p hostile --spans 40 --seed 23 |
		close_log "$1"
	span-store seal -q --all --codec none "$1"
	# One that another store sealed.
	span-gen --start @1795341800 --traces 3 --seed 24 --services 4 |
		close_log "$1.other"
	span-store seal -q --all --codec zlib "$1.other"
	span-store import -q "$1" "$1.other"
	cat "$1.other.spans" >>"$1.spans"
	rm -r "$1.other" "$1.other.spans"
	# A closed log, and one as an appender that was killed leaves it: without
	# a footer, and with a torn record.
	span-gen --start @1795341900 --traces 3 --seed 25 --services 4 |
		close_log "$1"
	span-gen --start @1795342000 --traces 3 --seed 26 --services 4 |
		close_log "$1"
	end=$(tail -c 120 "$1/00000005.log" | head -c 8 | od -An -t u8)
	head -c "${end##* }" "$1/00000005.log" >"$1/00000005.open"
	tail -c +129 "$1/00000005.log" | head -c 1000 >>"$1/00000005.open"
	rm -f "$1/00000005.log" "$1/LOCK" "$1/MAINT"
	chmod 644 "$1"/*
}

if [ "${1-}" = store ]; then
	make_store "$2"
	exit
fi
python=${PYTHON:-/usr/bin/python3}
export PYTHONDONTWRITEBYTECODE=1
"$python" ../interop/fixtures.py .
"$python" ../interop/fixtures.py --seeds ../fuzz/corpus
