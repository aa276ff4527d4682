/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_counted.h - sections of numbers that tell how many they are
 *
 * Most columns have as many values as there are traces, spans or blocks, which
 * the header tells. These sections begin with the count, 8 bytes, behind which
 * the column is: SEG_PROCESS_ENDS, SEG_SCOPE_ENDS, SEG_BUCKETS and
 * SEG_EXPLICIT_*.
 */
#ifndef SPAN_SEG_COUNTED_H
#define SPAN_SEG_COUNTED_H

#include "store/seg_ints.h"

/* Append the section. Memory that is out: out->failed. */
void span__counted_put(struct span_buf *out, const uint64_t *v, size_t n);

/*
 * Open the section AREA; an empty area is an empty column. False when it is
 * damaged or has more than MAX values: the file is marked bad, c->n is 0.
 */
bool span__counted_open(struct span__ints *c, const struct span__area *area,
			uint64_t max);

#endif
