/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of unfinished datagrams in the order in which they began, searched
 * from the newest: fragments of one datagram follow each other closely, so
 * that the list is short and the first guess right; and without a hash there
 * is nothing to flood. A bit for each block of 8 bytes, the unit of
 * fragment offsets, says what has come.
 *
 * A void datagram keeps its place, without data, until its time is over: the
 * fragments of it that are still to come must not start it again.
 */
#include "net/fragment.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define BLOCK 8u
#define N_WORDS ((SPAN__FRAGMENT_MAX + BLOCK) / BLOCK / 64 + 1)
#define FIRST_CAP 2048u
#define N_RECENT 64u

struct key {
	uint8_t family_size, protocol;
	uint32_t id;
	uint8_t source[16], target[16];
};

struct datagram {
	struct key key;
	uint8_t protocol; /* of the first fragment */
	bool dead;	  /* counted as lost */
	bool have_first;  /* protocol and the start of the data are there */
	uint64_t first_ns;
	size_t total;	  /* bytes; 0 while the last fragment is missing */
	size_t have, end; /* bytes that came; the furthest one */
	size_t cap;
	uint8_t *p;
	uint64_t blocks[N_WORDS];
};

struct span__reassembly {
	span__fragment_fn *wanted;
	void *self;
	struct datagram *open[SPAN__FRAGMENT_DATAGRAMS];
	size_t n;
	size_t memory;
	struct datagram *done; /* the completed one, until the next call */
	struct key recent[N_RECENT]; /* completed last: a ring */
	size_t next_recent;
	uint64_t drops[SPAN__DROPS];
};

int span__reassembly_open(struct span__reassembly **out,
			  span__fragment_fn *wanted, void *self,
			  struct span_error *err)
{
	struct span__reassembly *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	r->wanted = wanted;
	r->self = self;
	return 0;
}

static void drop_data(struct span__reassembly *r, struct datagram *d)
{
	r->memory -= d->cap;
	free(d->p);
	d->p = NULL;
	d->cap = 0;
}

static void drop_datagram(struct span__reassembly *r, struct datagram *d)
{
	drop_data(r, d);
	r->memory -= sizeof(*d);
	free(d);
}

static void count(struct span__reassembly *r, const struct datagram *d,
		  enum span__drop cause)
{
	if (d->have_first && !r->wanted(r->self, d->protocol, d->p, d->end))
		return;
	r->drops[cause]++;
}

static void make_void(struct span__reassembly *r, struct datagram *d,
		      enum span__drop cause)
{
	if (d->dead)
		return;
	count(r, d, cause);
	drop_data(r, d);
	d->dead = true;
}

static struct datagram *take_out(struct span__reassembly *r, size_t i)
{
	struct datagram *d = r->open[i];

	r->n--;
	memmove(&r->open[i], &r->open[i + 1], (r->n - i) * sizeof(r->open[0]));
	return d;
}

static void give_up(struct span__reassembly *r, size_t i)
{
	struct datagram *d = take_out(r, i);

	if (!d->dead)
		count(r, d, SPAN__DROP_INCOMPLETE);
	drop_datagram(r, d);
}

static void expire(struct span__reassembly *r, uint64_t now_ns)
{
	/* A clock that went back makes nothing old. */
	while (r->n && now_ns > r->open[0]->first_ns &&
	       now_ns - r->open[0]->first_ns > SPAN__FRAGMENT_AGE_NS)
		give_up(r, 0);
}

static bool belongs(const struct key *k, const struct span__fragment *f)
{
	/* IPv4 counts its ids for each protocol. */
	return k->id == f->id && k->family_size == f->family_size &&
	       (f->family_size == 16 || k->protocol == f->protocol) &&
	       !memcmp(k->source, f->source, f->family_size) &&
	       !memcmp(k->target, f->target, f->family_size);
}

/* Index of the datagram that *F belongs to, r->n when it is new. */
static size_t find(const struct span__reassembly *r,
		   const struct span__fragment *f)
{
	for (size_t i = r->n; i-- > 0;)
		if (belongs(&r->open[i]->key, f))
			return i;
	return r->n;
}

/* Is *F a repetition of a fragment whose datagram was just completed? */
static bool is_late(const struct span__reassembly *r,
		    const struct span__fragment *f)
{
	for (size_t i = 0; i < N_RECENT; i++)
		if (belongs(&r->recent[i], f))
			return true;
	return false;
}

static struct datagram *begin(struct span__reassembly *r,
			      const struct span__fragment *f)
{
	struct datagram *d;

	if (r->n == SPAN__FRAGMENT_DATAGRAMS)
		give_up(r, 0);
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->key = (struct key){.family_size = f->family_size,
			      .protocol = f->protocol,
			      .id = f->id};
	memcpy(d->key.source, f->source, f->family_size);
	memcpy(d->key.target, f->target, f->family_size);
	d->first_ns = f->time_ns;
	r->memory += sizeof(*d);
	r->open[r->n++] = d;
	return d;
}

