/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_ids.h - which traces the frames of a log have spans of
 *
 * A list of frames with a hash of each of their trace ids goes into the log
 * after every few frames, and all of it into the footer, so that the spans of
 * a trace are found without reading other frames. span-store(5) draws it. A
 * frame that is in no list is read.
 */
#ifndef SPAN_LOG_IDS_H
#define SPAN_LOG_IDS_H

#include "store/log_lists.h"

/* Gathers lists while a log is written. A zeroed struct is ready. */
struct span__log_ids {
	struct span__log_list list;
	struct span_buf all; /* of the log */
	uint32_t n;	     /* hashes of the frame at hand */
	uint32_t last;	     /* the last one of them */
};

/* Note the frame at POS: LEN bytes at P. What cannot be noted is left out. */
void span__log_ids_add(struct span__log_ids *ids, uint64_t pos, const void *p,
		       size_t len);
/* The list was written, or could not be: begin a new one. */
void span__log_ids_next(struct span__log_ids *ids);
void span__log_ids_release(struct span__log_ids *ids);

/*
 * The frames of L that may have spans of the N traces IDS, as entries of an
 * index. 1 with *INDEX in BUF; 0 when all have to be read; SPAN_E_IO,
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__log_find(const struct span__log *l,
				  const uint8_t (*ids)[16], size_t n,
				  struct span_buf *buf, struct span_str *index,
				  struct span_error *err);

#endif
