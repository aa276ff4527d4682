# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
load lib

dump=$BUILD/tests/unit/payload-dump
python=/usr/bin/python3

# Each file: what comes out, and the counts without the time.
golden() {
	local file
	for file in "$@"; do
		span-capture -v -r "$DATA/pcap/$file" 2>err >out || return
		{ "$dump" <out; sed 's/, [0-9.]* s$//' err; } |
			same "pcap/$file.want" - || return
	done
}

# The bodies that tshark finds in capture $1, a line of hexadecimal each.
tshark_bodies() {
	local file
	tshark -r "$1" -d tcp.port==4318,http -d tcp.port==9411,http \
		-o tcp.reassemble_out_of_order:TRUE \
		-q --export-objects http,objects >/dev/null 2>&1
	for file in objects/*; do
		od -An -v -tx1 "$file" | tr -d ' \n'
		echo
	done
}

needs_tshark() {
	command -v tshark >/dev/null || skip "no tshark"
}

@test "span-capture: HTTP requests in packets" {
	golden http.pcap
}

@test "span-capture: TCP segments in any order, repeated, overlapping" {
	golden http-order.pcap
}

@test "span-capture: TCP segments that are missing, late or cut" {
	golden http-loss.pcap
}

@test "span-capture: what real clients post" {
	span-capture -f tcp -r "$DATA/real-clients.pcap" | "$dump" |
		same real-clients-http.want -
}

@test "span-capture: what real clients post, against tshark" {
	needs_tshark
	tshark -r "$DATA/real-clients.pcap" -Y http.request -T fields \
		-E separator=' ' -e frame.time_epoch -e ip.src -e tcp.srcport \
		-e tcp.dstport -e http.request.uri -e http.content_type \
		2>/dev/null |
		awk '{print $1, $2 ":" $3, ">", $4, $5, $6}' >want
	[ "$(wc -l <want)" = 25 ]
	span-capture -f tcp -r "$DATA/real-clients.pcap" | "$dump" -x >got
	sed 's/, .*//' got | diff -u want -
	# Its objects are those of the answers, too: empty, or "{}".
	tshark_bodies "$DATA/real-clients.pcap" | grep -vx '\(7b7d\)\?' |
		sort >want
	sed 's/.*: //' got | sort | cmp - want
}

@test "span-capture: HTTP in packets that are out of order, against tshark" {
	needs_tshark
	local file
	for file in http http-order; do
		rm -rf objects
		tshark_bodies "$DATA/pcap/$file.pcap" | sort >theirs
		span-capture -q -r "$DATA/pcap/$file.pcap" | "$dump" -x |
			sed 's/.*: //' | sort >ours
		[ "$(wc -l <ours)" -ge 11 ]
		# It does not know zstd, and has no object without bytes.
		comm -23 ours theirs | sed '/^7a737464$/d; /^$/d' >only-ours
		[ ! -s only-ours ]
	done
}

@test "span-capture: gRPC calls in packets" {
	golden grpc.pcap
}

@test "span-capture: gRPC calls in packets, against tshark" {
	needs_tshark
	tshark -r "$DATA/pcap/grpc.pcap" -d tcp.port==4317,http2 \
		-d tcp.port==14250,http2 \
		-Y 'grpc && tcp.dstport in {4317,14250}' -T fields \
		-E separator=' ' -e frame.time_epoch -e ip.src -e tcp.srcport \
		-e tcp.dstport -e http2.headers.path -e grpc.message_length \
		-e grpc.message_data 2>/dev/null | grep -v LogsService |
		awk '{print $1, $2 ":" $3, ">", $4, $5, $7}' >want
	[ "$(wc -l <want)" = 14 ]
	span-capture -q -r "$DATA/pcap/grpc.pcap" | "$dump" -x |
		awk '{print $1, $2, $3, $4, $5, $9}' >got
	diff -u want got
}

@test "span-capture: Thrift that was posted becomes spans" {
	run -0 --separate-stderr bash -c 'set -o pipefail
		span-capture -p 14268 -r "$1" | span-decode |
		span-query -c --spans' - "$DATA/real-clients.pcap"
	[ "$output" = 220 ]
	[ -z "$stderr" ]
}

@test "span-capture: --port and --filter choose requests" {
	run -0 bash -c 'span-capture -p 7000 -r "$1" | "$2"' - \
		"$DATA/pcap/http.pcap" "$dump"
	[[ $output = *"> 7000 /v1/traces text/plain, 10 bytes: other port" ]]
	[ "${#lines[@]}" = 1 ]
	run -0 bash -c 'span-capture -p 7000 -p 14268 -r "$1" | "$2"' - \
		"$DATA/pcap/http.pcap" "$dump"
	[ "${#lines[@]}" = 2 ]
	run -0 bash -c 'span-capture -f "tcp port 7000" -r "$1" | "$2"' - \
		"$DATA/pcap/http.pcap" "$dump"
	[[ $output = *": other port" ]]
	[ "${#lines[@]}" = 1 ]
	# Both directions pass, and only one is a client's.
	run -0 --separate-stderr bash -c 'span-capture -v -f ip6 -r "$1" | "$2"' \
		- "$DATA/pcap/http.pcap" "$dump"
	[[ $output = *": IPv6" ]]
	[ "${#stderr_lines[@]}" = 1 ]
}

