/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What typed trace ids mean: the exact id where it exists, else the only
 * trace whose printed id begins with them. Which of the two it is can only be
 * said when all traces were seen, but for 32 digits.
 */
#include "query/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"

#include "base/banned.h"

#define SHOWN 4u /* candidates in the message */

int span__resolver_init(struct span__resolver *r, const struct span_query *q,
			struct span_error *err)
{
	*r = (struct span__resolver){.q = q};
	if (!q->n_ids)
		return 0;
	r->exact = calloc(q->n_ids, sizeof(*r->exact));
	r->others = calloc(q->n_ids, sizeof(*r->others));
	if (!r->exact || !r->others)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < q->n_ids; i++) {
		int rc = span__ids_init(&r->others[i], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

bool span__resolver_open(const struct span__resolver *r)
{
	for (size_t i = 0; i < r->q->n_ids; i++)
		if (!r->exact[i] && r->q->ids[i].digits < 32)
			return true;
	return false;
}

int span__resolver_see(struct span__resolver *r, const uint8_t trace_id[16],
		       struct span_error *err)
{
	for (size_t i = 0; i < r->q->n_ids; i++) {
		const struct span__id *id = &r->q->ids[i];

		if (r->exact[i])
			continue;
		if (!memcmp(id->exact, trace_id, 16))
			r->exact[i] = true;
		else if (span__id_is_prefix(id, trace_id) &&
			 span__ids_put(&r->others[i], trace_id, 0, err) < 0)
			return SPAN_E_NOMEM;
	}
	return 0;
}

/*
 * Whether a trace is worth another look: of most, the first digits tell that
 * they are not what was typed.
 */
static bool may_be(const struct span__id *id, uint64_t high, uint64_t low)
{
	size_t digits = id->digits < 16 ? id->digits : 16;
	uint64_t printed = high ? high : low;

	return (printed ^ span__id_get(id->prefix)) >> (64 - 4 * digits) == 0 ||
	       low == span__id_get(id->exact + 8);
}

int span__resolver_see_many(struct span__resolver *r, const uint64_t *high,
			    const uint64_t *low, size_t n,
			    struct span_error *err)
{
	int rc = 0;

	for (size_t k = 0; k < r->q->n_ids; k++) {
		const struct span__id *id = &r->q->ids[k];

		for (size_t i = 0; i < n && !rc; i++) {
			uint8_t trace_id[16];

			if (!may_be(id, high[i], low[i]))
				continue;
			span__trace_id_put(trace_id, high[i], low[i]);
			rc = span__resolver_see(r, trace_id, err);
		}
	}
	return rc;
}

static int ambiguous(const struct span__id *id, struct span__ids *others,
		     struct span_error *err)
{
	char list[SHOWN * (SPAN_TRACE_ID_TEXT + 2)], rest[40] = "";
	size_t len = 0, shown = others->n < SHOWN ? others->n : SHOWN;

	span__ids_order(others, 0);
	for (size_t i = 0; i < shown; i++) {
		char text[SPAN_TRACE_ID_TEXT];

		span_trace_id_text(others->v[i].id, text);
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					i ? ", " : "", text);
	}
	if (others->n > shown)
		snprintf(rest, sizeof(rest), " and %zu more",
			 others->n - shown);
	return span_error_set(err, SPAN_E_AMBIGUOUS,
			      "trace id %.*s is ambiguous: %s%s",
			      (int)id->text.len, id->text.p, list, rest);
}

int span__resolver_finish(const struct span__resolver *r, struct span__ids *out,
			  struct span_error *err)
{
	for (size_t i = 0; i < r->q->n_ids; i++) {
		const struct span__id *id = &r->q->ids[i];
		struct span__ids *others = &r->others[i];
		int rc = 0;

		if (r->exact[i])
			rc = span__ids_put(out, id->exact, 0, err);
		else if (others->n > 1)
			rc = ambiguous(id, others, err);
		else if (others->n)
			rc = span__ids_put(out, others->v[0].id, 0, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void span__resolver_release(struct span__resolver *r)
{
	for (size_t i = 0; r->others && i < r->q->n_ids; i++)
		span__ids_release(&r->others[i]);
	free(r->exact);
	free(r->others);
	*r = (struct span__resolver){0};
}
