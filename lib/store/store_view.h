/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_view.h - what a reader sees of a directory: a snapshot
 *
 * Closed logs never change and are opened only while they are read, so that
 * the number of descriptors does not grow with the store; the active log is
 * kept open, as it will be renamed.
 */
#ifndef SPAN_STORE_VIEW_H
#define SPAN_STORE_VIEW_H

#include "store/log_reader.h"
#include "store/store_dir.h"

struct span__view_file {
	uint64_t number;
	enum span__file_kind kind; /* FILE_LOG, FILE_OPEN, FILE_BAD */
	struct span__log log;	   /* kept open when FILE_OPEN */
	bool has_sum;		   /* size and sum are known */
	bool told;		   /* its damage was reported */
	uint64_t size;
	struct span__log_sum sum;
};

struct span__view {
	struct span__view_file *v;
	size_t n;
};

/* The files as they are now. D stays borrowed. Release it only after 0. */
SPAN_NODISCARD int span__view_open(struct span__view *view,
				   const struct span__dir *d,
				   struct span_error *err);
void span__view_release(struct span__view *view);

/* Take over what OLD knows of logs that were closed then. */
void span__view_inherit(struct span__view *view, const struct span__view *old);

/*
 * Open a file of the view to read it. 0 with *OUT, to be closed with
 * span__view_done(); SPAN_E_NOTFOUND when it went away since.
 */
SPAN_NODISCARD int span__view_log(const struct span__view_file *f,
				  const struct span__dir *d,
				  struct span__log *out,
				  struct span_error *err);
void span__view_done(const struct span__view_file *f, struct span__log *log);

/* Find out the file's size and sum. As span__view_log(). */
SPAN_NODISCARD int span__view_sum(struct span__view_file *f,
				  const struct span__dir *d,
				  struct span_error *err);

#endif
