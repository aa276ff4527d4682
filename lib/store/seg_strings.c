/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequence in the chunks: number of strings (4 bytes), their length
 * together (4), then for each how many bytes it shares with the one before,
 * how many follow, and these. The two lengths are numbers of 7 bits a byte,
 * lowest first, with the highest bit set in all but the last byte.
 *
 * That of the short ones: the number of all strings (4), that of the short
 * ones (4), then for each how much its number is above that of the one before,
 * its length, and its bytes. Then the places in the first sequence where it can
 * be read from, as the string there shares nothing: one in each chunk.
 */
#include "store/seg_strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/le.h"

#include "base/banned.h"

#define HEADER 8u

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

/* What is left of a sequence that is being decoded. */
struct sequence {
	const uint8_t *p, *end;
};

/* A number, or *BAD is set. */
static size_t take_number(struct sequence *q, bool *bad)
{
	size_t v = get_number(&q->p, q->end);

	*bad |= v == SIZE_MAX;
	return v;
}

/*
 * The strings FROM to TO - 1 of Q, which begins with FROM: their text goes to
 * TEXT, or where that is NULL only their lengths are looked at. Returns the sum
 * of these, SIZE_MAX when it makes no sense. What is known stays where it is.
 */
static size_t decode(struct span__strings *s, struct sequence q, size_t from,
		     size_t to, char *text)
{
	struct span_str last = {text, 0};
	size_t total = 0;

	for (size_t i = from; i < to; i++) {
		bool bad = false;
		size_t same = take_number(&q, &bad);
		size_t more = take_number(&q, &bad);

		if (bad || same > last.len || more > (size_t)(q.end - q.p) ||
		    total + same + more > SEG_STRINGS_BYTES)
			return SIZE_MAX;
		if (text) {
			if (same)
				memcpy(text + total, last.p, same);
			memcpy(text + total + same, q.p, more);
			last.p = text + total;
		}
		last.len = same + more;
		if (text && !s->v[i].p)
			s->v[i] = last;
		total += last.len;
		q.p += more;
	}
	return q.p == q.end ? total : SIZE_MAX;
}

