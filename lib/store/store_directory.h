/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_directory.h - a store in a directory: what its parts share
 */
#ifndef SPAN_STORE_DIRECTORY_H
#define SPAN_STORE_DIRECTORY_H

#include "store/store_append.h"
#include "store/store_ops.h"
#include "store/store_view.h"

struct span__directory {
	struct span_store base;
	struct span__dir dir;
	struct span__appender appender; /* SPAN_STORE_APPEND */
	int maint_fd;			/* SPAN_STORE_MAINTAIN, else -1 */
	struct span__view view;
	bool has_view;
	struct span_store_stat found; /* damage and expiry met by scans */
	struct span_buf told;	      /* places of damage that were told */
};

/* Make a view where there is none yet. */
SPAN_NODISCARD int span__directory_view(struct span__directory *s,
					struct span_error *err);

SPAN_NODISCARD int span__directory_refresh(struct span_store *st,
					   struct span_error *err);

/* The functions of struct span__store_ops that have files of their own. */
SPAN_NODISCARD int span__directory_scan(struct span_store *st,
					const struct span__scan *scan,
					struct span_cursor **out,
					struct span_error *err);
SPAN_NODISCARD int span__directory_since(struct span_store *st,
					 const struct span_store_mark *from,
					 const struct span__scan *scan,
					 span_store_since_fn *fn, void *arg,
					 struct span_store_mark *end,
					 struct span_error *err);
SPAN_NODISCARD int span__directory_follow(struct span_store *st,
					  struct span_store_place *at,
					  span_store_frame_fn *fn, void *arg,
					  struct span_error *err);
SPAN_NODISCARD int span__directory_stat(struct span_store *st,
					struct span_store_stat *out,
					struct span_error *err);
SPAN_NODISCARD int span__directory_files(struct span_store *st,
					 span_store_file_fn *fn, void *arg,
					 struct span_error *err);
SPAN_NODISCARD int span__directory_verify(struct span_store *st,
					  span_store_file_fn *fn, void *arg,
					  struct span_error *err);
SPAN_NODISCARD int span__directory_expire(struct span_store *st,
					  const struct span_store_policy *p,
					  struct span_store_expired *out,
					  span_store_file_fn *fn, void *arg,
					  struct span_error *err);
SPAN_NODISCARD int span__directory_calls(struct span_store *st,
					 const struct span_store_calls_range *r,
					 span_store_calls_fn *fn, void *arg,
					 struct span_error *err);
SPAN_NODISCARD int
span__directory_calls_width(struct span_store *st,
			    const struct span_store_calls_range *r,
			    uint64_t *width_ns, struct span_error *err);
SPAN_NODISCARD int span__directory_names(struct span_store *st,
					 span_store_name_fn *fn, void *arg,
					 struct span_error *err);

/*
 * Call FN with each frame of a log of the view whose checksum holds; with FROM
 * only with those behind *FROM (0: all), which goes to the end of the last one.
 * What it returns below 0 ends it, but for SPAN_E_CORRUPT: the frame is
 * damaged. 0, or as span__view_log().
 */
typedef int span__frame_fn(void *arg, struct span_str frame,
			   struct span_error *err);
SPAN_NODISCARD int span__directory_frames(struct span__directory *s,
					  struct span__view_file *f,
					  uint64_t *from, span__frame_fn *fn,
					  void *arg, struct span_error *err);
SPAN_NODISCARD int span__directory_seal(struct span_store *st,
					const struct span_seal_opts *o,
					struct span_sealed *out,
					span_store_file_fn *fn, void *arg,
					struct span_error *err);
SPAN_NODISCARD int span__directory_export(struct span_store *st,
					  const char *dir, uint64_t *n,
					  struct span_error *err);

SPAN_NODISCARD int span__directory_parts(struct span_store *st,
					 span_store_part_fn *fn, void *arg,
					 struct span_error *err);

/* What stat, verify and expire show of a file of the view. */
void span__directory_describe(const struct span__view_file *f,
			      struct span_store_file *out, char name[LOG_NAME]);

#endif