@test "span-capture: --count stops inside a packet" {
	run -0 bash -c 'span-capture -c 4 -r "$1" | "$2"' - \
		"$DATA/pcap/http.pcap" "$dump"
	[ "${#lines[@]}" = 4 ]
	[[ $output = *"pipelined, 2" ]]
	span-capture -f 'tcp port 50038' -c 1 -v -r "$DATA/pcap/http-order.pcap" \
		2>err | "$dump" >out
	[ "$(sed 's/.*: //' out)" = 'first of two' ]
	grep -E 'received 1 \(12 bytes\), written 1, dropped 0' err
}

@test "span-capture: losses and what is ignored are in the metrics" {
	span-capture -q -r "$DATA/pcap/http-loss.pcap" --metrics-file metrics >out
	grep -x 'span_capture_dropped_total{port="4318",cause="incomplete"} 4' metrics
	grep -x 'span_capture_dropped_total{port="4318",cause="truncated"} 3' metrics
	grep -x 'span_capture_dropped_total{port="4318",cause="too_large"} 0' metrics
	grep -x 'span_capture_ignored_requests_total 0' metrics
	span-capture -q -r "$DATA/pcap/http.pcap" --metrics-file metrics >out
	grep -x 'span_capture_ignored_requests_total 2' metrics
	grep -x 'span_capture_ignored_connections_total 1' metrics
	if command -v promtool; then
		# shellcheck disable=SC2094
		promtool check metrics <metrics
	fi
}

@test "span-capture: a loss of requests is a warning" {
	run -0 --separate-stderr span-capture -r "$DATA/pcap/http-loss.pcap"
	[[ $stderr = *"warning: "*", dropped 7 (3 truncated, 4 packets missing)" ]]
}

# A capture with one body of $1 bytes, and one of 2 bytes after it.
write_large() {
	$python - "$1" <<-'END'
		import struct, sys
		out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
		seq = 1
		def put(data):
		    global out, seq
		    head = struct.pack(">HHIIBBHHH", 5, 4318, seq, 0, 80, 16, 9, 0, 0)
		    ip = struct.pack(">BBHHHBBH4s4s", 69, 0, 40 + len(data), 0, 0,
		                     9, 6, 0, b"aaaa", b"bbbb")
		    n = 40 + len(data)
		    out += struct.pack("<IIII", 1, seq & 1023, n, n) + ip + head + data
		    seq += len(data)
		for body in (b"x" * int(sys.argv[1]), b"ok"):
		    put(b"POST /v1/traces HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
		        % len(body))
		    for i in range(0, len(body), 65000):
		        put(body[i:i + 65000])
		sys.stdout.buffer.write(out)
	END
}

@test "span-capture: a body of 32 MiB, with a queue of 256K, and one above it" {
	[ -x $python ] || skip "no $python"
	write_large 33554432 >large.pcap
	run -0 --separate-stderr bash -c 'set -o pipefail
		span-capture -v --queue 256K -r large.pcap | "$1"' - "$dump"
	[[ ${lines[0]} = *", 33554432 bytes: xxx"* ]]
	[[ ${lines[1]} = *", 2 bytes: ok" ]]
	write_large 33554433 >large.pcap
	run -0 --separate-stderr bash -c 'set -o pipefail
		span-capture -r large.pcap | "$1"' - "$dump"
	[[ $output = *", 2 bytes: ok" ]]
	[ "${#lines[@]}" = 1 ]
	[[ $stderr = *"dropped 1 (1 too large)" ]]
}

in_namespace() {
	if [ "$(id -u)" = 0 ]; then
		unshare -n -- sh -c 'ip link set lo up && exec "$@"' - "$@"
	else
		unshare -rn -- sh -c 'ip link set lo up && exec "$@"' - "$@"
	fi
}

@test "span-capture: an interface, with requests that somebody else answers" {
	in_namespace true 2>/dev/null || skip "no network namespaces here"
	[ -x $python ] || skip "no $python"
	cat >exchange.py <<-'END'
		import http.client, http.server, threading
		class Collector(http.server.BaseHTTPRequestHandler):
		    protocol_version = "HTTP/1.1"
		    def do_POST(self):
		        self.rfile.read(int(self.headers["Content-Length"]))
		        self.send_response(202)
		        self.send_header("Content-Length", "0")
		        self.end_headers()
		    def log_message(self, *args):
		        pass
		server = http.server.ThreadingHTTPServer(("127.0.0.1", 4318), Collector)
		threading.Thread(target=server.serve_forever, daemon=True).start()
		for n in range(3):
		    c = http.client.HTTPConnection("127.0.0.1", 4318)
		    for size in (10, 300000, 20):
		        c.request("POST", "/v1/traces", b"x" * size)
		        c.getresponse().read()
		    c.close()
	END
	cat >inside <<-'END'
		ip link set lo mtu 1500
		span-capture -v -i lo >packets 2>err &
		a=$!
		until grep -q capturing err; do
			kill -0 $a || exit 7
			sleep 0.01
		done
		"$1" exchange.py || exit 8
		kill $a && wait $a
	END
	status=0
	in_namespace timeout 20 sh inside $python || status=$?
	! grep -q CAP_NET_RAW err || skip "capturing is not allowed"
	[ "$status" = 0 ]
	cat err
	"$dump" <packets | sed -E 's/.*> (.*): .*/\1/' >got
	for _ in 1 2 3; do
		for n in 10 300000 20; do
			echo "4318 /v1/traces , $n bytes"
		done
	done | diff - got
	[[ $(tail -n 1 err) = *"dropped 0, "* ]]
}
