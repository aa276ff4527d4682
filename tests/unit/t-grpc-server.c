/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is told, for each thing that it can ask. */
#include "tests/unit/grpc-client.h"

#include <sys/socket.h>

#include "net/inflate.h"

static struct client client;

struct row {
	const char *name;
	struct request request;
	const char *http, *status, *message;
	size_t taken;
};

static char long_text[20000], unsupported[200];

#define BODY(lit) .body = (lit), .len = sizeof(lit) - 1
#define HELLO BODY("\0\0\0\0\5hello")
#define LARGE "received message larger than max (1001 vs. 1000)"

static const struct row rows[] = {
	{"Export", {HELLO}, "200", "0", "", 1},
	{"Export of nothing", {BODY("\0\0\0\0\0")}, "200", "0", "", 1},
	{"PostSpans", {.path = POST_SPANS, HELLO}, "200", "0", "", 1},
	{"application/grpc+proto",
	 {.type = "application/grpc+proto", HELLO},
	 "200",
	 "0",
	 "",
	 1},
	{"application/grpc;a=b",
	 {.type = "application/grpc;a=b", HELLO},
	 "200",
	 "0",
	 "",
	 1},
	{"bytes one by one", {.cut = 1, HELLO}, "200", "0", "", 1},
	{"what cannot be decoded",
	 {BODY("\0\0\0\0\3bad")},
	 "200",
	 "3",
	 "100%25 %C3%A4",
	 1},
	{"a slow reader",
	 {BODY("\0\0\0\0\4full")},
	 "200",
	 "8",
	 "the reader of spans is slow",
	 1},
	{"an end that is near",
	 {BODY("\0\0\0\0\4stop")},
	 "200",
	 "14",
	 "the server is stopping",
	 1},
	{"GET",
	 {.method = "GET", HELLO},
	 "405",
	 "13",
	 "the HTTP method is not POST",
	 0},
	{"JSON",
	 {.type = "application/json", HELLO},
	 "415",
	 "3",
	 "invalid gRPC request content-type \"application/json\"",
	 0},
	{"gRPC-Web",
	 {.type = "application/grpc-web", HELLO},
	 "415",
	 "3",
	 "invalid gRPC request content-type \"application/grpc-web\"",
	 0},
	{"gRPC with JSON",
	 {.type = "application/grpc+json", HELLO},
	 "415",
	 "3",
	 "invalid gRPC request content-type \"application/grpc+json\"",
	 0},
	{"another service",
	 {.path = "/a.B/C", HELLO},
	 "200",
	 "12",
	 "unknown service a.B",
	 0},
	{"another method",
	 {.path = "/jaeger.api_v2.CollectorService/Post", HELLO},
	 "200",
	 "12",
	 "unknown method Post for service jaeger.api_v2.CollectorService",
	 0},
	{"no method",
	 {.path = "/Export", HELLO},
	 "200",
	 "12",
	 "malformed method name: \"/Export\"",
	 0},
	{"an unknown compression",
	 {.encoding = "snappy", HELLO},
	 "200",
	 "12",
	 unsupported,
	 0},
	{"compressed without saying how",
	 {BODY("\1\0\0\0\5hello")},
	 "200",
	 "13",
	 "compressed message without grpc-encoding",
	 0},
	{"compression that is not used",
	 {.encoding = "gzip", HELLO},
	 "200",
	 "0",
	 "",
	 1},
	{"no message", {BODY("")}, "200", "12", "no request message", 0},
	{"two messages",
	 {BODY("\0\0\0\0\1a\0\0\0\0\1b")},
	 "200",
	 "12",
	 "more than one request message",
	 0},
	{"a cut message",
	 {BODY("\0\0\0\0\5hell")},
	 "200",
	 "13",
	 "the request ends inside its message",
	 0},
	{"a cut prefix",
	 {BODY("\0\0\0")},
	 "200",
	 "13",
	 "the request ends inside its message",
	 0},
	{"a flag of 2",
	 {BODY("\2\0\0\0\5hello")},
	 "200",
	 "13",
	 "message flag 2 is unknown",
	 0},
	{"too long a message",
	 {BODY("\0\0\0\3\351"), .open = true},
	 "200",
	 "8",
	 LARGE,
	 0},
	{"a bad grpc-timeout",
	 {.timeout = "soon", HELLO},
	 "200",
	 "13",
	 "malformed grpc-timeout",
	 0},
	{"a long enough grpc-timeout",
	 {.timeout = "1H", HELLO},
	 "200",
	 "0",
	 "",
	 1},
	{"a grpc-timeout of nothing",
	 {.timeout = "0n", HELLO},
	 "200",
	 "4",
	 "the request did not come in time",
	 0},
	{"a grpc-timeout before the end",
	 {.timeout = "20m", .open = true, BODY("\0\0\0\0\5hel")},
	 "200",
	 "4",
	 "the request did not come in time",
	 0},
	{"too many headers",
	 {.more_name = "x", .more_value = long_text, HELLO},
	 "200",
	 "8",
	 "received metadata size exceeds the limit of 16384 bytes",
	 0},
	{"the health of all",
	 {.path = CHECK, BODY("\0\0\0\0\0")},
	 "200",
	 "0",
	 "",
	 0},
	{"the health of an unknown service",
	 {.path = CHECK, BODY("\0\0\0\0\3\n\1x")},
	 "200",
	 "5",
	 "unknown service",
	 0},
	{"the health of nonsense",
	 {.path = CHECK, BODY("\0\0\0\0\1\n")},
	 "200",
	 "3",
	 "not a HealthCheckRequest",
	 0},
	{"the health for ever",
	 {.path = "/grpc.health.v1.Health/Watch", BODY("\0\0\0\0\0")},
	 "200",
	 "12",
	 "unknown method Watch for service grpc.health.v1.Health",
	 0},
};

