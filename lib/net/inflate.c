/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inflate.h"

#include "config.h"

#include <string.h>
#include <strings.h>

#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif

#include "base/banned.h"

#define PIECE 65536u /* bytes of output that are asked for at once */
#define WBITS_ZLIB 15
#define WBITS_RAW (-15)
#define WBITS_GZIP (15 + 16)
#define WINDOW_LOG 23 /* what RFC 9659 has clients use at most */

static const struct {
	const char *name;
	int coding;
} names[] = {
	{"", SPAN__CODING_IDENTITY},	   {"identity", SPAN__CODING_IDENTITY},
	{"gzip", SPAN__CODING_GZIP},	   {"x-gzip", SPAN__CODING_GZIP},
	{"deflate", SPAN__CODING_DEFLATE}, {"zlib", SPAN__CODING_DEFLATE},
#ifdef HAVE_ZSTD
	{"zstd", SPAN__CODING_ZSTD},
#endif
};

int span__coding_of(struct span_str name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == name.len &&
		    (!name.len ||
		     !strncasecmp(names[i].name, name.p, name.len)))
			return names[i].coding;
	return -1;
}

const char *span__codings(void)
{
#ifdef HAVE_ZSTD
	return "gzip, deflate, zstd";
#else
	return "gzip, deflate";
#endif
}

/*
 * Room for the next piece of output: one byte above what is left of MAX, so
 * that a body of just MAX bytes can end.
 */
static char *next_piece(struct span_buf *out, size_t start, size_t max,
			size_t *len)
{
	size_t left = max - (out->len - start);

	*len = left < PIECE ? left + 1 : PIECE;
	return span_buf_reserve(out, *len);
}

static int too_large(size_t max, struct span_error *err)
{
	return span_error_set(err, SPAN_E_LIMIT,
			      "larger than %zu bytes when inflated", max);
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/*
 * Take in all of Z's input, of one member after the other when MEMBERS. START
 * is where the output began.
 */
static int inflate_all(z_stream *z, bool members, size_t start, size_t max,
		       struct span_buf *out, struct span_error *err)
{
	int rc = Z_OK;

	while (rc != Z_STREAM_END || (members && z->avail_in)) {
		size_t len;
		char *to = next_piece(out, start, max, &len);

		if (!to)
			return no_memory(err);
		if (rc == Z_STREAM_END)
			inflateReset(z);
		z->next_out = (Bytef *)to;
		z->avail_out = (uInt)len;
		rc = inflate(z, Z_NO_FLUSH);
		out->len += len - z->avail_out;
		if (out->len - start > max)
			return too_large(max, err);
		if (rc == Z_BUF_ERROR && !z->avail_in)
			return span_error_set(err, SPAN_E_CORRUPT,
					      "compressed data is cut");
		if (rc == Z_MEM_ERROR)
			return no_memory(err);
		if (rc != Z_OK && rc != Z_STREAM_END)
			return span_error_set(err, SPAN_E_CORRUPT,
					      "damaged compressed data: %s",
					      z->msg ? z->msg : zError(rc));
	}
	if (z->avail_in)
		return span_error_set(err, SPAN_E_CORRUPT,
				      "something follows compressed data");
	return 0;
}

static int with_zlib(int wbits, const void *p, size_t len, size_t max,
		     struct span_buf *out, struct span_error *err)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)len};
	int rc;

	if (len > UINT32_MAX)
		return span_error_set(err, SPAN_E_LIMIT, "above 4 GiB");
	if (inflateInit2(&z, wbits) != Z_OK)
		return no_memory(err);
	rc = inflate_all(&z, wbits == WBITS_GZIP, out->len, max, out, err);
	inflateEnd(&z);
	return rc;
}

/* RFC 1950 2.2: the method is deflate, and the head divides by 31. */
static bool has_zlib_head(const unsigned char *p, size_t len)
{
	return len >= 2 && (p[0] & 15) == 8 && (p[0] << 8 | p[1]) % 31 == 0;
}

/* A raw stream can begin like one of zlib, so that both are tried. */
static int with_deflate(const void *p, size_t len, size_t max,
			struct span_buf *out, struct span_error *err)
{
	size_t start = out->len;
	int rc = SPAN_E_CORRUPT;

	if (has_zlib_head(p, len))
		rc = with_zlib(WBITS_ZLIB, p, len, max, out, err);
	if (rc != SPAN_E_CORRUPT)
		return rc;
	out->len = start;
	return with_zlib(WBITS_RAW, p, len, max, out, err);
}

#ifdef HAVE_ZSTD
static int zstd_error(size_t rc, struct span_error *err)
{
	switch (ZSTD_getErrorCode(rc)) {
	case ZSTD_error_memory_allocation:
		return no_memory(err);
	case ZSTD_error_frameParameter_windowTooLarge:
		return span_error_set(err, SPAN_E_LIMIT,
				      "the window of zstd is above 8 MiB");
	default:
		return span_error_set(err, SPAN_E_CORRUPT,
				      "damaged zstd data: %s",
				      ZSTD_getErrorName(rc));
	}
}

static int zstd_all(ZSTD_DCtx *z, ZSTD_inBuffer *in, size_t max,
		    struct span_buf *out, struct span_error *err)
{
	size_t start = out->len, rc = 1;
	bool full = true; /* there may be more without more input */

	while (in->pos < in->size || (rc && full)) {
		ZSTD_outBuffer to = {0};

		to.dst = next_piece(out, start, max, &to.size);
		if (!to.dst)
			return no_memory(err);
		rc = ZSTD_decompressStream(z, &to, in);
		if (ZSTD_isError(rc))
			return zstd_error(rc, err);
		out->len += to.pos;
		if (out->len - start > max)
			return too_large(max, err);
		full = to.pos == to.size;
	}
	if (rc)
		return span_error_set(err, SPAN_E_CORRUPT, "zstd data is cut");
	return 0;
}

static int with_zstd(const void *p, size_t len, size_t max,
		     struct span_buf *out, struct span_error *err)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer in = {.src = p, .size = len};
	int rc;

	if (!z)
		return no_memory(err);
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG);
	rc = zstd_all(z, &in, max, out, err);
	ZSTD_freeDCtx(z);
	return rc;
}
#endif

static int copy(const void *p, size_t len, size_t max, struct span_buf *out,
		struct span_error *err)
{
	if (len > max)
		return span_error_set(err, SPAN_E_LIMIT,
				      "larger than %zu bytes", max);
	span_buf_put(out, p, len);
	return out->failed ? no_memory(err) : 0;
}

int span__inflate(int coding, const void *p, size_t len, size_t max,
		  struct span_buf *out, struct span_error *err)
{
	switch (coding) {
	case SPAN__CODING_IDENTITY:
		return copy(p, len, max, out, err);
	case SPAN__CODING_GZIP:
		return with_zlib(WBITS_GZIP, p, len, max, out, err);
	case SPAN__CODING_DEFLATE:
		return with_deflate(p, len, max, out, err);
#ifdef HAVE_ZSTD
	case SPAN__CODING_ZSTD:
		return with_zstd(p, len, max, out, err);
#endif
	default:
		return span_error_set(err, SPAN_E_INVALID, "no such coding: %d",
				      coding);
	}
}
