/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole closed files go, oldest number first, by when their last frame
 * arrived and by how much there is. Each is renamed to N.del, then the
 * directory is synced, then they are removed: a crash leaves N.del, which the
 * next run removes. Segments that came from other stores go by when their
 * frames had arrived there.
 *
 * A clock that was set by hours must not expire a store. Where a file was
 * written since the machine started, its header tells what the clock and the
 * time since start said together; when they now differ by more than an hour
 * from that, or a file is from the future, age is not believed.
 */
#include "store/draft_fit.h"
#include "store/store_maintain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

#define HOUR (3600ull * 1000000000)

struct expiry {
	struct span__directory *store;
	struct span_store_policy policy;
	struct span_store_expired *out;
	span_store_file_fn *fn;
	void *arg;
	uint64_t now_ns, boot_ns;
	uint8_t boot_id[16];
	uint64_t total; /* bytes that would be left */
	uint64_t free;	/* on the disk */
	struct span__view_file **victims;
	size_t n_victims;
};

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* What clocks said when the file was begun. */
struct stamp {
	uint64_t ns, boot_ns;
	uint8_t boot_id[16];
};

/* When a file without a frame that can be read was written last. */
static uint64_t modified(const struct expiry *e,
			 const struct span__view_file *f)
{
	const struct span__dir *d = &e->store->dir;
	const struct span__io *io = d->io;
	struct span__io_stat st = {.mtime_ns = e->now_ns};
	char name[LOG_NAME];
	int fd;

	span__view_name(f, name);
	fd = io->open(io->self, d->fd, name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return e->now_ns;
	if (io->fstat(io->self, fd, &st) < 0)
		st.mtime_ns = e->now_ns;
	io->close(io->self, fd);
	return st.mtime_ns;
}

static bool clock_was_set(const struct expiry *e, const struct stamp *s)
{
	static const uint8_t unknown[16];

	if (!memcmp(s->boot_id, unknown, 16) ||
	    memcmp(s->boot_id, e->boot_id, 16) || e->boot_ns < s->boot_ns)
		return false;
	return distance(s->ns + (e->boot_ns - s->boot_ns), e->now_ns) > HOUR;
}

/* 1; 0 when the file went away; a zero stamp where there is none. */
static int read_stamp(struct expiry *e, struct span__view_file *f,
		      struct stamp *out, struct span_error *err)
{
	struct span__log log;
	int rc;

	*out = (struct stamp){0};
	if (f->kind == FILE_SEG) {
		const struct span__seg_header *h;

		if (!f->seg)
			return 1;
		h = &f->seg->file.header;
		*out = (struct stamp){h->stamp_ns, h->stamp_boot_ns, {0}};
		memcpy(out->boot_id, h->boot_id, 16);
		return 1;
	}
	rc = span__view_whole_log(f, &e->store->dir, &log, err);
	if (rc < 0)
		return rc == SPAN_E_NOTFOUND ? 0 : rc;
	if (log.header_ok) {
		const struct span__log_header *h = &log.header;

		*out = (struct stamp){h->created_ns, h->created_boot_ns, {0}};
		memcpy(out->boot_id, h->boot_id, 16);
	}
	span__view_done(f, &log);
	return 1;
}

/* Sizes, sums and doubts about the clock: 1; 0 when the file went away. */
static int look_at(struct expiry *e, struct span__view_file *f,
		   struct span_error *err)
{
	struct stamp stamp;
	int rc;

	if (span__is_draft(f)) {
		e->total += f->size; /* it goes with its log */
		return 1;
	}
	rc = read_stamp(e, f, &stamp, err);
	if (rc <= 0)
		return rc;
	rc = span__view_sum(f, &e->store->dir, err);
	if (rc < 0)
		return rc == SPAN_E_NOTFOUND ? 0 : rc;
	e->total += f->size;
	if (!f->sum.n_frames)
		f->sum.max_arrival_ns = modified(e, f);
	if (f->sum.max_arrival_ns > e->now_ns &&
	    f->sum.max_arrival_ns - e->now_ns > HOUR)
		e->out->clock_doubt = true;
	if (clock_was_set(e, &stamp))
		e->out->clock_doubt = true;
	return 1;
}

static bool too_old(const struct expiry *e, const struct span__view_file *f)
{
	uint64_t age = e->now_ns > f->sum.max_arrival_ns
			       ? e->now_ns - f->sum.max_arrival_ns
			       : 0;

	return e->policy.max_age_ns && age > e->policy.max_age_ns &&
	       (!e->out->clock_doubt || e->policy.trust_clock);
}

/* Why the file goes, NULL when it may stay. */
static const char *reason(const struct expiry *e,
			  const struct span__view_file *f)
{
	const struct span_store_policy *p = &e->policy;

	if (too_old(e, f))
		return "too old";
	if (p->max_bytes && e->total > p->max_bytes)
		return "too many bytes";
	if (p->min_free && e->free < p->min_free)
		return "too little room on the disk";
	return NULL;
}

static int by_arrival(const void *a, const void *b)
{
	const struct span__view_file *x = *(struct span__view_file *const *)a;
	const struct span__view_file *y = *(struct span__view_file *const *)b;
	uint64_t at = x->sum.max_arrival_ns, to = y->sum.max_arrival_ns;

	return (at > to) - (at < to);
}

/*
 * Own files by number, as clocks may have been wrong; foreign ones, which come
 * first in the view, go where their arrival says.
 */
static void put_in_order(const struct expiry *e, struct span__view_file **out)
{
	const struct span__view *view = &e->store->view;
	struct span__view_file **foreign = e->victims; /* not used yet */
	size_t n = 0, k = 0;

	while (n < view->n && view->v[n].file.foreign) {
		foreign[n] = &view->v[n];
		n++;
	}
	if (n)
		qsort(foreign, n, sizeof(*foreign), by_arrival);
	for (size_t i = n; i < view->n; i++) {
		struct span__view_file *f = &view->v[i];

		while (k < n && by_arrival(&foreign[k], &f) < 0)
			*out++ = foreign[k++];
		*out++ = f;
	}
	while (k < n)
		*out++ = foreign[k++];
}

/* Of the draft of F, which goes when F does. */
static uint64_t draft_bytes(const struct expiry *e,
			    const struct span__view_file *f)
{
	const struct span__view_file *draft =
		span__draft_of(&e->store->view, f);

	return draft ? draft->size : 0;
}

static int choose_one(struct expiry *e, struct span__view_file *f,
		      const char *why, struct span_error *err)
{
	struct span_store_file file;
	uint64_t bytes = f->size + draft_bytes(e, f);
	char name[LOG_NAME];
	int rc = 0;

	span__directory_describe(f, &file, name);
	if (e->fn)
		rc = e->fn(e->arg, &file, why, err);
	if (rc < 0)
		return rc;
	e->victims[e->n_victims++] = f;
	e->total -= bytes;
	if (__builtin_add_overflow(e->free, bytes, &e->free))
		e->free = UINT64_MAX;
	e->out->n_files++;
	e->out->bytes += bytes;
	if (f->kind != FILE_BAD)
		e->out->n_spans += f->sum.n_spans;
	return 0;
}

static int choose(struct expiry *e, struct span_error *err)
{
	size_t n = e->store->view.n;
	struct span__view_file **v = calloc(n + 1, sizeof(*v));
	int rc = 0;

	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	put_in_order(e, v);
	for (size_t i = 0; i < n && !rc; i++) {
		const char *why;

		if (v[i]->kind == FILE_OPEN || !v[i]->has_sum ||
		    span__is_draft(v[i]))
			continue;
		why = reason(e, v[i]);
		if (why)
			rc = choose_one(e, v[i], why, err);
	}
	free(v);
	return rc;
}

/* What is about to go must be known to a later appender: see MAINT. */
static int remember(const struct expiry *e, struct span_error *err)
{
	uint64_t number = 0, seq = 0;

	for (size_t i = 0; i < e->n_victims; i++) {
		const struct span__view_file *f = e->victims[i];

		if (f->file.foreign)
			continue;
		if (f->number > number)
			number = f->number;
		if (f->sum.last_seq > seq)
			seq = f->sum.last_seq;
	}
	return span__maintain_remember(e->store, number, seq, err);
}

static int rename_one(const struct expiry *e, const struct span__file *file,
		      struct span_error *err)
{
	const struct span__dir *d = &e->store->dir;
	struct span__file del = *file;
	char from[LOG_NAME], to[LOG_NAME];

	del.kind = FILE_DEL;
	span__file_name_of(from, sizeof(from), file);
	span__file_name_of(to, sizeof(to), &del);
	if (d->io->rename(d->io->self, d->fd, from, to) < 0 && errno != ENOENT)
		return span_error_set(err, SPAN_E_IO, "%s: cannot rename",
				      from);
	return 0;
}

/* What F covers would be seen again when F is gone. */
static int rename_covered(const struct expiry *e,
			  const struct span__view_file *f,
			  struct span_error *err)
{
	const struct span__listing *l = &e->store->view.covered;
	int rc = 0;

	for (size_t i = 0; i < l->n && !rc; i++) {
		const struct span__file *file = &l->v[i];
		const uint8_t *origin =
			file->foreign ? file->uuid : e->store->dir.uuid;

		if (file->kind != FILE_OPEN && file->number <= f->number &&
		    file->number >= f->first_number &&
		    !memcmp(f->origin, origin, 16))
			rc = rename_one(e, file, err);
	}
	return rc;
}

static int rename_all(const struct expiry *e, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < e->n_victims && !rc; i++) {
		const struct span__view_file *f = e->victims[i];
		struct span__file file = f->file;

		file.kind = f->kind;
		if (f->kind == FILE_SEG)
			rc = rename_covered(e, f, err);
		if (!rc)
			rc = rename_one(e, &file, err);
	}
	return rc < 0 ? rc : span__dir_sync(&e->store->dir, err);
}

