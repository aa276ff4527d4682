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
 *
 * Sealing makes one file of several: the segment has its name before the
 * first of the others loses its own. Whoever finds that a file which was
 * listed is gone therefore begins anew, and finds the segment; only what is
 * not there then has expired. What was opened stays readable whatever becomes
 * of its name, so a view that could be opened whole is one state of the store,
 * when of files that cover others only the widest is taken.
 */
#include "store/store_view.h"

#include "store/draft_fit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define KEPT_BYTES (20u << 20) /* memory of segments that stay loaded */
#define VIEW_TRIES 8	       /* looks at a directory in which files vanish */

enum { LOOK_DONE = 0, LOOK_GONE, LOOK_HOLE };

static bool is_log(const struct span__file *f)
{
	return f->kind == FILE_LOG || f->kind == FILE_OPEN;
}

static uint64_t last_number(const struct span__listing *l)
{
	for (size_t i = l->n; i-- > 0 && !l->v[i].foreign;) {
		if (is_log(&l->v[i]) || l->v[i].kind == FILE_SEG)
			return l->v[i].number;
	}
	return 0;
}

static bool same(const struct span__listing *a, const struct span__listing *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		if (span__file_order(&a->v[i], &b->v[i]))
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
		if (n < 2 && last_number(&l[n]) > *last)
			*last = last_number(&l[n]);
		n++;
		if (n == 2 && same(&l[0], &l[1]))
			break;
	}
	for (int i = 0; i < 3; i++)
		span__listing_release(&l[i]);
	return rc;
}

/*
 * Of each number one log, N.log before N.open, and N.bad and N.seg beside it.
 */
static int choose(struct span__view *view, const struct span__listing *all,
		  uint64_t last, struct span_error *err)
{
	uint64_t log = 0; /* the number that was taken last */

	view->v = calloc(all->n + 1, sizeof(*view->v));
	if (!view->v)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < all->n; i++) {
		const struct span__file *f = &all->v[i];

		if (!is_log(f) && f->kind != FILE_BAD && f->kind != FILE_SEG &&
		    f->kind != FILE_DRAFT)
			continue;
		if (!f->foreign && f->kind != FILE_BAD && f->number > last)
			continue;
		if ((is_log(f) && f->number == log) ||
		    (i && !span__file_order(f, &all->v[i - 1])))
			continue;
		if (is_log(f))
			log = f->number;
		view->v[view->n++] = (struct span__view_file){
			.file = *f,
			.number = f->number,
			.first_number = f->number,
			.kind = f->kind == FILE_DRAFT ? FILE_SEG : f->kind,
		};
	}
	return 0;
}

void span__view_name(const struct span__view_file *f, char out[LOG_NAME])
{
	struct span__file file = f->file;

	if (!span__is_draft(f))
		file.kind = f->kind;
	span__file_name_of(out, LOG_NAME, &file);
}

static int open_log(const struct span__view_file *f, const struct span__dir *d,
		    struct span__log *out, struct span_error *err)
{
	struct span__log_id id = {.number = f->number};
	char name[LOG_NAME];

	memcpy(id.uuid, d->uuid, 16);
	span__view_name(f, name);
	return span__log_open(out, d->io, d->fd, name, &id, false, err);
}

void span__view_close(struct span__view_file *f)
{
	if (f->is_open)
		span__log_close(&f->log);
	f->is_open = false;
	span__seg_close(&f->seg);
	span__kept_names_close(&f->names);
}

void span__view_release(struct span__view *view)
{
	for (size_t i = 0; i < view->n; i++)
		span__view_close(&view->v[i]);
	free(view->v);
	span__listing_release(&view->covered);
	*view = (struct span__view){0};
}

/* A segment that cannot be used has a size, and nothing more. */
static int look_at_damaged(struct span__view_file *f, const struct span__dir *d,
			   const char *name, struct span_error *err)
{
	const struct span__io *io = d->io;
	struct span__io_stat st;
	int fd = io->open(io->self, d->fd, name, O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0)
		return span_error_set(
			err, errno == ENOENT ? SPAN_E_NOTFOUND : SPAN_E_IO,
			"%s: cannot open", name);
	f->has_sum = true;
	if (io->fstat(io->self, fd, &st) == 0)
		f->size = st.size;
	memcpy(f->origin, f->file.foreign ? f->file.uuid : d->uuid, 16);
	io->close(io->self, fd);
	return 0;
}

