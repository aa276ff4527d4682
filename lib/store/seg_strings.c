/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequence in the chunks: number of strings (4 bytes), their length
 * together (4), then for each how many bytes it shares with the one before,
 * how many follow, and these. The two lengths are numbers of 7 bits a byte,
 * lowest first, with the highest bit set in all but the last byte.
 */
#include "store/seg_strings.h"

#include <string.h>

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

static void put_strings(struct span__chunks_writer *w, const struct span_str *v,
			size_t n)
{
	struct span_str last = {0};

	for (size_t i = 0; i < n; i++) {
		size_t same = shared(last, v[i]);

		last = v[i];
		put_number(w, same);
		put_number(w, last.len - same);
		if (last.len > same)
			span__chunks_writer_put(w, last.p + same,
						last.len - same);
	}
}

int span__strings_put_section(struct span_buf *out, const struct span_str *v,
			      size_t n, enum span__seg_codec codec,
			      struct span_error *err)
{
	struct span__chunks_writer *w = NULL;
	uint8_t header[HEADER];
	uint64_t total = 0;
	int rc;

	if (!n)
		return 0;
	for (size_t i = 0; i < n && total <= SEG_STRINGS_BYTES; i++)
		total += v[i].len;
	if (n > SEG_STRINGS_MAX || total > SEG_STRINGS_BYTES)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many strings for a segment");
	rc = span__chunks_writer_open(&w, codec, err);
	if (rc < 0)
		return rc;
	span__put32(header, (uint32_t)n);
	span__put32(header + 4, (uint32_t)total);
	span__chunks_writer_put(w, header, sizeof(header));
	put_strings(w, v, n);
	rc = span__chunks_writer_finish(w, out, err);
	span__chunks_writer_close(&w);
	return rc;
}

/* The next number, or SIZE_MAX. */
static size_t get_number(const uint8_t **p, const uint8_t *end)
{
	size_t v = 0;

	for (unsigned shift = 0; *p < end && shift < 28; shift += 7) {
		uint8_t byte = *(*p)++;

		v |= (size_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	return SIZE_MAX;
}

/* The strings of the sequence IN, whose text is put at TEXT. */
static bool decode(struct span__strings *s, struct span_str in, char *text,
		   size_t room)
{
	const uint8_t *p = (const uint8_t *)in.p + HEADER;
	const uint8_t *end = (const uint8_t *)in.p + in.len;
	struct span_str last = {0};

	for (size_t i = 0; i < s->n; i++) {
		size_t same = get_number(&p, end);
		size_t more = get_number(&p, end);

		if (same > last.len || more > (size_t)(end - p) ||
		    same + more > room)
			return false;
		if (same)
			memcpy(text, last.p, same);
		if (more)
			memcpy(text + same, p, more);
		last = (struct span_str){text, same + more};
		s->v[i] = last;
		text += last.len;
		room -= last.len;
		p += more;
	}
	return p == end && !room;
}

static int open_sequence(struct span__strings *s, struct span__chunks *c,
			 const struct span__area *area, struct span_error *err)
{
	uint64_t len = span__chunks_len(c);
	struct span_str in;
	uint32_t n, total;
	char *text;

	if (!len)
		return 0;
	if (len < HEADER || !span__chunks_get(c, 0, (size_t)len, &in))
		goto bad;
	n = span__get32((const uint8_t *)in.p);
	total = span__get32((const uint8_t *)in.p + 4);
	if (n > SEG_STRINGS_MAX || total > SEG_STRINGS_BYTES ||
	    n > (len - HEADER) / 2)
		goto bad;
	s->v = span_arena_array(&s->arena, n, sizeof(*s->v));
	text = span_arena_alloc(&s->arena, total);
	if (!s->v || !text)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->n = n;
	if (decode(s, in, text, total))
		return 0;
bad:
	span__area_bad(area);
	return span_error_set(err, SPAN_E_CORRUPT,
			      "the strings of the segment are damaged");
}

int span__strings_open(struct span__strings *s, const struct span__area *area,
		       struct span_error *err)
{
	struct span__chunks *c;
	int rc;

	*s = (struct span__strings){0};
	rc = span__chunks_open(&c, area, err);
	if (rc < 0)
		return rc;
	rc = open_sequence(s, c, area, err);
	span__chunks_close(&c);
	if (rc < 0)
		span__strings_close(s);
	return rc;
}

void span__strings_close(struct span__strings *s)
{
	span_arena_release(&s->arena);
	*s = (struct span__strings){0};
}

uint32_t span__strings_find(const struct span__strings *s, struct span_str text)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = span_str_compare(s->v[mid], text);

		if (!order)
			return (uint32_t)mid;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return SEG_NO_STRING;
}
