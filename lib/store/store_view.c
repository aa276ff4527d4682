/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing can miss a file that is renamed while it is made, so there are
 * two. Each log is renamed once, from N.open to N.log, before the next one is
 * created: with LAST the highest number of the first listing, every log below
 * it has its final name before that listing ends and is in the second one.
 * Numbers above LAST came later and are left out, so that no hole can be seen.
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

static void add(struct span__view *view, uint64_t number,
		enum span__file_kind kind)
{
	struct span__view_file *f = &view->v[view->n++];

	*f = (struct span__view_file){.number = number, .kind = kind};
	f->log.fd = -1;
}

/*
 * Merge the listings, which are sorted by number and then kind: of each
 * number the first log, as N.log comes before N.open.
 */
static int merge(struct span__view *view, const struct span__listing *a,
		 const struct span__listing *b, struct span_error *err)
{
	uint64_t last = last_log(a);
	size_t i = 0, k = 0;

	view->v = calloc(a->n + b->n + 1, sizeof(*view->v));
	if (!view->v)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	while (i < a->n || k < b->n) {
		const struct span__view_file *prev =
			view->n ? &view->v[view->n - 1] : NULL;
		bool from_a = k == b->n ||
			      (i < a->n && (a->v[i].number < b->v[k].number ||
					    (a->v[i].number == b->v[k].number &&
					     a->v[i].kind <= b->v[k].kind)));
		const struct span__file *f = from_a ? &a->v[i++] : &b->v[k++];

		if (f->kind == FILE_BAD) {
			if (!from_a)
				add(view, f->number, f->kind);
			continue;
		}
		if (!is_log(f) || f->number > last ||
		    (prev && prev->number == f->number))
			continue;
		add(view, f->number, f->kind);
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
	struct span__listing a = {0}, b = {0};
	int rc;

	*view = (struct span__view){0};
	rc = span__dir_list(d, &a, err);
	if (!rc)
		rc = span__dir_list(d, &b, err);
	if (!rc)
		rc = merge(view, &a, &b, err);
	if (!rc)
		rc = open_active(view, d, err);
	if (rc < 0)
		span__view_release(view);
	span__listing_release(&a);
	span__listing_release(&b);
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