/* Everything called N.del, of earlier runs too, and drafts without a log. */
static int remove_all(const struct expiry *e, struct span_error *err)
{
	const struct span__dir *d = &e->store->dir;
	struct span__listing l = {0};
	char name[LOG_NAME];
	int rc = span__dir_list(d, &l, err);

	for (size_t i = 0; i < l.n && !rc; i++) {
		if (l.v[i].kind != FILE_DEL &&
		    !span__maintain_is_left(&l, &l.v[i]))
			continue;
		span__file_name_of(name, sizeof(name), &l.v[i]);
		if (d->io->unlink(d->io->self, d->fd, name) < 0 &&
		    errno != ENOENT)
			rc = span_error_set(err, SPAN_E_IO, "%s: cannot remove",
					    name);
	}
	span__listing_release(&l);
	return rc;
}

static int carry_out(const struct expiry *e, struct span_error *err)
{
	int rc = 0;

	if (e->policy.dry_run)
		return 0;
	if (e->n_victims) {
		rc = remember(e, err);
		if (!rc)
			rc = rename_all(e, err);
	}
	return rc < 0 ? rc : remove_all(e, err);
}

/* Where no limit is given those hold that the store remembers. */
static int take_policy(struct expiry *e, struct span_error *err)
{
	struct span_store_policy *p = &e->policy, stored;
	int rc;

	if (p->max_age_ns || p->max_bytes || p->min_free)
		return 0;
	rc = span__format_policy(&e->store->dir, &stored, err);
	p->max_age_ns = stored.max_age_ns;
	p->max_bytes = stored.max_bytes;
	p->min_free = stored.min_free;
	return rc;
}

