/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_counted.h"

#include <endian.h>
#include <string.h>

#include "base/banned.h"

#define COUNT 8u

void span__counted_put(struct span_buf *out, const uint64_t *v, size_t n)
{
	uint64_t count = htole64(n);

	span_buf_put(out, &count, COUNT);
	span__ints_put(out, v, n);
}

bool span__counted_open(struct span__ints *c, const struct span__area *area,
			uint64_t max)
{
	struct span__area column;
	uint64_t n;

	*c = (struct span__ints){.area = {NULL, 0, area->file}};
	if (!area->len)
		return true;
	if (!span__area_ok(area, 0, COUNT))
		return false;
	memcpy(&n, area->p, COUNT);
	n = le64toh(n);
	if (n > max)
		return span__area_bad(area);
	column = span__area_sub(area, COUNT, area->len - COUNT);
	return span__ints_open(c, &column, n, NULL);
}
