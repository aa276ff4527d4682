/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first page, which has the head, is written last of all: a file without
 * it is no segment, under whatever name.
 */
#include "store/seg_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "store/log_hash.h"
#include "store/seg_head.h"

#include "base/banned.h"

struct span__seg_writer {
	const struct span__io *io;
	int fd;
	char name[64];
	struct span__seg_head head;
	uint64_t pos;	   /* where the next byte goes */
	uint32_t page_crc; /* of the page's bytes before it */
	struct span_buf crcs;
	struct span_buf buffer; /* the last bytes, not written yet */
	struct span__log_hash *hash;
	int failed; /* the code that all calls return from then on */
	struct span_error why;
};

static int fail(struct span__seg_writer *w, int code, const char *what,
		struct span_error *err)
{
	if (!w->failed) {
		if (code == SPAN_E_IO && (errno == ENOSPC || errno == EDQUOT))
			code = SPAN_E_FULL;
		if (code == SPAN_E_NOMEM)
			span_error_set(&w->why, code, "out of memory");
		else
			span_error_at(&w->why, code, w->pos, "%s: %s%s",
				      w->name, what,
				      code == SPAN_E_FULL
					      ? ": no space left on the disk"
					      : "");
		w->failed = code;
	}
	if (err)
		*err = w->why;
	return w->failed;
}

static struct span__seg_writer *new_writer(const struct span__io *io,
					   const char *name)
{
	struct span__seg_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->io = io;
	w->fd = -1;
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->hash = span__log_hash_open();
	if (!w->hash || !span_buf_reserve(&w->buffer, SEG_WRITE))
		span__seg_writer_close(&w);
	return w;
}

int span__seg_writer_open(struct span__seg_writer **out,
			  const struct span__io *io, int dirfd,
			  const char *name, const struct span__seg_header *h,
			  struct span_error *err)
{
	struct span__seg_writer *w = new_writer(io, name);
	int rc = 0;

	*out = NULL;
	if (!w)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	w->head.header = *h;
	/* the first page is known last, but written with the first block */
	memset(w->buffer.p, 0, SEG_PAGE);
	w->buffer.len = w->pos = SEG_PAGE;
	span_buf_put(&w->crcs, "\0\0\0", 4);
	if (w->crcs.failed)
		rc = fail(w, SPAN_E_NOMEM, NULL, err);
	else if (io->unlink(io->self, dirfd, name) < 0 && errno != ENOENT)
		rc = fail(w, SPAN_E_IO, "cannot remove", err);
	else if ((w->fd = io->open(io->self, dirfd, name,
				   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
				   0600)) < 0)
		rc = fail(w, SPAN_E_IO, "cannot create", err);
	if (rc < 0)
		span__seg_writer_close(&w);
	*out = w;
	return rc;
}

/* As if all sections of F had just been put. */
static int take_over(struct span__seg_writer *w, const struct span__seg_file *f)
{
	bool part = f->data_end % SEG_PAGE;

	w->head.header = f->header;
	w->head.n_sections = f->n_sections;
	memcpy(w->head.sections, f->sections,
	       f->n_sections * sizeof(f->sections[0]));
	w->pos = f->data_end;
	span_buf_put(&w->crcs, f->crcs, (size_t)(f->n_crcs - part) * 4);
	if (part)
		w->page_crc = span__get32(f->crcs + (f->n_crcs - 1) * 4);
	span__log_hash_add(w->hash, f->map + SEG_PAGE,
			   (size_t)f->data_end - SEG_PAGE);
	return w->crcs.failed ? SPAN_E_NOMEM : 0;
}

int span__seg_writer_extend(struct span__seg_writer **out,
			    const struct span__seg_file *f, int dirfd,
			    struct span_error *err)
{
	struct span__seg_writer *w = new_writer(f->io, f->name);
	int rc;

	*out = NULL;
	if (!w)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	rc = take_over(w, f);
	if (rc < 0)
		rc = fail(w, rc, NULL, err);
	else if ((w->fd = f->io->open(f->io->self, dirfd, f->name,
				      O_RDWR | O_NOFOLLOW, 0)) < 0)
		rc = fail(w, SPAN_E_IO, "cannot be opened", err);
	if (rc < 0)
		span__seg_writer_close(&w);
	*out = w;
	return rc;
}

struct span__seg_header *span__seg_writer_header(struct span__seg_writer *w)
{
	return &w->head.header;
}

/* Write what is buffered, which ends at w->pos. */
static int flush(struct span__seg_writer *w, struct span_error *err)
{
	if (span__io_pwrite_all(w->io, w->fd, w->buffer.p, w->buffer.len,
				w->pos - w->buffer.len, NULL) < 0)
		return fail(w, SPAN_E_IO, "cannot write", err);
	w->buffer.len = 0;
	return 0;
}

static int emit(struct span__seg_writer *w, const void *p, size_t len,
		struct span_error *err)
{
	const char *from = p;
	int rc = 0;

	if (w->failed)
		return fail(w, w->failed, NULL, err);
	if (!len)
		return 0;
	if (len >= SEG_SIZE_MAX / 2 - w->pos)
		return fail(w, SPAN_E_LIMIT, "the segment is too long", err);
	span__log_hash_add(w->hash, p, len);
	for (size_t n; len && !rc; from += n, len -= n) {
		size_t room = SEG_WRITE - (size_t)(w->pos % SEG_WRITE);

		n = len < room ? len : room;
		span_buf_put(&w->buffer, from, n);
		w->pos += n;
		if (n == room)
			rc = flush(w, err);
	}
	return rc;
}

