#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# graphs.sh - the graphs of span-graph in the programs that read them
#
# usage: graphs.sh BUILD-TREE
#
# Graphs of services and operations, whose names attack, are read by Mermaid's
# parser (npm, installed into BUILD-TREE/graphs), Graphviz, graphml2gv and jq,
# which have to find as many nodes and edges as there are. Prints TAP; what is
# not there is skipped with the reason.
set -u
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
src=$here/mermaid
work=$build/graphs
# shellcheck source=tests/interop/live.sh
. "$here/live.sh"

# What people and programs have called services and operations, and worse.
# shellcheck disable=SC2317 # called by its name in $data
names() {
	jq -nc '
		[ "a\"];b --> c", "</script><script>alert(1)</script>", "end",
		  "graph TD", "subgraph x", "%% comment", "%%{init: {}}%%",
		  "a\nb", "tab\there", "\u001b[31mred", "\u202eright to left",
		  "#quot;", "&amp;&#34;", "\\N \\G \\l", "{record|<p>x}", "|x|",
		  "`code`", "**bold**", "click n1 href \"x\"", "]]>", "<!--",
		  "\u0000nul", "\u00e9\u65e5\u672c\ud83d\ude00", "n1", "--",
		  "x" * 10000, "\"" * 500, "class n1 x", ":::x", "$$x^2$$" ]
		| to_entries[]
		| {trace_id: "\(.key + 1)", span_id: "1", service: "gateway",
		   name: .value, start: "2025-01-01T00:00:00Z",
		   duration_ns: 1000000, kind: "client",
		   tags: {"peer.service": .value}},
		  {trace_id: "\(.key + 1)", span_id: "2", parent_id: "1",
		   service: .value, name: .value, kind: "client",
		   start: "2025-01-01T00:00:00Z", duration_ns: 500000,
		   tags: {"db.system": "x", "peer.service": .value}}' |
		span-decode --from jsonl
}

# counts FORM...: nodes and edges, as each line of the programs has them
counts() {
	span-graph "$@" -o cytoscape in | jq -r '[.elements.nodes, .elements.edges]
		| map([.[].data | select(.source or (.id | test("^n[0-9]+$")))] | length)
		| join(" ")'
}

# graphviz FILE: the same, as its parser counts them
graphviz() {
	gc -n -e "$1" 2>>run/gc.err | awk '{ print $1, $2 }'
}

# check NAME WANT GOT: the files are equal
check() {
	if diff -u "$2" "$3" >run/diff.err; then
		say ok "$1"
	else
		say not "$1" run
	fi
}

forms=("--by service" "--by operation" "--by service --peers"
	"--by operation --peers")
rm -rf run
mkdir -p run
: >run/want
: >run/dot
: >run/graphml
for data in names "span-gen --seed 3 -p hostile -n 60" \
	"span-gen --seed 4 -p hostile -n 300" "span-gen --seed 1 -n 300"; do
	$data >in
	for form in "${forms[@]}"; do
		i=$(wc -l <run/want)
		# shellcheck disable=SC2086
		counts $form >>run/want
		for format in dot mermaid graphml; do
			# shellcheck disable=SC2086
			span-graph $form -o "$format" in >"run/$i.$format"
		done
	done
done
n_graphs=$(wc -l <run/want)

if ! command -v npm >/dev/null; then
	say skip "Mermaid's parser reads them" "no npm"
elif install_npm . "$src/package.json"; then
	cp "$src/parse.mjs" .
	# shellcheck disable=SC2046
	timeout 120 node parse.mjs $(seq -f 'run/%g.mermaid' 0 $((n_graphs - 1))) \
		>run/mermaid 2>run/mermaid.err
	check "Mermaid's parser reads $n_graphs graphs" run/want run/mermaid
else
	say skip "Mermaid's parser reads them" "npm cannot install it"
fi
if command -v gc >/dev/null && command -v graphml2gv >/dev/null; then
	for ((i = 0; i < n_graphs; i++)); do
		graphviz "run/$i.dot" >>run/dot
		graphml2gv "run/$i.graphml" >run/gv 2>>run/graphml2gv.err
		graphviz run/gv >>run/graphml
	done
	check "Graphviz reads $n_graphs graphs" run/want run/dot
	check "graphml2gv reads $n_graphs graphs" run/want run/graphml
else
	say skip "Graphviz and graphml2gv read them" "no graphviz"
fi
finish
