/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery copies, it never repairs in place: after a sync that failed the
 * page cache may hold what the disk does not, and a copy is written anew. The
 * copy N.log has the number of N.open, so that a crash between its rename and
 * the removal of N.open is seen by both being there with the same content.
 */
#include "store/store_append.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/log_reader.h"
#include "store/seg_file.h"

#include "base/banned.h"

struct recovery {
	const struct span__dir *dir;
	const struct span_store_opts *opts;
	struct span__listing *list;
	struct span__recovered *out;
	/* Of the log at hand: */
	uint64_t number; /* of the copy */
	struct span__log from;
	struct span__log_walk walk;
	struct span__log_writer to;
	bool has_copy; /* TO was created */
	struct span__log_sum sum;
	bool damaged;
};

static int remove_file(const struct recovery *r, const char *name,
		       struct span_error *err)
{
	const struct span__io *io = r->dir->io;

	if (io->unlink(io->self, r->dir->fd, name) < 0 && errno != ENOENT)
		return span_error_set(err, SPAN_E_IO, "%s: cannot remove",
				      name);
	return 0;
}

/* The LEN bytes before REC are damaged. */
static void tell_damage(struct recovery *r, const struct span__log_record *rec,
			uint64_t len)
{
	char missing[LOG_MISSING] = "";
	uint64_t first = r->sum.last_seq + 1;

	if (!r->sum.n_frames && r->from.header_ok)
		first = r->from.header.first_seq;
	if (rec->seq > first && (r->sum.n_frames || r->from.header_ok))
		span__missing_text(missing, first, rec->seq - 1);
	span__store_damage(r->opts,
			   "%s: damaged at byte %" PRIu64 ", %" PRIu64
			   " bytes were passed over%s%s",
			   r->from.name, rec->pos - len, len,
			   *missing ? ", " : "", missing);
}

static int begin_copy(struct recovery *r, const struct span__log_record *rec,
		      struct span_error *err)
{
	const struct span__dir *d = r->dir;
	struct span__log_header h;
	char name[LOG_NAME];
	int rc;

	span__log_header_now(&h, d, r->opts, r->number, rec->seq);
	if (r->from.header_ok) {
		h = r->from.header;
		h.id.number = r->number;
		memcpy(h.id.uuid, d->uuid, 16);
		h.features = (struct span__features){0};
	}
	span__file_name(name, sizeof(name), r->number, FILE_NEW);
	rc = remove_file(r, name, err);
	if (rc < 0)
		return rc;
	r->has_copy = true;
	return span__log_create(&r->to, d->io, d->fd, name, &h, err);
}

static int copy_record(struct recovery *r, struct span__log_record *rec,
		       const uint8_t *payload, bool copy,
		       struct span_error *err)
{
	int rc = 0;

	if (copy && !r->has_copy)
		rc = begin_copy(r, rec, err);
	if (!rc && copy)
		rc = span__log_put(&r->to, rec, payload, err);
	if (!rc)
		span__log_sum_add(&r->sum, rec);
	return rc;
}