/* Make room for LEN bytes, at the cost of older datagrams if need be. */
static bool grow(struct span__reassembly *r, struct datagram *d, size_t len)
{
	size_t cap = d->cap ? d->cap : FIRST_CAP;
	uint8_t *p;

	if (len <= d->cap)
		return true;
	while (cap < len)
		cap *= 2;
	for (size_t i = 0;
	     i < r->n && r->memory - d->cap + cap > SPAN__FRAGMENT_MEMORY;) {
		if (r->open[i] == d)
			i++;
		else
			give_up(r, i);
	}
	p = realloc(d->p, cap);
	if (!p)
		return false;
	r->memory += cap - d->cap;
	d->p = p;
	d->cap = cap;
	return true;
}

static bool has_block(const struct datagram *d, size_t block)
{
	return d->blocks[block / 64] >> (block % 64) & 1;
}

/*
 * How many of the blocks of *F are there already: 0 none, 1 all of them with
 * the same bytes, -1 anything else.
 */
static int is_there(const struct datagram *d, const struct span__fragment *f)
{
	size_t first = f->offset / BLOCK;
	size_t end = (f->offset + f->len + BLOCK - 1) / BLOCK;
	size_t n = 0;

	for (size_t i = first; i < end; i++)
		n += has_block(d, i);
	if (!n)
		return 0;
	if (n < end - first || memcmp(d->p + f->offset, f->p, f->len) != 0)
		return -1;
	return 1;
}

static void store(struct datagram *d, const struct span__fragment *f)
{
	size_t end = f->offset + f->len;

	memcpy(d->p + f->offset, f->p, f->len);
	for (size_t i = f->offset / BLOCK; i * BLOCK < end; i++)
		d->blocks[i / 64] |= 1ull << (i % 64);
	d->have += f->len;
	if (end > d->end)
		d->end = end;
	if (!f->more)
		d->total = end;
	if (!f->offset) {
		d->have_first = true;
		d->protocol = f->protocol;
	}
}

/* Does *F contradict where the datagram ends? */
static bool end_differs(const struct datagram *d,
			const struct span__fragment *f)
{
	size_t end = f->offset + f->len;

	if (d->total)
		return f->more ? end >= d->total : end != d->total;
	return !f->more && end < d->end;
}

/* Returns 1 when the datagram is complete, 0, or SPAN_E_NOMEM. */
static int add(struct span__reassembly *r, struct datagram *d,
	       const struct span__fragment *f)
{
	int there;

	if (f->cut) {
		make_void(r, d, SPAN__DROP_TRUNCATED);
		return 0;
	}
	if (!f->len || f->offset + f->len > SPAN__FRAGMENT_MAX ||
	    (f->more && f->len % BLOCK)) {
		make_void(r, d, SPAN__DROP_MALFORMED);
		return 0;
	}
	if (!grow(r, d, f->offset + f->len))
		return SPAN_E_NOMEM;
	there = end_differs(d, f) ? -1 : is_there(d, f);
	if (there < 0) {
		make_void(r, d, SPAN__DROP_OVERLAP);
		return 0;
	}
	if (there == 0)
		store(d, f);
	return d->total && d->have == d->total;
}

int span__reassembly_put(struct span__reassembly *r,
			 const struct span__fragment *f, uint8_t *protocol,
			 const uint8_t **p, size_t *len, struct span_error *err)
{
	struct datagram *d;
	size_t i;
	int rc;

	if (r->done)
		drop_datagram(r, r->done);
	r->done = NULL;
	expire(r, f->time_ns);
	i = find(r, f);
	if (i == r->n && is_late(r, f))
		return 0;
	d = i < r->n ? r->open[i] : begin(r, f);
	if (!d)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (d->dead)
		return 0;
	rc = add(r, d, f);
	if (rc < 0)
		return span_error_set(err, rc, "out of memory");
	if (!rc)
		return 0;
	r->done = take_out(r, find(r, f));
	r->recent[r->next_recent++ % N_RECENT] = d->key;
	*protocol = d->protocol;
	*p = d->p;
	*len = d->total;
	return 1;
}

void span__reassembly_finish(struct span__reassembly *r)
{
	while (r->n)
		give_up(r, 0);
}

const uint64_t *span__reassembly_drops(const struct span__reassembly *r)
{
	return r->drops;
}

size_t span__reassembly_memory(const struct span__reassembly *r)
{
	return r->memory;
}

void span__reassembly_close(struct span__reassembly **r)
{
	if (!*r)
		return;
	if ((*r)->done)
		drop_datagram(*r, (*r)->done);
	while ((*r)->n)
		drop_datagram(*r, take_out(*r, 0));
	free(*r);
	*r = NULL;
}
