/* SPDX-License-Identifier: Apache-2.0 */
/* Writing; seg_strings.c has what the sections hold. */
#include "store/seg_strings.h"

#include "base/le.h"

#include "base/banned.h"

#define HEADER 8u

static void put_number(struct span__chunks_writer *w, size_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (uint8_t)(v | 0x80);
	bytes[n++] = (uint8_t)v;
	span__chunks_writer_put(w, bytes, n);
}

static size_t shared(struct span_str a, struct span_str b)
{
	size_t n = 0;

	while (n < a.len && n < b.len && a.p[n] == b.p[n])
		n++;
	return n;
}

/* Does a string that begins at POS share nothing, to be read without others? */
static bool is_restart(uint64_t pos, uint64_t *chunk)
{
	if (pos / SEG_CHUNK == *chunk)
		return false;
	*chunk = pos / SEG_CHUNK;
	return true;
}

static void put_strings(struct span__chunks_writer *w, const struct span_str *v,
			size_t n)
{
	struct span_str last = {0};
	uint64_t chunk = 0;

	for (size_t i = 0; i < n; i++) {
		size_t same = shared(last, v[i]);

		if (is_restart(span__chunks_writer_len(w), &chunk))
			same = 0;
		last = v[i];
		put_number(w, same);
		put_number(w, last.len - same);
		if (last.len > same)
			span__chunks_writer_put(w, last.p + same,
						last.len - same);
	}
}

/* A section: a header of two numbers, then what PUT writes. */
static int put_section(struct span_buf *out, const struct span_str *v, size_t n,
		       const uint32_t header[2], enum span__seg_codec codec,
		       void (*put)(struct span__chunks_writer *w,
				   const struct span_str *v, size_t n),
		       struct span_error *err)
{
	struct span__chunks_writer *w = NULL;
	uint8_t bytes[HEADER];
	int rc = span__chunks_writer_open(&w, codec, err);

	if (rc < 0)
		return rc;
	span__put32(bytes, header[0]);
	span__put32(bytes + 4, header[1]);
	span__chunks_writer_put(w, bytes, sizeof(bytes));
	put(w, v, n);
	rc = span__chunks_writer_finish(w, out, err);
	span__chunks_writer_close(&w);
	return rc;
}

int span__strings_put_section(struct span_buf *out, const struct span_str *v,
			      size_t n, enum span__seg_codec codec,
			      struct span_error *err)
{
	uint64_t total = 0;

	if (!n)
		return 0;
	for (size_t i = 0; i < n && total <= SEG_STRINGS_BYTES; i++)
		total += v[i].len;
	if (n > SEG_STRINGS_MAX || total > SEG_STRINGS_BYTES)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many strings for a segment");
	return put_section(out, v, n,
			   (uint32_t[]){(uint32_t)n, (uint32_t)total}, codec,
			   put_strings, err);
}

static size_t number_size(size_t v)
{
	size_t n = 1;

	while (v >>= 7)
		n++;
	return n;
}

/* The places where put_strings() began anew: as it does, without writing. */
static void put_restarts(struct span__chunks_writer *w,
			 const struct span_str *v, size_t n)
{
	uint64_t pos = HEADER, chunk = 0, last_pos = 0;
	struct span_str before = {0};
	size_t last = 0;

	for (size_t i = 0; i < n; i++) {
		size_t same = shared(before, v[i]), more;

		if (is_restart(pos, &chunk)) {
			same = 0;
			put_number(w, i - last);
			put_number(w, pos - last_pos);
			last = i;
			last_pos = pos;
		}
		before = v[i];
		more = before.len - same;
		pos += number_size(same) + number_size(more) + more;
	}
}

static void put_shorts(struct span__chunks_writer *w, const struct span_str *v,
		       size_t n)
{
	size_t last = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].len > SEG_STRING_SHORT)
			continue;
		put_number(w, i - last);
		put_number(w, v[i].len);
		if (v[i].len)
			span__chunks_writer_put(w, v[i].p, v[i].len);
		last = i;
	}
	put_restarts(w, v, n);
}

int span__strings_put_short(struct span_buf *out, const struct span_str *v,
			    size_t n, enum span__seg_codec codec,
			    struct span_error *err)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += v[i].len <= SEG_STRING_SHORT;
	if (!n)
		return 0;
	return put_section(out, v, n, (uint32_t[]){(uint32_t)n, count}, codec,
			   put_shorts, err);
}