#define N_ROWS (sizeof(rows) / sizeof(*rows))

static void test_rows(void)
{
	struct request requests[N_ROWS];
	uint64_t refused = 0;

	memset(long_text, 'x', sizeof(long_text) - 1);
	snprintf(unsupported, sizeof(unsupported),
		 "grpc-encoding is not supported; these are: identity, %s",
		 span__codings());
	client_open(&client);
	for (size_t i = 0; i < N_ROWS; i++) {
		size_t before = taken.n;
		struct reply *r;

		requests[i] = rows[i].request;
		r = call(&client, &requests[i]);
		ok(pump(&client, &r->closed), "%s", rows[i].name);
		is_str(r->http, rows[i].http, "its HTTP status");
		is_str(r->status, rows[i].status, "its gRPC status");
		is_str(r->message, rows[i].message, "its message");
		is_str(r->type, "application/grpc", "its content type");
		is_uint(r->body.len != 0, *rows[i].status == '0',
			"a body when it is good");
		is_uint(taken.n - before, rows[i].taken, "payloads of it");
		refused += *rows[i].status != '0';
	}
	is_uint(counts.requests, N_ROWS, "requests are counted");
	is_uint(counts.refused, refused, "those with errors too");
	is_uint(counts.too_large, 1, "and the large one");
	is_uint(counts.timeouts, 2, "and the slow ones");
	is_uint(counts.connections, 1, "all on one connection");
	ok(!client.ended && !client.goodbye, "which goes on");
	client_close(&client);
}

static void test_payload(void)
{
	struct request r = {HELLO, .type = "application/grpc+proto"};
	struct request jaeger = {HELLO, .path = POST_SPANS};
	struct span__address a = {.len = sizeof(a.sa)};
	char peer[SPAN__ADDRESS_TEXT];
	struct reply *reply;

	client_open(&client);
	reply = call(&client, &r);
	ok(pump(&client, &reply->closed), "a call");
	is_mem(taken.data.p, taken.data.len, "hello", 5, "its data");
	is_int(taken.format, SPAN_FORMAT_OTLP_PROTO, "its format");
	is_int(taken.transport, SPAN_TRANSPORT_GRPC, "its transport");
	is_str(taken.path, EXPORT, "its path");
	is_str(taken.type, "application/grpc+proto", "its content type");
	is_uint(taken.port, span__address_port(&server_address), "its port");
	ok(taken.has_time, "its time");
	getsockname(client.fd, &a.sa.any, &a.len);
	span__address_text(&a, peer);
	is_str(taken.peer, peer, "its peer");
	is_mem(reply->body.p, reply->body.len, "\0\0\0\0", 5, "what it gets");
	ok(strstr(reply->accept, "identity, gzip, deflate") != NULL,
	   "it may compress: %s", reply->accept);
	reply = call(&client, &jaeger);
	ok(pump(&client, &reply->closed), "another one");
	is_int(taken.format, SPAN_FORMAT_JAEGER_PROTO, "is Jaeger's");
	is_mem(reply->body.p, reply->body.len, "\0\0\0\0", 5, "what it gets");
	client_close(&client);
}

static void test_bodies(void)
{
	struct request full = {BODY("\0\0\0\0\4full")};
	struct request some = {BODY("\0\0\0\0\4some")};
	struct request posted = {BODY("\0\0\0\0\4some"), .path = POST_SPANS};
	struct request check = {BODY("\0\0\0\0\40\n\36jaeger.api_v2."
				     "CollectorService"),
				.path = CHECK};
	struct reply *r;

	client_open(&client);
	r = call(&client, &full);
	ok(pump(&client, &r->closed), "a call that is too much now");
	is_str(r->details,
	       "CAgSG3RoZSByZWFkZXIgb2Ygc3BhbnMgaXMgc2xvdxowCih0eXBlLmdvb2dsZW"
	       "FwaXMuY29tL2dvb2dsZS5ycGMuUmV0cnlJbmZvEgQKAggB",
	       "it may come again");
	r = call(&client, &some);
	ok(pump(&client, &r->closed), "one with bad spans");
	is_mem(r->body.p, r->body.len,
	       "\0\0\0\0\37\n\35\x08\3\22\0313 spans cannot be decoded", 36,
	       "they are told");
	r = call(&client, &posted);
	ok(pump(&client, &r->closed), "the same for Jaeger");
	is_mem(r->body.p, r->body.len, "\0\0\0\0", 5, "has no place for it");
	r = call(&client, &check);
	ok(pump(&client, &r->closed), "the health of a service");
	is_mem(r->body.p, r->body.len, "\0\0\0\0\2\10\1", 7, "is good");
	client_close(&client);
}

