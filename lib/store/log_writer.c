/* SPDX-License-Identifier: Apache-2.0 */
#include "store/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/log_filters.h"
#include "store/log_hash.h"
#include "store/log_ids.h"

#include "base/banned.h"

/* What the errno of a failed call means for the caller. */
static int write_error(void)
{
	return errno == ENOSPC || errno == EDQUOT ? SPAN_E_FULL : SPAN_E_IO;
}

/*
 * Write at the end of the log, or leave it as it was. What is past the end
 * must go at once: a later, shorter record would otherwise be followed by a
 * piece of this one.
 */
static int write_or_cut(struct span__log_writer *w, const void *p, size_t len,
			uint64_t pos, struct span_error *err)
{
	const struct span__io *io = w->io;
	size_t done;
	int rc;

	if (w->failed)
		return span_error_set(err, SPAN_E_IO, "%s: failed before",
				      w->name);
	if (!span__io_pwrite_all(io, w->fd, p, len, pos, &done))
		return 0;
	rc = write_error();
	span_error_set(err, rc, "%s: cannot write at byte %llu%s", w->name,
		       (unsigned long long)(pos + done),
		       rc == SPAN_E_FULL ? ": no space left on the disk" : "");
	if (io->ftruncate(io->self, w->fd, pos) < 0) {
		w->failed = true;
		return span_error_set(err, SPAN_E_IO,
				      "%s: cannot cut back to byte %llu",
				      w->name, (unsigned long long)pos);
	}
	return rc;
}

int span__log_create(struct span__log_writer *w, const struct span__io *io,
		     int dirfd, const char *name,
		     const struct span__log_header *header,
		     struct span_error *err)
{
	uint8_t bytes[LOG_HEADER];
	int rc;

