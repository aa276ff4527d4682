/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decoder.h"

#include "base/banned.h"

int64_t span__original_us(const struct span *s, const struct span_attrs *a,
			  size_t *n, struct span_str key, uint64_t ns)
{
	const struct span_attr *last = *n ? &a->v[*n - 1] : NULL;
	uint64_t clamped;

	if (!(s->marks & SPAN_MARK_CLAMPED) || !last ||
	    last->value.type != SPAN_INT || !span_str_equal(last->key, key) ||
	    span__ns(last->value.i, &clamped) || clamped != ns)
		return (int64_t)(ns / 1000);
	--*n;
	return last->value.i;
}
