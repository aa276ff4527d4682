/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates of a segment from any bytes: they are read or refused. */
#include "store/seg_agg.h"

#include <stdlib.h>

#define TYPES 50u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_level(const struct span__area *area, uint64_t width_ns)
{
	struct span__agg_reader r;
	struct span__agg_entry e;
	uint64_t count;

	span__agg_reader_init(&r, area, width_ns, TYPES);
	while (span__agg_reader_next(&r, &e, NULL) > 0) {
		count = 0;
		for (size_t i = 0; i < e.sketch->n; i++)
			count += e.sketch->v[i].count;
		if (e.type >= TYPES || e.parent >= SEG_PARENT_TYPE + TYPES ||
		    !e.calls || e.calls != count)
			abort();
	}
	span__agg_reader_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span__area area = {data, size, NULL};
	struct span__agg_info info;

	if (!span__agg_info(&area, &info))
		return 0;
	read_level(&info.whole, 0);
	if (info.width_ns)
		read_level(&info.buckets, info.width_ns);
	return 0;
}
