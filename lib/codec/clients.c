/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans that clients say they lost. A client counts from its start and sends
 * its counts with each batch, so a client's counts of the last batch are kept
 * and differences added up. The first batch of a client only sets the base; a
 * batch that is not newer (by its sequence number) is ignored.
 *
 * At most 1,024 clients are known; a new one then takes the place of the one
 * that was silent for longest.
 */
#include "codec/decoder.h"

#include <stdlib.h>
#include <sys/random.h>

#include <xxhash.h>

#include "base/banned.h"

#define MAX_CLIENTS 1024u

struct client {
	uint64_t used; /* when it was heard of last, in messages */
	int64_t seqno;
	int64_t counts[3];
};

struct span__clients {
	uint64_t key, clock;
	size_t n;
	uint64_t hashes[MAX_CLIENTS];
	struct client v[MAX_CLIENTS];
};

struct span__clients *span__clients_open(void)
{
	struct span__clients *c = calloc(1, sizeof(*c));

	/* Without randomness the table is as bounded, only predictable. */
	if (c && getrandom(&c->key, sizeof(c->key), GRND_NONBLOCK) < 0)
		c->key = (uintptr_t)c;
	return c;
}

void span__clients_close(struct span__clients **c)
{
	free(*c);
	*c = NULL;
}

static struct client *take(struct span__clients *c, uint64_t hash)
{
	size_t at = 0;

	if (c->n < MAX_CLIENTS) {
		at = c->n++;
	} else {
		for (size_t i = 1; i < c->n; i++) {
			if (c->v[i].used < c->v[at].used)
				at = i;
		}
	}
	c->hashes[at] = hash;
	return &c->v[at];
}

static struct client *find(struct span__clients *c, uint64_t hash)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->hashes[i] == hash)
			return &c->v[i];
	}
	return NULL;
}

uint64_t span__clients_lost(struct span__clients *c, struct span_str client,
			    const struct span__loss *loss)
{
	uint64_t hash = XXH3_64bits_withSeed(client.p, client.len, c->key);
	struct client *known = find(c, hash), *now = known;
	uint64_t lost = 0;

	if (known && loss->seqno <= known->seqno)
		return 0;
	if (!known)
		now = take(c, hash);
	for (size_t i = 0; i < 3; i++) {
		if (known && loss->counts[i] > known->counts[i])
			lost += (uint64_t)loss->counts[i] -
				(uint64_t)known->counts[i];
		now->counts[i] = loss->counts[i];
	}
	now->seqno = loss->seqno;
	now->used = ++c->clock;
	return lost;
}
