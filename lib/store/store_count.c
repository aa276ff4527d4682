/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment is one job, and so are some frames of a log, whose places are
 * listed before. Nothing is shared but the list of jobs: each segment is used
 * by one thread at a time, and logs are read at a place.
 */
#include "store/store_count.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "store/log_filters.h"
#include "store/seg_scan.h"
#include "store/store_cursor.h"
#include "stream/frame.h"

#include "base/banned.h"

#define MAX_THREADS 4u
#define JOB_FRAMES 32u
#define MIN_JOBS 8u /* less is done before a thread is there */

struct job {
	size_t file;
	size_t from, to; /* frames of a log, of COUNT.places */
};

struct count {
	struct span__directory *store;
	const struct span__filter *filter;
	struct job *jobs;
	size_t n_jobs, cap;
	struct span__log *logs; /* by file; those that are open */
	struct span_buf places; /* uint64_t: frames */
	unsigned segments, segments_passed, n_logs, logs_passed;
	_Atomic uint64_t n;
	atomic_bool given_up; /* something is damaged, or failed */
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* ---- What to do ---- */

static bool add_job(struct count *c, size_t file, size_t from, size_t to)
{
	if (c->n_jobs == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		struct job *v = realloc(c->jobs, cap * sizeof(*v));

		if (!v)
			return false;
		c->jobs = v;
		c->cap = cap;
	}
	c->jobs[c->n_jobs++] = (struct job){file, from, to};
	return true;
}

/* The frames of L that may be in the scan: 1, 0 when all is to be read, or a
 * negative code. */
static int list_frames(struct count *c, const struct span__log *l,
		       struct span_error *err)
{
	struct span_buf buf = {0};
	struct span_str index;
	int rc = span__log_filters_find(l, c->filter, &buf, &index, err);

	if (!rc)
		rc = span__log_entries(l, &buf, &index, err);
	for (size_t at = 0; rc > 0 && at < index.len; at += LOG_INDEX_ENTRY) {
		struct span__log_entry e;

		span__log_entry_get(&e, (const uint8_t *)index.p + at);
		if (span__scan_overlaps(&c->filter->scan, e.min_start_ns,
					e.max_end_ns))
			span_buf_put(&c->places, &e.pos, sizeof(e.pos));
	}
	span_buf_release(&buf);
	return rc;
}

static int add_log(struct count *c, size_t i, struct span_error *err)
{
	struct span__view_file *f = &c->store->view.v[i];
	struct span__log *l = &c->logs[i];
	size_t n, from = c->places.len / sizeof(uint64_t);
	int rc;

	c->n_logs++;
	if (f->kind == FILE_LOG) {
		rc = span__view_sum(f, &c->store->dir, err);
		if (rc < 0)
			return rc == SPAN_E_NOTFOUND ? 0 : rc;
		if (!span__scan_overlaps(&c->filter->scan, f->sum.min_start_ns,
					 f->sum.max_end_ns)) {
			c->logs_passed++;
			return 1;
		}
	}
	rc = span__view_log(f, &c->store->dir, l, err);
	if (rc < 0)
		return rc == SPAN_E_NOTFOUND ? 0 : rc;
	rc = f->kind == FILE_LOG && !l->closed ? 0 : list_frames(c, l, err);
	if (rc > 0 && c->places.failed)
		return out_of_memory(err);
	n = c->places.len / sizeof(uint64_t);
	for (; from < n && rc > 0; from += JOB_FRAMES) {
		size_t to = n - from < JOB_FRAMES ? n : from + JOB_FRAMES;

		if (!add_job(c, i, from, to))
			return out_of_memory(err);
	}
	return rc;
}

static int add_segment(struct count *c, size_t i, struct span_error *err)
{
	const struct span__view_file *f = &c->store->view.v[i];

	c->segments++;
	if (!f->seg ||
	    !span__scan_overlaps(&c->filter->scan, f->sum.min_start_ns,
				 f->sum.max_end_ns)) {
		c->segments_passed++;
		return 1;
	}
	return add_job(c, i, 0, 0) ? 1 : out_of_memory(err);
}

/* 1, 0 when it has to be read in order, or a negative code. */
static int list_jobs(struct count *c, struct span_error *err)
{
	const struct span__view *view = &c->store->view;
	int rc = 1;

	for (size_t i = 0; i < view->n && rc > 0; i++) {
		const struct span__view_file *f = &view->v[i];

		if (f->kind == FILE_LOG || f->kind == FILE_OPEN)
			rc = add_log(c, i, err);
		else if (f->kind == FILE_SEG)
			rc = add_segment(c, i, err);
	}
	return rc;
}

/* ---- Doing it ---- */

static bool count_segment(struct count *c, struct span__view_file *f,
			  uint64_t *n)
{
	struct span__seg *s = f->seg;
	struct span__seg_scan *scan;
	bool good;

	good = span__seg_scan_open(&scan, s, c->filter, NULL) == 0 &&
	       span__seg_scan_count(scan, n, NULL) == 0 && !s->file.bad;
	span__seg_scan_close(&scan);
	if (!f->seg_users) {
		span__seg_unload(s);
		f->seg_held = 0;
	}
	s->file.bad = false;
	return good;
}

/* What a job on a log needs. */
struct reader {
	struct span__log_walk walk;
	struct span__judge judge;
	struct span_frame *frame;
};

static bool count_frame(struct reader *r, uint64_t pos, uint64_t *n,
			struct span__work *work)
{
	struct span__log_record rec;
	const uint8_t *p;
	uint32_t some;
	size_t used;

