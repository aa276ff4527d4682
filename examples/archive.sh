#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# archive.sh STORE [HOST:]DIR - keep the spans of a store somewhere else too
#
# Seals what is closed, and copies the segments that are not in DIR yet. They
# never change, and are copied under another name first: DIR is a store that
# can be searched meanwhile. What expires in STORE stays in DIR, which has
# retention of its own: span-store expire --max-age 90d DIR. Where segments of
# STORE were merged, DIR has the old ones too until span-store seal DIR; no
# span is found twice.
#
# For stores of many hosts in one: span-store import DIR HOST-DIR...
set -eu
store=$1
dir=$2

span-store seal --all "$store"
if command -v rsync >/dev/null; then
	rsync -a --include=FORMAT --include='*.seg' --exclude='*' \
		"$store/" "$dir/"
	exit
fi
case $dir in
*:*) echo "archive.sh: to copy to another host rsync is needed" >&2 && exit 2 ;;
esac
(umask 077 && mkdir -p "$dir")
for file in "$store"/FORMAT "$store"/*.seg; do
	to=$dir/$(basename "$file")
	[ -e "$to" ] || [ ! -e "$file" ] ||
		{ cp -p "$file" "$to.copy" && mv "$to.copy" "$to"; }
done
