/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of four decisions; the oldest of a set makes room. A trace is known by
 * 64 bits of a keyed hash.
 */
#include "sample/decided.h"

#include <stdlib.h>

#include "base/huge.h"

#include "base/banned.h"

#define WAYS 4u

struct span__decision {
	uint64_t hash; /* 0: free */
	double p;
	uint32_t when;
	uint32_t policy : 30, keep : 1, by_ratio : 1;
};

size_t span__decided_bytes(const struct span__decided *d)
{
	return d->n_sets * WAYS * sizeof(*d->v);
}

int span__decided_init(struct span__decided *d, size_t bytes,
		       struct span_error *err)
{
	d->n_sets = 1;
	while (d->n_sets * 2 * WAYS * sizeof(*d->v) <= bytes)
		d->n_sets *= 2;
	d->v = calloc(d->n_sets * WAYS, sizeof(*d->v));
	if (!d->v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	span__huge_hint(d->v, span__decided_bytes(d));
	return span__key_init(&d->secret, err);
}

static struct span__decision *set_of(const struct span__decided *d, uint64_t h)
{
	return &d->v[(h & (d->n_sets - 1)) * WAYS];
}

void span__decided_expect(const struct span__decided *d, uint64_t h)
{
	const char *set = (const char *)set_of(d, h);

	__builtin_prefetch(set, 1);
	__builtin_prefetch(set + 64, 1);
}

void span__decided_put(struct span__decided *d, uint64_t h,
		       const struct span_verdict *v)
{
	struct span__decision *set = set_of(d, h), *to = set;

	for (size_t i = 0; i < WAYS && to->hash != h && to->hash; i++)
		if (set[i].hash == h || !set[i].hash ||
		    d->clock - set[i].when > d->clock - to->when)
			to = &set[i];
	*to = (struct span__decision){.hash = h,
				      .p = v->p,
				      .when = d->clock++,
				      .policy = v->policy & 0x3fffffff,
				      .keep = v->keep,
				      .by_ratio = v->by_ratio};
}

bool span__decided_get(const struct span__decided *d, uint64_t h,
		       struct span_verdict *v)
{
	const struct span__decision *set = set_of(d, h);

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].hash != h)
			continue;
		*v = (struct span_verdict){.keep = set[i].keep,
					   .by_ratio = set[i].by_ratio,
					   .policy = set[i].policy,
					   .p = set[i].p};
		return true;
	}
	return false;
}

void span__decided_release(struct span__decided *d)
{
	free(d->v);
	*d = (struct span__decided){0};
}
