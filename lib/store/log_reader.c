/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record whose header is valid can be passed over by its length, whatever
 * its payload is: the header has a CRC of its own. Only where a header is
 * damaged is the next one searched for, at every multiple of 8; the CRCs are
 * seeded with the offset, so that the search cannot be led astray by bytes
 * that look like a record, and the work stays linear.
 */
#include "store/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define READ_PAYLOADS (256u << 10)
#define READ_HEADERS 4096u /* a small record, whole */
#define READ_BARE 64u
#define INDEX_MAX (256u << 20)

int span__log_read(const struct span__log *l, void *p, size_t len, uint64_t pos,
		   struct span_error *err)
{
	if (l->map && pos <= l->size && len <= l->size - pos)
		memcpy(p, l->map + pos, len);
	else if (l->map || span__io_pread_all(l->io, l->fd, p, len, pos) < 0)
		return span_error_set(err, SPAN_E_IO,
				      "%s: cannot read at byte %llu", l->name,
				      (unsigned long long)pos);
	return 0;
}

static int read_header(struct span__log *l, const struct span__log_id *fallback,
		       bool writer, struct span_error *err)
{
	uint8_t bytes[LOG_HEADER_MAX];
	size_t len = l->size < sizeof(bytes) ? l->size : sizeof(bytes);
	int rc;

	rc = span__log_read(l, bytes, len, 0, err);
	if (rc < 0)
		return rc;
	rc = span__log_header_get(&l->header, bytes, len, writer, NULL);
	if (rc == SPAN_E_FORMAT)
		return span_error_set(err, rc, "%s: written by a later version",
				      l->name);
	l->header_ok = !rc;
	l->id = rc ? *fallback : l->header.id;
	l->start = rc ? LOG_HEADER : l->header.header_len;
	return 0;
}

static int read_trailer(struct span__log *l, struct span_error *err)
{
	uint8_t bytes[LOG_TRAILER];
	uint64_t pos;
	int rc;

	l->end = l->size;
	if (l->start > l->size)
		l->start = l->size;
	if (l->size < LOG_TRAILER || l->size % LOG_ALIGN)
		return 0;
	pos = l->size - LOG_TRAILER;
	rc = span__log_read(l, bytes, sizeof(bytes), pos, err);
	if (rc < 0)
		return rc;
	l->closed = span__log_trailer_get(&l->trailer, &l->id, bytes, pos) &&
		    l->trailer.data_end >= l->start;
	if (l->closed)
		l->end = l->trailer.data_end;
	return 0;
}

int span__log_open(struct span__log *l, const struct span__io *io, int dirfd,
		   const char *name, const struct span__log_id *fallback,
		   bool writer, struct span_error *err)
{
	struct span__io_stat st;
	int rc;

	*l = (struct span__log){.io = io};
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->fd = io->open(io->self, dirfd, name, O_RDONLY | O_NOFOLLOW, 0);
	if (l->fd < 0)
		return span_error_set(
			err, errno == ENOENT ? SPAN_E_NOTFOUND : SPAN_E_IO,
			"%s: cannot open", name);
	if (io->fstat(io->self, l->fd, &st) < 0)
		rc = span_error_set(err, SPAN_E_IO, "%s: cannot stat", name);
	else {
		l->size = st.size;
		rc = read_header(l, fallback, writer, err);
	}
	if (!rc)
		rc = read_trailer(l, err);
	if (rc < 0)
		span__log_close(l);
	return rc;
}

void span__log_close(struct span__log *l)
{
	if (l->fd >= 0)
		l->io->close(l->io->self, l->fd);
	if (l->map)
		l->io->unmap(l->io->self, (void *)(uintptr_t)l->map,
			     (size_t)l->size);
	l->fd = -1;
	l->map = NULL;
}

int span__log_map(struct span__log *l, struct span_error *err)
{
	void *map;

	if (!l->closed || l->map)
		return 0;
	map = l->io->map(l->io->self, l->fd, (size_t)l->size);
	if (!map)
		return span_error_set(err, SPAN_E_IO, "%s: cannot map",
				      l->name);
	span__log_close(l);
	l->map = map;
	return 0;
}

void span__log_walk_begin(struct span__log_walk *w, const struct span__log *l,
			  bool payloads)
{
	struct span_buf held = w->held;

	held.len = 0;
	*w = (struct span__log_walk){
		.log = l,
		.pos = l->start,
		.end = l->end,
		.payloads = payloads,
		.held = held,
	};
}

void span__log_walk_seek(struct span__log_walk *w, uint64_t pos)
{
	w->pos = pos;
	w->bad_len = 0;
}

int span__log_walk_at(struct span__log_walk *w, uint64_t pos,
		      struct span__log_record *rec, struct span_error *err)
{
	int rc;

	span__log_walk_seek(w, pos);
	rc = span__log_walk_next(w, rec, err);
	return rc > 0 ? rec->pos == pos : rc;
}

void span__log_walk_release(struct span__log_walk *w)
{
	span_buf_release(&w->held);
}

/*
 * A log that is being cut back may end before the size it had: that is its
 * end then.
 */
static int fill(struct span__log_walk *w, uint64_t pos, size_t len,
		struct span_error *err)
{
	const struct span__io *io = w->log->io;
	char *p;

