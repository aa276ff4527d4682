/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_writer.h - one log while it is written
 *
 * Create, put records, sync, finish with the footer. Renaming and syncing the
 * directory is the caller's. After a sync or a cut that failed the log takes
 * nothing more: what the kernel then still holds of the file is unknown.
 */
#ifndef SPAN_LOG_WRITER_H
#define SPAN_LOG_WRITER_H

#include "base/io.h"
#include "store/log_format.h"

#define LOG_NAME 64 /* bytes of a file's name */

struct span__log_writer {
	const struct span__io *io;
	int fd;
	char name[LOG_NAME];
	struct span__log_header header;
	uint64_t end; /* of the last record */
	struct span__log_sum sum;
	struct span_buf record, index;
	struct span__log_ids *ids;
	struct span__log_filters *filters;
	struct span__log_hash *hash;
	bool failed;
};

/*
 * Create NAME in DIRFD, which must not exist, and write its header. 0,
 * SPAN_E_FULL, SPAN_E_IO or SPAN_E_NOMEM; release it in either case.
 */
SPAN_NODISCARD int span__log_create(struct span__log_writer *w,
				    const struct span__io *io, int dirfd,
				    const char *name,
				    const struct span__log_header *header,
				    struct span_error *err);

/*
 * Write a record after the last one; the caller fills all of *REC but pos and
 * crc. 0; or with nothing of it in the log SPAN_E_LIMIT when the log cannot
 * grow by so much, SPAN_E_FULL, SPAN_E_NOMEM, SPAN_E_IO.
 */
SPAN_NODISCARD int span__log_put(struct span__log_writer *w,
				 struct span__log_record *rec,
				 const void *payload, struct span_error *err);

SPAN_NODISCARD int span__log_sync(struct span__log_writer *w,
				  struct span_error *err);

/*
 * Write the footer and sync. As span__log_put(): when the footer could not be
 * written the log is as before, and goes on.
 */
SPAN_NODISCARD int span__log_finish(struct span__log_writer *w,
				    struct span_error *err);

/* Close the file: 0 or SPAN_E_IO. A log without a file is fine. */
int span__log_release(struct span__log_writer *w, struct span_error *err);

#endif
