/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arrived since: the frames of logs tell their number and time, a segment
 * only those of its first and last frame.
 *
 * Frames that a reader saw may be lost with the machine, and their numbers are
 * then given again; so a frame is new, too, when it arrived later than all that
 * was seen.
 *
 * A frame of the active log that does not verify may be one that is being
 * written, of which only the next one was complete when it was read: it is read
 * again before it is passed over.
 */
#include "store/store_directory.h"

#include <inttypes.h>
#include <string.h>

#include "store/seg_scan.h"
#include "store/store_cursor.h"

#include "base/banned.h"

#define KEPT_FILES 4u /* of a store with more nothing is kept loaded */

struct since {
	struct span__frame_cursor c;
	struct span__directory *store;
	struct span_store_mark from, end;
	struct span__view_file *file;
	struct span__log log;
	struct span__log_walk walk;
	struct span__log_record rec;
	uint64_t last_seq, last_end; /* of the record before */
	uint64_t retried;	     /* after this one */
	bool bad;		     /* damage was met in this file */
	span_store_since_fn *fn;
	void *arg;
};

static bool is_new(const struct since *s, uint64_t seq, uint64_t arrival_ns)
{
	return seq > s->from.seq || arrival_ns > s->from.arrival_ns;
}

static void see(struct since *s, uint64_t seq, uint64_t arrival_ns)
{
	if (seq > s->end.seq)
		s->end.seq = seq;
	if (arrival_ns > s->end.arrival_ns)
		s->end.arrival_ns = arrival_ns;
}

static void tell(struct since *s, const char *why)
{
	char name[LOG_NAME];

	s->bad = true;
	if (s->file->told)
		return;
	span__view_name(s->file, name);
	s->store->found.damaged_places++;
	span__store_damage(
		&s->store->base.opts,
		"%s/%s: damaged near byte %" PRIu64 ", it is passed over%s%s",
		s->store->base.name, name,
		s->file->kind == FILE_SEG ? s->file->seg->file.bad_pos
					  : s->rec.pos,
		why ? ": " : "", why ? why : "");
}

/* The record that came has a gap before it, which may be a frame in flight. */
static bool try_again(struct since *s)
{
	if (s->log.closed || s->rec.seq <= s->last_seq + 1 || !s->last_seq ||
	    s->retried == s->last_seq)
		return false;
	s->retried = s->last_seq;
	span__log_walk_seek(&s->walk, s->last_end);
	return true;
}

/*
 * What was passed over before the last record: in the active log, where it may
 * be in flight, it is left to the scans that read it when it is closed.
 */
static void tell_passed(struct since *s)
{
	if (s->walk.bad_len && (s->log.closed || s->file->kind == FILE_LOG))
		tell(s, NULL);
	s->walk.bad_len = 0;
}

static int next_frame(struct span__frame_cursor *c, struct span_str *out,
		      struct span_error *err)
{
	struct since *s = (struct since *)c;
	const uint8_t *p;
	int rc;

	while ((rc = span__log_walk_next(&s->walk, &s->rec, err)) > 0) {
		if (try_again(s))
			continue;
		tell_passed(s);
		rc = span__log_walk_payload(&s->walk, &s->rec, &p, err);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		s->last_seq = s->rec.seq;
		s->last_end = s->walk.pos;
		if (!is_new(s, s->rec.seq, s->rec.arrival_ns))
			continue;
		see(s, s->rec.seq, s->rec.arrival_ns);
		*out = (struct span_str){(const char *)p, s->rec.len};
		return 1;
	}
	tell_passed(s);
	return rc;
}

static void bad_frame(struct span__frame_cursor *c,
		      const struct span_error *why)
{
	tell((struct since *)c, why->msg);
}

static int give(struct since *s, const struct span *sp, uint64_t arrival_ns,
		bool again, struct span_error *err)
{
	const struct span_store_arrival a = {arrival_ns, again};

	return s->fn(s->arg, sp, &a, err);
}