static int begin(struct expiry *e, struct span_error *err)
{
	const struct span__io *io = e->store->base.io;
	int rc = e->policy.dry_run
			 ? span__directory_refresh(&e->store->base, err)
			 : span__maintain_begin(e->store, err);

	if (!rc)
		rc = take_policy(e, err);
	if (rc < 0)
		return rc;
	e->now_ns = e->policy.now_ns ? e->policy.now_ns
				     : io->clock(io->self, CLOCK_REALTIME);
	e->boot_ns = io->clock(io->self, CLOCK_BOOTTIME);
	io->boot_id(io->self, e->boot_id);
	if (io->space(io->self, e->store->dir.fd, &e->free) < 0)
		e->free = UINT64_MAX;
	e->victims = calloc(e->store->view.n + 1, sizeof(*e->victims));
	if (!e->victims)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}

int span__directory_expire(struct span_store *st,
			   const struct span_store_policy *p,
			   struct span_store_expired *out,
			   span_store_file_fn *fn, void *arg,
			   struct span_error *err)
{
	struct expiry e = {
		.store = (struct span__directory *)st,
		.policy = *p,
		.out = out,
		.fn = fn,
		.arg = arg,
	};
	const struct span__view *view = &e.store->view;
	int rc = begin(&e, err);

	for (size_t i = 0; rc >= 0 && i < view->n; i++)
		rc = look_at(&e, &view->v[i], err);
	if (rc >= 0)
		rc = choose(&e, err);
	if (rc >= 0)
		rc = carry_out(&e, err);
	free(e.victims);
	return rc < 0 ? rc : 0;
}
