/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The appender goes on while logs are sealed, and readers do: they have the
 * logs until the segment has its name, and the segment from then on, as it
 * covers them. The steps, each of which may be the last:
 *
 *     write and sync N.tmp, read it back
 *     look again: nothing else has a number that it will cover
 *     MAINT remembers the highest numbers
 *     rename N.tmp to N.seg, sync the directory
 *     remove the logs and segments that it has
 *
 * N is the number of the last log in it, so that a merge replaces the last
 * segment by the rename itself.
 */
#include "store/store_seal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/parallel.h"
#include "store/draft_make.h"
#include "store/seg_codec.h"
#include "store/store_maintain.h"
#include "store/store_plan.h"

#include "base/banned.h"

#define MAX_SPANS 1000000u
#define MEMORY (256ull << 20)
#define MAX_AGE_NS (2ull * 3600 * 1000000000)
#define MAX_JOBS 16u

struct seal {
	struct span__directory *store;
	struct span_seal_opts opts;
	enum span__seg_codec codec;
	struct span_sealed *out;
	span_store_file_fn *fn;
	void *arg;
	struct span__listing left; /* logs and segments that are left alone */
	struct span__listing told; /* what a dry run would seal, in order */
	/* The files of the store itself: the view's from FIRST on, but for
	 * those that recovery set aside. */
	struct span__view_file **files;
	struct span__plan_file *plans;
	size_t n;
};

static bool is_left(const struct seal *s, const struct span__view_file *f)
{
	for (size_t i = 0; i < s->left.n; i++) {
		if (!span__file_order(&s->left.v[i], &f->file))
			return true;
	}
	return false;
}

static bool is_fixed(const struct seal *s, const struct span__view_file *f)
{
	if (f->kind == FILE_OPEN || is_left(s, f))
		return true;
	return f->kind == FILE_SEG &&
	       (!f->seg || f->number != f->file.number ||
		f->seg->file.full_size > f->seg->file.size ||
		span__features_check(&f->seg->file.header.features, true,
				     NULL) < 0 ||
		memcmp(f->origin, s->store->dir.uuid, 16));
}

static int look(struct seal *s, struct span_error *err)
{
	struct span__view *view = &s->store->view;

	free(s->files);
	free(s->plans);
	s->n = 0;
	s->files = calloc(view->n + 1, sizeof(*s->files));
	s->plans = calloc(view->n + 1, sizeof(*s->plans));
	if (!s->files || !s->plans)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < view->n; i++) {
		struct span__view_file *f = &view->v[i];
		int rc;

		if (f->file.foreign || f->kind == FILE_BAD || span__is_draft(f))
			continue;
		rc = f->kind == FILE_OPEN
			     ? 0
			     : span__view_sum(f, &s->store->dir, err);
		if (rc == SPAN_E_NOTFOUND)
			continue; /* it was neither open, nor is it there */
		if (rc < 0)
			return rc;
		s->files[s->n] = f;
		s->plans[s->n++] = (struct span__plan_file){
			.spans = f->sum.n_spans,
			.bytes = f->size,
			.memory = f->seg ? f->seg->file.header.build_bytes : 0,
			.arrival_ns = f->sum.max_arrival_ns,
			.segment = f->kind == FILE_SEG,
			.fixed = is_fixed(s, f),
		};
	}
	return 0;
}

static int tell(struct seal *s, const struct span__view_file *f,
		const char *text, struct span_error *err)
{
	struct span_store_file file;
	char name[LOG_NAME];

	if (!s->fn)
		return 0;
	span__directory_describe(f, &file, name);
	return s->fn(s->arg, &file, text, err);
}

/* Leave a file as it is from now on. WHY (or NULL) is told. */
static int leave(struct seal *s, const struct span__view_file *f,
		 const char *why, struct span_error *err)
{
	char name[LOG_NAME];

	span__view_name(f, name);
	if (why)
		span__store_damage(&s->store->base.opts, "%s/%s: %s",
				   s->store->base.name, name, why);
	return span__listing_put(&s->left, &f->file, err);
}

static bool is_input(const struct span__sealing *b,
		     const struct span__file *file)
{
	for (size_t i = 0; i < b->n_files; i++) {
		if (!span__file_order(&b->files[i].file, file))
			return true;
	}
	return false;
}

static bool is_covered(const struct span__view *view,
		       const struct span__file *file)
{
	for (size_t i = 0; i < view->covered.n; i++) {
		if (!span__file_order(&view->covered.v[i], file))
			return true;
	}
	return false;
}

/*
 * 1 when nothing has a number that the segment covers but what is in it, and
 * what was covered before; 0 when there is something.
 */
