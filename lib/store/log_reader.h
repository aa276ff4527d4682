/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_reader.h - one log while it is read, damaged or not
 *
 * A walk returns the records that are valid, in order, and says what it had
 * to pass over between them. Nothing is locked or written: the log may be
 * growing.
 */
#ifndef SPAN_LOG_READER_H
#define SPAN_LOG_READER_H

#include "base/io.h"
#include "store/log_format.h"
#include "store/log_writer.h"

struct span__log {
	const struct span__io *io;
	int fd;		    /* -1 when it is mapped */
	const uint8_t *map; /* after span__log_map() */
	char name[LOG_NAME];
	struct span__log_id id;
	bool header_ok;
	struct span__log_header header;
	bool closed; /* with a valid trailer */
	struct span__log_trailer trailer;
	uint64_t size;	/* when it was opened */
	uint64_t start; /* of the records */
	uint64_t end;	/* of the records, or where to stop looking */
};

/*
 * Open NAME in DIRFD. Where the header is damaged the log is read as FALLBACK
 * says. 0; SPAN_E_NOTFOUND when there is no such file; SPAN_E_FORMAT when a
 * later version wrote it; SPAN_E_IO. Release it only after 0.
 */
SPAN_NODISCARD int span__log_open(struct span__log *l,
				  const struct span__io *io, int dirfd,
				  const char *name,
				  const struct span__log_id *fallback,
				  bool writer, struct span_error *err);
void span__log_close(struct span__log *l);

/*
 * Read a closed log by way of a mapping from now on, and give its descriptor
 * back: it does not change any more. 0 or SPAN_E_IO; it is as before then.
 */
SPAN_NODISCARD int span__log_map(struct span__log *l, struct span_error *err);

/* LEN bytes at POS, all of them within its size. 0 or SPAN_E_IO. */
SPAN_NODISCARD int span__log_read(const struct span__log *l, void *p,
				  size_t len, uint64_t pos,
				  struct span_error *err);

struct span__log_walk {
	const struct span__log *log;
	uint64_t pos; /* where the next record is looked for */
	uint64_t end;
	bool payloads; /* they will be read, too */
	bool bare;     /* hardly any of them will */
	bool lists;    /* records of log_lists.h are returned as well */
	bool small;    /* the last record was: read several at a time */
	/* Passed over before the record that was returned, or at the end. */
	uint64_t bad_pos, bad_len;
	uint64_t held_pos; /* where the bytes in HELD are from */
	struct span_buf held;
};

/* From the first record; a zeroed struct is ready. Keeps its buffer. */
void span__log_walk_begin(struct span__log_walk *w, const struct span__log *l,
			  bool payloads);

/*
 * The next record with a valid header that lies within the log, of a type
 * that we know. 1; 0 at the end: bad_len bytes before it are no record;
 * SPAN_E_IO or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__log_walk_next(struct span__log_walk *w,
				       struct span__log_record *rec,
				       struct span_error *err);

/*
 * Read the record that was returned last: 1 with *P its payload, valid until
 * the next call; 0 when it is damaged, it then counts as passed over before
 * the next one; SPAN_E_IO or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__log_walk_payload(struct span__log_walk *w,
					  const struct span__log_record *rec,
					  const uint8_t **p,
					  struct span_error *err);

/* Go on at POS, where a record begins. */
void span__log_walk_seek(struct span__log_walk *w, uint64_t pos);

/*
 * The record at POS, which an index or a list tells of: 1; 0 when none begins
 * there; SPAN_E_IO or SPAN_E_NOMEM. Its payload is read as usual.
 */
SPAN_NODISCARD int span__log_walk_at(struct span__log_walk *w, uint64_t pos,
				     struct span__log_record *rec,
				     struct span_error *err);
void span__log_walk_release(struct span__log_walk *w);

/*
 * The sum of a log: from its trailer, or by walking over its records'
 * headers. *END (or NULL) is where the last of them ends. 0, SPAN_E_IO or
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__log_sum(const struct span__log *l,
				 struct span__log_sum *sum, uint64_t *end,
				 struct span_error *err);

/*
 * The footer of a closed log into BUF: 1; 0 when there is none; SPAN_E_IO or
 * SPAN_E_NOMEM. Then a section of it: false when it is damaged or missing.
 */
SPAN_NODISCARD int span__log_footer(const struct span__log *l,
				    struct span_buf *buf,
				    struct span_error *err);
bool span__log_section(const struct span__log *l, const struct span_buf *footer,
		       uint32_t type, struct span_str *content);

/*
 * The index of a closed log, LOG_INDEX_ENTRY bytes a frame. 1 with *INDEX
 * pointing into BUF; 0 when there is none or it is damaged; SPAN_E_IO or
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__log_index(const struct span__log *l,
				   struct span_buf *buf, struct span_str *index,
				   struct span_error *err);

#endif