	if (span__log_walk_at(&r->walk, pos, &rec, NULL) <= 0 ||
	    span__log_walk_payload(&r->walk, &rec, &p, NULL) <= 0 ||
	    span__frame_parse_sound(r->frame, p, rec.len, &used, NULL) <= 0 ||
	    used != rec.len ||
	    span__judge_frame(&r->judge, r->frame, &some, NULL) < 0)
		return false;
	span__work_add(&work->frames, 1);
	span__work_add(&work->log_bytes, rec.len);
	*n += some;
	return true;
}

static bool count_frames(struct count *c, const struct job *job, uint64_t *n)
{
	struct reader r = {.judge.filter = c->filter};
	struct span__work *w = &c->store->base.work;
	bool good = span_frame_open(&r.frame, NULL) == 0;

	span__log_walk_begin(&r.walk, &c->logs[job->file], true);
	for (size_t i = job->from; i < job->to && good; i++) {
		uint64_t pos;

		memcpy(&pos, c->places.p + i * sizeof(pos), sizeof(pos));
		good = count_frame(&r, pos, n, w);
	}
	span__log_walk_release(&r.walk);
	span__judge_release(&r.judge);
	span_frame_close(&r.frame);
	return good;
}

static void do_job(void *arg, size_t i)
{
	struct count *c = arg;
	const struct job *job = &c->jobs[i];
	struct span__view_file *f = &c->store->view.v[job->file];
	uint64_t n = 0;

	if (atomic_load(&c->given_up))
		return;
	if (span__store_stopped(&c->store->base, NULL) < 0) {
		atomic_store(&c->given_up, true);
		return;
	}
	if (f->seg ? !count_segment(c, f, &n) : !count_frames(c, job, &n))
		atomic_store(&c->given_up, true);
	atomic_fetch_add(&c->n, n);
}

/* When it is not all done anew. */
static void count_work(const struct count *c)
{
	struct span__work *w = &c->store->base.work;

	span__work_add(&w->segments, c->segments);
	span__work_add(&w->segments_passed, c->segments_passed);
	span__work_add(&w->logs, c->n_logs);
	span__work_add(&w->logs_passed, c->logs_passed);
}

/* Functions of the range, and the disks of tests, are for one thread. */
static bool may_use_threads(const struct count *c)
{
	const struct span_range *r = c->filter->scan.range;

	for (size_t i = 0; r && i < r->n_tests; i++) {
		if (!r->tests[i].any_thread)
			return false;
	}
	return c->store->base.io == &span__io_system &&
	       !(r && (r->service_fn || r->operation_fn)) &&
	       !c->filter->scan.n_ids;
}

int span__count_in_threads(struct span__directory *s,
			   const struct span__filter *filter, uint64_t *n,
			   struct span_error *err)
{
	struct count c = {.store = s, .filter = filter};
	unsigned threads = span__processors(MAX_THREADS);
	int rc;

	if (threads < 2 || !may_use_threads(&c))
		return 0;
	c.logs = calloc(s->view.n + 1, sizeof(*c.logs));
	if (!c.logs)
		return out_of_memory(err);
	for (size_t i = 0; i < s->view.n; i++)
		c.logs[i].fd = -1;
	rc = list_jobs(&c, err);
	if (rc > 0 && c.n_jobs < MIN_JOBS)
		rc = 0;
	if (rc > 0) {
		count_work(&c);
		span__parallel(threads, c.n_jobs, do_job, &c);
		rc = span__store_stopped(&s->base, err);
		if (!rc)
			rc = !c.given_up;
		*n += rc > 0 ? c.n : 0;
	}
	for (size_t i = 0; i < s->view.n; i++) {
		if (c.logs[i].fd >= 0)
			span__view_done(&s->view.v[i], &c.logs[i]);
	}
	free(c.logs);
	free(c.jobs);
	span_buf_release(&c.places);
	return rc;
}
