/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_shapes.h - ask the shapes of traces instead of the traces
 *
 * What depends only on who called whom, and on what the spans of a type have in
 * common, is the same for all traces of a shape (seg_shapes.h). It is asked of
 * each shape once. Of logs each span is asked, and then the tree of each trace.
 * Traces of which a shape does not tell all, because parts of them are
 * elsewhere, are given one by one.
 */
#ifndef SPAN_STORE_SHAPES_H
#define SPAN_STORE_SHAPES_H

#include "store/store_ops.h"

/* A span of a shape, in preorder. */
struct span__shape_node {
	uint64_t chosen; /* what was said of it, or of its type */
	uint64_t depth;
};

/* A shape of few spans, in preorder. */
#define SPAN__SHAPE_FEW 63u
#define SPAN__SHAPE_BITS 8u

struct span__shape_few {
	uint32_t n;
	uint8_t chosen[SPAN__SHAPE_FEW + 1]; /* bytes up to the next 8th: 0 */
	uint8_t parent[SPAN__SHAPE_FEW + 1]; /* SPAN__SHAPE_FEW: none */
};

struct span__shapes_sink {
	void *arg;
	/* Of traces that have spans that start in [since, until), 0: no end;
	 * of those with others besides none is left to its shape. */
	uint64_t since_ns, until_ns;
	/*
	 * What is to be *CHOSEN of a type: WHAT has service, name, kind, status
	 * (that of span_is_error(), too) and attributes, of which only keys and
	 * types of values count. 1; 0 when that does not tell; or a negative
	 * code.
	 */
	int (*type)(void *arg, const struct span *what, uint64_t *chosen,
		    struct span_error *err);
	/* The same of a span of a log, of which only that counts, too, and what
	 * its attributes have; has it what every trace needs? */
	int (*span)(void *arg, const struct span *s, uint64_t *chosen,
		    bool *needed, struct span_error *err);
	/* Which of its attributes matter, beyond those that tell whether it
	 * failed: all that it is asked with. */
	const struct span_str *attrs;
	size_t n_attrs;
	/* No trace matches without a span of which one of these bits is chosen;
	 * 0: it may. */
	uint64_t need;
	/* Nor one without spans of which all of these are, each of some. */
	uint64_t all;
	/* A shape of types, or spans, that tell: *MATCHED is how many of its
	 * spans match. 0 or a negative code. */
	int (*shape)(void *arg, const struct span__shape_node *v, size_t n,
		     uint32_t *matched, struct span_error *err);
	/* The same of one of few spans, where no more than SPAN__SHAPE_BITS are
	 * ever chosen: how many match. NULL: shape() is asked. */
	uint32_t (*few)(void *arg, const struct span__shape_few *v);
	/* A trace that must be looked at itself; some come several times. Of
	 * logs only those with a span that is needed are. */
	int (*trace)(void *arg, const uint8_t id[16], struct span_error *err);
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
