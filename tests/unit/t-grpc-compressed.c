/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that are compressed: good ones, bombs, and what was cut off. */
#include "tests/unit/grpc-client.h"

#include <zlib.h>

static struct client client;

/* The LEN bytes at P as gzip or zlib has them. */
static size_t compress_as(bool gzip, const void *p, size_t len, char *to,
			  size_t size)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)len};

	deflateInit2(&z, 9, Z_DEFLATED, gzip ? 31 : 15, 8, Z_DEFAULT_STRATEGY);
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)size;
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return z.total_out;
}

static void test_compression(void)
{
	static const struct {
		const char *name, *encoding;
		bool gzip;
		size_t len;
		size_t cut; /* bytes that are missing */
		const char *status, *message;
	} cases[] = {
		{"gzip", "gzip", true, 1000, 0, "0", ""},
		{"deflate", "deflate", false, 1000, 0, "0", ""},
		{"a bomb", "gzip", true, 100000, 0, "8",
		 "larger than 1000 bytes when inflated"},
		{"one byte more than is allowed", "gzip", true, 1001, 0, "8",
		 "larger than 1000 bytes when inflated"},
	};
	char plain[100000] = "", packed[1000];

	client_open(&client);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t n = compress_as(cases[i].gzip, plain, cases[i].len,
				       packed, sizeof(packed));
		struct request r = {.encoding = cases[i].encoding};
		char *body = framed(packed, n - cases[i].cut, 1, &r.len);
		struct reply *reply;

		r.body = body;
		reply = call(&client, &r);
		ok(pump(&client, &reply->closed), "%s", cases[i].name);
		is_str(reply->status, cases[i].status, "its status");
		is_str(reply->message, cases[i].message, "its message");
		if (*cases[i].status == '0')
			is_mem(taken.data.p, taken.data.len, plain,
			       cases[i].len, "what was compressed");
		free(body);
	}
	client_close(&client);
}

static void test_damage(void)
{
	char plain[100] = "", packed[1000];
	size_t n =
		compress_as(true, plain, sizeof(plain), packed, sizeof(packed));
	struct request r = {.encoding = "gzip"};
	char *body = framed(packed, n - 1, 1, &r.len);
	struct reply *reply;

	client_open(&client);
	r.body = body;
	reply = call(&client, &r);
	ok(pump(&client, &reply->closed), "gzip without its end");
	is_str(reply->status, "13", "its status");
	ok(*reply->message, "its message: %s", reply->message);
	free(body);
	client_close(&client);
}

int main(void)
{
	struct span__grpc_opts o = {
		.services = SPAN__GRPC_OTLP,
		.max_message = 1000,
	};

	serve(&o);
	test_compression();
	test_damage();
	end_server();
	return done_testing();
}
