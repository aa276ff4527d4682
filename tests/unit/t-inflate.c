/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inflate.h"

#include "config.h"

#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "tests/unit/tap.h"

#define MAX (1u << 20)

static struct span_buf plain, packed, out;

/* LEN bytes that do not compress to nothing. */
static void make_plain(size_t len)
{
	uint32_t x = 1;

	plain.len = 0;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		span_buf_putc(&plain, (char)('a' + (x >> 28)));
	}
}

/* Append PLAIN to PACKED, compressed as zlib's WBITS say. */
static void pack(int wbits)
{
	z_stream z = {0};
	size_t room = plain.len + plain.len / 8 + 128;

	z.next_in = (Bytef *)plain.p;
	z.avail_in = (uInt)plain.len;
	z.next_out = (Bytef *)span_buf_reserve(&packed, room);
	z.avail_out = (uInt)room;
	deflateInit2(&z, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	packed.len += z.total_out;
	deflateEnd(&z);
}

static int unpack(int coding, size_t len, size_t max)
{
	/* A copy of just that length, for sanitizers. */
	char *copy = malloc(len ? len : 1);
	struct span_error err = {0};
	int rc;

	if (len)
		memcpy(copy, packed.p, len);
	out.len = 0;
	rc = span__inflate(coding, copy, len, max, &out, &err);
	if (rc < 0 && (err.code != rc || !err.msg[0]))
		rc = 1;
	free(copy);
	return rc;
}

static void test_sizes(int coding, int wbits, const char *name)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 300000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i];

		make_plain(n);
		packed.len = 0;
		pack(wbits);
		is_int(unpack(coding, packed.len, n), 0, "%s: %zu bytes", name,
		       n);
		is_mem(out.p, out.len, plain.p, plain.len, "%s: the same",
		       name);
		if (n)
			is_int(unpack(coding, packed.len, n - 1), SPAN_E_LIMIT,
			       "%s: one above the limit", name);
	}
}

static void test_cuts(int coding, const char *name)
{
	size_t wrong = 0;

	for (size_t i = 0; i < packed.len; i++)
		wrong += unpack(coding, i, MAX) != SPAN_E_CORRUPT;
	is_uint(wrong, 0, "%s: every cut is damage", name);
	span_buf_putc(&packed, 'x');
	is_int(unpack(coding, packed.len, MAX), SPAN_E_CORRUPT,
	       "%s: and so is what follows", name);
}

static void test_damage(void)
{
	make_plain(200);
	packed.len = 0;
	pack(15 + 16);
	test_cuts(SPAN__CODING_GZIP, "gzip");
	packed.len = 0;
	pack(15);
	test_cuts(SPAN__CODING_DEFLATE, "zlib");
	packed.len = 0;
	pack(-15);
	test_cuts(SPAN__CODING_DEFLATE, "raw deflate");
	packed.len = 0;
	pack(15 + 16);
	packed.p[packed.len - 5] ^= 1;
	is_int(unpack(SPAN__CODING_GZIP, packed.len, MAX), SPAN_E_CORRUPT,
	       "gzip: a wrong checksum");
}

/* Each member is below the limit, all of them are not. */
static void test_members(void)
{
	make_plain(1000);
	packed.len = 0;
	for (int i = 0; i < 3; i++)
		pack(15 + 16);
	is_int(unpack(SPAN__CODING_GZIP, packed.len, 3000), 0, "three members");
	ok(out.len == 3000 && !memcmp(out.p + 2000, plain.p, 1000),
	   "are one text");
	is_int(unpack(SPAN__CODING_GZIP, packed.len, 2999), SPAN_E_LIMIT,
	       "and have one limit");
}

static void test_bomb(void)
{
	plain.len = 0;
	memset(span_buf_reserve(&plain, 64u << 20), 'x', 64u << 20);
	plain.len = 64u << 20;
	packed.len = 0;
	pack(15 + 16);
	is_int(unpack(SPAN__CODING_GZIP, packed.len, MAX), SPAN_E_LIMIT,
	       "64 MiB from %zu bytes is too large", packed.len);
	ok(out.cap <= 4 * MAX, "and takes no more memory than allowed");
}

