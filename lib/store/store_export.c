/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment is copied byte by byte: its checksums begin with where it comes
 * from, so they hold anywhere, and its name says it too. The other store is
 * maintained meanwhile, by its lock, but appended to and read by whoever does.
 */
#include "store/store_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/banned.h"

struct copying {
	struct span__directory *from;
	struct span__dir to;
	const char *to_name;
	struct span__view view; /* of it */
	int lock;		/* its MAINT */
};

static int stop_at_damage(void *arg, uint64_t pos, uint64_t len,
			  struct span_error *err)
{
	(void)len;
	(void)err;
	*(uint64_t *)arg = pos;
	return 1;
}

/* 1 when it is as it was written; 0, and that is told; or a negative code. */
static int is_sound(struct copying *c, struct span__view_file *f,
		    struct span_error *err)
{
	const struct span__directory *s = c->from;
	uint64_t pos = 0;
	int rc = span__seg_verify(&f->seg->file, stop_at_damage, &pos, err);

	if (rc > 0)
		span__store_damage(&s->base.opts,
				   "%s/%s: damaged at byte %llu, it is not "
				   "copied",
				   s->base.name, f->seg->file.name,
				   (unsigned long long)pos);
	return rc < 0 ? rc : !rc;
}

/* The other store has all of F. */
static bool is_there(const struct copying *c, const struct span__view_file *f)
{
	for (size_t i = 0; i < c->view.n; i++) {
		const struct span__view_file *o = &c->view.v[i];

		if (o->seg && !span__is_draft(o) &&
		    !memcmp(o->origin, f->origin, 16) &&
		    o->first_number <= f->first_number &&
		    f->number <= o->number)
			return true;
	}
	return false;
}

static int write_copy(const struct copying *c, const struct span__seg_file *f,
		      const char *name, struct span_error *err)
{
	const struct span__io *io = c->to.io;
	int fd, rc = 0;

	fd = io->open(io->self, c->to.fd, name,
		      O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return span_error_set(err, SPAN_E_IO, "%s/%s: cannot create",
				      c->to_name, name);
	for (uint64_t pos = 0; pos < f->size && !rc; pos += SEG_WRITE) {
		uint64_t left = f->size - pos;

		rc = span__io_pwrite_all(
			io, fd, f->map + pos,
			left < SEG_WRITE ? (size_t)left : SEG_WRITE, pos, NULL);
	}
	if (!rc)
		rc = io->fdatasync(io->self, fd);
	if (rc < 0)
		rc = span_error_set(err,
				    errno == ENOSPC || errno == EDQUOT
					    ? SPAN_E_FULL
					    : SPAN_E_IO,
				    "%s/%s: cannot write", c->to_name, name);
	if (io->close(io->self, fd) < 0 && !rc)
		rc = span_error_set(err, SPAN_E_IO, "%s/%s: cannot close",
				    c->to_name, name);
	return rc;
}

static int copy_segment(const struct copying *c,
			const struct span__view_file *f, struct span_error *err)
{
	const struct span__io *io = c->to.io;
	struct span__file file = {
		.foreign = true,
		.number = f->number,
		.kind = FILE_TMP,
	};
	char tmp[LOG_NAME], name[LOG_NAME];
	int rc;

	memcpy(file.uuid, f->origin, 16);
	span__file_name_of(tmp, sizeof(tmp), &file);
	file.kind = FILE_SEG;
	span__file_name_of(name, sizeof(name), &file);
	rc = write_copy(c, &f->seg->file, tmp, err);
	if (!rc && io->rename(io->self, c->to.fd, tmp, name) < 0)
		rc = span_error_set(err, SPAN_E_IO, "%s/%s: cannot rename",
				    c->to_name, tmp);
	if (rc < 0)
		io->unlink(io->self, c->to.fd, tmp);
	return rc;
}

/* A directory that is no store yet becomes one, when it is empty. */
static int make_store(struct copying *c, struct span_error *err)
{
	const struct span__io *io = c->to.io;
	struct span__listing l = {0};
	int lock, rc;

	rc = span__dir_lock(&c->to, "LOCK", &lock, err);
	if (rc < 0)
		return rc;
	rc = span__dir_list(&c->to, &l, err);
	if (!rc)
		rc = span__format_make(&c->to, &l, err);
	io->close(io->self, lock);
	span__listing_release(&l);
	return rc;
}

static int open_other(struct copying *c, struct span_error *err)
{
	struct span__listing l = {0};
	const char *text;
	int rc = span__format_read(&c->to, true, &text, err);

	if (!rc) {
		rc = span__dir_list(&c->to, &l, err);
		if (!rc && !l.n && l.strangers)
			rc = span_error_set(err, SPAN_E_INVALID,
					    "it is no store, and not empty");
		span__listing_release(&l);
		if (!rc)
			rc = make_store(c, err);
	}
	if (rc >= 0)
		rc = span__dir_lock(&c->to, "MAINT", &c->lock, err);
	return rc < 0 ? rc : span__view_open(&c->view, &c->to, err);
}

static int copy_all(struct copying *c, uint64_t *n, struct span_error *err)
{
	struct span__view *view = &c->from->view;
	int rc = 0;

	for (size_t i = 0; i < view->n && rc >= 0; i++) {
		struct span__view_file *f = &view->v[i];

		if (!f->seg || span__is_draft(f) || is_there(c, f))
			continue;
		if (!memcmp(f->origin, c->to.uuid, 16)) {
			span__store_damage(
				&c->from->base.opts,
				"%s/%s: %s has written it itself, it "
				"is not copied",
				c->from->base.name, f->seg->file.name,
				c->to_name);
			continue;
		}
		rc = is_sound(c, f, err);
		if (rc > 0)
			rc = copy_segment(c, f, err);
		else if (!rc)
			continue;
		*n += !rc;
	}
	if (rc >= 0 && *n)
		rc = span__dir_sync(&c->to, err);
	return rc < 0 ? rc : 0;
}

int span__directory_export(struct span_store *st, const char *dir, uint64_t *n,
			   struct span_error *err)
{
	const struct span__io *io = st->io;
	struct copying c = {
		.from = (struct span__directory *)st,
		.to_name = dir,
		.lock = -1,
	};
	int rc = span__directory_view(c.from, err);

	if (rc < 0)
		return rc;
	rc = span__dir_open(&c.to, io, dir, true, err);
	if (rc < 0)
		return span__store_named(dir, rc, err);
	rc = span__store_named(dir, open_other(&c, err), err);
	if (!rc) {
		rc = copy_all(&c, n, err);
		span__view_release(&c.view);
	}
	if (c.lock >= 0)
		io->close(io->self, c.lock);
	span__dir_close(&c.to);
	return rc;
}