/* The piece with string I. */
static size_t piece_of(const struct span__strings *s, size_t i)
{
	size_t low = 0, high = s->n_pieces;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (s->pieces[mid].first <= i)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* Read piece K: 0, SPAN_E_CORRUPT or SPAN_E_NOMEM. *TOTAL: of its lengths. */
static int read_piece(struct span__strings *s, size_t k, size_t *total)
{
	const struct span__strings_piece *p = &s->pieces[k];
	uint64_t end = span__chunks_len(s->chunks);
	size_t to = s->n;
	struct sequence q;
	struct span_str in;
	char *text;

	if (k + 1 < s->n_pieces) {
		to = p[1].first;
		end = p[1].pos;
	}
	if (end < p->pos ||
	    !span__chunks_get(s->chunks, p->pos, (size_t)(end - p->pos), &in))
		return SPAN_E_CORRUPT;
	q.p = (const uint8_t *)in.p;
	q.end = q.p + in.len;
	*total = decode(s, q, p->first, to, NULL);
	if (*total == SIZE_MAX)
		return SPAN_E_CORRUPT;
	/* one more, since the empty string is somewhere, too */
	text = span_arena_alloc(&s->arena, *total + 1);
	if (!text)
		return SPAN_E_NOMEM;
	(void)decode(s, q, p->first, to, text);
	return 0;
}

bool span__strings_read(struct span__strings *s, uint32_t i)
{
	struct span__strings_piece *p = &s->pieces[piece_of(s, i)];
	size_t total;

	if (!p->bad)
		p->bad = read_piece(s, (size_t)(p - s->pieces), &total) < 0;
	return p->bad ? span__area_bad(&s->area) : true;
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static int make_room(struct span__strings *s, size_t n, size_t n_pieces,
		     struct span_error *err)
{
	s->v = calloc(n + 1, sizeof(*s->v));
	s->pieces = calloc(n_pieces, sizeof(*s->pieces));
	if (!s->v || !s->pieces)
		return no_memory(err);
	s->n = n;
	s->n_pieces = n_pieces;
	s->pieces[0].pos = HEADER;
	return 0;
}

/* The header of a sequence, which has LEN bytes. */
static bool read_header(struct span__chunks *c, uint64_t len,
			uint32_t header[2])
{
	struct span_str in;

	if (len < HEADER || !span__chunks_get(c, 0, HEADER, &in))
		return false;
	header[0] = span__get32((const uint8_t *)in.p);
	header[1] = span__get32((const uint8_t *)in.p + 4);
	return true;
}

/* All at once. As span__strings_open(). */
static int read_all(struct span__strings *s, struct span_error *err)
{
	uint64_t len = span__chunks_len(s->chunks);
	uint32_t header[2];
	size_t total = 0;
	int rc;

	if (!read_header(s->chunks, len, header) ||
	    header[0] > SEG_STRINGS_MAX || header[0] > (len - HEADER) / 2)
		return SPAN_E_CORRUPT;
	rc = make_room(s, header[0], 1, err);
	if (!rc)
		rc = read_piece(s, 0, &total);
	if (rc == SPAN_E_NOMEM)
		return no_memory(err);
	return rc || total == header[1] ? rc : SPAN_E_CORRUPT;
}

/* The short strings of Q, COUNT of them. Numbers ascend, as strings do. */
static bool take_shorts(struct span__strings *s, struct sequence *q,
			uint32_t count)
{
	size_t number = 0;
	char *text;

	text = span_arena_alloc(&s->arena, (size_t)(q->end - q->p) + 1);
	s->shorts = span_arena_array(&s->arena, count, sizeof(*s->shorts));
	if (!text || !s->shorts)
		return false;
	while (s->n_shorts < count) {
		bool bad = false;
		size_t step = take_number(q, &bad);
		size_t len = take_number(q, &bad);

		if (bad || len > SEG_STRING_SHORT ||
		    len > (size_t)(q->end - q->p) || step >= s->n - number ||
		    (s->n_shorts && !step))
			return false;
		number += step;
		memcpy(text, q->p, len);
		s->v[number] = (struct span_str){text, len};
		s->shorts[s->n_shorts++] = (uint32_t)number;
		text += len;
		q->p += len;
	}
	return true;
}

/* The places of pieces: both numbers ascend. */
static bool take_pieces(struct span__strings *s, struct sequence *q)
{
	uint64_t pos = 0, first = 0;
	size_t n = 1;

	for (; q->p < q->end; n++) {
		bool bad = false;
		size_t step = take_number(q, &bad);
		size_t bytes = take_number(q, &bad);

		if (bad || !step || !bytes || n == s->n_pieces ||
		    step >= s->n - first)
			return false;
		first += step;
		pos += bytes;
		if (pos <= s->pieces[n - 1].pos)
			return false;
		s->pieces[n] = (struct span__strings_piece){
			.first = (uint32_t)first, .pos = pos};
	}
	s->n_pieces = n;
	return true;
}

/* As read_shorts(), of the sequence in C. */
static int take_section(struct span__strings *s, struct span__chunks *c,
			struct span_error *err)
{
	uint64_t len = span__chunks_len(c);
	size_t most = (size_t)(span__chunks_len(s->chunks) / SEG_CHUNK) + 1;
	struct sequence q;
	struct span_str in;
	uint32_t header[2];

	if (!read_header(c, len, header) || header[0] > SEG_STRINGS_MAX ||
	    header[1] > header[0] || header[1] > (len - HEADER) / 2 ||
	    !span__chunks_get(c, HEADER, (size_t)(len - HEADER), &in))
		return SPAN_E_CORRUPT;
	if (make_room(s, header[0], most, err) < 0)
		return SPAN_E_NOMEM;
	q.p = (const uint8_t *)in.p;
	q.end = q.p + in.len;
	return take_shorts(s, &q, header[1]) && take_pieces(s, &q)
		       ? 0
		       : SPAN_E_CORRUPT;
}

static void forget(struct span__strings *s)
{
	free(s->v);
	free(s->pieces);
	span_arena_release(&s->arena);
	*s = (struct span__strings){.chunks = s->chunks, .area = s->area};
}

/* 0, SPAN_E_CORRUPT when all must be read for want of it, SPAN_E_NOMEM. */
static int read_shorts(struct span__strings *s, const struct span__area *area,
		       struct span_error *err)
{
	struct span__chunks *c = NULL;
	int rc = SPAN_E_CORRUPT;

	if (!area || !area->len)
		return rc;
	rc = span__chunks_open(&c, area, NULL);
	if (!rc)
		rc = take_section(s, c, err);
	span__chunks_close(&c);
	if (rc && rc != SPAN_E_NOMEM) {
		span__area_bad(area);
		forget(s);
		rc = SPAN_E_CORRUPT;
	}
	return rc;
}

int span__strings_open(struct span__strings *s, const struct span__area *area,
		       const struct span__area *shorts, struct span_error *err)
{
	int rc;

	*s = (struct span__strings){.area = *area};
	rc = span__chunks_open(&s->chunks, area, err);
	if (rc == SPAN_E_CORRUPT && shorts && shorts->len) {
		/* the short ones may be all that is left */
		struct span__area none = {NULL, 0, area->file};

		rc = span__chunks_open(&s->chunks, &none, err);
		if (!rc)
			rc = read_shorts(s, shorts, err);
	} else if (!rc && span__chunks_len(s->chunks)) {
		rc = read_shorts(s, shorts, err);
		if (rc == SPAN_E_CORRUPT)
			rc = read_all(s, err);
	}
	if (rc == SPAN_E_CORRUPT) {
		span__area_bad(area);
		span_error_set(err, rc,
			       "the strings of the segment are damaged");
	}
	if (rc < 0)
		span__strings_close(s);
	return rc;
}

size_t span__strings_held(const struct span__strings *s)
{
	return span_arena_size(&s->arena) + s->n * sizeof(*s->v) +
	       s->n_pieces * sizeof(*s->pieces) + span__chunks_held(s->chunks);
}

void span__strings_close(struct span__strings *s)
{
	forget(s);
	span__chunks_close(&s->chunks);
	*s = (struct span__strings){0};
}

/* Find TEXT among the N strings with the NUMBERS (NULL: all). */
static uint32_t halve(struct span__strings *s, const uint32_t *numbers,
		      size_t n, struct span_str text)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		uint32_t number = numbers ? numbers[mid] : (uint32_t)mid;
		int order =
			span_str_compare(span__strings_get(s, number), text);

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
		n_shorts += all.v[i].len <= SEG_STRING_SHORT;
		same = !span_str_compare(all.v[i], span__strings_get(s, i));
	}
	span__strings_close(&all);
	return same && n_shorts == s->n_shorts;
}
