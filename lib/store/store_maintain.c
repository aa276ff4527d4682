/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment has its final name, durably, before the first of the files that it
 * has is removed. Whoever dies in between leaves files that readers ignore as
 * long as the segment is there, so they must go before the segment may.
 */
#include "store/store_maintain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/banned.h"

int span__maintain_remember(struct span__directory *s, uint64_t number,
			    uint64_t seq, struct span_error *err)
{
	struct span__expired gone, old;

	span__expired_read(&s->dir, &old);
	gone = old;
	if (number > gone.number)
		gone.number = number;
	if (seq > gone.seq)
		gone.seq = seq;
	if (gone.number == old.number && gone.seq == old.seq)
		return 0;
	return span__expired_write(&s->dir, s->maint_fd, &gone, err);
}

static int unlink_file(const struct span__directory *s,
		       const struct span__file *file, struct span_error *err)
{
	const struct span__dir *d = &s->dir;
	char name[LOG_NAME];

	span__file_name_of(name, sizeof(name), file);
	if (d->io->unlink(d->io->self, d->fd, name) < 0 && errno != ENOENT)
		return span_error_set(err, SPAN_E_IO, "%s: cannot remove",
				      name);
	return 0;
}

static int exists(const struct span__dir *d, const char *name)
{
	int fd =
		d->io->open(d->io->self, d->fd, name, O_RDONLY | O_NOFOLLOW, 0);

	if (fd >= 0)
		d->io->close(d->io->self, fd);
	return fd >= 0 || errno != ENOENT;
}

bool span__maintain_is_left(const struct span__listing *l,
			    const struct span__file *file)
{
	return file->kind == FILE_DRAFT &&
	       !span__listing_has(l, file->number, FILE_LOG) &&
	       !span__listing_has(l, file->number, FILE_OPEN);
}

/* Where there is an N.bad of another log this one stays, ignored. */
int span__maintain_retire(const struct span__directory *s,
			  const struct span__file *file, bool damaged,
			  struct span_error *err)
{
	const struct span__dir *d = &s->dir;
	char name[LOG_NAME], bad[LOG_NAME];

	if (file->kind == FILE_LOG && !file->foreign) {
		struct span__file draft = *file;
		int rc;

		draft.kind = FILE_DRAFT;
		rc = unlink_file(s, &draft, err);
		if (rc < 0)
			return rc;
	}
	if (!damaged)
		return unlink_file(s, file, err);
	span__file_name_of(name, sizeof(name), file);
	span__file_name(bad, sizeof(bad), file->number, FILE_BAD);
	if (exists(d, bad))
		return 0;
	if (d->io->rename(d->io->self, d->fd, name, bad) < 0 && errno != ENOENT)
		return span_error_set(err, SPAN_E_IO, "%s: cannot rename",
				      name);
	span__store_damage(&s->base.opts, "%s: kept as %s", name, bad);
	return 0;
}

/* 1 when every byte of the log is as it was written; 0; or a negative code. */
static int is_sound(const struct span__directory *s,
		    const struct span__file *file, struct span_error *err)
{
	struct span__log_id id = {.number = file->number};
	struct span__log_walk w = {0};
	struct span__log_record rec;
	struct span__log log;
	const uint8_t *p;
	char name[LOG_NAME];
	int rc, sound = 1;

	memcpy(id.uuid, s->dir.uuid, 16);
	span__file_name_of(name, sizeof(name), file);
	rc = span__log_open(&log, s->dir.io, s->dir.fd, name, &id, true, err);
	if (rc < 0)
		return rc == SPAN_E_NOTFOUND ? 1 : rc;
	sound = log.header_ok && log.closed;
	span__log_walk_begin(&w, &log, true);
	while (sound && (rc = span__log_walk_next(&w, &rec, err)) > 0) {
		sound = !w.bad_len;
		if (sound)
			rc = sound = span__log_walk_payload(&w, &rec, &p, err);
	}
	sound = sound > 0 && !w.bad_len;
	span__log_walk_release(&w);
	span__log_close(&log);
	return rc < 0 ? rc : sound;
}

static int stop_at_damage(void *arg, uint64_t pos, uint64_t len,
			  struct span_error *err)
{
	(void)arg;
	(void)pos;
	(void)len;
	(void)err;
	return 1;
}

/* 1 when a segment of the view that is sound has the file; 0; or a code. */
static int is_kept(struct span__directory *s, const struct span__file *file,
		   struct span_error *err)
{
	const uint8_t *origin = file->foreign ? file->uuid : s->dir.uuid;

	for (size_t i = 0; i < s->view.n; i++) {
		struct span__view_file *f = &s->view.v[i];
		int rc;

		if (!f->seg || span__is_draft(f) ||
		    memcmp(f->origin, origin, 16) ||
		    file->number < f->first_number || file->number > f->number)
			continue;
		rc = span__seg_verify(&f->seg->file, stop_at_damage, NULL, err);
		if (rc <= 0)
			return rc < 0 ? rc : 1;
	}
	return 0;
}

static int retire_covered(struct span__directory *s, struct span_error *err)
{
	const struct span__listing *l = &s->view.covered;
	int rc = 0;

	for (size_t i = 0; i < l->n && rc >= 0; i++) {
		const struct span__file *file = &l->v[i];
		int sound = 1;

		if (file->kind != FILE_LOG && file->kind != FILE_SEG)
			continue;
		rc = is_kept(s, file, err);
		if (rc <= 0)
			continue;
		if (file->kind == FILE_LOG)
			rc = sound = is_sound(s, file, err);
		if (rc >= 0)
			rc = span__maintain_retire(s, file, !sound, err);
	}
	return rc < 0 ? rc : 0;
}

static int remove_leftovers(struct span__directory *s, struct span_error *err)
{
	struct span__listing l = {0};
	int rc = span__dir_list(&s->dir, &l, err);

	for (size_t i = 0; i < l.n && !rc; i++) {
		if (l.v[i].kind == FILE_TMP || l.v[i].kind == FILE_DEL ||
		    span__maintain_is_left(&l, &l.v[i]))
			rc = unlink_file(s, &l.v[i], err);
	}
	span__listing_release(&l);
	return rc;
}

int span__maintain_begin(struct span__directory *s, struct span_error *err)
{
	int rc = span__directory_refresh(&s->base, err);

	if (!rc)
		rc = remove_leftovers(s, err);
	if (!rc && s->view.covered.n) {
		rc = retire_covered(s, err);
		if (!rc)
			rc = span__dir_sync(&s->dir, err);
	}
	return rc;
}
