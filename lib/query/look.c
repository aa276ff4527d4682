/* SPDX-License-Identifier: Apache-2.0 */
#include "query/fetch.h"

#include "base/banned.h"

#define FIRST_PART 1024u /* of the time of a store is looked at first */
#define MIN_FACTOR 2u	 /* and then this many times as much */
#define MAX_FACTOR 32u

int span__look_init(struct span__look *l, struct span_store *st,
		    const struct span_range *r, struct span_error *err)
{
	struct span_store_stat stat;
	int rc = span_store_stat(st, &stat, err);

	if (rc < 0)
		return rc;
	l->low = r->since_ns;
	l->high = r->until_ns;
	if (l->low < stat.min_start_ns)
		l->low = stat.min_start_ns;
	if (!l->high || l->high > stat.max_end_ns)
		l->high = stat.max_end_ns;
	l->width = l->high > l->low ? (l->high - l->low) / FIRST_PART : 0;
	return 0;
}

uint64_t span__look_since(const struct span__look *l,
			  const struct span_range *r)
{
	return l->width && l->width < (l->high - l->low) / 2
		       ? l->high - l->width
		       : r->since_ns;
}

void span__look_further(struct span__look *l, uint64_t n, uint64_t limit)
{
	uint64_t factor = n ? 2 * limit / n : MAX_FACTOR;

	if (factor < MIN_FACTOR)
		factor = MIN_FACTOR;
	if (factor > MAX_FACTOR)
		factor = MAX_FACTOR;
	l->width =
		l->width > UINT64_MAX / factor ? UINT64_MAX : l->width * factor;
}
