/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_ops.h - the seam between <span/store.h> and what keeps the spans
 *
 * An implementation embeds struct span_store and struct span_cursor first in
 * its own, and fills in their functions. Nothing outside of it may assume a
 * directory.
 */
#ifndef SPAN_STORE_OPS_H
#define SPAN_STORE_OPS_H

#include <span/store.h>

#include "base/io.h"
#include "store/work.h"

/* What a scan is to return: the spans in RANGE, or those of the traces IDS. */
struct span__scan {
	const struct span_range *range; /* NULL: all */
	const uint8_t (*ids)[16];
	size_t n_ids; /* 0: no selection by trace */
};

struct span__shapes_sink;
struct span__traces;

/* As the functions of <span/store.h> are; NULL: cannot be done. */
struct span__store_ops {
	/* FUTURE: that many of its spans are dated too far ahead. */
	int (*append)(struct span_store *st, const struct span_frame_info *info,
		      uint32_t future, struct span_error *err);
	int (*sync)(struct span_store *st, struct span_error *err);
	int (*tick)(struct span_store *st, uint64_t *wait_ns,
		    struct span_error *err);
	void (*counts)(const struct span_store *st,
		       struct span_store_counts *out);
	int (*scan)(struct span_store *st, const struct span__scan *scan,
		    struct span_cursor **out, struct span_error *err);
	int (*since)(struct span_store *st, const struct span_store_mark *from,
		     const struct span__scan *scan, span_store_since_fn *fn,
		     void *arg, struct span_store_mark *end,
		     struct span_error *err);
	int (*follow)(struct span_store *st, struct span_store_place *at,
		      span_store_frame_fn *fn, void *arg,
		      struct span_error *err);
	int (*refresh)(struct span_store *st, struct span_error *err);
	int (*stat)(struct span_store *st, struct span_store_stat *out,
		    struct span_error *err);
	int (*files)(struct span_store *st, span_store_file_fn *fn, void *arg,
		     struct span_error *err);
	int (*parts)(struct span_store *st, span_store_part_fn *fn, void *arg,
		     struct span_error *err);
	int (*verify)(struct span_store *st, span_store_file_fn *fn, void *arg,
		      struct span_error *err);
	int (*expire)(struct span_store *st, const struct span_store_policy *p,
		      struct span_store_expired *out, span_store_file_fn *fn,
		      void *arg, struct span_error *err);
	int (*calls)(struct span_store *st,
		     const struct span_store_calls_range *r,
		     span_store_calls_fn *fn, void *arg,
		     struct span_error *err);
	/* *WIDTH_NS is the least already. */
	int (*calls_width)(struct span_store *st,
			   const struct span_store_calls_range *r,
			   uint64_t *width_ns, struct span_error *err);
	int (*names)(struct span_store *st, span_store_name_fn *fn, void *arg,
		     struct span_error *err);
	/* see store_shapes.h */
	int (*shapes)(struct span_store *st, struct span__shapes_sink *sink,
		      struct span_error *err);
	/* see store_traces.h */
	int (*traces)(struct span_store *st, unsigned want,
		      int (*fn)(void *arg, const struct span__traces *t,
				struct span_error *err),
		      void *arg, struct span_error *err);
	int (*seal)(struct span_store *st, const struct span_seal_opts *o,
		    struct span_sealed *out, span_store_file_fn *fn, void *arg,
		    struct span_error *err);
	int (*export_to)(struct span_store *st, const char *dir, uint64_t *n,
			 struct span_error *err);
	int (*policy_get)(struct span_store *st, struct span_store_policy *out,
			  struct span_error *err);
	int (*policy_set)(struct span_store *st,
			  const struct span_store_policy *p,
			  struct span_error *err);
	int (*close)(struct span_store *st, struct span_error *err);
};

struct span_store {
	const struct span__store_ops *ops;
	const struct span__io *io;
	struct span_store_opts opts; /* defaults filled in */
	char *name;
	struct span__work work;
	const bool *stop; /* span_store_stop() */
};

struct span__cursor_ops {
	int (*next)(struct span_cursor *c, struct span *out,
		    struct span_error *err);
	/* Add to *N how many spans next would return. */
	int (*count)(struct span_cursor *c, uint64_t *n,
		     struct span_error *err);
	void (*close)(struct span_cursor *c);
};

struct span_cursor {
	const struct span__cursor_ops *ops;
};

/* span_store_open() on another disk and clock, for tests. */
SPAN_NODISCARD int span__store_open(struct span_store **out, const char *name,
				    const struct span_store_opts *o,
				    const struct span__io *io,
				    struct span_error *err);

/* The implementations: NAME is a path; SIZE is in bytes. */
SPAN_NODISCARD int span__store_open_dir(struct span_store **out,
					const char *name,
					const struct span_store_opts *o,
					const struct span__io *io,
					struct span_error *err);
SPAN_NODISCARD int span__store_open_memory(struct span_store **out,
					   uint64_t size, const char *name,
					   const struct span_store_opts *o,
					   const struct span__io *io,
					   struct span_error *err);

/* For what takes long, now and then: 0, or SPAN_E_PIPE once it is to stop. */
static inline int span__store_stopped(const struct span_store *st,
				      struct span_error *err)
{
	if (!st->stop || !__atomic_load_n(st->stop, __ATOMIC_RELAXED))
		return 0;
	return span_error_set(err, SPAN_E_PIPE, "nobody wants it any more");
}

/* Put the store's name before the message of the failure RC; returns RC. */
int span__store_named(const char *name, int rc, struct span_error *err);

/* Tell of damage, if anybody listens. */
void span__store_damage(const struct span_store_opts *o, const char *fmt, ...)
	SPAN_PRINTF(2, 3);

/*
 * As span_store_find(), for who needs of the spans only what
 * span_range.head_only names; ERRORS: and head_errors.
 */
SPAN_NODISCARD int span__store_find_heads(struct span_store *st,
					  const uint8_t (*ids)[16], size_t n,
					  bool errors, struct span_cursor **out,
					  struct span_error *err);

#endif
