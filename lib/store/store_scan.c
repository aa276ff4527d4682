/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan goes through the files of the view in order. A closed log is passed
 * over by the times in its trailer, and read by its index where a range of
 * times leaves out some of its frames; any other log is walked.
 *
 * At the end of the active log a frame that does not verify is in flight, or
 * what a dead appender left: no damage. Damage there is therefore told only
 * when a good frame comes after it.
 */
#include "store/store_directory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/log_filters.h"
#include "store/log_ids.h"
#include "store/seg_scan.h"
#include "store/store_count.h"
#include "store/store_cursor.h"
#include "store/store_newest.h"

#include "base/banned.h"

#define TOLD_MAX 4096u /* places of damage that are noted */

struct scan {
	struct span__frame_cursor c;
	struct span__directory *store;
	size_t *order; /* the files, the newest first; NULL: as in the view */
	size_t file;   /* the next one when none is open */
	bool is_open;
	struct span__log log;
	struct span__log_walk walk;
	struct span_buf index_buf;
	bool by_index; /* else walk */
	struct span_str index;
	size_t entry;
	struct span__log_record rec; /* the last one returned */
	uint64_t good_end;	     /* of the last good record */
	struct span__seg_scan *seg;  /* of the current file, a segment */
};

static struct span__work *work_of(const struct scan *s)
{
	return &s->store->base.work;
}

static struct span__view_file *current(const struct scan *s)
{
	return &s->store->view.v[s->order ? s->order[s->file] : s->file];
}

/*
 * A search may scan several times, each time by the index: what was told is
 * not told again. If it cannot be noted it is.
 */
static bool was_told(struct scan *s, uint64_t pos)
{
	struct span_buf *told = &s->store->told;
	const uint64_t place[2] = {current(s)->number, pos};

	if (!s->by_index)
		return false;
	for (size_t at = 0; at < told->len; at += sizeof(place)) {
		if (!memcmp(told->p + at, place, sizeof(place)))
			return true;
	}
	if (told->len < TOLD_MAX * sizeof(place))
		span_buf_put(told, place, sizeof(place));
	return false;
}

static void tell(struct scan *s, uint64_t pos, uint64_t len, const char *why)
{
	struct span_store_stat *found = &s->store->found;

	if (current(s)->told || !len || was_told(s, pos))
		return;
	found->damaged_places++;
	found->damaged_bytes += len;
	span__store_damage(&s->store->base.opts,
			   "%s/%s: damaged at byte %" PRIu64 ", %" PRIu64
			   " bytes are passed over%s%s",
			   s->store->base.name, s->log.name, pos, len,
			   why ? ": " : "", why ? why : "");
}

static void close_file(struct scan *s)
{
	if (s->is_open)
		span__view_done(current(s), &s->log);
	s->is_open = false;
}

/* Some of its frames, but not all, may be between the times of the range. */
static bool wants_index(const struct scan *s)
{
	const struct span_range *r = s->c.filter.scan.range;
	const struct span__log_sum *sum = &current(s)->sum;

	return r && (sum->min_start_ns < r->since_ns ||
		     (r->until_ns && sum->max_end_ns >= r->until_ns));
}

/* Find out which frames are wanted: 1 with s->index, 0 for all, or a code. */
static int choose_frames(struct scan *s, struct span_error *err)
{
	const struct span__scan *scan = &s->c.filter.scan;
	int rc;

	if (scan->n_ids)
		return span__log_find(&s->log, scan->ids, scan->n_ids,
				      &s->index_buf, &s->index, err);
	if (current(s)->kind == FILE_LOG && !s->log.closed)
		return 0; /* its end is damage, to be told */
	rc = span__log_filters_find(&s->log, &s->c.filter, &s->index_buf,
				    &s->index, err);
	if (!rc && (s->order || (s->log.closed && wants_index(s))))
		rc = span__log_entries(&s->log, &s->index_buf, &s->index, err);
	if (rc > 0 && s->order)
		rc = span__newest_frames(&s->index_buf, &s->index, err) < 0
			     ? SPAN_E_NOMEM
			     : 1;
	return rc;
}

static int open_file(struct scan *s, struct span_error *err)
{
	struct span__view_file *f = current(s);
	int rc = span__view_log(f, &s->store->dir, &s->log, err);
	bool few;

	if (rc < 0)
		return rc;
	s->is_open = true;
	s->entry = 0;
	s->good_end = s->log.start;
	rc = choose_frames(s, err);
	if (rc < 0)
		return rc;
	s->by_index = rc > 0;
	few = s->by_index && s->c.filter.scan.n_ids;
	span__log_walk_begin(&s->walk, &s->log,
			     !few && (!s->c.filter.scan.range || s->order));
	s->walk.bare = few;
	return 1;
}

