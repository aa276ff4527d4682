/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_seal.h - make one segment of several files
 */
#ifndef SPAN_STORE_SEAL_H
#define SPAN_STORE_SEAL_H

#include "store/seal_feed.h"
#include "store/seg_build.h"
#include "store/store_directory.h"

/* What goes in, and comes out again when the segment is read. */
struct span__seal_sum {
	uint64_t n_spans;
	uint64_t hashes; /* of the spans of the traces that are checked */
};

struct span__sealing {
	struct span__directory *store;
	const struct span_seal_opts *opts; /* defaults filled in */
	enum span__seg_codec codec;
	struct span__view_file *files; /* neighbours in the view */
	size_t n_files;	     /* fewer after a build that ended early */
	bool draft;	     /* of one log: see draft_make.h */
	uint64_t created_ns; /* of the segment; 0: now */
	uint64_t done, of;   /* spans, for progress */
	/* after span__seal_build() */
	size_t file;   /* at which it stopped */
	bool *damaged; /* of each file: keep it */
	struct span__seg_header header;
	uint64_t size;
	/* while it is built */
	struct span__seg_builder *builder;
	struct span__seal_sum sum;
	uint64_t check_every;	 /* traces: one out of so many */
	bool careful;		 /* frames are validated first */
	struct span__feed *feed; /* of the log that is read */
	struct span_arena arena;
};

enum {
	SEAL_DONE = 0,
	SEAL_TOO_BIG,
	SEAL_UNFIT,
	SEAL_DIFFERS,	/* what was read back is something else */
	SEAL_NOT_ALONE, /* of the caller */
	SEAL_CARE,	/* not returned */
};

/*
 * Write a segment of all spans of the files as NAME, durably, and read it
 * back; where memory will not do for all of them, of the first ones. SEAL_DONE;
 * SEAL_TOO_BIG when that takes more memory than there may be, and SEAL_UNFIT
 * when it cannot have all of it: FILE tells where; SEAL_DIFFERS; a negative
 * code, among them that of progress. NAME may be there whatever it returns.
 */
SPAN_NODISCARD int span__seal_build(struct span__sealing *s, const char *name,
				    struct span_error *err);
void span__seal_release(struct span__sealing *s);

/* ---- What building it and reading it back have in common ---- */

/* Do the spans of the trace count for the sum of hashes? */
bool span__seal_checks(const struct span__sealing *s, const uint8_t id[16]);

/* Each span of a trace to FN: SEAL_UNFIT when one of them is damaged. */
SPAN_NODISCARD int span__seal_each_span(
	struct span__seg *seg, const struct span__seg_place *p,
	struct span_arena *arena,
	int (*fn)(void *arg, const struct span *span, struct span_error *err),
	void *arg, struct span_error *err);

/* 0, or SEAL_DIFFERS when NAME has other spans than were put into it. */
SPAN_NODISCARD int span__seal_check(struct span__sealing *s, const char *name,
				    struct span_error *err);

#endif