static int is_alone(const struct span__sealing *b, struct span_error *err)
{
	const struct span__directory *s = b->store;
	struct span__listing l = {0};
	int rc = span__dir_list(&s->dir, &l, err);

	if (!rc)
		rc = 1;
	for (size_t i = 0; i < l.n && rc > 0; i++) {
		const struct span__file *f = &l.v[i];

		if (f->foreign || f->number < b->header.first_number ||
		    f->number > b->header.id.number ||
		    (f->kind != FILE_LOG && f->kind != FILE_OPEN &&
		     f->kind != FILE_SEG))
			continue;
		rc = is_input(b, f) || is_covered(&s->view, f);
	}
	span__listing_release(&l);
	return rc;
}

static int put_in_place(struct span__sealing *b, const char *tmp,
			struct span_error *err)
{
	struct span__directory *s = b->store;
	const struct span__io *io = s->base.io;
	char name[LOG_NAME];
	int rc = span__maintain_remember(s, b->header.id.number,
					 b->header.sum.last_seq, err);

	if (rc < 0)
		return rc;
	span__file_name(name, sizeof(name), b->header.id.number, FILE_SEG);
	if (io->rename(io->self, s->dir.fd, tmp, name) < 0)
		return span_error_set(err, SPAN_E_IO, "%s: cannot rename", tmp);
	rc = span__dir_sync(&s->dir, err);
	for (size_t i = 0; i < b->n_files && !rc; i++) {
		const struct span__file *f = &b->files[i].file;

		if (f->kind == FILE_SEG && f->number == b->header.id.number)
			continue;
		rc = span__maintain_retire(s, f, b->damaged[i], err);
	}
	return rc < 0 ? rc : span__dir_sync(&s->dir, err);
}

/* SEAL_DONE, with the segment in place of its files, or as the build. */
static int seal_files(struct seal *s, struct span__sealing *b,
		      struct span_error *err)
{
	const struct span__io *io = s->store->base.io;
	uint64_t number = b->files[b->n_files - 1].number;
	char tmp[LOG_NAME];
	int rc;

	span__file_name(tmp, sizeof(tmp), number, FILE_TMP);
	rc = span__seal_build(b, tmp, err);
	if (!rc) {
		rc = is_alone(b, err);
		b->file = 0;
		if (rc >= 0)
			rc = rc ? put_in_place(b, tmp, err) : SEAL_NOT_ALONE;
	}
	if (rc)
		io->unlink(io->self, s->store->dir.fd, tmp);
	return rc;
}

static void count(struct span_sealed *out, const struct span__view_file *f)
{
	out->n_logs += f->kind != FILE_SEG;
	out->n_merged += f->kind == FILE_SEG;
	out->n_spans += f->sum.n_spans;
	out->bytes_before += f->size;
}

static int count_all(struct seal *s, const struct span__view_file *v, size_t n,
		     const char *why, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc >= 0; i++) {
		count(s->out, &v[i]);
		rc = tell(s, &v[i], why, err);
	}
	s->out->n_segments++;
	return rc < 0 ? rc : 0;
}

/* WHY is NULL when something came between the files: the next run sees it. */
static int leave_all(struct seal *s, const struct span__sealing *b,
		     const char *why, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < b->n_files && !rc; i++)
		rc = leave(s, &b->files[i], why, err);
	return rc;
}

/*
 * What was too big is tried with less: without the segments, then with the
 * logs before the one that was too much. A log that is too big alone stays.
 * 1: try again.
 */
static int try_less(struct seal *s, struct span__sealing *b, int outcome,
		    struct span_error *err)
{
	const struct span__view_file *at = &b->files[b->file];
	size_t segments = 0;

	while (segments < b->n_files && b->files[segments].kind == FILE_SEG)
		segments++;
	if (outcome == SEAL_NOT_ALONE)
		return leave_all(s, b, NULL, err);
	if (outcome == SEAL_DIFFERS)
		return leave_all(s, b,
				 "stays as it is: the segment that was made "
				 "of it is not the same",
				 err);
	if (outcome == SEAL_UNFIT)
		return leave(s, at,
			     at->kind == FILE_SEG ? "damaged, it is not merged"
						  : "it cannot be sealed",
			     err);
	if (segments) {
		b->files += segments;
		b->n_files -= segments;
		return 1;
	}
	if (!b->file)
		return leave(s, at,
			     "stays a log: there is not enough memory to seal "
			     "it",
			     err);
	b->n_files = b->file;
	return 1;
}

/* Seal one group. The view is old afterwards. */
static int carry_out(struct seal *s, const struct span__plan *p,
		     struct span_error *err)
{
	struct span__view_file *files = calloc(p->count, sizeof(*files));
	struct span__sealing b = {
		.store = s->store,
		.opts = &s->opts,
		.codec = s->codec,
		.files = files,
		.n_files = p->count,
	};
	int rc;