/*
 * Open the next log that may have spans of the scan: 1, 0 at the end or before
 * a segment.
 */
static int next_file(struct scan *s, struct span_error *err)
{
	const struct span__view *view = &s->store->view;

	for (; s->file < view->n; s->file++) {
		struct span__view_file *f = current(s);
		int rc;

		if (f->kind == FILE_BAD)
			continue;
		if (f->kind == FILE_SEG)
			return 0;
		span__work_add(&work_of(s)->logs, 1);
		if (f->kind == FILE_LOG) {
			rc = span__view_sum(f, &s->store->dir, err);
			if (!rc && !span__scan_overlaps(&s->c.filter.scan,
							f->sum.min_start_ns,
							f->sum.max_end_ns)) {
				span__work_add(&work_of(s)->logs_passed, 1);
				continue;
			}
		} else {
			rc = 0;
		}
		if (!rc)
			rc = open_file(s, err);
		if (rc != SPAN_E_NOTFOUND)
			return rc;
		s->store->found.n_expired++;
	}
	return 0;
}

/*
 * What is left after the last good record of a log: damage in a closed one.
 * The next pass over an open one ends where this one did.
 */
static void end_of_file(struct scan *s)
{
	struct span__view_file *f = current(s);

	if (s->log.closed || f->kind == FILE_LOG)
		tell(s, s->walk.bad_pos, s->walk.bad_len, NULL);
	else if (!s->by_index)
		f->log.end = s->good_end;
	f->told |= !s->by_index;
	close_file(s);
	s->file++;
}

/* By the index: the next record that is wanted. */
static int next_by_index(struct scan *s, struct span_error *err)
{
	struct span__log_entry e;
	int rc;

	for (; s->entry < s->index.len / LOG_INDEX_ENTRY; s->entry++) {
		span__log_entry_get(&e, (const uint8_t *)s->index.p +
						s->entry * LOG_INDEX_ENTRY);
		if (!span__scan_overlaps(&s->c.filter.scan, e.min_start_ns,
					 e.max_end_ns))
			continue;
		rc = span__log_walk_at(&s->walk, e.pos, &s->rec, err);
		if (rc < 0)
			return rc;
		if (rc) {
			s->entry++;
			return 1;
		}
		tell(s, e.pos, LOG_RECORD, NULL);
	}
	s->walk.bad_len = 0;
	return 0;
}

static int next_by_walk(struct scan *s, struct span_error *err)
{
	int rc;

	while ((rc = span__log_walk_next(&s->walk, &s->rec, err)) > 0) {
		tell(s, s->walk.bad_pos, s->walk.bad_len, NULL);
		s->walk.bad_len = 0;
		if (span__scan_overlaps(&s->c.filter.scan, s->rec.min_start_ns,
					s->rec.max_end_ns))
			return 1;
		s->good_end = s->walk.pos;
	}
	return rc;
}

/* Is there a frame behind the last one? */
static int is_followed(struct scan *s, struct span_error *err)
{
	struct span__log_record rec;

	return span__log_walk_next(&s->walk, &rec, err);
}

static int next_frame(struct span__frame_cursor *c, struct span_str *out,
		      struct span_error *err)
{
	struct scan *s = (struct scan *)c;
	const uint8_t *p;
	int rc;

	for (;;) {
		rc = span__store_stopped(&s->store->base, err);
		if (!rc && !s->is_open) {
			rc = next_file(s, err);
			if (!rc)
				return 0;
		}
		if (rc < 0)
			return rc;
		rc = s->by_index ? next_by_index(s, err) : next_by_walk(s, err);
		if (rc < 0)
			return rc;
		if (!rc) {
			end_of_file(s);
			continue;
		}
		rc = span__log_walk_payload(&s->walk, &s->rec, &p, err);
		if (rc < 0)
			return rc;
		if (rc) {
			span__work_add(&work_of(s)->frames, 1);
			span__work_add(&work_of(s)->log_bytes, s->rec.len);
			s->good_end = s->walk.pos;
			*out = (struct span_str){(const char *)p, s->rec.len};
			return 1;
		}
		if (!s->by_index)
			continue;
		rc = s->log.closed ? 1 : is_followed(s, err);
		if (rc < 0)
			return rc;
		if (rc)
			tell(s, s->rec.pos, span__log_record_size(s->rec.len),
			     NULL);
		s->walk.bad_len = 0;
	}
}

static void bad_frame(struct span__frame_cursor *c,
		      const struct span_error *why)
{
	struct scan *s = (struct scan *)c;

	tell(s, s->rec.pos, span__log_record_size(s->rec.len), why->msg);
}

/* ---- Segments ---- */