/* An answer before the end of the request does not end the connection. */
static void test_early_answer(void)
{
	char *body = calloc(1, 3 << 20);
	struct request r = {.path = "/a/b", .body = body, .len = 3 << 20};
	struct request good = {HELLO};
	struct reply *reply;

	client_open(&client);
	reply = call(&client, &r);
	ok(pump(&client, &reply->closed), "a long request to nobody");
	is_str(reply->status, "12", "its status");
	reply = call(&client, &good);
	ok(pump(&client, &reply->closed), "a good one after it");
	is_str(reply->status, "0", "its status");
	client_close(&client);
	free(body);
}

static void test_services(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_JAEGER};
	struct request otlp = {HELLO}, jaeger = {HELLO, .path = POST_SPANS};
	struct reply *r;

	serve(&o);
	client_open(&client);
	r = call(&client, &otlp);
	ok(pump(&client, &r->closed), "a service that is not served");
	is_str(r->message,
	       "unknown service "
	       "opentelemetry.proto.collector.trace.v1.TraceService",
	       "is not known");
	r = call(&client, &jaeger);
	ok(pump(&client, &r->closed), "one that is");
	is_str(r->status, "0", "its status");
	client_close(&client);
	end_server();
}

/* Larger than any window: they open as bytes are taken. */
static void test_windows(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};
	size_t len = 20u << 20;
	char *plain = malloc(len);
	struct request requests[2] = {0};
	struct reply *replies[2];
	char *body;

	for (size_t i = 0; i < len; i++)
		plain[i] = (char)(i * 7 + i / 251);
	serve(&o);
	client_open(&client);
	body = framed(plain, len, 0, &requests[0].len);
	requests[0].body = body;
	requests[1] = requests[0];
	for (int i = 0; i < 2; i++)
		replies[i] = call(&client, &requests[i]);
	for (int i = 0; i < 2; i++) {
		ok(pump(&client, &replies[i]->closed), "a message of 20 MiB");
		is_str(replies[i]->status, "0", "its status");
	}
	ok(taken.data.len == len && !memcmp(taken.data.p, plain, len),
	   "it is all there");
	client_close(&client);
	end_server();
	free(body);
	free(plain);
}

#define LATER .body = "\0\0\0\0\5later", .len = 10

/* Calls wait on one connection, in any number, and others overtake them. */
static void test_later(void)
{
	struct request later[4] = {{LATER}, {LATER}, {LATER}, {LATER}};
	struct request good = {HELLO};
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};
	struct reply *r[4], *other;
	uint64_t end = 0;

	serve(&o);
	client_open(&client);
	for (int i = 0; i < 4; i++)
		r[i] = call(&client, &later[i]);
	other = call(&client, &good);
	ok(pump(&client, &other->closed), "one that does not wait");
	for (int i = 0; i < 4; i++)
		ok(!r[i]->headers, "one that waits");
	ok(span__acks_tell(&acks, 1), "the first one is written");
	ok(pump(&client, &r[0]->closed), "and answered");
	is_str(r[0]->status, "0", "its status");
	ok(r[0]->body.len > 5, "with what could not be decoded");
	ok(!r[1]->closed, "the second one is not");
	nghttp2_submit_rst_stream(client.session, 0, r[1]->id, NGHTTP2_CANCEL);
	ok(pump(&client, &r[1]->closed), "it is cancelled");
	other = call(&client, &good);
	ok(pump(&client, &other->closed), "which is heard");
	is_uint(span__acks_first(&acks), 3, "and it waits no more");
	is_uint(span__acks_expire(&acks, 1, &end), 2, "the others are late");
	ok(pump(&client, &r[2]->closed) && pump(&client, &r[3]->closed),
	   "and answered");
	is_str(r[2]->status, "14", "their status");
	is_str(r[2]->message, "not written in time, but maybe later", "why");
	ok(*r[2]->details, "when to come again");
	other = call(&client, &later[0]);
	ok(!pump_for(&client, &other->headers, 50), "one more waits");
	client_close(&client);
	end_server();
	is_uint(span__acks_first(&acks), 0, "nobody waits in a closed server");
}

int main(void)
{
	struct span__grpc_opts o = {
		.services = SPAN__GRPC_OTLP | SPAN__GRPC_JAEGER,
		.max_message = 1000,
	};

	serve(&o);
	test_rows();
	test_payload();
	test_bodies();
	test_early_answer();
	end_server();
	test_services();
	test_windows();
	test_later();
	return done_testing();
}
