/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

#define TRY_NS 10000000ull /* between two attempts to have a lock */
#define YIELD_NS 60000000000ull

static const char *const suffix[FILE_KINDS] = {
	[FILE_DRAFT] = "draft", [FILE_LOG] = "log", [FILE_OPEN] = "open",
	[FILE_BAD] = "bad",	[FILE_NEW] = "new", [FILE_DEL] = "del",
	[FILE_TMP] = "tmp",	[FILE_SEG] = "seg",
};

void span__file_name(char *out, size_t cap, uint64_t number,
		     enum span__file_kind kind)
{
	snprintf(out, cap, "%08" PRIu64 ".%s", number, suffix[kind]);
}

void span__file_name_of(char *out, size_t cap, const struct span__file *file)
{
	char origin[33];

	if (!file->foreign) {
		span__file_name(out, cap, file->number, file->kind);
		return;
	}
	for (size_t i = 0; i < 16; i++)
		snprintf(origin + 2 * i, 3, "%02x", file->uuid[i]);
	snprintf(out, cap, "%s-%08" PRIu64 ".%s", origin, file->number,
		 suffix[file->kind]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "4f3c1a529e0b4c7d8a6152d7e9b0c3f4-": what follows, or NULL. */
static const char *parse_origin(const char *name, uint8_t out[16])
{
	for (size_t i = 0; i < 32; i++) {
		int digit = hex_digit(name[i]);

		if (digit < 0)
			return NULL;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
	}
	return name[32] == '-' ? name + 33 : NULL;
}

static bool may_be_foreign(enum span__file_kind kind)
{
	return kind == FILE_SEG || kind == FILE_TMP || kind == FILE_DEL;
}

/* Only what span__file_name_of() would write is a name of ours. */
static bool parse_name(const char *name, struct span__file *out)
{
	const char *rest = parse_origin(name, out->uuid);
	size_t digits;

	out->foreign = rest != NULL;
	if (!rest) {
		memset(out->uuid, 0, sizeof(out->uuid));
		rest = name;
	}
	digits = strspn(rest, "0123456789");
	if (digits < 8 || digits > 19 || rest[digits] != '.' ||
	    (digits > 8 && rest[0] == '0'))
		return false;
	for (int kind = 0; kind < FILE_KINDS; kind++) {
		if (strcmp(rest + digits + 1, suffix[kind]))
			continue;
		out->number = strtoull(rest, NULL, 10);
		out->kind = (enum span__file_kind)kind;
		return !out->foreign || may_be_foreign(out->kind);
	}
	return false;
}

/* The directory that PATH is in, opened; the name that PATH has in it. */
static int open_parent(const struct span__io *io, const char *path)
{
	const char *slash;
	char *parent;
	size_t len = strlen(path);
	int fd;

	while (len > 1 && path[len - 1] == '/')
		len--;
	slash = memrchr(path, '/', len);
	if (!slash)
		return io->open(io->self, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY,
				0);
	parent = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!parent)
		return -1;
	fd = io->open(io->self, AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, 0);
	free(parent);
	return fd;
}

/* Make the directory, and its name durable. */
static int make_dir(const struct span__io *io, const char *path,
		    struct span_error *err)
{
	int fd, rc = 0;

	if (io->mkdir(io->self, AT_FDCWD, path, 0700) < 0)
		return errno == EEXIST ? 0
				       : span_error_set(err, SPAN_E_IO,
							"cannot create it");
	fd = open_parent(io, path);
	if (fd < 0 || io->fsync(io->self, fd) < 0)
		rc = span_error_set(err, SPAN_E_IO,
				    "cannot sync the directory it is in");
	if (fd >= 0)
		io->close(io->self, fd);
	return rc;
}

int span__dir_open(struct span__dir *d, const struct span__io *io,
		   const char *path, bool create, struct span_error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY;
	struct span__io_stat st;
	int rc;

	*d = (struct span__dir){.io = io};
	d->fd = io->open(io->self, AT_FDCWD, path, flags, 0);
	if (d->fd < 0 && errno == ENOENT && create) {
		rc = make_dir(io, path, err);
		if (rc < 0)
			return rc;
		d->fd = io->open(io->self, AT_FDCWD, path, flags, 0);
	}
	if (d->fd < 0 && errno == ENOENT)
		return span_error_set(err, SPAN_E_NOTFOUND, "no such store");
	if (d->fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot open it");
	if (io->fstat(io->self, d->fd, &st) < 0)
		rc = span_error_set(err, SPAN_E_IO, "cannot stat it");
	else if (create && st.mode & 0002)
		rc = span_error_set(err, SPAN_E_INVALID,
				    "everybody may write to it");
	else
		return 0;
	span__dir_close(d);
	return rc;
}

void span__dir_close(struct span__dir *d)
{
	if (d->fd >= 0)
		d->io->close(d->io->self, d->fd);
	d->fd = -1;
}

int span__dir_sync(const struct span__dir *d, struct span_error *err)
{
	if (d->io->fsync(d->io->self, d->fd) < 0)
		return span_error_set(err, SPAN_E_IO,
				      "cannot sync the directory");
	return 0;
}

static bool is_ours(const char *name)
{
	static const char *const names[] = {
		"FORMAT", "FORMAT.new", "FORMAT.tmp", "LOCK",
		"MAINT",  "catalogue",	"lost+found",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

static int add(struct span__listing *l, const struct span__file *file)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		void *v = reallocarray(l->v, cap, sizeof(*l->v));

		if (!v)
			return -1;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = *file;
	return 0;
}

int span__listing_put(struct span__listing *l, const struct span__file *file,
		      struct span_error *err)
{
	if (add(l, file) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}

static int take_name(void *arg, const char *name)
{
	struct span__listing *l = arg;
	struct span__file file = {0};

	if (parse_name(name, &file))
		return add(l, &file);
	l->strangers |= !is_ours(name);
	return 0;
}

int span__file_order(const struct span__file *a, const struct span__file *b)
{
	int origin;

	if (a->foreign != b->foreign)
		return a->foreign ? -1 : 1;
	origin = memcmp(a->uuid, b->uuid, sizeof(a->uuid));
	if (origin)
		return origin;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return (a->kind > b->kind) - (a->kind < b->kind);
}

static int by_order(const void *a, const void *b)
{
	return span__file_order(a, b);
}

int span__dir_list(const struct span__dir *d, struct span__listing *l,
		   struct span_error *err)
{
	l->n = 0;
	l->strangers = false;
	if (d->io->list(d->io->self, d->fd, take_name, l) < 0)
		return span_error_set(err, SPAN_E_IO, "cannot list it");
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_order);
	return 0;
}

int span__listing_add(struct span__listing *l, const struct span__listing *from,
		      struct span_error *err)
{
	for (size_t i = 0; i < from->n; i++) {
		int rc = span__listing_put(l, &from->v[i], err);

		if (rc < 0)
			return rc;
	}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_order);
	return 0;
}

void span__listing_release(struct span__listing *l)
{
	free(l->v);
	*l = (struct span__listing){0};
}

bool span__listing_has(const struct span__listing *l, uint64_t number,
		       enum span__file_kind kind)
{
	const struct span__file key = {.number = number, .kind = kind};

	return l->n && bsearch(&key, l->v, l->n, sizeof(*l->v), by_order);
}

uint64_t span__listing_last(const struct span__listing *l)
{
	return l->n && !l->v[l->n - 1].foreign ? l->v[l->n - 1].number : 0;
}

static int open_lock(const struct span__dir *d, const char *name, int *fd,
		     struct span_error *err)
{
	*fd = d->io->open(d->io->self, d->fd, name,
			  O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return span_error_set(err, SPAN_E_IO, "%s: cannot open", name);
	return 0;
}

/* What kept the lock from being taken, which is closed. */
static int no_lock(const struct span__dir *d, const char *name, int *fd,
		   struct span_error *err)
{
	int rc;

	if (errno == EWOULDBLOCK)
		rc = span_error_set(err, SPAN_E_BUSY, "another process %s",
				    strcmp(name, "LOCK") ? "maintains it"
							 : "appends to it");
	else
		rc = span_error_set(err, SPAN_E_IO, "%s: cannot lock", name);
	d->io->close(d->io->self, *fd);
	*fd = -1;
	return rc;
}

int span__dir_lock(const struct span__dir *d, const char *name, int *fd,
		   struct span_error *err)
{
	int rc = open_lock(d, name, fd, err);

	if (rc < 0)
		return rc;
	return d->io->flock(d->io->self, *fd) == 0 ? 0
						   : no_lock(d, name, fd, err);
}

/*
 * Try until it can be had, or DEADLINE_NS has passed. Whoever is POLITE does
 * not try while others say that they wait.
 */
static int lock_until(const struct span__dir *d, int *fd, uint64_t deadline_ns,
		      bool polite, struct span_error *err)
{
	const struct span__io *io = d->io;

	for (;;) {
		uint64_t now = io->clock(io->self, CLOCK_MONOTONIC);

		errno = EWOULDBLOCK;
		if ((!polite || io->wanted(io->self, *fd) <= 0) &&
		    io->flock(io->self, *fd) == 0)
			return 0;
		if (errno != EWOULDBLOCK || now >= deadline_ns)
			return no_lock(d, "MAINT", fd, err);
		io->pause(io->self, deadline_ns - now < TRY_NS
					    ? deadline_ns - now
					    : TRY_NS);
	}
}

int span__dir_maintain(const struct span__dir *d, uint64_t wait_ns, int *fd,
		       struct span_error *err)
{
	const struct span__io *io = d->io;
	uint64_t now = io->clock(io->self, CLOCK_MONOTONIC);
	int rc = open_lock(d, "MAINT", fd, err);

	if (rc < 0)
		return rc;
	if (io->flock(io->self, *fd) == 0)
		return 0;
	if (errno != EWOULDBLOCK || !wait_ns)
		return no_lock(d, "MAINT", fd, err);
	/* where it cannot be said it is still waited */
	(void)io->want(io->self, *fd, true);
	rc = lock_until(d, fd, now + wait_ns, false, err);
	if (!rc)
		(void)io->want(io->self, *fd, false);
	return rc;
}

int span__dir_yield(const struct span__dir *d, int *fd, struct span_error *err)
{
	const struct span__io *io = d->io;
	int rc;

	if (io->wanted(io->self, *fd) <= 0)
		return 0;
	io->close(io->self, *fd);
	rc = open_lock(d, "MAINT", fd, err);
	if (!rc)
		rc = lock_until(d, fd,
				io->clock(io->self, CLOCK_MONOTONIC) + YIELD_NS,
				true, err);
	return rc < 0 ? rc : 1;
}