	if (!files)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < p->count; i++)
		files[i] = *s->files[p->first + i];
	do {
		rc = seal_files(s, &b, err);
		span__seal_release(&b);
		if (rc > 0) {
			rc = try_less(s, &b, rc, err);
		} else if (!rc) {
			s->out->bytes_after += b.size;
			rc = count_all(s, b.files, b.n_files, p->why, err);
		}
	} while (rc > 0);
	free(files);
	return rc;
}

static int pick_codec(struct seal *s, struct span_error *err)
{
	static const char *const names[] = {"none", "zlib", "zstd"};
	const char *name = s->opts.codec;

	s->codec = span__codec_known(SEG_CODEC_ZSTD) ? SEG_CODEC_ZSTD
						     : SEG_CODEC_ZLIB;
	for (unsigned i = 0; name && i < 3; i++) {
		if (!strcmp(name, names[i]) && span__codec_known(i)) {
			s->codec = (enum span__seg_codec)i;
			return 0;
		}
	}
	return name ? span_error_set(err, SPAN_E_INVALID,
				     "this build has no codec %s", name)
		    : 0;
}

static int begin(struct seal *s, struct span_error *err)
{
	const struct span__io *io = s->store->base.io;
	struct span_seal_opts *o = &s->opts;
	int rc = pick_codec(s, err);

	if (!o->max_spans)
		o->max_spans = MAX_SPANS;
	if (!o->memory)
		o->memory = MEMORY;
	if (!o->jobs || o->jobs > MAX_JOBS)
		o->jobs = span__processors(MAX_JOBS);
	if (!o->max_age_ns)
		o->max_age_ns = MAX_AGE_NS;
	if (!o->now_ns)
		o->now_ns = io->clock(io->self, CLOCK_REALTIME);
	if (rc < 0)
		return rc;
	rc = o->dry_run ? span__directory_refresh(&s->store->base, err)
			: span__maintain_begin(s->store, err);
	return rc < 0 ? rc : look(s, err);
}

/* Whoever waits for the lock has it between two segments. */
static int let_others(struct seal *s, struct span_error *err)
{
	int rc = span__dir_yield(&s->store->dir, &s->store->maint_fd, err);

	if (rc < 0)
		return rc;
	return rc ? span__maintain_begin(s->store, err)
		  : span__directory_refresh(&s->store->base, err);
}

static int seal_group(struct seal *s, const struct span__plan *p, size_t *from,
		      struct span_error *err)
{
	int rc = 0;

	if (!s->opts.dry_run) {
		rc = carry_out(s, p, err);
		if (!rc)
			rc = let_others(s, err);
		return rc < 0 ? rc : look(s, err);
	}
	for (size_t i = 0; i < p->count && !rc; i++) {
		const struct span__view_file *f = s->files[p->first + i];

		count(s->out, f);
		rc = span__listing_put(&s->told, &f->file, err);
		if (!rc)
			rc = tell(s, f, p->why, err);
	}
	s->out->n_segments++;
	*from = p->first + p->count;
	return rc < 0 ? rc : 0;
}

/* Of the logs that stay. */
static int make_drafts(const struct seal *s, struct span_error *err)
{
	const struct span__drafts d = {
		.store = s->store,
		.opts = &s->opts,
		.sealed = &s->told,
		.codec = s->codec,
		.out = s->out,
		.fn = s->fn,
		.arg = s->arg,
	};

	return span__drafts_make(&d, err);
}

int span__directory_seal(struct span_store *st, const struct span_seal_opts *o,
			 struct span_sealed *out, span_store_file_fn *fn,
			 void *arg, struct span_error *err)
{
	struct seal s = {
		.store = (struct span__directory *)st,
		.opts = o ? *o : (struct span_seal_opts){0},
		.out = out,
		.fn = fn,
		.arg = arg,
	};
	struct span__plan_limits limits;
	struct span__plan p;
	size_t from = 0;
	int rc = begin(&s, err);

	limits = (struct span__plan_limits){
		.max_spans = s.opts.max_spans,
		.memory = s.opts.memory,
		.max_age_ns = s.opts.max_age_ns,
		.now_ns = s.opts.now_ns,
		.all = s.opts.all,
	};
	while (!rc && span__plan_next(s.plans, s.n, from, &limits, &p))
		rc = seal_group(&s, &p, &from, err);
	if (!rc && s.opts.drafts)
		rc = make_drafts(&s, err);
	span__listing_release(&s.left);
	span__listing_release(&s.told);
	free(s.files);
	free(s.plans);
	return rc;
}