/* A stored block of a raw stream whose first bytes look like zlib's. */
static void test_raw_like_zlib(void)
{
	/* 0x78: not the last, stored; length 0x0001, the byte 'x'. */
	static const char raw[] = "\x78\x01\x00\xfe\xff"
				  "x"
				  "\x01\x00\x00\xff\xff";

	packed.len = 0;
	span_buf_put(&packed, raw, sizeof(raw) - 1);
	is_int(unpack(SPAN__CODING_DEFLATE, packed.len, MAX), 0,
	       "a raw stream that begins like zlib");
	is(out.p, out.len, "x", "is read as raw");
}

static void test_names(void)
{
	is_int(span__coding_of(SPAN_STR("")), SPAN__CODING_IDENTITY, "none");
	is_int(span__coding_of(SPAN_STR("GZIP")), SPAN__CODING_GZIP, "GZIP");
	is_int(span__coding_of(SPAN_STR("x-gzip")), SPAN__CODING_GZIP, "old");
	is_int(span__coding_of(SPAN_STR("deflate")), SPAN__CODING_DEFLATE,
	       "deflate");
	is_int(span__coding_of(SPAN_STR("br")), -1, "not brotli");
	is_int(span__coding_of(SPAN_STR("gzip, gzip")), -1, "not two layers");
	is_int(span__coding_of(SPAN_STR("gzi")), -1, "not a prefix");
	is_int(unpack(99, 0, 1), SPAN_E_INVALID, "not a number that is none");
}

static void test_identity(void)
{
	make_plain(10);
	packed.len = 0;
	span_buf_put(&packed, plain.p, 10);
	is_int(unpack(SPAN__CODING_IDENTITY, 10, 10), 0, "identity");
	is_mem(out.p, out.len, plain.p, 10, "is a copy");
	is_int(unpack(SPAN__CODING_IDENTITY, 10, 9), SPAN_E_LIMIT,
	       "with the same limit");
}

#ifdef HAVE_ZSTD
static void pack_zstd(int window_log)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(plain.len);
	char *to = span_buf_reserve(&packed, room);

	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
	ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
	packed.len += ZSTD_compress2(c, to, room, plain.p, plain.len);
	ZSTD_freeCCtx(c);
}

static void test_zstd(void)
{
	make_plain(200000);
	packed.len = 0;
	pack_zstd(20);
	is_int(span__coding_of(SPAN_STR("zstd")), SPAN__CODING_ZSTD, "zstd");
	is_int(unpack(SPAN__CODING_ZSTD, packed.len, 200000), 0, "unpacks");
	is_mem(out.p, out.len, plain.p, plain.len, "the same");
	is_int(unpack(SPAN__CODING_ZSTD, packed.len, 199999), SPAN_E_LIMIT,
	       "one above the limit");
	pack_zstd(20);
	is_int(unpack(SPAN__CODING_ZSTD, packed.len, 400000), 0, "two frames");
	is_uint(out.len, 400000, "are one text");
	make_plain(300);
	packed.len = 0;
	pack_zstd(20);
	test_cuts(SPAN__CODING_ZSTD, "zstd");
	plain.len = 0;
	memset(span_buf_reserve(&plain, 17u << 20), 'x', 17u << 20);
	plain.len = 17u << 20;
	packed.len = 0;
	pack_zstd(24);
	is_int(unpack(SPAN__CODING_ZSTD, packed.len, 32u << 20), SPAN_E_LIMIT,
	       "a window of 16 MiB is refused");
}
#else
static void test_zstd(void)
{
	is_int(span__coding_of(SPAN_STR("zstd")), -1, "zstd is not known");
}
#endif

int main(void)
{
	test_names();
	test_identity();
	test_sizes(SPAN__CODING_GZIP, 15 + 16, "gzip");
	test_sizes(SPAN__CODING_DEFLATE, 15, "zlib");
	test_sizes(SPAN__CODING_DEFLATE, -15, "raw deflate");
	test_damage();
	test_members();
	test_bomb();
	test_raw_like_zlib();
	test_zstd();
	span_buf_release(&plain);
	span_buf_release(&packed);
	span_buf_release(&out);
	return done_testing();
}