static void put_crc(struct span__seg_writer *w)
{
	uint8_t bytes[4];

	span__put32(bytes, w->page_crc);
	span_buf_put(&w->crcs, bytes, sizeof(bytes));
}

/* Sum up LEN bytes that will be at w->pos, page by page. */
static void sum_up(struct span__seg_writer *w, const uint8_t *p, size_t len)
{
	const struct span__log_id *id = &w->head.header.id;
	uint64_t pos = w->pos;

	while (len) {
		size_t left = SEG_PAGE - (size_t)(pos % SEG_PAGE);
		size_t n = len < left ? len : left;

		if (left == SEG_PAGE)
			w->page_crc = span__log_seed(id, pos);
		w->page_crc = span__crc32c(w->page_crc, p, n);
		if (n == left)
			put_crc(w);
		p += n;
		pos += n;
		len -= n;
	}
}

static int put_data(struct span__seg_writer *w, const void *p, size_t len,
		    struct span_error *err)
{
	if (w->failed)
		return fail(w, w->failed, NULL, err);
	sum_up(w, p, len);
	if (w->crcs.failed)
		return fail(w, SPAN_E_NOMEM, NULL, err);
	return emit(w, p, len, err);
}

static int align(struct span__seg_writer *w, struct span_error *err)
{
	static const uint8_t zero[SEG_ALIGN];

	return put_data(w, zero,
			(size_t)(SEG_ALIGN - w->pos % SEG_ALIGN) % SEG_ALIGN,
			err);
}

int span__seg_writer_begin(struct span__seg_writer *w,
			   enum span__seg_section type, struct span_error *err)
{
	int rc = align(w, err);

	if (rc < 0)
		return rc;
	if (w->head.n_sections == SEG_SECTIONS)
		return fail(w, SPAN_E_LIMIT, "too many sections", err);
	w->head.sections[w->head.n_sections++] =
		(struct span__seg_entry){(uint32_t)type, w->pos, 0};
	return 0;
}

int span__seg_writer_add(struct span__seg_writer *w, const void *p, size_t len,
			 struct span_error *err)
{
	int rc = put_data(w, p, len, err);

	if (rc == 0)
		w->head.sections[w->head.n_sections - 1].len += len;
	return rc;
}

int span__seg_writer_put(struct span__seg_writer *w,
			 enum span__seg_section type, const void *p, size_t len,
			 struct span_error *err)
{
	int rc;

	if (!len)
		return w->failed ? fail(w, w->failed, NULL, err) : 0;
	rc = span__seg_writer_begin(w, type, err);
	return rc < 0 ? rc : span__seg_writer_add(w, p, len, err);
}

/* The first page, whose checksum is the first of all. */
static void make_first_page(struct span__seg_writer *w, uint8_t page[SEG_PAGE])
{
	struct span__seg_head *h = &w->head;

	memset(page, 0, SEG_PAGE);
	h->data_end = w->pos;
	h->file_size = w->pos + span__seg_crcs_size(w->pos) +
		       span__seg_head_size(h->n_sections) + SEG_TRAILER;
	h->pos = 0;
	span__seg_head_put(page, h);
	span__put32((uint8_t *)w->crcs.p,
		    span__seg_page_crc(&h->header.id, 0, page, SEG_PAGE));
}

static int write_end(struct span__seg_writer *w, struct span_error *err)
{
	struct span__seg_trailer t = {.data_end = w->pos};
	uint8_t head[SEG_HEAD_MAX], trailer[SEG_TRAILER];
	int rc;

	t.crc = span__crc32c(0, w->crcs.p, w->crcs.len);
	rc = emit(w, w->crcs.p, w->crcs.len, err);
	if (rc < 0)
		return rc;
	t.head_pos = w->head.pos = w->pos;
	span__seg_head_put(head, &w->head);
	rc = emit(w, head, span__seg_head_size(w->head.n_sections), err);
	if (rc < 0)
		return rc;
	span__log_hash_get(w->hash, NULL, 0, t.hash);
	span__seg_trailer_put(trailer, &w->head.header.id, w->pos, &t);
	rc = emit(w, trailer, sizeof(trailer), err);
	return rc < 0 ? rc : flush(w, err);
}

int span__seg_writer_finish(struct span__seg_writer *w, uint64_t *size,
			    struct span_error *err)
{
	uint8_t page[SEG_PAGE];
	int rc = align(w, err);

	if (rc < 0)
		return rc;
	if (w->pos % SEG_PAGE)
		put_crc(w);
	if (w->crcs.len % SEG_ALIGN)
		span_buf_put(&w->crcs, "\0\0\0", 4);
	if (w->crcs.failed)
		return fail(w, SPAN_E_NOMEM, NULL, err);
	make_first_page(w, page);
	rc = write_end(w, err);
	if (rc < 0)
		return rc;
	if (span__io_pwrite_all(w->io, w->fd, page, sizeof(page), 0, NULL) < 0)
		return fail(w, SPAN_E_IO, "cannot write the head", err);
	if (w->io->fdatasync(w->io->self, w->fd) < 0)
		return fail(w, SPAN_E_IO, "cannot sync", err);
	*size = w->pos;
	return 0;
}

void span__seg_writer_close(struct span__seg_writer **writer)
{
	struct span__seg_writer *w = *writer;

	if (!w)
		return;
	if (w->fd >= 0)
		(void)w->io->close(w->io->self, w->fd);
	span_buf_release(&w->crcs);
	span_buf_release(&w->buffer);
	span__log_hash_close(&w->hash);
	free(w);
	*writer = NULL;
}
