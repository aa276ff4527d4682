/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that mean no good: frames by hand, many of them. */
#include "tests/unit/grpc-client.h"

#define MS UINT64_C(1000000)

static const bool never;

static void put_frame(struct span_buf *b, int type, int flags, uint32_t id,
		      const void *p, size_t len)
{
	const char head[9] = {
		(char)(len >> 16), (char)(len >> 8), (char)len,
		(char)type,	   (char)flags,	     (char)(id >> 24),
		(char)(id >> 16),  (char)(id >> 8),  (char)id};

	span_buf_put(b, head, sizeof(head));
	span_buf_put(b, p, len);
}

enum { GOES_ON = -1, NO_GOODBYE = -2 };

/* The code of the GOAWAY among the frames of B. */
static int goodbye_in(const struct span_buf *b)
{
	const unsigned char *p = (const unsigned char *)b->p;

	for (size_t i = 0; i + 17 <= b->len;) {
		if (p[i + 3] == NGHTTP2_GOAWAY)
			return p[i + 16];
		i += 9 +
		     ((size_t)p[i] << 16 | (size_t)p[i + 1] << 8 | p[i + 2]);
	}
	return NO_GOODBYE;
}

/* Read what there is. False at the end. */
static bool receive(int fd, struct span_buf *in)
{
	char *to = span_buf_reserve(in, 65536);
	ssize_t n = recv(fd, to, 65536, MSG_DONTWAIT);

	in->len += n > 0 ? (size_t)n : 0;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/*
 * Send B after a usual beginning, while the server works. Returns how the
 * server ended that: the code of its GOAWAY, or one of the above.
 */
static int outcome_of(const struct span_buf *b)
{
	struct span_buf all = {0}, in = {0};
	uint64_t end = clock_ms() + 10000;
	bool open = true;
	int fd = connect_socket(), quiet = 0, rc;

	span_buf_puts(&all, NGHTTP2_CLIENT_MAGIC);
	put_frame(&all, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	span_buf_put(&all, b->p, b->len);
	for (size_t sent = 0; open && quiet < 3 && clock_ms() < end;) {
		size_t before = in.len;
		ssize_t n = 0;

		if (sent < all.len)
			n = send(fd, all.p + sent, all.len - sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		server.turn(server.self, NULL);
		open = receive(fd, &in) && (n >= 0 || errno == EAGAIN);
		quiet = sent == all.len && in.len == before ? quiet + 1 : 0;
	}
	close(fd);
	(void)pump_for(NULL, &never, 1);
	rc = open ? GOES_ON : goodbye_in(&in);
	span_buf_release(&all);
	span_buf_release(&in);
	return rc;
}

/* ":method: POST", ":scheme: http", ":path: /" by their static indices. */
#define STATIC_POST "\x83\x86\x84"

/* The header block of a call to PATH (under 127 bytes) that is all right. */
static void put_call(struct span_buf *b, int flags, uint32_t id,
		     const char *path)
{
	static const char type[] = "\x0f\x10\x10"
				   "application/grpc";
	struct span_buf block = {0};

	span_buf_puts(&block, "\x83\x86\1\1a\4");
	span_buf_putc(&block, (char)strlen(path));
	span_buf_puts(&block, path);
	span_buf_puts(&block, type);
	put_frame(b, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | flags, id,
		  block.p, block.len);
	span_buf_release(&block);
}

#define MANY 20000u

struct flood {
	const char *name;
	uint8_t type;
	uint8_t id_step; /* of the stream, from one frame to the next */
	const char *p;
	size_t len;
	uint32_t times;
	int want;
};

/* After the header block of a call, or a part of one before CONTINUATION. */
static const struct flood floods[] = {
	{"a hundred pings", NGHTTP2_PING, 0, "12345678", 8, 100, GOES_ON},
	{"pings", NGHTTP2_PING, 0, "12345678", 8, MANY, NO_GOODBYE},
	{"settings", NGHTTP2_SETTINGS, 0, "\0\3\0\0\0\1", 6, MANY, NO_GOODBYE},
	{"priorities", NGHTTP2_PRIORITY, 2, "\0\0\0\0\1", 5, MANY,
	 NGHTTP2_ENHANCE_YOUR_CALM},
	{"window updates", NGHTTP2_WINDOW_UPDATE, 0, "\0\0\0\1", 4, MANY,
	 NGHTTP2_ENHANCE_YOUR_CALM},
	{"a hundred empty data", NGHTTP2_DATA, 0, "", 0, 100, GOES_ON},
	{"empty data", NGHTTP2_DATA, 0, "", 0, MANY, NGHTTP2_ENHANCE_YOUR_CALM},
	{"continuations", NGHTTP2_CONTINUATION, 0, "", 0, 100, NO_GOODBYE},
};

static void test_floods(void)
{
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(floods) / sizeof(*floods); i++) {
		const struct flood *f = &floods[i];
		bool of_call = f->type == NGHTTP2_DATA ||
			       f->type == NGHTTP2_CONTINUATION;

		b.len = 0;
		if (f->type == NGHTTP2_CONTINUATION)
			put_frame(&b, NGHTTP2_HEADERS, 0, 1, STATIC_POST, 3);
		else
			put_call(&b, 0, 1, EXPORT);
		for (uint32_t n = 0; n < f->times; n++)
			put_frame(&b, f->type, 0,
				  f->id_step * n + (of_call || f->id_step),
				  f->p, f->len);
		is_int(outcome_of(&b), f->want, "%s", f->name);
	}
	span_buf_release(&b);
}

static void test_resets(void)
{
	struct span_buf b = {0};

	for (uint32_t i = 0; i < 2000; i++) {
		put_call(&b, 0, 2 * i + 1, EXPORT);
		put_frame(&b, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x8", 4);
	}
	is_int(outcome_of(&b), NGHTTP2_ENHANCE_YOUR_CALM, "rapid resets");
	span_buf_release(&b);
}

/* A header of 3000 bytes that is said once, then named by a byte. */
static void test_header_bomb(void)
{
	struct span_buf b = {0};
	char block[4096], again[1000];

	memcpy(block, STATIC_POST "\x40\1x\x7f\xb9\x16", 9);
	memset(block + 9, 'v', 3000);
	memset(again, 0xbe, sizeof(again));
	put_frame(&b, NGHTTP2_HEADERS, 0, 1, block, 9 + 3000);
	put_frame(&b, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, again,
		  sizeof(again));
	is_int(outcome_of(&b), NGHTTP2_ENHANCE_YOUR_CALM, "a header bomb");
	span_buf_release(&b);
}

static void test_nonsense(void)
{
	struct span_buf b = {0};

	span_buf_puts(&b, "and then not HTTP/2 any more, for some bytes");
	is_int(outcome_of(&b), NGHTTP2_FRAME_SIZE_ERROR, "what is not HTTP/2");
	span_buf_release(&b);
}

/* A client that never reads its answers. */
static void test_deaf(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .request_ns = 100 * MS};
	struct span_buf b = {0};
	int fd;
	uint64_t end = clock_ms() + 10000;
	size_t sent = 0;

	small_buffers = 8192;
	serve(&o);
	fd = connect_socket();
	small_buffers = 0;
	span_buf_puts(&b, NGHTTP2_CLIENT_MAGIC);
	put_frame(&b, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	/* Each is answered with a long sentence, and no two are the same. */
	for (uint32_t i = 0; i < 5000; i++) {
		char path[100];

		snprintf(path, sizeof(path),
			 "/%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%"
			 "%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%u/a",
			 i);
		put_call(&b, NGHTTP2_FLAG_END_STREAM, 2 * i + 1, path);
	}
	while (clock_ms() < end) {
		ssize_t n = sent < b.len ? send(fd, b.p + sent, b.len - sent,
						MSG_NOSIGNAL | MSG_DONTWAIT)
					 : -1;

		sent += n > 0 ? (size_t)n : 0;
		server.turn(server.self, NULL);
		server.counts(server.self, &counts);
		if (counts.timeouts)
			break;
	}
	is_uint(counts.timeouts, 1, "who takes no answers is left");
	is_uint(counts.open, 0, "for good");
	ok(sent < b.len, "and not heard to the end");
	close(fd);
	span_buf_release(&b);
	end_server();
}

int main(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};

	serve(&o);
	test_floods();
	test_resets();
	test_header_bomb();
	test_nonsense();
	is_uint(counts.open, 0, "no connection is left");
	end_server();
	test_deaf();
	return done_testing();
}
