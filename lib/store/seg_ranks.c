/* SPDX-License-Identifier: Apache-2.0 */
/* How many spans of each type lie before each block: columns end to end. */
#include "store/seg_types.h"

#include "base/banned.h"

int span__ranks_put_section(struct span_buf *out, const uint64_t *ranks,
			    size_t n_types, size_t n_blocks,
			    struct span_error *err)
{
	struct span_buf bodies = {0}, ends = {0};

	for (size_t i = 0; i < n_types; i++) {
		uint64_t end;

		span__ints_put(&bodies, ranks + i * n_blocks, n_blocks);
		end = bodies.len;
		span_buf_put(&ends, &end, sizeof(end));
	}
	if (!ends.failed)
		span__ints_put(out, (const uint64_t *)(const void *)ends.p,
			       n_types);
	span_buf_put(out, bodies.p, bodies.len);
	if (bodies.failed || ends.failed)
		out->failed = true;
	span_buf_release(&bodies);
	span_buf_release(&ends);
	return out->failed ? span_error_set(err, SPAN_E_NOMEM,
					    "no memory for a segment's ranks")
			   : 0;
}

bool span__ranks_open(struct span__ranks *r, const struct span__area *area,
		      uint64_t n_types, uint64_t n_blocks)
{
	uint64_t used = 0;

	*r = (struct span__ranks){0};
	if (n_types > area->len ||
	    !span__ints_open(&r->ends, area, n_types, &used))
		return span__area_bad(area);
	r->bodies = span__area_sub(area, used, area->len - used);
	r->n_types = n_types;
	r->n_blocks = n_blocks;
	return true;
}

bool span__ranks_type(const struct span__ranks *r, uint64_t type,
		      struct span__ints *out)
{
	uint64_t begin, end;
	struct span__area column;

	*out = (struct span__ints){0};
	if (type >= r->n_types)
		return span__area_bad(&r->bodies);
	begin = type ? span__ints_get(&r->ends, type - 1) : 0;
	end = span__ints_get(&r->ends, type);
	if (begin > end || end > r->bodies.len)
		return span__area_bad(&r->bodies);
	column = span__area_sub(&r->bodies, begin, end - begin);
	return span__ints_open(out, &column, r->n_blocks, NULL);
}
