/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_lists.h - what the frames of a log have, told by records behind them
 *
 * After every few frames come records, of one type for each thing that is told:
 * a list of these frames with some words of 32 bits each. log_ids.h and
 * log_filters.h say what the words are, and span-store(5) draws it all. Lists
 * only spare reading: a frame that is in none is read.
 */
#ifndef SPAN_LOG_LISTS_H
#define SPAN_LOG_LISTS_H

#include "store/log_reader.h"

/* ---- Writing ---- */

/* The frames since the last record. A zeroed struct is ready. */
struct span__log_list {
	struct span_buf bytes;
	uint32_t n_frames;
	size_t start; /* of the entry at hand */
};

/* Begin the entry of the frame at POS; its words are put into list->bytes. */
void span__log_list_begin(struct span__log_list *list, uint64_t pos);
/* End it. It is left out unless it is GOOD, or where memory was out. */
void span__log_list_end(struct span__log_list *list, bool good);
/* Is it time to write it? */
bool span__log_list_due(const struct span__log_list *list);
/* It was written, or could not be: begin a new one. */
void span__log_list_next(struct span__log_list *list);
void span__log_list_release(struct span__log_list *list);

/* ---- Reading ---- */

/* Which frames are wanted, and where they go. */
struct span__log_pick {
	uint16_t type; /* of the records */
	/* May the frame with these N words be wanted? */
	bool (*wants)(const void *arg, const char *words, uint32_t n);
	const void *arg;
	struct span_buf *out; /* LOG_INDEX_ENTRY bytes a frame */
};

/*
 * The frames of L that may be wanted, and those that no list has. 1; 0 when
 * there is damage in front of a frame, so that all has to be read; SPAN_E_IO,
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__log_pick(const struct span__log_pick *pick,
				  const struct span__log *l,
				  struct span_error *err);

/* The same of a closed log, whose lists are all at LISTS and index at INDEX. */
void span__log_pick_indexed(const struct span__log_pick *pick,
			    struct span_str lists, struct span_str index);

/* Leave the entries of an index out that are before POS. */
void span__log_entries_from(struct span_str *index, uint64_t pos);

/*
 * All frames of L, by its index or else the headers of its records: 1 with
 * *INDEX in BUF; 0 and negative codes as span__log_pick().
 */
SPAN_NODISCARD int span__log_entries(const struct span__log *l,
				     struct span_buf *buf,
				     struct span_str *index,
				     struct span_error *err);

#endif
