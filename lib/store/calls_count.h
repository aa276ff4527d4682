/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_count.h - the calls of a whole store, file by file
 */
#ifndef SPAN_CALLS_COUNT_H
#define SPAN_CALLS_COUNT_H

#include "store/calls_orphans.h"

#define CALLS_WIDTH_NS 60000000000u /* widths are multiples of it */

/*
 * The files of a store, oldest first. LOAD fills in file N, which lives until
 * the next call, with KEEP until DONE is called for it: 0, SPAN_E_NOTFOUND or
 * SPAN_E_CORRUPT when nothing of it can be read, or another code.
 */
struct span__calls_files {
	size_t n;
	const struct span__calls_source *bounds; /* of each; the files empty */
	int (*load)(void *arg, size_t n, bool keep,
		    struct span__calls_file *out, struct span_error *err);
	void (*done)(void *arg, size_t n);
	void *arg;
};

/* 0, a negative code, or what the function returned. */
SPAN_NODISCARD int span__calls_count(const struct span__calls_files *files,
				     struct span__call_names *names,
				     const struct span_store_calls_range *range,
				     span_store_calls_fn *fn, void *arg,
				     struct span_error *err);

/* What the parts of it share: the counting of one file. */
struct span__calls_counter {
	const struct span__calls_files *files;
	struct span__call_names *names;
	struct span__calls_sink sink;
	struct span__calls_groups *groups;
	struct span__orphan_search search;
	struct span__call_trace trace;
	size_t number; /* of the file */
	struct span__calls_file file;
};

/*
 * The other files in the order in which they are asked for parents, for K from
 * 0 to twice their number: one, or SIZE_MAX.
 */
size_t span__calls_nearest(const struct span__calls_counter *c, size_t k);
/* Can file NUMBER, if there is one, have parents of spans of this one? */
bool span__calls_near_file(const struct span__calls_counter *c, size_t number);
/* 1 with file NUMBER, 0 when it cannot be read, or a negative code. */
SPAN_NODISCARD int span__calls_load(struct span__calls_counter *c,
				    size_t number, struct span__calls_file *out,
				    struct span_error *err);
/* Look for the parents of the orphans V in file NUMBER. */
SPAN_NODISCARD int span__calls_resolve(struct span__calls_counter *c,
				       size_t number, struct span__orphan *v,
				       size_t n, struct span_error *err);
/*
 * Append those orphans of the file, which is a segment, to FOUND that have
 * parents in other files, and start in the range: in order.
 */
SPAN_NODISCARD int span__calls_orphans(struct span__calls_counter *c,
				       struct span_buf *found,
				       struct span_error *err);
/* Count all calls of the file, which is a segment, that are in the range. */
SPAN_NODISCARD int span__calls_count_seg(struct span__calls_counter *c,
					 struct span_error *err);

#endif
