/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's adaptive sampling, where its probability calculator has one bucket:
 * what the share P kept in the interval is compared with the target, and P is
 * changed when it is off by more than a part; P doubles at most, also when
 * nothing came.
 *
 * Operations are numbered; number 0 is for all for whom there is no room. When
 * they are as many as can be, those that have been idle for long are forgotten.
 */
#include "sample/adaptive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

#include "base/banned.h"

#define TOLERANCE 0.3
#define HYSTERESIS 0.9 /* back to a lower band only below this of its limit */
#define MAX_OPERATIONS 16384u
#define MAX_NAME 512u  /* bytes; longer ones share number 0 */
#define MAX_IDLE 60u   /* intervals */
#define MAX_ROUNDS 64u /* that are caught up with after a pause */
#define GROWTH_MAX 2.0

size_t span__adaptive_n(const struct span__adaptive *a)
{
	return a->v.len / sizeof(struct span__adapted);
}

struct span__adapted *span__adaptive_at(const struct span__adaptive *a,
					size_t i)
{
	return (struct span__adapted *)(void *)a->v.p + i;
}

static struct span__adapted *append(struct span__adaptive *a, uint64_t hash)
{
	struct span__adapted *o = span__append_zeros(&a->v, sizeof(*o));

	if (!o)
		return NULL;
	o->hash = hash;
	o->p = a->n_bands ? a->bands[0].p : a->initial;
	return o;
}

int span__adaptive_init(struct span__adaptive *a, struct span_error *err)
{
	if (!append(a, 0))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return span__key_init(&a->secret, err);
}

/* Slots number the operations from 0, which are here from 1. */
static uint64_t hash_of(const void *arg, const struct span__slots *t,
			uint32_t i)
{
	(void)t;
	return span__adaptive_at(arg, i + 1u)->hash;
}

/* The slot of an operation with hash H, or where it can be; NULL: no memory. */
static uint32_t *slot_of(struct span__adaptive *a, uint64_t h)
{
	size_t at, mask;

	if (span__slots_grow(&a->slots, hash_of, a) < 0)
		return NULL;
	mask = ((size_t)1 << a->slots.bits) - 1;
	for (at = h & mask; a->slots.slots[at]; at = (at + 1) & mask)
		if (span__adaptive_at(a, a->slots.slots[at])->hash == h)
			break;
	return &a->slots.slots[at];
}

struct span__adapted *span__adaptive_find(struct span__adaptive *a,
					  struct span_str service,
					  struct span_str operation)
{
	uint64_t h = span__hash_str(&a->secret, service) * 31 +
		     span__hash_str(&a->secret, operation);
	size_t n = span__adaptive_n(a);
	uint32_t *slot = slot_of(a, h);
	struct span__adapted *o;

	if (!slot)
		return NULL;
	if (*slot)
		return span__adaptive_at(a, *slot);
	if (n > MAX_OPERATIONS || service.len > MAX_NAME ||
	    operation.len > MAX_NAME)
		return span__adaptive_at(a, 0);
	o = append(a, h);
	if (!o)
		return NULL;
	*slot = (uint32_t)n;
	a->slots.n++;
	if (!span_arena_str(&a->names, service, &o->service) ||
	    !span_arena_str(&a->names, operation, &o->operation))
		return NULL;
	return o;
}

/* Keep those only that were not idle for long. False when memory is out. */
static bool forget(struct span__adaptive *a)
{
	struct span__adaptive all = *a;
	bool good;

	memset(&a->v, 0, sizeof(a->v));
	memset(&a->slots, 0, sizeof(a->slots));
	memset(&a->names, 0, sizeof(a->names));
	good = append(a, 0);
	if (good)
		*span__adaptive_at(a, 0) = *span__adaptive_at(&all, 0);
	for (size_t i = 1; i < span__adaptive_n(&all) && good; i++) {
		const struct span__adapted *from = span__adaptive_at(&all, i);
		struct span__adapted *to;

		if (from->idle > MAX_IDLE)
			continue;
		to = span__adaptive_find(a, from->service, from->operation);
		good = to;
		if (!to)
			continue;
		to->p = from->p;
		to->band = from->band;
		to->idle = from->idle;
	}
	span__adaptive_release(&all);
	return good;
}

static void to_target(const struct span__adaptive *a, struct span__adapted *o,
		      double rate)
{
	double p = o->p;

	if (rate == 0)
		p *= GROWTH_MAX;
	else if (fabs(rate * p - a->target) >= TOLERANCE * a->target)
		p = fmin(a->target / rate, p * GROWTH_MAX);
	o->p = fmin(fmax(p, a->min), 1);
}

static void to_band(const struct span__adaptive *a, struct span__adapted *o,
		    double rate)
{
	while (o->band + 1 < a->n_bands && rate >= a->bands[o->band].below)
		o->band++;
	while (o->band && rate < HYSTERESIS * a->bands[o->band - 1].below)
		o->band--;
	o->p = a->bands[o->band].p;
}

static bool end_round(struct span__adaptive *a)
{
	size_t n = span__adaptive_n(a);
	bool full = n > MAX_OPERATIONS;

	for (size_t i = 0; i < n; i++) {
		struct span__adapted *o = span__adaptive_at(a, i);
		double rate = o->count * 1e9 / (double)a->interval_ns;

		o->idle = o->count > 0 ? 0 : o->idle + (o->idle < UINT32_MAX);
		if (a->n_bands)
			to_band(a, o, rate);
		else
			to_target(a, o, rate);
		o->count = 0;
	}
	a->rounds++;
	a->ends_ns += a->interval_ns;
	return !full || forget(a);
}

/* Time that goes back does not count. */
static bool pass_time(struct span__adaptive *a, uint64_t now_ns)
{
	bool good = true;

	if (now_ns < a->now_ns)
		return true;
	a->now_ns = now_ns;
	if (!a->ends_ns)
		a->ends_ns = now_ns + a->interval_ns - a->carried_ns;
	for (unsigned i = 0; a->ends_ns <= now_ns && good; i++) {
		good = end_round(a);
		if (i == MAX_ROUNDS)
			a->ends_ns = now_ns + a->interval_ns;
	}
	return good;
}

double span__client_weight(const struct span *root)
{
	const struct span_value *type =
		span_attr_get(&root->attrs, SPAN_STR("sampler.type"));
	const struct span_value *param =
		span_attr_get(&root->attrs, SPAN_STR("sampler.param"));

	if (!type || !param || type->type != SPAN_STRING ||
	    param->type != SPAN_DOUBLE || !(param->d > 0 && param->d < 1) ||
	    !span_str_equal(type->str, SPAN_STR("probabilistic")))
		return 1;
	return 1 / param->d;
}

const struct span__adapted *span__adaptive_arrive(struct span__adaptive *a,
						  const struct span *root,
						  uint64_t now_ns)
{
	struct span__adapted *o;

	if (!pass_time(a, now_ns))
		return NULL;
	o = span__adaptive_find(a, root->process->service, root->name);
	if (o)
		o->count += span__weight(root->trace_state) *
			    span__client_weight(root);
	return o;
}

void span__adaptive_release(struct span__adaptive *a)
{
	span_buf_release(&a->v);
	free(a->slots.slots);
	span_arena_release(&a->names);
	a->slots = (struct span__slots){0};
}
