/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a store's own logs one after another, from a place on: for who
 * takes a store as a queue. No view is made, so that what was appended just
 * now is there, and what was read is not looked at again.
 *
 * The active log ends at its last good frame: what comes behind is being
 * written. Only of a closed log is it damage.
 */
#include "store/store_directory.h"

#include <inttypes.h>
#include <string.h>

#include "base/banned.h"

struct following {
	struct span__directory *store;
	struct span_store_place *at;
	span_store_frame_fn *fn;
	void *arg;
	struct span__file file;
	struct span__log log;
	struct span__log_walk walk;
};

/* The first log from number AT on: 1, 0 when there is none. */
static int find_log(struct following *f, struct span_error *err)
{
	struct span__listing l = {0};
	int rc = span__dir_list(&f->store->dir, &l, err);

	for (size_t i = 0; i < l.n && !rc; i++) {
		const struct span__file *file = &l.v[i];

		if (file->foreign || file->number < f->at->log)
			continue;
		if (file->kind == FILE_SEG)
			rc = span_error_set(err, SPAN_E_INVALID,
					    "its logs were sealed");
		else if (file->kind == FILE_LOG || file->kind == FILE_OPEN) {
			f->file = *file;
			rc = 1;
		}
	}
	span__listing_release(&l);
	return rc;
}

static int open_log(struct following *f, struct span_error *err)
{
	const struct span__dir *d = &f->store->dir;
	struct span__log_id id = {.number = f->file.number};
	char name[LOG_NAME];
	int rc;

	memcpy(id.uuid, d->uuid, 16);
	span__file_name_of(name, sizeof(name), &f->file);
	rc = span__log_open(&f->log, d->io, d->fd, name, &id, false, err);
	if (rc < 0)
		return rc;
	span__log_walk_begin(&f->walk, &f->log, true);
	if (f->file.number == f->at->log && f->at->offset)
		span__log_walk_seek(&f->walk, f->at->offset);
	return 0;
}

/* Of a closed log only: there it was passed over for good. */
static void tell_passed(struct following *f)
{
	if (f->walk.bad_len && f->file.kind == FILE_LOG)
		span__store_damage(&f->store->base.opts,
				   "%s/%s: damaged at byte %" PRIu64
				   ", %" PRIu64 " bytes are passed over",
				   f->store->base.name, f->log.name,
				   f->walk.bad_pos, f->walk.bad_len);
	f->walk.bad_len = 0;
}

/* 1 when FN has enough, 0 at the end of the log. */
static int read_log(struct following *f, struct span_error *err)
{
	struct span__log_record rec;
	const uint8_t *p;
	int rc;

	while ((rc = span__log_walk_next(&f->walk, &rec, err)) > 0) {
		tell_passed(f);
		if (rec.seq > f->at->seq) {
			rc = span__log_walk_payload(&f->walk, &rec, &p, err);
			if (rc < 0)
				return rc;
			if (!rc)
				continue;
			rc = f->fn(f->arg,
				   (struct span_str){(const char *)p, rec.len},
				   rec.seq, err);
			if (rc)
				return rc;
			f->at->seq = rec.seq;
		}
		f->at->log = f->file.number;
		f->at->offset = f->walk.pos;
	}
	tell_passed(f);
	return rc;
}

int span__directory_follow(struct span_store *st, struct span_store_place *at,
			   span_store_frame_fn *fn, void *arg,
			   struct span_error *err)
{
	struct following f = {.store = (struct span__directory *)st,
			      .at = at,
			      .fn = fn,
			      .arg = arg};
	int rc;

	while ((rc = find_log(&f, err)) > 0) {
		rc = open_log(&f, err);
		/* It was closed, and so renamed, or expired, just now. */
		if (rc == SPAN_E_NOTFOUND)
			continue;
		if (rc < 0)
			break;
		rc = read_log(&f, err);
		span__log_close(&f.log);
		if (rc || f.file.kind == FILE_OPEN)
			break;
		*at = (struct span_store_place){.log = f.file.number + 1,
						.seq = at->seq};
	}
	span__log_walk_release(&f.walk);
	return rc < 0 ? rc : 0;
}