static int open_segment(struct span__view_file *f, const struct span__dir *d,
			struct span_error *err)
{
	const struct span__seg_header *h;
	char name[LOG_NAME];
	int rc;

	span__view_name(f, name);
	rc = span__seg_open(&f->seg, d->io, d->fd, name, err);
	if (rc == SPAN_E_CORRUPT)
		return look_at_damaged(f, d, name, err);
	if (rc < 0)
		return rc;
	h = &f->seg->file.header;
	f->number = h->id.number;
	f->first_number =
		h->first_number < f->number ? h->first_number : f->number;
	memcpy(f->origin, h->id.uuid, 16);
	f->size = f->seg->file.size;
	f->sum = h->sum;
	f->has_sum = true;
	return 0;
}

/*
 * A log that cannot be opened for another reason is left to whoever reads it:
 * he gets the error.
 */
static int open_one(struct span__view_file *f, const struct span__dir *d,
		    bool map, struct span_error *err)
{
	int rc;

	if (f->kind == FILE_SEG)
		return open_segment(f, d, err);
	rc = open_log(f, d, &f->log, err);
	if (rc == SPAN_E_NOTFOUND && f->kind == FILE_OPEN) {
		f->kind = FILE_LOG; /* it was closed meanwhile */
		rc = open_log(f, d, &f->log, err);
	}
	f->is_open = !rc;
	if (f->is_open && map && span__log_map(&f->log, NULL) < 0)
		span__view_close(f);
	return rc == SPAN_E_NOTFOUND || f->kind == FILE_OPEN ? rc : 0;
}

/*
 * Does the segment S have all of F? Of two that are the same, the first. Drafts
 * have nothing that counts. No log is covered by a segment that was brought
 * from a copy of this store: what that copy did since then, it did with the
 * same numbers.
 */
static bool covers(const struct span__view_file *s,
		   const struct span__view_file *f, const struct span__dir *d)
{
	const uint8_t *origin = f->kind == FILE_SEG ? f->origin : d->uuid;

	if (!s->seg || span__is_draft(s) || s == f || f->kind == FILE_BAD ||
	    (s->file.foreign && f->kind != FILE_SEG) ||
	    memcmp(s->origin, origin, 16) ||
	    s->first_number > f->first_number || f->number > s->number)
		return false;
	return !f->seg || span__is_draft(f) || s < f ||
	       s->first_number < f->first_number || f->number < s->number;
}

static int leave_out_covered(struct span__view *view, const struct span__dir *d,
			     struct span_error *err)
{
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < view->n && !rc; i++) {
		for (size_t k = 0; k < view->n && !view->v[i].covered; k++)
			view->v[i].covered =
				covers(&view->v[k], &view->v[i], d);
		if (view->v[i].covered && !span__is_draft(&view->v[i]))
			rc = span__listing_put(&view->covered, &view->v[i].file,
					       err);
	}
	for (size_t i = 0; i < view->n && !rc; i++) {
		if (view->v[i].covered)
			span__view_close(&view->v[i]);
		else
			view->v[n++] = view->v[i];
	}
	if (!rc)
		view->n = n;
	return rc;
}

static int open_all(struct span__view *view, const struct span__dir *d,
		    bool segments, struct span__listing *gone,
		    struct span_error *err)
{
	size_t n = 0, logs = 0;
	int rc;

	for (size_t i = 0; i < view->n; i++) {
		struct span__view_file *f = &view->v[i];

		rc = 0;
		if ((f->kind == FILE_SEG) == segments)
			rc = open_one(f, d, logs >= VIEW_LOGS, err);
		logs += f->is_open;
		if (rc < 0 && rc != SPAN_E_NOMEM && span__is_draft(f))
			rc = 0; /* as if there were none */
		else if (rc == SPAN_E_NOTFOUND)
			rc = span__listing_put(gone, &f->file, err);
		else
			view->v[n++] = *f;
		if (rc < 0) {
			memmove(view->v + n, view->v + i + 1,
				(view->n - i - 1) * sizeof(*view->v));
			view->n = n + view->n - i - 1;
			return rc;
		}
	}
	view->n = n;
	return 0;
}

