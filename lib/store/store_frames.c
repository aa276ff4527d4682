/* SPDX-License-Identifier: Apache-2.0 */
/* All frames of one log of the view, for who wants them all. */
#include "store/store_directory.h"

#include <inttypes.h>

#include "base/banned.h"

struct reading {
	struct span__directory *store;
	struct span__view_file *file;
	struct span__log log;
	struct span__log_walk walk;
	struct span__log_record rec;
	uint64_t good_end; /* of the last good record */
};

static void tell(struct reading *r, uint64_t pos, uint64_t len, const char *why)
{
	struct span_store_stat *found = &r->store->found;

	if (r->file->told || !len)
		return;
	found->damaged_places++;
	found->damaged_bytes += len;
	span__store_damage(&r->store->base.opts,
			   "%s/%s: damaged at byte %" PRIu64 ", %" PRIu64
			   " bytes are passed over%s%s",
			   r->store->base.name, r->log.name, pos, len,
			   why ? ": " : "", why ? why : "");
}

static void tell_passed(struct reading *r)
{
	tell(r, r->walk.bad_pos, r->walk.bad_len, NULL);
	r->walk.bad_len = 0;
}

static int give(struct reading *r, const uint8_t *p, span__frame_fn *fn,
		void *arg, struct span_error *err)
{
	struct span_str frame = {(const char *)p, r->rec.len};
	struct span_error why = {0};
	int rc = fn(arg, frame, &why);

	span__work_add(&r->store->base.work.frames, 1);
	span__work_add(&r->store->base.work.log_bytes, r->rec.len);
	r->good_end = r->walk.pos;
	if (rc != SPAN_E_CORRUPT)
		return rc < 0 ? span_error_set(err, rc, "%s", why.msg) : 0;
	tell(r, r->rec.pos, span__log_record_size(r->rec.len), why.msg);
	return 0;
}

static int read_frames(struct reading *r, span__frame_fn *fn, void *arg,
		       struct span_error *err)
{
	const uint8_t *p;
	int rc;

	while ((rc = span__log_walk_next(&r->walk, &r->rec, err)) > 0) {
		tell_passed(r);
		rc = span__log_walk_payload(&r->walk, &r->rec, &p, err);
		if (rc > 0)
			rc = give(r, p, fn, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* As a scan does: at the end of the active log nothing is damaged. */
int span__directory_frames(struct span__directory *s, struct span__view_file *f,
			   uint64_t *from, span__frame_fn *fn, void *arg,
			   struct span_error *err)
{
	struct reading r = {.store = s, .file = f};
	int rc = span__view_log(f, &s->dir, &r.log, err);

	if (rc < 0)
		return rc;
	span__work_add(&s->base.work.logs, 1);
	r.good_end = r.log.start;
	span__log_walk_begin(&r.walk, &r.log, true);
	if (from && *from) {
		r.good_end = *from;
		span__log_walk_seek(&r.walk, *from);
	}
	rc = read_frames(&r, fn, arg, err);
	if (!rc && (r.log.closed || f->kind == FILE_LOG))
		tell_passed(&r);
	else if (!rc)
		f->log.end = r.good_end;
	if (!rc)
		f->told = true;
	if (from)
		*from = r.good_end;
	span__log_walk_release(&r.walk);
	span__view_done(f, &r.log);
	return rc;
}
