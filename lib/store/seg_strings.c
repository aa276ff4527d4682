/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequence in the chunks: number of strings (4 bytes), their length
 * together (4), then for each how many bytes it shares with the one before,
 * how many follow, and these. The two lengths are numbers of 7 bits a byte,
 * lowest first, with the highest bit set in all but the last byte.
 *
 * That of the short ones: the number of all strings (4), that of the short
 * ones (4), then for each how much its number is above that of the one before,
 * its length, and its bytes.
 */
#include "store/seg_strings.h"

#include <stdlib.h>
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

/* What is being decoded: what is left of a sequence. */
struct sequence {
	uint32_t header[2];
	const uint8_t *p, *end;
};

/*
 * Read the section AREA whole: 1, valid until C is closed; 0 when it is empty;
 * or a negative code.
 */
static int read_section(struct sequence *q, struct span__chunks **c,
			const struct span__area *area, struct span_error *err)
{
	struct span_str in;
	uint64_t len;
	int rc = span__chunks_open(c, area, err);

	if (rc < 0)
		return rc;
	len = span__chunks_len(*c);
	if (!len)
		return 0;
	if (len < HEADER || !span__chunks_get(*c, 0, (size_t)len, &in))
		return SPAN_E_CORRUPT;
	q->p = (const uint8_t *)in.p + HEADER;
	q->end = (const uint8_t *)in.p + in.len;
	q->header[0] = span__get32((const uint8_t *)in.p);
	q->header[1] = span__get32((const uint8_t *)in.p + 4);
	return 1;
}

/*
 * All strings, whose text is put at TEXT. Those that are known stay where they
 * are.
 */
static bool decode(struct span__strings *s, struct sequence *q, char *text,
		   size_t room)
{
	struct span_str last = {0};

	for (size_t i = 0; i < s->n; i++) {
		size_t same = get_number(&q->p, q->end);
		size_t more = get_number(&q->p, q->end);

		if (same > last.len || more > (size_t)(q->end - q->p) ||
		    same + more > room)
			return false;
		if (same)
			memcpy(text, last.p, same);
		if (more)
			memcpy(text + same, q->p, more);
		last = (struct span_str){text, same + more};
		if (!s->v[i].p)
			s->v[i] = last;
		text += last.len;
		room -= last.len;
		q->p += more;
	}
	return q->p == q->end && !room;
}

static int make_room(struct span__strings *s, size_t n, struct span_error *err)
{
	s->v = calloc(n + 1, sizeof(*s->v));
	if (!s->v)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->n = n;
	return 0;
}

/* Decode Q, the section of all strings. */
static int take_all(struct span__strings *s, struct sequence *q,
		    struct span_error *err)
{
	uint32_t n = q->header[0], total = q->header[1];
	char *text;

	if (n > SEG_STRINGS_MAX || total > SEG_STRINGS_BYTES ||
	    n > (size_t)(q->end - q->p) / 2 || (s->v && s->n != n))
		return SPAN_E_CORRUPT;
	if (!s->v && make_room(s, n, err) < 0)
		return SPAN_E_NOMEM;
	/* one more, since the empty string is somewhere, too */
	text = span_arena_alloc(&s->arena, total + 1u);
	if (!text)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return decode(s, q, text, total) ? 0 : SPAN_E_CORRUPT;
}

static int read_all(struct span__strings *s, struct span_error *err)
{
	struct span__chunks *c = NULL;
	struct sequence q;
	int rc = read_section(&q, &c, &s->area, err);

	if (rc > 0)
		rc = take_all(s, &q, err);
	span__chunks_close(&c);
	if (rc == SPAN_E_CORRUPT) {
		span__area_bad(&s->area);
		span_error_set(err, SPAN_E_CORRUPT,
			       "the strings of the segment are damaged");
	}
	s->whole = rc >= 0;
	return rc < 0 ? rc : 0;
}

bool span__strings_read_all(struct span__strings *s)
{
	if (!s->whole && !s->bad)
		s->bad = read_all(s, NULL) < 0;
	return s->bad ? span__area_bad(&s->area) : true;
}