/* Every valid record, summed up and with COPY copied. */
static int read_log(struct recovery *r, bool copy, struct span_error *err)
{
	struct span__log_record rec;
	const uint8_t *payload;
	int rc;

	r->sum = (struct span__log_sum){0};
	r->damaged = false;
	span__log_walk_begin(&r->walk, &r->from, true);
	while ((rc = span__log_walk_next(&r->walk, &rec, err)) > 0) {
		uint64_t bad_len = r->walk.bad_len;

		rc = span__log_walk_payload(&r->walk, &rec, &payload, err);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		r->damaged |= bad_len > 0;
		if (bad_len && copy)
			tell_damage(r, &rec, bad_len);
		rc = copy_record(r, &rec, payload, copy, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* 1 when nothing but a torn header was ever written to it: zeros follow. */
static int is_blank(struct recovery *r, struct span_error *err)
{
	uint8_t buf[4096];
	const struct span__log *l = &r->from;

	for (uint64_t pos = 0; pos < l->size; pos += sizeof(buf)) {
		size_t len = l->size - pos < sizeof(buf)
				     ? (size_t)(l->size - pos)
				     : sizeof(buf);

		int rc = span__log_read(l, buf, len, pos, err);

		if (rc < 0)
			return rc;
		for (size_t i = 0; i < len; i++) {
			if (buf[i] && pos + i >= LOG_HEADER)
				return 0;
		}
	}
	return 1;
}

/* The copy is safe, or there was nothing to copy: the original may go. */
static int dispose(struct recovery *r, struct span_error *err)
{
	const struct span__io *io = r->dir->io;
	uint64_t number = strtoull(r->from.name, NULL, 10);
	char bad[LOG_NAME];
	int rc;

	if (!r->from.header_ok) {
		rc = is_blank(r, err);
		if (rc < 0)
			return rc;
		r->damaged |= !rc;
	}
	if (!r->damaged)
		return remove_file(r, r->from.name, err);
	if (span__listing_has(r->list, number, FILE_BAD))
		number = r->out->next_number++;
	span__file_name(bad, sizeof(bad), number, FILE_BAD);
	if (io->rename(io->self, r->dir->fd, r->from.name, bad) < 0)
		return span_error_set(err, SPAN_E_IO, "%s: cannot rename",
				      r->from.name);
	span__store_damage(r->opts,
			   "%s: kept as %s, %" PRIu64 " spans were recovered",
			   r->from.name, bad, r->sum.n_spans);
	return 0;
}

/*
 * Is NUMBER.log the copy of this log that an earlier recovery made? 1, 0 when
 * it is something else, or a negative code.
 */
static int was_copied(struct recovery *r, struct span_error *err)
{
	struct span__log_sum sum;
	struct span__log log;
	char name[LOG_NAME];
	int rc;

	if (!span__listing_has(r->list, r->number, FILE_LOG))
		return 0;
	span__file_name(name, sizeof(name), r->number, FILE_LOG);
	rc = span__log_open(&log, r->dir->io, r->dir->fd, name, &r->from.id,
			    true, err);
	if (rc < 0)
		return rc;
	rc = read_log(r, false, err);
	sum = log.trailer.sum;
	if (!rc)
		rc = log.closed && !memcmp(&sum, &r->sum, sizeof(sum));
	span__log_close(&log);
	return rc;
}

static int finish_copy(struct recovery *r, struct span_error *err)
{
	int rc = span__log_finish(&r->to, err);

	if (!rc)
		rc = span__log_release(&r->to, err);
	if (!rc)
		rc = span__log_rename(r->dir, r->to.name, r->number, err);
	if (!rc) {
		r->out->frames += r->sum.n_frames;
		r->out->spans += r->sum.n_spans;
	}
	return rc;
}

static int recover_open_log(struct recovery *r, struct span_error *err)
{
	int rc = was_copied(r, err);

	if (rc < 0)
		return rc;
	if (!rc) {
		if (span__listing_has(r->list, r->number, FILE_LOG))
			r->number = r->out->next_number++;
		rc = read_log(r, true, err);
		if (!rc && r->has_copy)
			rc = finish_copy(r, err);
		if (rc < 0)
			return rc;
	}
	return dispose(r, err);
}

/* A segment has its numbers for itself, whatever else there is. */
static void look_at_segment(struct recovery *r, const char *name)
{
	struct span__seg_file f;
	int rc = span__seg_file_open(&f, r->dir->io, r->dir->fd, name, NULL);

	if (rc < 0) {
		if (rc != SPAN_E_NOTFOUND)
			span__store_damage(r->opts, "%s: cannot be read", name);
		return;
	}
	if (!memcmp(f.header.id.uuid, r->dir->uuid, 16)) {
		if (f.header.sum.last_seq >= r->out->next_seq)
			r->out->next_seq = f.header.sum.last_seq + 1;
		if (f.header.id.number >= r->out->next_number)
			r->out->next_number = f.header.id.number + 1;
	}
	span__seg_file_close(&f);
}

static int recover_file(struct recovery *r, const struct span__file *file,
			struct span_error *err)
{
	struct span__log_id id = {.number = file->number};
	char name[LOG_NAME];
	int rc;

	memcpy(id.uuid, r->dir->uuid, 16);
	span__file_name(name, sizeof(name), file->number, file->kind);
	if (file->kind == FILE_NEW)
		return remove_file(r, name, err);
	if (file->kind == FILE_SEG)
		look_at_segment(r, name);
	if (file->kind != FILE_LOG && file->kind != FILE_OPEN)
		return 0;
	rc = span__log_open(&r->from, r->dir->io, r->dir->fd, name, &id, true,
			    err);
	if (rc < 0)
		return rc == SPAN_E_NOTFOUND ? 0 : rc;
	r->number = file->number;
	r->has_copy = false;
	if (file->kind == FILE_LOG)
		rc = span__log_sum(&r->from, &r->sum, NULL, err);
	else
		rc = recover_open_log(r, err);
	if (r->has_copy)
		(void)span__log_release(&r->to, NULL);
	if (!rc && r->sum.last_seq >= r->out->next_seq)
		r->out->next_seq = r->sum.last_seq + 1;
	span__log_close(&r->from);
	if (rc == SPAN_E_IO && file->kind == FILE_LOG) {
		span__store_damage(r->opts, "%s: cannot be read", name);
		rc = 0;
	}
	return rc;
}

int span__recover(const struct span__dir *d, const struct span_store_opts *o,
		  struct span__recovered *out, struct span_error *err)
{
	struct span__listing list = {0};
	struct span__expired expired;
	struct recovery r = {.dir = d, .opts = o, .list = &list, .out = out};
	int rc;

	*out = (struct span__recovered){0};
	rc = span__dir_list(d, &list, err);
	if (rc < 0)
		goto done;
	span__expired_read(d, &expired);
	out->next_number = span__listing_last(&list) + 1;
	if (expired.number >= out->next_number)
		out->next_number = expired.number + 1;
	out->next_seq = expired.seq + 1;
	rc = remove_file(&r, "FORMAT.new", err);
	for (size_t i = 0; i < list.n && !rc; i++) {
		if (!list.v[i].foreign)
			rc = recover_file(&r, &list.v[i], err);
	}
	if (!rc)
		rc = span__dir_sync(d, err);
done:
	span__log_walk_release(&r.walk);
	span__listing_release(&list);
	return rc;
}