/* The first and the last sequence number that F has; 0: unknown. */
static void sequence(const struct span__view_file *f, uint64_t *first,
		     uint64_t *last)
{
	*first = *last = 0;
	if (f->kind == FILE_SEG) {
		*first = f->sum.first_seq;
		*last = f->sum.last_seq;
	} else if (f->is_open) {
		*first = f->log.header_ok ? f->log.header.first_seq : 0;
		*last = f->log.closed ? f->log.trailer.sum.last_seq : 0;
	}
}

/* Is a frame missing between two files? It may be in one that was missed. */
static bool has_hole(const struct span__view *view)
{
	uint64_t first, last, before = 0;

	for (size_t i = 0; i < view->n; i++) {
		const struct span__view_file *f = &view->v[i];

		if (f->file.foreign || f->kind == FILE_BAD || span__is_draft(f))
			continue;
		sequence(f, &first, &last);
		if (before && first > before + 1)
			return true;
		before = last;
	}
	return false;
}

static int look(struct span__view *view, const struct span__dir *d,
		struct span__listing *gone, struct span_error *err)
{
	struct span__listing all = {0};
	size_t before = gone->n;
	uint64_t last;
	int rc = unite(d, &all, &last, err);

	*view = (struct span__view){0};
	if (!rc)
		rc = choose(view, &all, last, err);
	if (!rc)
		rc = open_all(view, d, true, gone, err);
	if (!rc)
		rc = leave_out_covered(view, d, err);
	if (!rc)
		rc = open_all(view, d, false, gone, err);
	if (!rc)
		span__drafts_fit(view, d);
	span__listing_release(&all);
	if (rc < 0)
		span__view_release(view);
	else if (gone->n > before)
		rc = LOOK_GONE;
	else if (has_hole(view))
		rc = LOOK_HOLE;
	return rc;
}

/* Of what was gone, that which did not come back in another file. */
static void count_expired(struct span__view *view, const struct span__dir *d,
			  const struct span__listing *gone)
{
	for (size_t i = 0; i < gone->n; i++) {
		const struct span__view_file f = {
			.file = gone->v[i],
			.number = gone->v[i].number,
			.first_number = gone->v[i].number,
			.kind = gone->v[i].kind == FILE_SEG ? FILE_LOG
							    : gone->v[i].kind,
		};
		bool found = i && !span__file_order(&gone->v[i - 1], &f.file);

		for (size_t k = 0; k < view->n && !found; k++)
			found = covers(&view->v[k], &f, d) ||
				!span__file_order(&view->v[k].file, &f.file);
		view->n_expired += !found;
	}
}

int span__view_open(struct span__view *view, const struct span__dir *d,
		    struct span_error *err)
{
	struct span__listing gone = {0};
	bool hole = false;
	int rc;

	for (int tries = 1;; tries++) {
		rc = look(view, d, &gone, err);
		if (rc < 0 || rc == LOOK_DONE || tries == VIEW_TRIES ||
		    (rc == LOOK_HOLE && hole))
			break;
		hole = rc == LOOK_HOLE;
		span__view_release(view);
	}
	if (rc >= 0)
		count_expired(view, d, &gone);
	span__listing_release(&gone);
	return rc < 0 ? rc : 0;
}

int span__view_whole_log(const struct span__view_file *f,
			 const struct span__dir *d, struct span__log *out,
			 struct span_error *err)
{
	if (!f->is_open)
		return open_log(f, d, out, err);
	*out = f->log;
	return 0;
}

int span__view_log(const struct span__view_file *f, const struct span__dir *d,
		   struct span__log *out, struct span_error *err)
{
	int rc = span__view_whole_log(f, d, out, err);

	if (!rc && f->drafted > out->start)
		out->start = f->drafted;
	return rc;
}

void span__view_done(const struct span__view_file *f, struct span__log *log)
{
	if (!f->is_open)
		span__log_close(log);
}

void span__view_unload(struct span__view *view, struct span__view_file *f)
{
	size_t held = 0;

	f->seg_held = span__seg_memory(f->seg);
	for (size_t i = 0; i < view->n; i++)
		held += view->v[i].seg_held;
	if (held <= KEPT_BYTES)
		return;
	span__seg_unload(f->seg);
	f->seg_held = 0;
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
	if (f->drafted && !log.closed)
		span__log_sum_merge(&f->sum, &f->draft_sum);
	f->size = log.size;
	f->has_sum = !rc;
	span__view_done(f, &log);
	return rc;
}
