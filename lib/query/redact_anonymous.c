/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids and times of spans that are to be shared. An id becomes a hash of it, so
 * what belongs together still does. The low half of a trace id is hashed like a
 * span id, alone: it may be all that another service knew of it, and the id of
 * the first span.
 */
#include "query/redact_walk.h"

#include "base/le.h"
#include "base/siphash.h"

#include <string.h>

#include "base/banned.h"

#define DAY_US UINT64_C(86400000000)
#define LEAST_DAYS 365u /* that times are moved by */
#define MOST_DAYS 3650u

void span__redact_anonymous_init(struct span_redact *r)
{
	const uint64_t range = (MOST_DAYS - LEAST_DAYS) * DAY_US;
	uint64_t shift = span__siphash(r->key, "times", 5);

	span__put64(r->id_key, span__siphash(r->key, "ids 1", 5));
	span__put64(r->id_key + 8, span__siphash(r->key, "ids 2", 5));
	r->shift_ns = (LEAST_DAYS * DAY_US + shift % range) * 1000;
}

/* Hash the LEN bytes at P to the 8 at ID, which are not all zero then. */
static void hash_id(const struct span_redact *r, const uint8_t *p, size_t len,
		    uint8_t id[8])
{
	uint64_t hash = span__siphash(r->id_key, p, len);

	span__put64(id, hash ? hash : 1);
}

static bool is_zero(const uint8_t id[8])
{
	static const uint8_t zero[8];

	return !memcmp(id, zero, 8);
}

static void move_span_id(const struct span_redact *r, uint8_t id[8])
{
	if (!is_zero(id))
		hash_id(r, id, 8, id);
}

static void move_trace_id(const struct span_redact *r, uint8_t id[16])
{
	uint8_t was[16];

	memcpy(was, id, 16);
	if (!is_zero(was))
		hash_id(r, was, 16, id);
	move_span_id(r, id + 8);
}

void span__redact_move_ref(const struct span_redact *r, struct span_ref *ref)
{
	move_trace_id(r, ref->trace_id);
	move_span_id(r, ref->span_id);
}

uint64_t span__redact_move_time(const struct span_redact *r, uint64_t ns)
{
	return ns > r->shift_ns ? ns - r->shift_ns : 0;
}

void span__redact_move_span(const struct span_redact *r, struct span *s)
{
	move_trace_id(r, s->trace_id);
	move_span_id(r, s->span_id);
	move_span_id(r, s->parent_id);
	s->start_ns = span__redact_move_time(r, s->start_ns);
}