/* What was found damaged in the segment is told once, when it was read. */
static void tell_segment(struct scan *s, const char *why)
{
	struct span_store_stat *found = &s->store->found;
	struct span__view_file *f = current(s);
	char name[LOG_NAME];

	if (!f->told) {
		span__view_name(f, name);
		found->damaged_places++;
		span__store_damage(&s->store->base.opts,
				   "%s/%s: damaged at byte %" PRIu64
				   ", spans that need it are passed over%s%s",
				   s->store->base.name, name,
				   f->seg->file.bad_pos, why ? ": " : "",
				   why ? why : "");
	}
	f->told = true;
	f->seg->file.bad = false;
}

static void close_segment(struct scan *s)
{
	if (!s->seg)
		return;
	if (current(s)->seg->file.bad)
		tell_segment(s, NULL);
	span__seg_scan_close(&s->seg);
	if (!--current(s)->seg_users)
		span__view_unload(&s->store->view, current(s));
}

/*
 * Open the segments that come next, up to one that may have spans: 1; 0 when
 * the next file is a log, or there is none; or a negative code.
 */
static int open_segment(struct scan *s, struct span_error *err)
{
	const struct span__view *view = &s->store->view;
	struct span_error why = {0};

	for (; s->file < view->n; s->file++) {
		struct span__view_file *f = current(s);
		int rc = span__store_stopped(&s->store->base, err);

		if (rc < 0)
			return rc;
		if (f->kind != FILE_SEG)
			return 0;
		span__work_add(&work_of(s)->segments, 1);
		if (!f->seg ||
		    !span__scan_overlaps(&s->c.filter.scan, f->sum.min_start_ns,
					 f->seg->file.header.max_start_ns)) {
			span__work_add(&work_of(s)->segments_passed, 1);
			continue;
		}
		rc = span__seg_scan_open(&s->seg, f->seg, &s->c.filter, &why);
		if (!rc) {
			f->seg_users++;
			return 1;
		}
		if (rc != SPAN_E_CORRUPT) {
			if (err)
				*err = why;
			return rc;
		}
		tell_segment(s, why.msg);
	}
	return 0;
}

/* The next span into *OUT: 1, 0 at the end; without OUT count all into *N: 0.
 */
static int go_on(struct scan *s, struct span *out, uint64_t *n,
		 struct span_error *err)
{
	for (;;) {
		int rc;

		if (s->seg) {
			rc = out ? span__seg_scan_next(s->seg, out, err)
				 : span__seg_scan_count(s->seg, n, err);
			if (rc)
				return rc;
			close_segment(s);
			s->file++;
		}
		rc = out ? span__frame_cursor_next(&s->c.base, out, err)
			 : span__frame_cursor_count(&s->c.base, n, err);
		if (rc > 0)
			span__work_add(&work_of(s)->spans, 1);
		if (rc)
			return rc;
		if (s->file == s->store->view.n)
			return 0;
		rc = open_segment(s, err);
		if (rc < 0)
			return rc;
	}
}

/* ---- The cursor ---- */

static void close_scan(struct span_cursor *c)
{
	struct scan *s = (struct scan *)c;

	close_segment(s);
	close_file(s);
	free(s->order);
	span__log_walk_release(&s->walk);
	span_buf_release(&s->index_buf);
	span__frame_cursor_release(&s->c);
	free(s);
}

static int next(struct span_cursor *c, struct span *out, struct span_error *err)
{
	struct scan *s = (struct scan *)c;
	int rc = span__store_stopped(&s->store->base, err);

	if (!rc)
		rc = go_on(s, out, NULL, err);
	return span__store_named(s->store->base.name, rc, err);
}

static int count(struct span_cursor *c, uint64_t *n, struct span_error *err)
{
	struct scan *s = (struct scan *)c;
	int rc = span__count_in_threads(s->store, &s->c.filter, n, err);

	if (!rc)
		rc = go_on(s, NULL, n, err);
	return span__store_named(s->store->base.name, rc < 0 ? rc : 0, err);
}

static const struct span__cursor_ops ops = {
	.next = next,
	.count = count,
	.close = close_scan,
};

int span__directory_scan(struct span_store *st, const struct span__scan *scan,
			 struct span_cursor **out, struct span_error *err)
{
	struct span__directory *store = (struct span__directory *)st;
	struct scan *s;
	int rc = span__directory_view(store, err);

	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	span__work_add(&store->base.work.scans, 1);
	s->store = store;
	s->c.next_frame = next_frame;
	s->c.bad_frame = bad_frame;
	if (scan->range && scan->range->floor_ns)
		rc = span__newest_files(&store->view, &store->dir, &s->order,
					err);
	if (!rc)
		rc = span__frame_cursor_init(&s->c, &ops, scan, err);
	if (rc < 0) {
		free(s->order);
		free(s);
		return rc;
	}
	*out = &s->c.base;
	return 0;
}