static int read_log(struct since *s, struct span_error *err)
{
	struct span sp;
	int rc = span__view_whole_log(s->file, &s->store->dir, &s->log, err);

	if (rc == SPAN_E_NOTFOUND) {
		s->store->found.n_expired++;
		return 0;
	}
	if (rc < 0)
		return rc;
	s->last_seq = s->last_end = s->retried = 0;
	span__log_walk_begin(&s->walk, &s->log, true);
	while ((rc = span__frame_cursor_next(&s->c.base, &sp, err)) > 0) {
		rc = give(s, &sp, s->rec.arrival_ns, false, err);
		if (rc < 0)
			break;
	}
	span__view_done(s->file, &s->log);
	return rc;
}

static int read_segment(struct since *s, struct span_error *err)
{
	const struct span__log_sum *sum = &s->file->sum;
	bool again = sum->first_seq <= s->from.seq;
	struct span__seg_scan *scan;
	struct span_error why = {0};
	struct span sp;
	int rc = span__seg_scan_open(&scan, s->file->seg, &s->c.filter, &why);

	if (rc == SPAN_E_CORRUPT) {
		tell(s, why.msg);
		return 0;
	}
	if (rc < 0)
		return span_error_set(err, rc, "%s", why.msg);
	s->file->seg_users++;
	see(s, sum->last_seq, sum->max_arrival_ns);
	while ((rc = span__seg_scan_next(scan, &sp, err)) > 0) {
		rc = give(s, &sp, sum->max_arrival_ns, again, err);
		if (rc < 0)
			break;
	}
	if (s->file->seg->file.bad)
		tell(s, NULL);
	s->file->seg->file.bad = false;
	span__seg_scan_close(&scan);
	if (!--s->file->seg_users && s->store->view.n > KEPT_FILES)
		span__seg_unload(s->file->seg);
	return rc;
}

/* Does the file have new frames of this store? */
static int wants(struct since *s, struct span_error *err)
{
	struct span__view_file *f = s->file;
	int rc = 0;

	if (f->kind == FILE_BAD || (f->kind == FILE_SEG && !f->seg) ||
	    (f->kind == FILE_SEG && f->file.foreign) || span__is_draft(f))
		return 0;
	if (f->kind == FILE_LOG)
		rc = span__view_sum(f, &s->store->dir, err);
	if (rc == SPAN_E_NOTFOUND) {
		s->store->found.n_expired++;
		return 0;
	}
	if (rc < 0)
		return rc;
	return f->kind == FILE_OPEN ||
	       is_new(s, f->sum.last_seq, f->sum.max_arrival_ns);
}

static int read_files(struct since *s, struct span_error *err)
{
	struct span__view *view = &s->store->view;

	for (size_t i = 0; i < view->n; i++) {
		int rc;

		s->file = &view->v[i];
		s->bad = false;
		rc = wants(s, err);
		if (rc > 0)
			rc = s->file->kind == FILE_SEG ? read_segment(s, err)
						       : read_log(s, err);
		if (rc < 0)
			return rc;
		s->file->told |= s->bad;
	}
	return 0;
}

static const struct span__cursor_ops no_ops;

int span__directory_since(struct span_store *st,
			  const struct span_store_mark *from,
			  const struct span__scan *scan,
			  span_store_since_fn *fn, void *arg,
			  struct span_store_mark *end, struct span_error *err)
{
	struct since s = {.store = (struct span__directory *)st,
			  .from = *from,
			  .end = *from,
			  .fn = fn,
			  .arg = arg};
	int rc = span__directory_view(s.store, err);

	if (rc < 0)
		return rc;
	s.c.next_frame = next_frame;
	s.c.bad_frame = bad_frame;
	rc = span__frame_cursor_init(&s.c, &no_ops, scan, err);
	if (!rc)
		rc = read_files(&s, err);
	span__log_walk_release(&s.walk);
	span__frame_cursor_release(&s.c);
	*end = s.end;
	return rc;
}
