#!/usr/bin/env bats
# examples/kubernetes: the manifests are sound, and run what is there.

load lib

python=/usr/bin/python3
kubernetes=$SRC/examples/kubernetes

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	"$python" -c 'import yaml' 2>/dev/null || skip "no python3-yaml"
}

manifests() {
	"$python" "$SRC/tests/kubernetes.py" "$@"
}

# objects DIRECTORY: all of them, as a list in JSON.
objects() {
	"$python" -c 'import json, sys, yaml
print(json.dumps([o for f in sys.argv[1:] for o in yaml.safe_load_all(open(f))]))' \
		"$kubernetes/$1"/*.yaml
}

# is WANT FILTER: what jq finds in the objects.
is() {
	local got
	got=$(jq -r "$2" objects) || return
	[ "$got" = "$1" ] || echo "$2: $got, want $1" >&2
	[ "$got" = "$1" ]
}

# Every container: its command, then its arguments, a line each.
containers() {
	jq -c '.[] | .. | objects | select(has("image")) | select(.name != "spantools")
		| [.command // []] + [.args // []]' objects
}

@test "kubernetes: the manifests have the shape of their kinds, and fit together" {
	for layout in lab production; do
		run -0 manifests "$kubernetes/$layout"
	done
}

@test "kubernetes: what is wrong in a manifest is told" {
	while IFS='|' read -r file wrong said; do
		echo "$file $wrong"
		rm -rf copy
		cp -r "$kubernetes/${file%/*}" copy
		sed -i "$wrong" "copy/${file##*/}"
		run ! cmp -s "copy/${file##*/}" "$kubernetes/$file"
		run -1 manifests copy
		[[ $output = *"$said"* ]]
	done <<-'TABLE'
		lab/jaeger.yaml|s/replicas:/replica:/|has no field replica
		lab/jaeger.yaml|s/replicas: 1/replicas: "1"/|is no int
		lab/jaeger.yaml|0,/app: jaeger/s//app: jeager/; 0,/app: jaeger/s//app: other/|its selector does not match
		lab/jaeger.yaml|s/claimName: spans/claimName: span/|nobody makes the claim span
		lab/jaeger.yaml|s/port: 14269/port: 14296/|asks 14296, which is no port
		lab/jaeger.yaml|s/containerPort: 4317/containerPort: 4371/|port otlp-grpc is not (4371
		lab/jaeger.yaml|s/memory: 64Mi/memory: 1Gi/|requests more memory than its limit
		lab/jaeger.yaml|s/memory: 64Mi/memory: 64MB/|is not
		lab/jaeger.yaml|s/mountPath: .spans/mountPath: spans/|is not
		lab/jaeger.yaml|0,/- name: tmp/s//- name: temp/|mounts
		lab/jaeger.yaml|s/namespace: monitoring/namespace: default/|is not in monitoring
		lab/services.yaml|s/app: jaeger$/app: jeager/|its selector matches no pod
		lab/services.yaml|s/targetPort: zipkin}/targetPort: zapkin}/|zapkin is no port of its pods
		lab/services.yaml|s/port: 6831, \(.*\), protocol: UDP/port: 6831, \1/|jaeger-compact is not (6831, 'UDP')
		lab/services.yaml|s/name: jaeger-agent/name: jaeger/|is there twice
		lab/ingress.yaml|s/name: query/name: web/|is no service's port
		lab/upkeep.yaml|s/app: jaeger/app: other/|wants to be near pods that there are not
		lab/upkeep.yaml|s/"\*.10 /"/|is not
		lab/kustomization.yaml|/claim/d|resources are not
		production/store.yaml|s/serviceName: span-store/serviceName: store/|there is no service store
		production/serve.yaml|s/spans-span-store-0/spans-store-0/|nobody makes the claim
		production/network.yaml|s/app: span-capture/app: capture/|lets pods in that there are not
	TABLE
}

