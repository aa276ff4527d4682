/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of peers with open addressing, at most half full: a peer is in it
 * while it has a connection. One that leaves is filled by those after it, so
 * that no search ends too soon.
 */
#include "net/admission.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"

#include "base/banned.h"

enum { NOBODY, IPV4, IPV6, THIS_HOST };

struct entry {
	struct span__peer peer;
	uint32_t n; /* 0: free */
};

struct span__admission {
	size_t max, per_peer, n, memory;
	bool own_is_free; /* this host may have all */
	struct span__key key;
	struct entry *entries;
	size_t mask;
};

static struct span__peer peer_of(uint8_t kind, const void *bytes, size_t len)
{
	struct span__peer p = {.kind = kind};

	memcpy(p.bytes, bytes, len);
	return p;
}

static struct span__peer ipv4_peer(const void *bytes)
{
	const unsigned char *b = bytes;

	return peer_of(b[0] == 127 ? THIS_HOST : IPV4, bytes, 4);
}

struct span__peer span__peer_of(const struct span__address *a)
{
	const struct in6_addr *six = &a->sa.in6.sin6_addr;

	if (!a->len)
		return (struct span__peer){0};
	if (a->sa.any.sa_family == AF_INET)
		return ipv4_peer(&a->sa.in.sin_addr);
	if (a->sa.any.sa_family != AF_INET6)
		return (struct span__peer){0};
	if (IN6_IS_ADDR_V4MAPPED(six))
		return ipv4_peer(&six->s6_addr[12]);
	if (IN6_IS_ADDR_LOOPBACK(six))
		return peer_of(THIS_HOST, &six->s6_addr[8], 8);
	return peer_of(IPV6, six->s6_addr, 8);
}

/* As base/hash.c does, which is not for this library's use. */
static int draw_key(struct span__key *k, struct span_error *err)
{
	if (getrandom(k->secret, sizeof(k->secret), 0) !=
	    (ssize_t)sizeof(k->secret))
		return span_error_set(err, SPAN_E_IO, "no random numbers");
	return 0;
}

int span__admission_open(struct span__admission **out, size_t max,
			 size_t per_peer, struct span_error *err)
{
	struct span__admission *a = calloc(1, sizeof(*a));
	size_t size = 4;
	int rc;

	*out = a;
	if (!a)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	while (size < 2 * max)
		size *= 2;
	a->max = max;
	a->per_peer = per_peer ? per_peer : (max + 1) / 2;
	a->own_is_free = !per_peer;
	a->mask = size - 1;
	a->entries = calloc(size, sizeof(*a->entries));
	if (!a->entries)
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	else
		rc = draw_key(&a->key, err);
	if (rc < 0)
		span__admission_close(out);
	return rc;
}

static size_t home_of(const struct span__admission *a,
		      const struct span__peer *p)
{
	return (size_t)span__hash(&a->key, p, sizeof(*p)) & a->mask;
}

/* The entry of P, or the free one where it would be. */
static struct entry *find(struct span__admission *a, const struct span__peer *p)
{
	size_t i = home_of(a, p);

	while (a->entries[i].n &&
	       memcmp(&a->entries[i].peer, p, sizeof(*p)) != 0)
		i = (i + 1) & a->mask;
	return &a->entries[i];
}

/* Entry I is free now: move those up that it stood in the way of. */
static void close_gap(struct span__admission *a, size_t i)
{
	for (size_t j = (i + 1) & a->mask; a->entries[j].n;
	     j = (j + 1) & a->mask) {
		size_t home = home_of(a, &a->entries[j].peer);

		if (((j - home) & a->mask) < ((j - i) & a->mask))
			continue;
		a->entries[i] = a->entries[j];
		a->entries[j].n = 0;
		i = j;
	}
}

bool span__admission_enter(struct span__admission *a,
			   const struct span__peer *peer)
{
	bool is_free;
	struct entry *e;

	if (!a)
		return true;
	if (a->n >= a->max)
		return false;
	e = find(a, peer);
	is_free = !peer->kind || (a->own_is_free && peer->kind == THIS_HOST);
	if (!is_free && e->n >= a->per_peer)
		return false;
	e->peer = *peer;
	e->n++;
	a->n++;
	return true;
}

void span__admission_leave(struct span__admission *a,
			   const struct span__peer *peer)
{
	struct entry *e;

	if (!a)
		return;
	e = find(a, peer);
	a->n--;
	if (!--e->n)
		close_gap(a, (size_t)(e - a->entries));
}

size_t *span__admission_memory(struct span__admission *a)
{
	return &a->memory;
}

void span__admission_close(struct span__admission **ap)
{
	struct span__admission *a = *ap;

	*ap = NULL;
	if (!a)
		return;
	free(a->entries);
	free(a);
}
