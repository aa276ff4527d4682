/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing can miss a file that is renamed while it is made, so there are
 * up to three. Each log is renamed once, from N.open to N.log, before the next
 * one is created. The log that was active at the start is in the first listing,
 * or else was renamed during it and is in the second. With LAST the highest
 * number in these two, every log below LAST has its final name before the
 * second ends, and so is in the third. Numbers above LAST came later and are
 * left out: no hole can be seen. Where the first two are equal the third would
 * be, too.
 */
#include "store/store_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static bool is_log(const struct span__file *f)
{
	return f->kind == FILE_LOG || f->kind == FILE_OPEN;
}

static uint64_t last_log(const struct span__listing *l)
{
	for (size_t i = l->n; i-- > 0;) {
		if (is_log(&l->v[i]))
			return l->v[i].number;
	}
	return 0;
}

static bool same(const struct span__listing *a, const struct span__listing *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		if (a->v[i].number != b->v[i].number ||
		    a->v[i].kind != b->v[i].kind)
			return false;
	}
	return a->n == b->n;
}

/* All of them in one, in order; what is in several is there several times. */
static int unite(const struct span__dir *d, struct span__listing *all,
		 uint64_t *last, struct span_error *err)
{
	struct span__listing l[3] = {0};
	int rc = 0, n = 0;

	*last = 0;
	while (n < 3 && !rc) {
		rc = span__dir_list(d, &l[n], err);
		if (!rc)
			rc = span__listing_add(all, &l[n], err);
		if (n < 2 && last_log(&l[n]) > *last)
			*last = last_log(&l[n]);
		n++;
		if (n == 2 && same(&l[0], &l[1]))
			break;
	}
	for (int i = 0; i < 3; i++)
		span__listing_release(&l[i]);
	return rc;
}

/* Of each number one log, N.log before N.open, and N.bad beside it. */
static int choose(struct span__view *view, const struct span__listing *all,
		  uint64_t last, struct span_error *err)
{
	uint64_t log = 0, bad = 0; /* the numbers that were taken last */

	view->v = calloc(all->n + 1, sizeof(*view->v));
	if (!view->v)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < all->n; i++) {
		const struct span__file *f = &all->v[i];
		uint64_t *taken = f->kind == FILE_BAD ? &bad : &log;

		if (f->kind != FILE_BAD && (!is_log(f) || f->number > last))
			continue;
		if (view->n && *taken == f->number)
			continue;
		*taken = f->number;
		view->v[view->n] = (struct span__view_file){
			.number = f->number,
			.kind = f->kind,
		};
		view->v[view->n++].log.fd = -1;
	}
	return 0;
}

static int open_file(const struct span__view_file *f, const struct span__dir *d,
		     enum span__file_kind kind, struct span__log *out,
		     struct span_error *err)
{
	struct span__log_id id = {.number = f->number};
	char name[LOG_NAME];

	memcpy(id.uuid, d->uuid, 16);
	span__file_name(name, sizeof(name), f->number, kind);
	return span__log_open(out, d->io, d->fd, name, &id, false, err);
}

/* Those that still grow are opened at once: their size is the snapshot. */
static int open_active(struct span__view *view, const struct span__dir *d,
		       struct span_error *err)
{
	for (size_t i = 0; i < view->n; i++) {
		struct span__view_file *f = &view->v[i];
		int rc;

		if (f->kind != FILE_OPEN)
			continue;
		rc = open_file(f, d, FILE_OPEN, &f->log, err);
		if (rc == SPAN_E_NOTFOUND)
			f->kind = FILE_LOG; /* it was closed meanwhile */
		else if (rc < 0)
			return rc;
	}
	return 0;
}

int span__view_open(struct span__view *view, const struct span__dir *d,
		    struct span_error *err)
{
	struct span__listing all = {0};
	uint64_t last;
	int rc = unite(d, &all, &last, err);

	*view = (struct span__view){0};
	if (!rc)
		rc = choose(view, &all, last, err);
	if (!rc)
		rc = open_active(view, d, err);
	if (rc < 0)
		span__view_release(view);
	span__listing_release(&all);
	return rc;
}

void span__view_release(struct span__view *view)
{
	for (size_t i = 0; i < view->n; i++) {
		if (view->v[i].log.fd >= 0)
			span__log_close(&view->v[i].log);
	}
	free(view->v);
	*view = (struct span__view){0};
}

void span__view_inherit(struct span__view *view, const struct span__view *old)
{
	size_t i = 0, k = 0;

	while (i < view->n && k < old->n) {
		struct span__view_file *f = &view->v[i];
		const struct span__view_file *o = &old->v[k];

		if (f->number == o->number && f->kind == o->kind &&
		    f->kind != FILE_OPEN) {
			f->has_sum = o->has_sum;
			f->told = o->told;
			f->size = o->size;
			f->sum = o->sum;
		}
		if (f->number < o->number ||
		    (f->number == o->number && f->kind <= o->kind))
			i++;
		else
			k++;
	}
}

int span__view_log(const struct span__view_file *f, const struct span__dir *d,
		   struct span__log *out, struct span_error *err)
{
	if (f->kind == FILE_OPEN) {
		*out = f->log;
		return 0;
	}
	return open_file(f, d, f->kind, out, err);
}

void span__view_done(const struct span__view_file *f, struct span__log *log)
{
	if (f->kind != FILE_OPEN)
		span__log_close(log);
}

int span__view_sum(struct span__view_file *f, const struct span__dir *d,
		   struct span_error *err)
{
	struct span__log log;
	int rc;

	if (f->has_sum)
		return 0;
	rc = span__view_log(f, d, &log, err);
	if (rc < 0)
		return rc;
	rc = span__log_sum(&log, &f->sum, NULL, err);
	f->size = log.size;
	f->has_sum = !rc;
	span__view_done(f, &log);
	return rc;
}
