/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes of a segment, decoded when they are first asked for. They are kept in
 * pages of pointers that come into being as they are used, so that memory goes
 * with what is read, not with what the header claims.
 */
#include "store/seg_shapes.h"

#include <stdlib.h>

#include "base/banned.h"

#define PAGE 1024u
#define SHAPES_MAX (1u << 31)

struct kept {
	struct span__seg_node *v;
	size_t n;
};

struct span__shapes {
	struct span__area area;
	uint64_t n;
	struct span__ints ends;
	struct span__chunks *chunks;
	struct span__seg_node *symbols; /* link: the turn */
	uint64_t n_symbols;
	struct kept **pages;
	struct span_arena arena;
	struct span_buf large; /* the last one that is not kept */
	/* ends of those from NEAR on, of whom reads all in order */
	uint64_t near, near_ends[SEG_GROUP];
	size_t n_near;
	struct span_str chunk; /* the last one, until another is read */
	uint64_t chunk_begin;
};

/* Read the N symbols, whose types and turns are at the begin of AREA. */
static bool get_symbols(struct span__shapes *s, struct span__area *area,
			uint64_t n, uint64_t n_types)
{
	struct span__ints types, turns;
	uint64_t used = 0;

	if (n > area->len || !span__ints_open(&types, area, n, &used))
		return false;
	*area = span__area_sub(area, used, area->len - used);
	if (!span__ints_open(&turns, area, n, &used))
		return false;
	*area = span__area_sub(area, used, area->len - used);
	s->symbols = calloc((size_t)n + 1, sizeof(*s->symbols));
	for (uint64_t i = 0; s->symbols && i < n; i++) {
		uint64_t type = span__ints_get(&types, i);
		uint64_t turn = span__ints_get(&turns, i);

		if (type >= n_types || turn > UINT32_MAX)
			return false;
		s->symbols[i].type = (uint32_t)type;
		s->symbols[i].link = (uint32_t)turn;
	}
	s->n_symbols = n;
	return s->symbols;
}

static bool open_columns(struct span__shapes *s, struct span__area *area,
			 uint64_t n_types)
{
	struct span__ints one;
	uint64_t used = 0;

	if (!span__ints_open(&one, area, 1, &used))
		return false;
	*area = span__area_sub(area, used, area->len - used);
	if (!get_symbols(s, area, span__ints_get(&one, 0), n_types) ||
	    !span__ints_open(&s->ends, area, s->n, &used))
		return false;
	*area = span__area_sub(area, used, area->len - used);
	return true;
}

int span__shapes_open(struct span__shapes **out, const struct span__area *area,
		      uint64_t n, uint64_t n_types, struct span_error *err)
{
	struct span__shapes *s = calloc(1, sizeof(*s));
	struct span__area rest = *area;
	int rc = SPAN_E_CORRUPT;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a segment's shapes");
	s->area = *area;
	s->n = n;
	if (!n) {
		rc = 0;
	} else if (n <= SHAPES_MAX && open_columns(s, &rest, n_types)) {
		rc = span__chunks_open(&s->chunks, &rest, err);
		/* each shape has a byte at least */
		if (rc == 0 && n > span__chunks_len(s->chunks))
			rc = SPAN_E_CORRUPT;
	}
	if (rc == 0) {
		s->pages = calloc(n / PAGE + 1, sizeof(*s->pages));
		rc = s->pages ? 0 : SPAN_E_NOMEM;
	}
	if (rc < 0) {
		span__shapes_close(&s);
		if (rc == SPAN_E_CORRUPT)
			span__area_bad(area);
		return span_error_set(err, rc,
				      "a segment's shapes cannot be read");
	}
	*out = s;
	return 0;
}

size_t span__shapes_held(const struct span__shapes *s)
{
	size_t n = 0;

	for (uint64_t i = 0; s && i <= s->n / PAGE; i++)
		n += s->pages[i] ? PAGE * sizeof(**s->pages) : 0;
	return s ? n + span_arena_size(&s->arena) + s->large.cap +
			       (size_t)s->n_symbols * sizeof(*s->symbols) +
			       span__chunks_held(s->chunks)
		 : 0;
}

void span__shapes_close(struct span__shapes **s)
{
	if (!*s)
		return;
	for (uint64_t i = 0; (*s)->pages && i <= (*s)->n / PAGE; i++)
		free((*s)->pages[i]);
	free((*s)->pages);
	free((*s)->symbols);
	span__chunks_close(&(*s)->chunks);
	span_arena_release(&(*s)->arena);
	span_buf_release(&(*s)->large);
	free(*s);
	*s = NULL;
}

static size_t count_nodes(struct span_str piece)
{
	size_t n = 0;

	for (size_t i = 0; i < piece.len; i++)
		n += !((unsigned char)piece.p[i] & 0x80);
	return n;
}

/* Decode PIECE, which has N nodes: false when it makes no tree. */
static bool decode(const struct span__shapes *s, struct span_str piece,
		   struct span__seg_node *v, size_t n)
{
	const unsigned char *p = (const unsigned char *)piece.p;
	const unsigned char *end = p + piece.len;
	uint32_t child = 0; /* link that a child of the node before has */

