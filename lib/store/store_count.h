/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_count.h - count what is in a scan of a directory, on all processors
 */
#ifndef SPAN_STORE_COUNT_H
#define SPAN_STORE_COUNT_H

#include "store/frame_judge.h"
#include "store/store_directory.h"

/*
 * 1 with *N; 0 when it is too little work for threads, or when something is
 * damaged, which only who reads in order can tell of; or a negative code.
 */
SPAN_NODISCARD int span__count_in_threads(struct span__directory *s,
					  const struct span__filter *filter,
					  uint64_t *n, struct span_error *err);

#endif