	w->held.len = 0;
	w->held_pos = pos;
	p = span_buf_reserve(&w->held, len);
	if (!p) {
		w->held.failed = false;
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	while (w->held.len < len) {
		ssize_t n = io->pread(io->self, w->log->fd, p + w->held.len,
				      len - w->held.len, pos + w->held.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return span_error_set(
				err, SPAN_E_IO, "%s: cannot read at byte %llu",
				w->log->name, (unsigned long long)pos);
		if (!n)
			break;
		w->held.len += (size_t)n;
	}
	if (w->held.len < len)
		w->end = pos + w->held.len;
	return 0;
}

/*
 * LEN bytes at POS, which lie before the end, and what may come with them: 1
 * with *P, 0 when the log has become shorter.
 */
static int load(struct span__log_walk *w, uint64_t pos, size_t len, size_t more,
		const uint8_t **p, struct span_error *err)
{
	if (w->log->map) { /* nothing that is there goes away */
		*p = w->log->map + pos;
		return 1;
	}
	if (pos < w->held_pos || pos + len > w->held_pos + w->held.len) {
		size_t want = len > more ? len : more;
		int rc;

		if (want > w->end - pos)
			want = (size_t)(w->end - pos);
		rc = fill(w, pos, want, err);
		if (rc < 0)
			return rc;
		if (w->held.len < len)
			return 0;
	}
	*p = (const uint8_t *)w->held.p + (pos - w->held_pos);
	return 1;
}

/* From POS on nothing is a record. */
static int finish(struct span__log_walk *w, uint64_t bad_pos)
{
	w->bad_pos = bad_pos;
	w->bad_len = w->end > bad_pos ? w->end - bad_pos : 0;
	w->pos = w->end;
	return 0;
}

int span__log_walk_next(struct span__log_walk *w, struct span__log_record *rec,
			struct span_error *err)
{
	size_t more = w->payloads || w->small ? READ_PAYLOADS
		      : w->bare		      ? READ_BARE
					      : READ_HEADERS;
	uint64_t pos = w->pos;
	uint64_t bad_pos = pos;
	const uint8_t *p;

	/* A damaged payload before this one was passed over as well. */
	if (w->bad_len && w->bad_pos + w->bad_len == pos)
		bad_pos = w->bad_pos;
	for (;; pos += LOG_ALIGN) {
		uint64_t size;
		int rc;

		if (pos > w->end || w->end - pos < LOG_RECORD)
			return finish(w, bad_pos);
		rc = load(w, pos, LOG_RECORD, more, &p, err);
		if (rc < 0)
			return rc;
		if (!rc)
			return finish(w, bad_pos);
		if (!span__log_record_get(rec, &w->log->id, p, pos))
			continue;
		size = span__log_record_size(rec->len);
		if (size > w->end - pos)
			return finish(w, bad_pos);
		w->bad_pos = bad_pos;
		w->bad_len = pos - bad_pos;
		w->pos = pos + size;
		w->small = size < READ_HEADERS;
		if (rec->type == LOG_TYPE_FRAME ||
		    (w->lists && (rec->type == LOG_TYPE_IDS ||
				  rec->type == LOG_TYPE_FILTERS)))
			return 1;
		pos = w->pos - LOG_ALIGN;
		if (!w->bad_len)
			bad_pos = w->pos;
	}
}

int span__log_walk_payload(struct span__log_walk *w,
			   const struct span__log_record *rec,
			   const uint8_t **p, struct span_error *err)
{
	uint64_t size = span__log_record_size(rec->len);
	size_t more = w->bare ? 0 : READ_PAYLOADS;
	const uint8_t *bytes;
	int rc = load(w, rec->pos, size, more, &bytes, err);

	if (rc < 0)
		return rc;
	if (rc && span__log_record_verify(rec, &w->log->id, bytes)) {
		*p = bytes + LOG_RECORD;
		return 1;
	}
	if (!w->bad_len)
		w->bad_pos = rec->pos;
	w->bad_len = rec->pos + size - w->bad_pos;
	return 0;
}

int span__log_sum(const struct span__log *l, struct span__log_sum *sum,
		  uint64_t *end, struct span_error *err)
{
	struct span__log_walk w = {0};
	struct span__log_record rec;
	int rc;

	*sum = (struct span__log_sum){0};
	if (l->closed) {
		*sum = l->trailer.sum;
		if (end)
			*end = l->end;
		return 0;
	}
	if (end)
		*end = l->start;
	span__log_walk_begin(&w, l, false);
	w.bare = true;
	while ((rc = span__log_walk_next(&w, &rec, err)) > 0) {
		span__log_sum_add(sum, &rec);
		if (end)
			*end = w.pos;
	}
	span__log_walk_release(&w);
	return rc;
}

int span__log_footer(const struct span__log *l, struct span_buf *buf,
		     struct span_error *err)
{
	uint64_t len, pos = l->end;
	int rc;

	if (!l->closed)
		return 0;
	len = l->size - LOG_TRAILER - pos;
	if (len > INDEX_MAX)
		return 0;
	buf->len = 0;
	if (!span_buf_reserve(buf, len)) {
		buf->failed = false;
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	rc = span__log_read(l, buf->p, len, pos, err);
	if (rc < 0)
		return rc;
	buf->len = len;
	return 1;
}

bool span__log_section(const struct span__log *l, const struct span_buf *footer,
		       uint32_t type, struct span_str *content)
{
	const uint8_t *p = (const uint8_t *)footer->p;
	uint64_t len = footer->len, pos = l->end;
	uint32_t found;

	while (span__log_section_get(&l->id, p, len, pos, &found, content)) {
		uint64_t size = span__log_section_size(content->len);

		if (found == type)
			return true;
		p += size;
		pos += size;
		len -= size;
	}
	return false;
}

int span__log_index(const struct span__log *l, struct span_buf *buf,
		    struct span_str *index, struct span_error *err)
{
	int rc = span__log_footer(l, buf, err);

	if (rc <= 0 || !span__log_section(l, buf, LOG_SECTION_INDEX, index))
		return rc < 0 ? rc : 0;
	return index->len % LOG_INDEX_ENTRY == 0 &&
	       index->len / LOG_INDEX_ENTRY == l->trailer.sum.n_frames;
}