/* The strings of Q. Their numbers ascend, as do the strings. */
static bool decode_shorts(struct span__strings *s, struct sequence *q)
{
	uint32_t number = 0, count = q->header[1];
	char *text;

	text = span_arena_alloc(&s->arena, (size_t)(q->end - q->p) + 1);
	s->shorts = span_arena_array(&s->arena, count, sizeof(*s->shorts));
	if (!text || !s->shorts)
		return false;
	while (s->n_shorts < count) {
		size_t step = get_number(&q->p, q->end);
		size_t len = get_number(&q->p, q->end);

		if (len > SEG_STRING_SHORT || len > (size_t)(q->end - q->p) ||
		    step >= s->n - number || (s->n_shorts && !step))
			return false;
		number += (uint32_t)step;
		memcpy(text, q->p, len);
		s->v[number] = (struct span_str){text, len};
		s->shorts[s->n_shorts++] = number;
		text += len;
		q->p += len;
	}
	return q->p == q->end;
}

/* 1; 0 when all must be read for want of them; or SPAN_E_NOMEM. */
static int read_shorts(struct span__strings *s, const struct span__area *area,
		       struct span_error *err)
{
	struct span__chunks *c = NULL;
	struct sequence q;
	int rc = read_section(&q, &c, area, NULL);

	if (rc > 0 &&
	    (q.header[0] > SEG_STRINGS_MAX || q.header[1] > q.header[0] ||
	     q.header[1] > (size_t)(q.end - q.p) / 2))
		rc = SPAN_E_CORRUPT;
	if (rc > 0 && make_room(s, q.header[0], err) < 0)
		rc = SPAN_E_NOMEM;
	if (rc > 0 && !decode_shorts(s, &q))
		rc = SPAN_E_CORRUPT;
	span__chunks_close(&c);
	if (rc > 0 || rc == SPAN_E_NOMEM)
		return rc;
	if (rc < 0)
		span__area_bad(area);
	span__strings_close(s);
	return 0;
}

int span__strings_open(struct span__strings *s, const struct span__area *area,
		       const struct span__area *shorts, struct span_error *err)
{
	int rc;

	*s = (struct span__strings){0};
	rc = area->len && shorts && shorts->len ? read_shorts(s, shorts, err)
						: 0;
	s->area = *area;
	if (!rc)
		rc = read_all(s, err);
	if (rc < 0)
		span__strings_close(s);
	return rc < 0 ? rc : 0;
}

void span__strings_close(struct span__strings *s)
{
	free(s->v);
	span_arena_release(&s->arena);
	*s = (struct span__strings){0};
}

/* Find TEXT among the N strings with the NUMBERS (NULL: all). */
static uint32_t halve(const struct span__strings *s, const uint32_t *numbers,
		      size_t n, struct span_str text)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		uint32_t number = numbers ? numbers[mid] : (uint32_t)mid;
		int order = span_str_compare(s->v[number], text);

		if (!order)
			return number;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return SEG_NO_STRING;
}

uint32_t span__strings_find(struct span__strings *s, struct span_str text)
{
	if (s->shorts && text.len <= SEG_STRING_SHORT)
		return halve(s, s->shorts, s->n_shorts, text);
	if (!span__strings_read_all(s))
		return SEG_NO_STRING;
	return halve(s, NULL, s->n, text);
}

bool span__strings_agree(struct span__strings *s)
{
	struct span__strings all;
	size_t n_shorts = 0;
	bool same;

	if (!s->shorts)
		return true;
	if (span__strings_open(&all, &s->area, NULL, NULL) < 0)
		return false;
	same = all.n == s->n;
	for (uint32_t i = 0; i < all.n && same; i++) {
		bool is_short = all.v[i].len <= SEG_STRING_SHORT;

		n_shorts += is_short;
		same = !is_short ||
		       (s->v[i].p && !span_str_compare(all.v[i], s->v[i]));
	}
	span__strings_close(&all);
	return same && n_shorts == s->n_shorts;
}