	for (size_t i = 0; i < n; i++) {
		uint64_t symbol = 0;
		unsigned shift = 0;
		uint32_t turn;

		while (*p & 0x80 && shift < 28) {
			symbol |= (uint64_t)(*p++ & 0x7f) << shift;
			shift += 7;
		}
		symbol |= (uint64_t)*p << shift;
		if (*p++ & 0x80 || symbol >= s->n_symbols)
			return false;
		v[i] = s->symbols[symbol];
		turn = v[i].link;
		if (turn > SEG_LINK_EXPLICIT) {
			/* levels up: at most to a child of depth 0 */
			if (turn > child)
				return false;
			v[i].link = child + 2 - turn;
		}
		child = v[i].link > SEG_LINK_EXPLICIT ? v[i].link + 1 : 2;
	}
	return p == end;
}

static bool is_whole(struct span_str piece)
{
	return !((unsigned char)piece.p[piece.len - 1] & 0x80);
}

static bool get_piece(struct span__shapes *s, uint64_t begin, uint64_t end,
		      struct span_str *out)
{
	s->chunk.len = 0;
	return begin < end && end <= span__chunks_len(s->chunks) &&
	       span__chunks_get(s->chunks, begin, (size_t)(end - begin), out) &&
	       is_whole(*out);
}

/* The same of one near the last one: most are in the same chunk. */
static bool get_near(struct span__shapes *s, uint64_t begin, uint64_t end,
		     struct span_str *out)
{
	if (begin >= end || end > span__chunks_len(s->chunks))
		return false;
	if (begin - s->chunk_begin >= s->chunk.len &&
	    !span__chunks_around(s->chunks, begin, &s->chunk_begin, &s->chunk))
		return false;
	if (end - s->chunk_begin > s->chunk.len)
		return get_piece(s, begin, end, out);
	*out = (struct span_str){s->chunk.p + (begin - s->chunk_begin),
				 (size_t)(end - begin)};
	return is_whole(*out);
}

static bool find_piece(struct span__shapes *s, uint64_t i, struct span_str *out)
{
	return get_piece(s, i ? span__ints_get(&s->ends, i - 1) : 0,
			 span__ints_get(&s->ends, i), out);
}

/* The same for who asks for the next one soon. */
static bool next_piece(struct span__shapes *s, uint64_t i, struct span_str *out)
{
	uint64_t from = i ? i - 1 : 0, n = s->n - from;

	if (!s->n_near || from < s->near || i - s->near >= s->n_near) {
		s->near = from;
		s->n_near = n < SEG_GROUP ? (size_t)n : SEG_GROUP;
		span__ints_range(&s->ends, from, s->n_near, s->near_ends);
	}
	return get_near(s, i ? s->near_ends[i - 1 - s->near] : 0,
			s->near_ends[i - s->near], out);
}

static struct kept *page_of(struct span__shapes *s, uint64_t i)
{
	struct kept **page = &s->pages[i / PAGE];

	if (!*page)
		*page = calloc(PAGE, sizeof(**page));
	return *page;
}

/* Decode shape I into memory that lives as the header says; NULL on failure. */
static struct span__seg_node *read_shape(struct span__shapes *s, uint64_t i,
					 size_t *n)
{
	struct span__seg_node *v;
	struct span_str piece;

	if (!find_piece(s, i, &piece))
		goto bad;
	*n = count_nodes(piece);
	s->large.len = 0;
	if (*n > SEG_SHAPE_KEPT)
		v = (void *)span_buf_reserve(&s->large, *n * sizeof(*v));
	else
		v = span_arena_array(&s->arena, *n, sizeof(*v));
	if (!v || decode(s, piece, v, *n))
		return v;
bad:
	span__area_bad(&s->area);
	return NULL;
}

bool span__shapes_get(struct span__shapes *s, uint64_t i,
		      const struct span__seg_node **v, size_t *n)
{
	struct span__seg_node *read;
	struct kept *page, *kept;

	*v = NULL;
	*n = 0;
	if (i >= s->n)
		return span__area_bad(&s->area);
	page = page_of(s, i);
	if (!page)
		return false;
	kept = &page[i % PAGE];
	if (kept->v) {
		*v = kept->v;
		*n = kept->n;
		return true;
	}
	read = read_shape(s, i, n);
	if (read && *n <= SEG_SHAPE_KEPT)
		*kept = (struct kept){read, *n};
	*v = read;
	return read;
}

size_t span__shapes_size(struct span__shapes *s, uint64_t i)
{
	struct span_str piece;

	if (i < s->n && find_piece(s, i, &piece))
		return count_nodes(piece);
	(void)span__area_bad(&s->area);
	return 0;
}

size_t span__shapes_symbols(const struct span__shapes *s,
			    const struct span__seg_node **v)
{
	*v = s->symbols;
	return (size_t)s->n_symbols;
}

bool span__shapes_piece(struct span__shapes *s, uint64_t i,
			struct span_str *out)
{
	return (i < s->n && next_piece(s, i, out)) || span__area_bad(&s->area);
}

bool span__shapes_read(struct span__shapes *s, uint64_t i,
		       const struct span__seg_node **v, size_t *n)
{
	struct span__seg_node *nodes;
	struct span_str piece;

	*v = NULL;
	*n = 0;
	if (!span__shapes_piece(s, i, &piece))
		return false;
	*n = count_nodes(piece);
	s->large.len = 0;
	nodes = (void *)span_buf_reserve(&s->large, *n * sizeof(*nodes));
	*v = nodes;
	if (nodes && !decode(s, piece, nodes, *n))
		return span__area_bad(&s->area);
	return nodes;
}
