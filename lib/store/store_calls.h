/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_calls.h - calls and names of a directory, what the two share
 */
#ifndef SPAN_STORE_CALLS_H
#define SPAN_STORE_CALLS_H

#include "store/calls_count.h"
#include "store/store_directory.h"

/* Give back what a segment of the view holds, unless a scan is in it. */
void span__calls_unload(struct span__view_file *f);
/* Tell of damage to a segment that was met since it was told last. */
void span__calls_tell(struct span__directory *s, struct span__view_file *f);

/* Counts names; see <span/store.h>. A zeroed struct is empty. */
struct span__name_counts {
	struct span__call_names names;
	uint64_t *spans; /* one a name */
	size_t cap;
};
SPAN_NODISCARD int span__name_counts_add(struct span__name_counts *c,
					 uint32_t name, uint64_t n,
					 struct span_error *err);
SPAN_NODISCARD int span__name_counts_log(struct span__name_counts *c,
					 const struct span__calls_log *l,
					 struct span_error *err);
/* Give them out in order, each once. */
SPAN_NODISCARD int span__name_counts_give(struct span__name_counts *c,
					  span_store_name_fn *fn, void *arg,
					  struct span_error *err);
void span__name_counts_release(struct span__name_counts *c);

#endif
