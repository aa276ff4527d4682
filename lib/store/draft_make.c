/* SPDX-License-Identifier: Apache-2.0 */
#include "store/draft_make.h"

#include "store/draft_fit.h"
#include "store/store_maintain.h"
#include "store/store_seal.h"

#include <time.h>

#include "base/banned.h"

/* Did the draft see all of a log that does not grow any more? */
static bool is_final(const struct span__directory *s,
		     const struct span__view_file *f)
{
	const struct span__view_file *draft = span__draft_of(&s->view, f);

	return draft && f->log.closed &&
	       draft->seg->file.header.created_ns >
		       f->log.trailer.sum.max_arrival_ns;
}

/* What is derived does not take the room that spans need. */
static bool has_room(const struct span__drafts *d,
		     const struct span__view_file *f)
{
	const struct span__dir *dir = &d->store->dir;
	struct span_store_policy p;
	uint64_t least = DRAFT_FREE, bytes;

	if (dir->io->space(dir->io->self, dir->fd, &bytes) < 0)
		return true;
	if (span__format_policy(dir, &p, NULL) == 0 && p.min_free)
		least = p.min_free;
	return bytes > least && bytes - least > f->log.end;
}

static bool is_due(const struct span__drafts *d,
		   const struct span__view_file *f)
{
	const struct span__log *l = &f->log;
	uint64_t now = d->opts->now_ns;
	uint64_t least = d->opts->draft_bytes;
	uint64_t from = f->drafted > l->start ? f->drafted : l->start;

	if (!f->is_open || f->file.foreign || f->kind == FILE_BAD ||
	    !l->header_ok || is_final(d->store, f) ||
	    span__listing_has(d->sealed, f->number, f->kind))
		return false;
	if (!least)
		least = f->kind == FILE_OPEN ? SPAN_DRAFT_BYTES
					     : SPAN_DRAFT_BYTES / 4;
	if (now > l->header.created_ns &&
	    now - l->header.created_ns < DRAFT_AGE_NS)
		return false;
	return l->end > from && l->end - from >= least && has_room(d, f);
}

static int tell(const struct span__drafts *d, const struct span__view_file *f,
		uint64_t bytes, uint64_t spans, struct span_error *err)
{
	struct span_store_file file;
	char name[LOG_NAME];
	int rc = 0;

	span__directory_describe(f, &file, name);
	file.draft = true;
	file.bytes = bytes;
	file.n_spans = spans;
	if (d->fn)
		rc = d->fn(d->arg, &file, NULL, err);
	d->out->n_drafts++;
	d->out->draft_spans += spans;
	return rc < 0 ? rc : 0;
}

/* 0 with the draft of F in place, above 0 when none could be made. */
static int make(const struct span__drafts *d, struct span__view_file *f,
		uint64_t seen_ns, struct span_error *err)
{
	const struct span__io *io = d->store->base.io;
	struct span__view_file file = *f;
	struct span__sealing b = {
		.store = d->store,
		.opts = d->opts,
		.codec = d->codec,
		.files = &file,
		.n_files = 1,
		.draft = true,
		.created_ns = seen_ns,
	};
	char tmp[LOG_NAME], name[LOG_NAME];
	int rc;

	span__file_name(tmp, sizeof(tmp), f->number, FILE_TMP);
	span__file_name(name, sizeof(name), f->number, FILE_DRAFT);
	rc = span__seal_build(&b, tmp, err);
	if (!rc && io->rename(io->self, d->store->dir.fd, tmp, name) < 0)
		rc = span_error_set(err, SPAN_E_IO, "%s: cannot rename", tmp);
	if (rc)
		io->unlink(io->self, d->store->dir.fd, tmp);
	else
		rc = tell(d, f, b.size, b.header.sum.n_spans, err);
	span__seal_release(&b);
	return rc;
}

/* The first log behind number LAST that is due, or NULL. */
static struct span__view_file *next_due(const struct span__drafts *d,
					uint64_t last)
{
	struct span__view *view = &d->store->view;

	for (size_t i = 0; i < view->n; i++) {
		if (view->v[i].number > last && is_due(d, &view->v[i]))
			return &view->v[i];
	}
	return NULL;
}

/*
 * Whoever waits for the lock has it between two drafts. *SEEN_NS: no frame that
 * came later is in the view.
 */
static int look_again(const struct span__drafts *d, uint64_t *seen_ns,
		      struct span_error *err)
{
	const struct span__io *io = d->store->base.io;
	int rc = span__dir_yield(&d->store->dir, &d->store->maint_fd, err);

	*seen_ns = io->clock(io->self, CLOCK_REALTIME);
	if (rc < 0)
		return rc;
	return rc ? span__maintain_begin(d->store, err)
		  : span__directory_refresh(&d->store->base, err);
}

int span__drafts_make(const struct span__drafts *d, struct span_error *err)
{
	uint64_t last = 0, seen_ns = 0;
	struct span__view_file *f;
	bool dry = d->opts->dry_run;
	int rc = dry ? 0 : look_again(d, &seen_ns, err);

	while (rc >= 0 && (f = next_due(d, last))) {
		last = f->number;
		rc = span__view_sum(f, &d->store->dir, err);
		if (rc == SPAN_E_NOTFOUND)
			rc = 0;
		else if (!rc && dry)
			rc = tell(d, f, f->size, f->sum.n_spans, err);
		else if (!rc)
			rc = make(d, f, seen_ns, err);
		if (rc >= 0 && !dry)
			rc = look_again(d, &seen_ns, err);
	}
	return rc < 0 ? rc : 0;
}
