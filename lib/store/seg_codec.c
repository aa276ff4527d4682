/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_codec.h"

#include <string.h>
#include <zlib.h>

#include "config.h"

#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/banned.h"

#define ZLIB_LEVEL 6
#define ZSTD_LEVEL 6

enum span__seg_codec span__seg_codec_best(void)
{
	return span__codec_known(SEG_CODEC_ZSTD) ? SEG_CODEC_ZSTD
						 : SEG_CODEC_ZLIB;
}

#ifdef HAVE_ZSTD

bool span__codec_known(unsigned codec)
{
	return codec <= SEG_CODEC_ZSTD;
}

static size_t zstd_pack(struct span__codec *c, const void *p, size_t len,
			void *out)
{
	size_t n;

	if (!c->packer)
		c->packer = ZSTD_createCCtx();
	if (!c->packer)
		return 0;
	n = ZSTD_compressCCtx(c->packer, out, len, p, len, ZSTD_LEVEL);
	return ZSTD_isError(n) ? 0 : n;
}

static bool zstd_unpack(struct span__codec *c, const void *p, size_t len,
			void *out, size_t out_len)
{
	if (!c->unpacker)
		c->unpacker = ZSTD_createDCtx();
	return c->unpacker && ZSTD_decompressDCtx(c->unpacker, out, out_len, p,
						  len) == out_len;
}

size_t span__codec_memory(const struct span__codec *c)
{
	return ZSTD_sizeof_CCtx(c->packer) + ZSTD_sizeof_DCtx(c->unpacker);
}

void span__codec_release(struct span__codec *c)
{
	ZSTD_freeCCtx(c->packer);
	ZSTD_freeDCtx(c->unpacker);
	*c = (struct span__codec){0};
}

#else

bool span__codec_known(unsigned codec)
{
	return codec <= SEG_CODEC_ZLIB;
}

static size_t zstd_pack(struct span__codec *c, const void *p, size_t len,
			void *out)
{
	(void)c;
	(void)p;
	(void)len;
	(void)out;
	return 0;
}

static bool zstd_unpack(struct span__codec *c, const void *p, size_t len,
			void *out, size_t out_len)
{
	(void)c;
	(void)p;
	(void)len;
	(void)out;
	(void)out_len;
	return false;
}

size_t span__codec_memory(const struct span__codec *c)
{
	(void)c;
	return 0;
}

void span__codec_release(struct span__codec *c)
{
	(void)c;
}

#endif

static size_t zlib_pack(const void *p, size_t len, void *out)
{
	uLongf n = len;

	return compress2(out, &n, p, len, ZLIB_LEVEL) == Z_OK ? n : 0;
}

static bool zlib_unpack(const void *p, size_t len, void *out, size_t out_len)
{
	uLongf n = out_len;

	return uncompress(out, &n, p, len) == Z_OK && n == out_len;
}

size_t span__codec_pack(struct span__codec *c, enum span__seg_codec codec,
			const void *p, size_t len, void *out)
{
	size_t n = 0;

	if (codec == SEG_CODEC_ZLIB)
		n = zlib_pack(p, len, out);
	else if (codec == SEG_CODEC_ZSTD)
		n = zstd_pack(c, p, len, out);
	return n < len ? n : 0;
}

bool span__codec_unpack(struct span__codec *c, unsigned codec, const void *p,
			size_t len, void *out, size_t out_len)
{
	switch (codec) {
	case SEG_CODEC_NONE:
		if (len != out_len)
			return false;
		memcpy(out, p, len);
		return true;
	case SEG_CODEC_ZLIB:
		return zlib_unpack(p, len, out, out_len);
	case SEG_CODEC_ZSTD:
		return zstd_unpack(c, p, len, out, out_len);
	default:
		return false;
	}
}
