/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_view.h - what a reader sees of a directory: a snapshot
 *
 * Every file of it is opened when the view is made, so that all of it can
 * still be read when it was sealed, merged or removed since. Segments are
 * mapped; logs keep their descriptors, up to VIEW_LOGS of them, and beyond
 * that are mapped.
 *
 * Who looks for spans takes all files as they come: a draft (see draft_fit.h)
 * stands for a segment, and its log for what is behind it. Who looks at files
 * passes over drafts, and takes logs whole.
 */
#ifndef SPAN_STORE_VIEW_H
#define SPAN_STORE_VIEW_H

#include "store/log_reader.h"
#include "store/seg_read.h"
#include "store/store_dir.h"

#define VIEW_LOGS 128u /* descriptors of closed logs */

/* The names in a log, as far as it was read for them: see store_names.c. */
struct span__kept_names;
void span__kept_names_close(struct span__kept_names **k);

struct span__view_file {
	/* its name: FILE_LOG, OPEN, BAD, SEG or DRAFT; KIND of that is SEG */
	struct span__file file;
	uint64_t number;       /* of the log; the last one in a segment */
	uint64_t first_number; /* the first one in a segment */
	enum span__file_kind kind;
	uint8_t origin[16];    /* of a segment: the store that wrote it */
	struct span__seg *seg; /* FILE_SEG; NULL: nothing of it can be read */
	unsigned seg_users;    /* scans that are in it: it stays loaded */
	size_t seg_held;       /* memory that it is left with after them */
	struct span__log log;  /* kept open, when it is_open */
	bool is_open;
	/* of a log: where the frames begin that no draft has, or 0 */
	uint64_t drafted;
	struct span__log_sum draft_sum; /* of those that one has */
	bool verified;			/* of a draft: every byte */
	bool covered;			/* while the view is made */
	bool has_sum; /* size and sum are known; always of a segment */
	bool told;    /* its damage was reported */
	uint64_t size;
	struct span__log_sum sum;
	struct span__kept_names *names; /* of a log; NULL: none are kept */
};

struct span__view {
	struct span__view_file *v;
	size_t n;
	struct span__listing covered; /* left out: other files have all of it */
	uint64_t n_expired;	      /* went away while the view was made */
};

static inline bool span__is_draft(const struct span__view_file *f)
{
	return f->file.kind == FILE_DRAFT;
}

/*
 * The files as they are now: foreign segments, then the store's own files by
 * number. What another segment covers is left out. D stays borrowed. Release
 * it only after 0.
 */
SPAN_NODISCARD int span__view_open(struct span__view *view,
				   const struct span__dir *d,
				   struct span_error *err);
void span__view_release(struct span__view *view);
/* Close one file of it. */
void span__view_close(struct span__view_file *f);

/*
 * Take over what OLD knows of files that are the same, and segments that are
 * open there: OLD is of no use but to be released then.
 */
void span__view_inherit(struct span__view *view, struct span__view *old);

/*
 * Open a log of the view to read what no draft has of it, or the whole log. 0
 * with *OUT, to be closed with span__view_done(); SPAN_E_NOTFOUND when it went
 * away since.
 */
SPAN_NODISCARD int span__view_log(const struct span__view_file *f,
				  const struct span__dir *d,
				  struct span__log *out,
				  struct span_error *err);
SPAN_NODISCARD int span__view_whole_log(const struct span__view_file *f,
					const struct span__dir *d,
					struct span__log *out,
					struct span_error *err);
void span__view_done(const struct span__view_file *f, struct span__log *log);

/*
 * No scan is in the segment F any more: give its memory back, unless all that
 * are loaded need little; who reads the same again then finds it ready.
 */
void span__view_unload(struct span__view *view, struct span__view_file *f);

/* Find out the size and sum of the whole file. As span__view_log(). */
SPAN_NODISCARD int span__view_sum(struct span__view_file *f,
				  const struct span__dir *d,
				  struct span_error *err);

/* The name of the file in the directory. */
void span__view_name(const struct span__view_file *f, char out[LOG_NAME]);

#endif