@test "kubernetes: the lab has the names, ports, resources and probes of a Jaeger that programs know" {
	objects lab >objects
	ports='[.spec.ports[] | "\(.port)/\(.protocol // "TCP")"] | sort | join(" ")'
	is "14250/TCP 14268/TCP 14269/TCP 16686/TCP 4317/TCP 4318/TCP 5775/UDP 5778/TCP 6831/UDP 6832/UDP 9411/TCP" \
		'.[] | select(.kind == "Service" and .metadata.name == "jaeger") | '"$ports"
	is "jaeger jaeger-agent jaeger-collector" \
		'[.[] | select(.kind == "Service") | .metadata.name] | sort | join(" ")'
	pod='.[] | select(.kind == "Deployment") | .spec.template.spec.containers[0]'
	is '64Mi 100m 256Mi 500m' \
		"$pod"' | .resources | "\(.requests.memory) \(.requests.cpu) \(.limits.memory) \(.limits.cpu)"'
	is '14269 5 14269 10' "$pod"' | "\(.readinessProbe.httpGet.port) \(.readinessProbe.initialDelaySeconds) \(.livenessProbe.httpGet.port) \(.livenessProbe.initialDelaySeconds)"'
	is '--max-bytes=4G' "$pod"' | .args[] | select(startswith("--max-bytes"))'
	is '5Gi microk8s-hostpath' '.[] | select(.kind == "PersistentVolumeClaim") |
		"\(.spec.resources.requests.storage) \(.spec.storageClassName)"'
	is monitoring '[.[] | select(.kind != "Namespace" and .kind != "Kustomization")
		| .metadata.namespace] | unique | join(" ")'
	is '1 1' '[[.[] | select(.kind == "Ingress")] , [.[] | select(.kind == "CronJob")]
		| length] | join(" ")'
}

@test "kubernetes: containers call programs with options that are there" {
	export PATH=$SRC/examples/all-in-one:$PATH
	for layout in lab production; do
		objects $layout >objects
		containers >all
		[ -s all ]
		while read -r container; do
			mapfile -t command < <(jq -r '.[0][]' <<<"$container")
			mapfile -t args < <(jq -r '.[1][]' <<<"$container")
			echo "${command[*]} ${args[*]}"
			case ${command[0]-} in
			'') run -0 spans-all-in-one -n "${args[@]}" ;;
			/bin/sh)
				span-gen --seed 1 --spans 100 | span-store append -q s
				span-store init -q --max-age 7d s
				run -0 sh -c "${args[0]//\/spans\/store/$PWD/s}"
				;;
			*)
				"${command[@]}" --help >help
				for option in "${args[@]%%=*}"; do
					grep -qE -- "^ .*${option}[ =[]" help
				done
				;;
			esac
		done <all
	done
}

@test "kubernetes: the image has the libraries that the programs want" {
	command -v dpkg-query >/dev/null || skip "no dpkg-query"
	sed -nE 's/^ +(lib[a-z0-9.+-]+|zlib1g)( \\| && \\)?$/\1/p' \
		"$kubernetes/Containerfile" | sort >image
	[ "$(wc -l <image)" -gt 10 ]
	for program in "$BUILD"/bin/*; do
		objdump -p "$program"
	done | awk '$1 == "NEEDED" { print $2 }' | sort -u |
		grep -vE '^(libc|libm|ld-linux.*|libasan|libubsan|libclang_rt.*)\.so' |
		while read -r library; do
			dpkg-query -S "*/$library" | cut -d: -f1
		done | sort -u >needed
	diff image needed
}

@test "kubernetes: the image is built as README.md says, and has what it copies and exposes" {
	file=$kubernetes/Containerfile
	grep -qE '^RUN \./bootstrap ' "$file"
	grep -qE '^    \./bootstrap ' "$SRC/README.md"
	grep '^COPY [^-]' "$file" | grep -oE 'examples/[^ ]+' >copied
	[ "$(wc -l <copied)" = 2 ]
	while read -r copied; do
		[ -f "$SRC/$copied" ]
	done <copied
	objects lab >objects
	is "$(sed -n 's/^EXPOSE //p' "$file" | tr ' ' '\n' | sort | xargs)" '[.[] |
		select(.kind == "Deployment") | .spec.template.spec.containers[0].ports[] |
		"\(.containerPort)\(if .protocol == "UDP" then "/udp" else "" end)"] |
		sort | join(" ")'
	# The same user everywhere, who owns the volume.
	user=$(sed -n 's/^USER \(.*\):.*/\1/p' "$file")
	[ "$user" -gt 0 ]
	for layout in lab production; do
		objects $layout >objects
		is "$user" '[.. | objects | .runAsUser // empty] | unique | join(" ")'
	done
}

@test "kubernetes: the check of the image's health is one" {
	sed -n 's/^HEALTHCHECK CMD //p' "$kubernetes/Containerfile" |
		jq -r '.[2]' >check
	for status in '200 OK' '503 Service Unavailable'; do
		mkfifo "fifo ${status%% *}"
		"$python" -c 'import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
c.recv(100)
c.sendall(b"HTTP/1.0 " + sys.argv[1].encode() + b"\r\n\r\n")
c.close()' "$status" >"fifo ${status%% *}" 3>&- &
		server=$!
		read -r port <"fifo ${status%% *}"
		want=0
		[ "${status%% *}" = 200 ] || want=1
		run -$want bash -c "$(sed "s/14269/$port/; s/localhost/127.0.0.1/" check)"
		wait "$server"
	done
}
