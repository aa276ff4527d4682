/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_append.h - the writing side of a directory: group commit, rotation
 */
#ifndef SPAN_STORE_APPEND_H
#define SPAN_STORE_APPEND_H

#include "store/log_writer.h"
#include "store/store_dir.h"
#include "store/store_ops.h"

struct span__appender {
	struct span__dir *dir;
	const struct span_store_opts *opts;
	int lock_fd;
	uint64_t next_number, next_seq;
	bool has_log;
	struct span__log_writer log;
	uint64_t log_since; /* monotonic, of its first frame */
	struct {
		uint64_t first_seq, frames, spans, bytes;
		uint64_t since; /* monotonic, of its first frame */
	} group;
	uint64_t unchecked; /* bytes since free space was looked at */
	struct span_store_counts counts;
	int failed; /* what every further call returns */
	struct span_error why;
};

/*
 * Take the lock, make the directory a store where it is none, recover what a
 * predecessor left. D, which is open, and O are borrowed until close. 0 or a
 * negative code, as span_store_open(); close it only after 0.
 */
SPAN_NODISCARD int span__appender_open(struct span__appender *a,
				       struct span__dir *d,
				       const struct span_store_opts *o,
				       struct span_error *err);
SPAN_NODISCARD int span__appender_put(struct span__appender *a,
				      const struct span_frame_info *info,
				      uint32_t future, struct span_error *err);
SPAN_NODISCARD int span__appender_sync(struct span__appender *a,
				       struct span_error *err);
SPAN_NODISCARD int span__appender_tick(struct span__appender *a,
				       uint64_t *wait_ns,
				       struct span_error *err);
/* Sync, close the log, give the lock back: 0 or SPAN_E_IO. */
SPAN_NODISCARD int span__appender_close(struct span__appender *a,
					struct span_error *err);

/* What recovery did, and what must not be used again. */
struct span__recovered {
	uint64_t frames, spans;
	uint64_t next_number, next_seq;
};

/*
 * Make a closed log of each open one in the directory, and remove temporary
 * files. Needs the lock and FORMAT. 0, SPAN_E_IO, SPAN_E_FORMAT or
 * SPAN_E_NOMEM; it may be killed anywhere and begun again.
 */
SPAN_NODISCARD int span__recover(const struct span__dir *d,
				 const struct span_store_opts *o,
				 struct span__recovered *out,
				 struct span_error *err);

/* The header of a log that begins with FIRST_SEQ now. */
void span__log_header_now(struct span__log_header *h, const struct span__dir *d,
			  const struct span_store_opts *o, uint64_t number,
			  uint64_t first_seq);

/* Give a finished log its final name and make it durable. */
SPAN_NODISCARD int span__log_rename(const struct span__dir *d, const char *from,
				    uint64_t number, struct span_error *err);

#endif
