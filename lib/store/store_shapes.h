/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_shapes.h - ask the shapes of traces instead of the traces
 *
 * What depends only on who called whom, and on what the spans of a type have in
 * common, is the same for all traces of a shape (seg_shapes.h). It is asked of
 * each shape once. Traces of which a shape does not tell all, because parts of
 * them are elsewhere, are given one by one.
 */
#ifndef SPAN_STORE_SHAPES_H
#define SPAN_STORE_SHAPES_H

#include "store/seg_shapes.h"
#include "store/store_ops.h"

struct span__shapes_sink {
	void *arg;
	/* Of traces that have spans that start in [since, until), 0: no end;
	 * of those with others besides none is left to its shape. */
	uint64_t since_ns, until_ns;
	/* Types that come next are those of another segment: N of them. */
	int (*segment)(void *arg, uint64_t n, struct span_error *err);
	/*
	 * Type I: WHAT has service, name, kind, status (that of
	 * span_is_error(), too) and attributes, of which only keys and types
	 * of values count. 1; 0 when that does not tell; or a negative code.
	 */
	int (*type)(void *arg, uint32_t i, const struct span *what,
		    struct span_error *err);
	/* A shape of types that tell: *MATCHED is how many of its spans are
	 * chosen. 0 or a negative code. */
	int (*shape)(void *arg, const struct span__seg_node *v, size_t n,
		     uint32_t *matched, struct span_error *err);
	/* A trace that must be looked at itself; some come several times. */
	int (*trace)(void *arg, const uint8_t id[16], struct span_error *err);
	/* A trace that is only in logs is given if a span of it is in this
	 * range. NULL: if it is there. */
	const struct span_range *needed;
	/* Keys that no process may have, or its segment does not tell. */
	const struct span_str *keys;
	size_t n_keys;
	/* What the shapes say of the traces that were not given. */
	uint64_t n_traces, n_spans; /* with spans that match; those spans */
};

/*
 * 1; 0 when this cannot be done for the store, or it is damaged, and n_traces
 * and n_spans mean nothing; or a negative code.
 */
SPAN_NODISCARD int span__store_shapes(struct span_store *st,
				      struct span__shapes_sink *sink,
				      struct span_error *err);

/* Its implementation in a directory. */
SPAN_NODISCARD int span__directory_shapes(struct span_store *st,
					  struct span__shapes_sink *sink,
					  struct span_error *err);

#endif
