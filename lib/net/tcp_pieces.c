/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tcp_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_CAP 8u

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* Room for one more at the end. */
static bool make_room(struct span__tcp_pieces *s)
{
	struct span__tcp_piece *v;
	size_t cap = s->cap ? s->cap * 2 : FIRST_CAP;

	if (s->n < s->cap)
		return true;
	if (s->first > s->cap / 2) {
		s->n -= s->first;
		memmove(s->v, s->v + s->first, s->n * sizeof(*s->v));
		s->first = 0;
		return true;
	}
	v = realloc(s->v, cap * sizeof(*v));
	if (!v)
		return false;
	s->v = v;
	s->cap = cap;
	return true;
}

/* Put a copy of P at *I, which is moved behind it. */
static int insert(struct span__tcp_pieces *s, size_t *i,
		  const struct span__tcp_piece *p, struct span_error *err)
{
	size_t behind = s->n - *i;
	uint8_t *copy = NULL;

	if (!make_room(s))
		return no_memory(err);
	if (p->len) {
		copy = malloc(p->len);
		if (!copy)
			return no_memory(err);
		memcpy(copy, p->p, p->len);
	}
	*i = s->n - behind; /* making room may have moved them */
	memmove(s->v + *i + 1, s->v + *i, behind * sizeof(*s->v));
	s->v[*i] = *p;
	s->v[*i].p = copy;
	s->n++;
	s->memory += p->len + SPAN__TCP_PIECE_COST;
	++*i;
	return 0;
}

static size_t find(const struct span__tcp_pieces *s, uint32_t base,
		   uint32_t seq)
{
	size_t i = s->n;

	/* New ones come at the end, mostly. */
	while (i > s->first &&
	       s->v[i - 1].seq + s->v[i - 1].len - base > seq - base)
		i--;
	return i;
}

static void compare(struct span__tcp_piece *old,
		    const struct span__tcp_piece *p, uint32_t len)
{
	if (len && memcmp(old->p + (p->seq - old->seq), p->p, len) != 0)
		old->disputed = true;
}

static void advance(struct span__tcp_piece *p, uint32_t n)
{
	if (!n)
		return;
	p->seq += n;
	p->len -= n;
	p->p += n;
	p->begins = false;
}

static uint32_t at_most(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int span__tcp_pieces_add(struct span__tcp_pieces *s, uint32_t base,
			 const struct span__tcp_piece *p,
			 struct span_error *err)
{
	struct span__tcp_piece rest = *p;
	size_t i = find(s, base, p->seq);
	int rc = 0;

	if (!rest.len && rest.missing)
		return insert(s, &i, &rest, err);
	while (rest.len && rc >= 0) {
		struct span__tcp_piece *old = i < s->n ? &s->v[i] : NULL;
		struct span__tcp_piece part = rest;

		if (old && old->seq - base <= rest.seq - base) {
			uint32_t left = old->seq + old->len - rest.seq;

			part.len = at_most(rest.len, left);
			compare(old, &rest, part.len);
			i++;
		} else {
			if (old)
				part.len =
					at_most(rest.len, old->seq - rest.seq);
			if (part.len < rest.len)
				part.missing = 0;
			rc = insert(s, &i, &part, err);
		}
		advance(&rest, part.len);
	}
	return rc;
}

const struct span__tcp_piece *
span__tcp_pieces_first(const struct span__tcp_pieces *s)
{
	return s->first < s->n ? &s->v[s->first] : NULL;
}

struct span__tcp_piece span__tcp_pieces_take(struct span__tcp_pieces *s)
{
	struct span__tcp_piece p = s->v[s->first++];

	s->memory -= p.len + SPAN__TCP_PIECE_COST;
	if (s->first == s->n)
		s->first = s->n = 0;
	return p;
}

void span__tcp_pieces_release(struct span__tcp_pieces *s)
{
	for (size_t i = s->first; i < s->n; i++)
		free(s->v[i].p);
	free(s->v);
	memset(s, 0, sizeof(*s));
}