	*w = (struct span__log_writer){.io = io, .fd = -1, .header = *header};
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->hash = span__log_hash_open();
	w->ids = calloc(1, sizeof(*w->ids));
	w->filters = span__log_filters_open();
	if (!w->hash || !w->ids || !w->filters)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	w->fd = io->open(io->self, dirfd, name,
			 O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (w->fd < 0) {
		rc = write_error();
		return span_error_set(
			err, rc, "%s: cannot create%s", name,
			rc == SPAN_E_FULL ? ": no space left on the disk" : "");
	}
	span__log_header_put(bytes, header);
	rc = write_or_cut(w, bytes, sizeof(bytes), 0, err);
	if (rc < 0)
		return rc;
	span__log_hash_add(w->hash, bytes, sizeof(bytes));
	w->end = sizeof(bytes);
	return 0;
}

/* The record in one piece, so that one write(2) takes it. */
static int build(struct span__log_writer *w, const struct span__log_record *rec,
		 const void *payload, struct span_error *err)
{
	uint64_t size = span__log_record_size(rec->len);
	char *p;

	w->record.len = 0;
	p = span_buf_reserve(&w->record, size);
	if (!p || !span_buf_reserve(&w->index, LOG_INDEX_ENTRY)) {
		w->record.failed = w->index.failed = false;
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	memset(p + size - LOG_ALIGN, 0, LOG_ALIGN);
	span__log_record_put((uint8_t *)p, &w->header.id, rec, payload);
	memcpy(p + LOG_RECORD, payload, rec->len);
	w->record.len = size;
	return 0;
}

/*
 * A list of frames. It only spares reading: where it cannot be written the log
 * is as good without it, and what is wrong with the disk the next frame will
 * tell.
 */
static void put_list(struct span__log_writer *w, uint16_t type,
		     const struct span__log_list *list,
		     const struct span__log_record *last)
{
	struct span__log_record rec = {
		.pos = w->end,
		.len = (uint32_t)list->bytes.len,
		.type = type,
		.seq = last->seq,
		.arrival_ns = last->arrival_ns,
	};

	if (span__log_record_size(rec.len) <= LOG_SIZE_MAX - w->end &&
	    build(w, &rec, list->bytes.p, NULL) == 0 &&
	    write_or_cut(w, w->record.p, w->record.len, w->end, NULL) == 0) {
		w->end += w->record.len;
		span__log_hash_add(w->hash, w->record.p, w->record.len);
	}
}

/* Note what the frame has, and write the lists that are due. */
static void note_frame(struct span__log_writer *w,
		       const struct span__log_record *rec, const void *payload)
{
	struct span__log_list *filters = span__log_filters_list(w->filters);

	span__log_ids_add(w->ids, rec->pos, payload, rec->len);
	span__log_filters_add(w->filters, rec->pos, payload, rec->len);
	if (span__log_list_due(&w->ids->list)) {
		put_list(w, LOG_TYPE_IDS, &w->ids->list, rec);
		span__log_ids_next(w->ids);
	}
	if (span__log_list_due(filters)) {
		put_list(w, LOG_TYPE_FILTERS, filters, rec);
		span__log_list_next(filters);
	}
}

int span__log_put(struct span__log_writer *w, struct span__log_record *rec,
		  const void *payload, struct span_error *err)
{
	struct span__log_entry entry;
	uint8_t bytes[LOG_INDEX_ENTRY];
	int rc;

	if (span__log_record_size(rec->len) > LOG_SIZE_MAX - w->end)
		return span_error_set(err, SPAN_E_LIMIT, "%s: the log is full",
				      w->name);
	rec->pos = w->end;
	rc = build(w, rec, payload, err);
	if (rc < 0)
		return rc;
	rc = write_or_cut(w, w->record.p, w->record.len, w->end, err);
	if (rc < 0)
		return rc;
	w->end += w->record.len;
	span__log_hash_add(w->hash, w->record.p, w->record.len);
	entry = (struct span__log_entry){rec->pos, rec->n_spans,
					 rec->min_start_ns, rec->max_end_ns};
	span__log_entry_put(bytes, &entry);
	span_buf_put(&w->index, bytes, sizeof(bytes));
	span__log_sum_add(&w->sum, rec);
	note_frame(w, rec, payload);
	return 0;
}

int span__log_sync(struct span__log_writer *w, struct span_error *err)
{
	if (w->failed)
		return span_error_set(err, SPAN_E_IO, "%s: failed before",
				      w->name);
	if (w->io->fdatasync(w->io->self, w->fd) == 0)
		return 0;
	w->failed = true;
	return span_error_set(err, SPAN_E_IO, "%s: cannot sync", w->name);
}

static int write_footer(struct span__log_writer *w, struct span_error *err)
{
	struct span__log_trailer t = {.data_end = w->end, .sum = w->sum};
	const struct span__log_id *id = &w->header.id;
	struct span_buf *out = &w->record;
	uint8_t trailer[LOG_TRAILER];

	out->len = 0;
	span__log_ids_next(w->ids);
	span__log_section_put(out, id, w->end, LOG_SECTION_INDEX, w->index.p,
			      (uint32_t)w->index.len);
	span__log_section_put(out, id, w->end + out->len, LOG_SECTION_IDS,
			      w->ids->all.p, (uint32_t)w->ids->all.len);
	if (!out->failed)
		span__log_hash_get(w->hash, out->p, out->len, t.hash);
	span__log_trailer_put(trailer, id, w->end + out->len, &t);
	span_buf_put(out, trailer, sizeof(trailer));
	if (out->failed) {
		out->failed = false;
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	return write_or_cut(w, out->p, out->len, w->end, err);
}

int span__log_finish(struct span__log_writer *w, struct span_error *err)
{
	int rc = write_footer(w, err);

	if (rc < 0)
		return rc;
	return span__log_sync(w, err);
}

int span__log_release(struct span__log_writer *w, struct span_error *err)
{
	int fd = w->fd;

	span_buf_release(&w->record);
	span_buf_release(&w->index);
	if (w->ids)
		span__log_ids_release(w->ids);
	free(w->ids);
	w->ids = NULL;
	span__log_filters_close(&w->filters);
	span__log_hash_close(&w->hash);
	w->fd = -1;
	if (fd >= 0 && w->io->close(w->io->self, fd) < 0)
		return span_error_set(err, SPAN_E_IO, "%s: cannot close",
				      w->name);
	return 0;
}
