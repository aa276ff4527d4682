/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span_store_calls() and span_store_names() of a directory: which files there
 * are, and the logs that were read, some of which are kept for their
 * neighbours.
 */
#include "store/store_calls.h"
#include "store/calls_ahead.h"
#include "store/seg_agg.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/banned.h"

#define LOG_MEMORY (24u << 20)	 /* of logs that are kept */
#define SEGMENTS 12u		 /* of them */
#define SPAN_BYTES 24u		 /* of a span in a log at least */
#define NAMES_MEMORY (24u << 20) /* after which all is forgotten */

struct slot {
	struct span__calls_file file;
	uint64_t used; /* when it was asked for last */
	bool kept;
};

struct files {
	struct span__directory *s;
	struct span__call_names names;
	struct span__calls_source *bounds;
	struct slot *slots;
	uint64_t clock;
	uint64_t since_ns, last_ns; /* what is counted */
	struct span__calls_ahead ahead;
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static struct span__view_file *view_file(const struct files *f, size_t n)
{
	return &f->s->view.v[n];
}

/* The times of file N; of one that cannot be read, none. */
static int find_bounds(struct files *f, size_t n, struct span_error *err)
{
	struct span__view_file *file = view_file(f, n);
	struct span__calls_source *b = &f->bounds[n];
	int rc = 0;

	*b = (struct span__calls_source){.seg = file->seg,
					 .min_start_ns = UINT64_MAX};
	if (file->kind == FILE_BAD || (file->kind == FILE_SEG && !file->seg))
		return 0;
	if (file->kind != FILE_SEG)
		rc = span__view_sum(file, &f->s->dir, err);
	if (rc == SPAN_E_NOTFOUND)
		return 0;
	if (!rc && file->sum.n_spans) {
		b->min_start_ns = file->sum.min_start_ns;
		b->max_end_ns = file->sum.max_end_ns;
	}
	return rc;
}

static int put_frame(void *log, struct span_str frame, struct span_error *err)
{
	return span__calls_log_put(log, frame, err);
}

static int read_log(struct span__directory *s, struct span__view_file *f,
		    struct span__call_names *names,
		    struct span__calls_log **out, struct span_error *err)
{
	int rc = span__calls_log_open(out, names, false, err);

	if (!rc && f->has_sum && f->sum.n_spans <= f->size / SPAN_BYTES)
		rc = span__calls_log_reserve(*out, f->sum.n_spans, err);
	if (!rc)
		rc = span__directory_frames(s, f, NULL, put_frame, *out, err);
	if (!rc)
		rc = span__calls_log_finish(*out, err);
	if (rc == SPAN_E_NOTFOUND)
		s->found.n_expired++;
	if (rc < 0)
		span__calls_log_close(out);
	return rc;
}

void span__calls_unload(struct span__view_file *f)
{
	if (!f->seg || f->seg_users)
		return;
	span__seg_unload(f->seg);
	f->seg_held = 0;
}

static void close_slot(struct files *f, struct slot *s)
{
	span__calls_log_close(&s->file.log);
	if (!s->file.seg)
		return;
	span__calls_seg_close(&s->file.seg);
	span__calls_unload(view_file(f, (size_t)(s - f->slots)));
}

/* Close logs, and segments, that were used least recently. */
static void make_room(struct files *f)
{
	for (;;) {
		struct slot *oldest = NULL;
		size_t logs = 0, segs = 0;

		for (size_t i = 0; i < f->s->view.n; i++) {
			struct slot *s = &f->slots[i];

			if (s->file.log)
				logs += span__calls_log_memory(s->file.log);
			segs += s->file.seg != NULL;
		}
		for (size_t i = 0; i < f->s->view.n; i++) {
			struct slot *s = &f->slots[i];
			bool many = s->file.log ? logs > LOG_MEMORY
						: segs > SEGMENTS;

			if ((s->file.log || s->file.seg) && !s->kept && many &&
			    (!oldest || s->used < oldest->used))
				oldest = s;
		}
		if (!oldest)
			return;
		close_slot(f, oldest);
	}
}

static bool is_log(const struct span__view_file *f)
{
	return f->kind == FILE_LOG || f->kind == FILE_OPEN;
}

/* Have the next log read, from file N on, that has spans of the range. */
static void read_ahead(struct files *f, size_t n)
{
	for (; n < f->s->view.n; n++) {
		if (is_log(view_file(f, n)) && !f->slots[n].file.log &&
		    f->bounds[n].min_start_ns <= f->last_ns &&
		    f->bounds[n].max_end_ns >= f->since_ns)
			break;
	}
	if (n < f->s->view.n)
		span__calls_ahead_start(&f->ahead, f->s, n);
}

/* Log N, which may have been read already. */
static int load_log(struct files *f, size_t n, struct span_error *err)
{
	struct span__calls_log **log = &f->slots[n].file.log;
	int rc = span__calls_ahead_take(&f->ahead, view_file(f, n), n,
					&f->names, log, err);

	if (!rc)
		rc = read_log(f->s, view_file(f, n), &f->names, log, err);
	read_ahead(f, n + 1);
	return rc < 0 ? rc : 0;
}

static int load(void *arg, size_t n, bool keep, struct span__calls_file *out,
		struct span_error *err)
{
	struct files *f = arg;
	struct span__view_file *file = view_file(f, n);
	struct slot *s = &f->slots[n];
	int rc = span__store_stopped(&f->s->base, err);

