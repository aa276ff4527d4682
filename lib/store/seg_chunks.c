/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_chunks.h"

#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "store/seg_codec.h"

#include "base/banned.h"

#define KEPT 32u /* chunks: 2 MiB */

/*
 * What was decompressed last. The one that was used longest ago is given up;
 * memory is taken when a place is first needed.
 */
struct kept {
	uint64_t chunk; /* its number and 1; 0: none */
	uint64_t used;
	char *p;
};

struct span__chunks {
	struct span__area area, data;
	uint64_t len, n;
	struct span__codec own; /* where there is no file */
	struct kept kept[KEPT];
	uint64_t clock;
	struct span_buf joined;
};

static int open_section(struct span__chunks *c, struct span_error *err)
{
	const uint8_t *p = c->area.p;
	uint64_t begin;
	uint32_t codecs;

	if (!span__area_ok(&c->area, 0, CHUNKS_HEADER))
		return span_error_set(err, SPAN_E_CORRUPT, "bad chunks");
	c->len = span__get64(p);
	c->n = span__get32(p + 8);
	codecs = span__get32(p + 12);
	begin = CHUNKS_HEADER + c->n * CHUNKS_ENTRY;
	if (c->len / SEG_CHUNK + (c->len % SEG_CHUNK != 0) != c->n ||
	    begin > c->area.len) {
		span__area_bad(&c->area);
		return span_error_set(err, SPAN_E_CORRUPT, "bad chunks");
	}
	for (unsigned i = 0; i < 32; i++) {
		if (codecs >> i & 1 && !span__codec_known(i))
			return span_error_set(
				err, SPAN_E_FORMAT,
				"it is compressed with %s, which this build "
				"cannot read",
				i == SEG_CODEC_ZSTD ? "zstd"
						    : "an unknown codec");
	}
	c->data = span__area_sub(&c->area, begin, c->area.len - begin);
	return 0;
}

int span__chunks_open(struct span__chunks **out, const struct span__area *area,
		      struct span_error *err)
{
	struct span__chunks *c = calloc(1, sizeof(*c));
	int rc = 0;

	*out = NULL;
	if (!c)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	c->area = *area;
	if (area->len)
		rc = open_section(c, err);
	if (rc < 0)
		span__chunks_close(&c);
	*out = c;
	return rc;
}

uint64_t span__chunks_len(const struct span__chunks *c)
{
	return c->len;
}

/* Where chunk I is in the data, and its codec. */
static bool find_chunk(const struct span__chunks *c, uint64_t i,
		       struct span__area *out, unsigned *codec)
{
	uint64_t pos = CHUNKS_HEADER + i * CHUNKS_ENTRY, begin = 0, end;
	const uint8_t *p = c->area.p + pos;

	if (!span__area_ok(&c->area, pos, CHUNKS_ENTRY) ||
	    (i && !span__area_ok(&c->area, pos - CHUNKS_ENTRY, CHUNKS_ENTRY)))
		return false;
	if (i)
		begin = span__get64(p - CHUNKS_ENTRY) & CHUNKS_END;
	end = span__get64(p);
	*codec = (unsigned)(end >> 56);
	end &= CHUNKS_END;
	if (begin >= end || end > c->data.len)
		return span__area_bad(&c->area);
	*out = span__area_sub(&c->data, begin, end - begin);
	return span__area_ok(out, 0, out->len);
}

static struct kept *find_kept(struct span__chunks *c, uint64_t i)
{
	struct kept *oldest = c->kept;

	for (size_t k = 0; k < KEPT; k++) {
		if (c->kept[k].chunk == i + 1)
			return &c->kept[k];
		if (c->kept[k].used < oldest->used)
			oldest = &c->kept[k];
	}
	return oldest;
}

/* Chunk I, decompressed, or as it is in the file. */
static const char *get_chunk(struct span__chunks *c, uint64_t i, size_t *len)
{
	struct kept *k = find_kept(c, i);
	struct span__area in;
	unsigned codec;

	*len = SEG_CHUNK;
	if (i + 1 == c->n)
		*len = (size_t)(c->len - i * SEG_CHUNK);
	if (k->chunk == i + 1) {
		k->used = ++c->clock;
		return k->p;
	}
	if (!find_chunk(c, i, &in, &codec))
		return NULL;
	if (codec == SEG_CODEC_NONE && in.len == *len)
		return (const char *)in.p;
	k->chunk = 0;
	if (!k->p)
		k->p = malloc(SEG_CHUNK);
	if (!k->p)
		return NULL;
	if (!span__codec_unpack(c->area.file ? &c->area.file->codec : &c->own,
				codec, in.p, (size_t)in.len, k->p, *len)) {
		span__area_bad(&in);
		return NULL;
	}
	if (c->area.file && c->area.file->work) {
		span__work_add(&c->area.file->work->packed_bytes, in.len);
		span__work_add(&c->area.file->work->unpacked_bytes, *len);
	}
	k->chunk = i + 1;
	k->used = ++c->clock;
	return k->p;
}

static bool join(struct span__chunks *c, uint64_t pos, size_t len,
		 struct span_str *out)
{
	c->joined.len = 0;
	while (len) {
		size_t chunk_len, at = (size_t)(pos % SEG_CHUNK), n;
		const char *p = get_chunk(c, pos / SEG_CHUNK, &chunk_len);

		if (!p)
			return false;
		n = chunk_len - at < len ? chunk_len - at : len;
		span_buf_put(&c->joined, p + at, n);
		pos += n;
		len -= n;
	}
	if (c->joined.failed) {
		c->joined.failed = false;
		return false;
	}
	*out = (struct span_str){c->joined.p, c->joined.len};
	return true;
}

bool span__chunks_get(struct span__chunks *c, uint64_t pos, size_t len,
		      struct span_str *out)
{
	size_t chunk_len;
	const char *p;

	*out = (struct span_str){0};
	if (pos > c->len || len > c->len - pos || len > SEG_CHUNKS_GET_MAX)
		return span__area_bad(&c->area);
	if (!len)
		return true;
	if (pos % SEG_CHUNK + len > SEG_CHUNK)
		return join(c, pos, len, out);
	p = get_chunk(c, pos / SEG_CHUNK, &chunk_len);
	if (!p)
		return false;
	*out = (struct span_str){p + pos % SEG_CHUNK, len};
	return true;
}

bool span__chunks_around(struct span__chunks *c, uint64_t pos, uint64_t *begin,
			 struct span_str *out)
{
	const char *p;
	size_t len;

	*out = (struct span_str){0};
	*begin = pos - pos % SEG_CHUNK;
	if (pos >= c->len)
		return span__area_bad(&c->area);
	p = get_chunk(c, pos / SEG_CHUNK, &len);
	if (p)
		*out = (struct span_str){p, len};
	return p;
}

size_t span__chunks_held(const struct span__chunks *c)
{
	size_t n = c ? sizeof(*c) + c->joined.cap : 0;

	for (size_t k = 0; c && k < KEPT; k++)
		n += c->kept[k].p ? SEG_CHUNK : 0;
	return n;
}

void span__chunks_close(struct span__chunks **chunks)
{
	struct span__chunks *c = *chunks;

	if (!c)
		return;
	for (size_t k = 0; k < KEPT; k++)
		free(c->kept[k].p);
	span__codec_release(&c->own);
	span_buf_release(&c->joined);
	free(c);
	*chunks = NULL;
}
