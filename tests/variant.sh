#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# variant.sh - configure another build of a tree that may be built in place
#
# usage: variant.sh TREE DIR [CONFIGURE-OPTION...]
#
# TREE is where make runs, DIR becomes a build tree. automake refuses to build
# out of a source tree that is configured itself, so that the sources are then
# copied to DIR.src, as they would be into a release.
set -eu
tree=$1
dir=$2
shift 2

src=$(sed -n 's/^abs_top_srcdir = //p' "$tree/Makefile")
if [ -e "$src/config.status" ]; then
	[ ! -e "$dir.src" ] || chmod -R u+w "$dir.src"
	make -s -C "$tree" distdir distdir="$dir.src" top_distdir="$dir.src"
	chmod -R u+w "$dir.src"
	src=$dir.src
fi
mkdir -p "$dir"
cd "$dir"
"$src/configure" -q "$@"