	if (!rc && !s->file.log && !s->file.seg) {
		make_room(f);
		if (file->kind == FILE_BAD)
			rc = SPAN_E_NOTFOUND;
		else if (file->kind != FILE_SEG)
			rc = load_log(f, n, err);
		else if (file->seg)
			rc = span__calls_seg_open(&s->file.seg, file->seg,
						  &f->names, err);
		else
			rc = SPAN_E_NOTFOUND;
	}
	if (rc < 0) {
		span__calls_tell(f->s, file);
		return rc;
	}
	s->used = ++f->clock;
	s->kept |= keep;
	*out = s->file;
	return 0;
}

static void close_all(struct files *f)
{
	for (size_t i = 0; f->slots && i < f->s->view.n; i++)
		close_slot(f, &f->slots[i]);
}

void span__calls_tell(struct span__directory *s, struct span__view_file *f)
{
	char name[LOG_NAME];

	if (f->kind != FILE_SEG || !f->seg || !f->seg->file.bad)
		return;
	f->seg->file.bad = false;
	if (f->told)
		return;
	f->told = true;
	s->found.damaged_places++;
	span__view_name(f, name);
	span__store_damage(&s->base.opts, "%s/%s: damaged at byte %" PRIu64,
			   s->base.name, name, f->seg->file.bad_pos);
}

static void done(void *arg, size_t n)
{
	struct files *f = arg;

	f->slots[n].kept = false;
	span__calls_tell(f->s, view_file(f, n));
	if (span__call_names_memory(&f->names) <= NAMES_MEMORY)
		return;
	close_all(f);
	span__call_names_reset(&f->names);
}

int span__directory_calls(struct span_store *st,
			  const struct span_store_calls_range *r,
			  span_store_calls_fn *fn, void *arg,
			  struct span_error *err)
{
	struct files f = {.s = (struct span__directory *)st,
			  .last_ns = UINT64_MAX};
	struct span__calls_files files = {
		.load = load, .done = done, .arg = &f};
	int rc = span__directory_view(f.s, err);

	if (!rc)
		rc = span__call_names_init(&f.names, err);
	if (rc < 0)
		return rc;
	files.n = f.s->view.n;
	f.bounds = calloc(files.n + 1, sizeof(*f.bounds));
	f.slots = calloc(files.n + 1, sizeof(*f.slots));
	files.bounds = f.bounds;
	if (!f.bounds || !f.slots)
		rc = out_of_memory(err);
	for (size_t i = 0; i < files.n && !rc; i++)
		rc = find_bounds(&f, i, err);
	if (r) {
		f.since_ns = r->since_ns;
		f.last_ns = r->until_ns ? r->until_ns - 1 : UINT64_MAX;
	}
	if (!rc)
		read_ahead(&f, 0);
	if (!rc)
		rc = span__calls_count(&files, &f.names, r, fn, arg, err);
	span__calls_ahead_stop(&f.ahead);
	close_all(&f);
	free(f.bounds);
	free(f.slots);
	span__call_names_release(&f.names);
	return rc;
}

/* Each of the widths there are is a multiple of all that are less. */
int span__directory_calls_width(struct span_store *st,
				const struct span_store_calls_range *r,
				uint64_t *width_ns, struct span_error *err)
{
	struct span__directory *s = (struct span__directory *)st;
	int rc = span__directory_view(s, err);

	for (size_t i = 0; i < s->view.n && !rc; i++) {
		const struct span__view_file *f = &s->view.v[i];
		struct span__agg_info info;
		struct span__area section;

		if (!f->seg || f->seg->file.header.max_start_ns < r->since_ns ||
		    (r->until_ns && f->sum.min_start_ns >= r->until_ns))
			continue;
		section = span__seg_area(&f->seg->file, SEG_AGGREGATES);
		if (span__agg_info(&section, &info) &&
		    info.width_ns > *width_ns && info.width_ns <= r->width_ns)
			*width_ns = info.width_ns;
	}
	return rc;
}
