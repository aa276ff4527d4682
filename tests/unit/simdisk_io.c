/* SPDX-License-Identifier: Apache-2.0 */
/* The calls, counted, failing and dying as they were told to. */
#include "simdisk_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Every call begins here: true when it must fail, with errno set. */
static bool fails(struct simdisk *d)
{
	void (*call)(void *) = d->call;

	d->calls++;
	if (call && d->calls == d->call_at) {
		d->call = NULL;
		call(d->call_arg);
	}
	if (d->kill_at && d->calls >= d->kill_at)
		d->dead = true;
	if (d->dead) {
		errno = EIO;
		return true;
	}
	if (d->calls == d->fail_at && d->fail_sys) {
		errno = d->fail_sys;
		return true;
	}
	return false;
}

static bool is_short(const struct simdisk *d)
{
	return d->calls == d->fail_at && !d->fail_sys;
}

static int new_fd(struct simdisk *d, struct sim_fd fd)
{
	for (int i = 0; i < MAX_FDS; i++) {
		if (d->fds[i].kind != FREE)
			continue;
		d->fds[i] = fd;
		if (fd.file)
			fd.file->refs++;
		return i + 100;
	}
	errno = EMFILE;
	return -1;
}

static struct sim_fd *get_fd(struct simdisk *d, int fd)
{
	if (fd < 100 || fd >= 100 + MAX_FDS || d->fds[fd - 100].kind == FREE)
		abort(); /* the store uses a descriptor that it closed */
	return &d->fds[fd - 100];
}

static void write_file(struct sim_file *f, const void *p, size_t len,
		       uint64_t pos)
{
	if (f->n_ops == f->cap_ops) {
		f->cap_ops = f->cap_ops ? f->cap_ops * 2 : 16;
		f->ops = simdisk__must(
			realloc(f->ops, f->cap_ops * sizeof(*f->ops)));
	}
	f->ops[f->n_ops] = (struct sim_op){pos, len, NULL};
	if (len) {
		f->ops[f->n_ops].p = simdisk__must(malloc(len));
		memcpy(f->ops[f->n_ops].p, p, len);
	}
	simdisk__apply_op(&f->cache, &f->ops[f->n_ops++]);
}

static int open_dir(struct simdisk *d, const char *name)
{
	struct sim_dir *dir = simdisk__dir(d, name);

	if (!strcmp(name, "."))
		return new_fd(d, (struct sim_fd){ROOT, NULL, NULL});
	if (dir && dir->made)
		return new_fd(d, (struct sim_fd){STORE, NULL, dir});
	errno = ENOENT;
	return -1;
}

static int sim_open(void *self, int dirfd, const char *name, int flags,
		    mode_t mode)
{
	struct simdisk *d = self;
	struct sim_dir *dir;
	struct sim_entry *e;
	struct sim_file *f;

	(void)mode;
	if (fails(d))
		return -1;
	if (dirfd == AT_FDCWD)
		return open_dir(d, name);
	dir = get_fd(d, dirfd)->dir;
	e = simdisk__find_name(&dir->cache, name);
	if (e && flags & O_CREAT && flags & O_EXCL) {
		errno = EEXIST;
		return -1;
	}
	if (!e && !(flags & O_CREAT)) {
		errno = ENOENT;
		return -1;
	}
	f = e ? e->file : simdisk__new_file();
	if (!e) {
		simdisk__set_name(&dir->cache, name, f);
		simdisk__add_name_op(dir, name, f, "");
	}
	if (e && flags & O_TRUNC && f->cache.len)
		write_file(f, NULL, 0, 0);
	return new_fd(d, (struct sim_fd){FILE_FD, f, NULL});
}

/* A file is closed even when close(2) says that it failed. */
static int sim_close(void *self, int number)
{
	struct simdisk *d = self;
	bool failed = fails(d);
	struct sim_fd *fd = get_fd(d, number);

	if (fd->file) {
		if (fd->file->locked == number)
			fd->file->locked = -1;
		if (fd->file->wanted == number)
			fd->file->wanted = -1;
		simdisk__unref(fd->file);
	}
	*fd = (struct sim_fd){FREE, NULL, NULL};
	return failed ? -1 : 0;
}

static ssize_t sim_pread(void *self, int fd, void *p, size_t len, uint64_t pos)
{
	struct simdisk *d = self;
	const struct sim_bytes *b;

	if (fails(d))
		return -1;
	b = &get_fd(d, fd)->file->cache;
	if (pos >= b->len)
		return 0;
	if (len > b->len - pos)
		len = b->len - pos;
	memcpy(p, b->p + pos, len);
	return (ssize_t)len;
}

static uint64_t used(const struct simdisk *d)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < SIM_DIRS; k++) {
		const struct sim_names *n = &d->dirs[k].cache;

		for (size_t i = 0; i < n->n; i++)
			sum += n->v[i].file->cache.len;
	}
	return sum;
}

static ssize_t sim_pwrite(void *self, int fd, const void *p, size_t len,
			  uint64_t pos)
{
	struct simdisk *d = self;
	bool was_dead = d->dead;
	struct sim_file *f = get_fd(d, fd)->file;

	if (fails(d)) {
		if (d->dead && !was_dead && len / 2)
			write_file(f, p, len / 2, pos);
		return -1;
	}
	if (is_short(d) && len > 1)
		len /= 2;
	if (d->capacity && pos + len > f->cache.len) {
		uint64_t left =
			d->capacity > used(d) ? d->capacity - used(d) : 0;
		uint64_t grows = pos + len - f->cache.len;

		if (grows > left)
			len -= grows - left < len ? grows - left : len;
		if (!len) {
			errno = ENOSPC;
			return -1;
		}
	}
	write_file(f, p, len, pos);
	return (ssize_t)len;
}

static int sim_ftruncate(void *self, int fd, uint64_t size)
{
	struct simdisk *d = self;

	if (fails(d))
		return -1;
	write_file(get_fd(d, fd)->file, NULL, 0, size);
	return 0;
}

static int sim_sync(void *self, int number)
{
	struct simdisk *d = self;
	struct sim_fd *fd = get_fd(d, number);
	bool failed = fails(d);

	if (d->dead)
		return -1;
	d->sync_failed |= failed;
	if (fd->kind == ROOT) {
		for (size_t i = 0; i < SIM_DIRS; i++)
			d->dirs[i].synced |= !failed && d->dirs[i].made;
	} else if (fd->kind == STORE) {
		simdisk__sync_names(fd->dir, !failed);
	} else {
		for (size_t i = 0; i < fd->file->n_ops && !failed; i++)
			simdisk__apply_op(&fd->file->disk, &fd->file->ops[i]);
		simdisk__clear_ops(fd->file);
	}
	return failed ? -1 : 0;
}

static void fill_stat(struct span__io_stat *out, const struct sim_file *f)
{
	*out = (struct span__io_stat){.mode = f ? 0600 : 0700};
	if (f)
		out->size = f->cache.len;
}

static int sim_fstat(void *self, int fd, struct span__io_stat *out)
{
	struct simdisk *d = self;

	if (fails(d))
		return -1;
	fill_stat(out, get_fd(d, fd)->file);
	return 0;
}

/* A copy: a file that is mapped never changes. Behind its end there is none. */
static void *sim_map(void *self, int fd, size_t len)
{
	struct simdisk *d = self;
	const struct sim_bytes *b;
	void *p;

	if (fails(d))
		return NULL;
	b = &get_fd(d, fd)->file->cache;
	if (len > b->len)
		abort();
	p = simdisk__must(malloc(len));
	memcpy(p, b->p, len);
	return p;
}

static void sim_unmap(void *self, void *p, size_t len)
{
	(void)self;
	(void)len;
	free(p);
}

static int sim_touch(void *self, const void *p, size_t len)
{
	(void)p;
	(void)len;
	return fails(self) ? -1 : 0;
}

static int sim_mkdir(void *self, int dirfd, const char *name, mode_t mode)
{
	struct simdisk *d = self;
	struct sim_dir *dir = simdisk__dir(d, name);

	(void)dirfd;
	(void)mode;
	if (fails(d))
		return -1;
	if (!dir || dir->made) {
		errno = dir ? EEXIST : ENOENT;
		return -1;
	}
	dir->made = true;
	return 0;
}

static int sim_rename(void *self, int dirfd, const char *from, const char *to)
{
	struct simdisk *d = self;
	struct sim_dir *dir = get_fd(d, dirfd)->dir;
	struct sim_entry *e;
	struct sim_file *f;

	if (fails(d))
		return -1;
	e = simdisk__find_name(&dir->cache, from);
	if (!e) {
		errno = ENOENT;
		return -1;
	}
	f = e->file;
	simdisk__set_name(&dir->cache, to, f);
	simdisk__remove_name(&dir->cache, from);
	simdisk__add_name_op(dir, to, f, from);
	return 0;
}

static int sim_unlink(void *self, int dirfd, const char *name)
{
	struct simdisk *d = self;
	struct sim_dir *dir = get_fd(d, dirfd)->dir;

	if (fails(d))
		return -1;
	if (!simdisk__find_name(&dir->cache, name)) {
		errno = ENOENT;
		return -1;
	}
	simdisk__remove_name(&dir->cache, name);
	simdisk__add_name_op(dir, "", NULL, name);
	return 0;
}

/* Names that appear while a listing is made are in it, or not. */
static bool shows_late(const struct sim_entry *e)
{
	unsigned sum = 0;

	for (const char *c = e->name; *c; c++)
		sum += (unsigned char)*c;
	return sum % 2;
}

/* The name that a listing which came to LAST and ends with END has next. */
static const struct sim_entry *next_name(const struct sim_names *n,
					 uint64_t last, uint64_t end)
{
	const struct sim_entry *next = NULL;

	for (size_t i = 0; i < n->n; i++) {
		const struct sim_entry *e = &n->v[i];

		if (e->born > last && (e->born <= end || shows_late(e)) &&
		    (!next || e->born < next->born))
			next = e;
	}
	return next;
}

/* A call of its own for each name, so that others can come between. */
static int sim_list(void *self, int dirfd, span__io_name_fn *fn, void *arg)
{
	struct simdisk *d = self;
	const struct sim_names *names = &get_fd(d, dirfd)->dir->cache;
	uint64_t last = 0, end = names->born;

	for (;;) {
		const struct sim_entry *e;

		if (fails(d))
			return -1;
		e = next_name(names, last, end);
		if (!e)
			return 0;
		last = e->born;
		if (fn(arg, e->name) < 0)
			return -1;
	}
}

static int sim_flock(void *self, int fd)
{
	struct simdisk *d = self;
	struct sim_file *f = get_fd(d, fd)->file;

	if (fails(d))
		return -1;
	if (f->locked >= 0 && f->locked != fd) {
		errno = EWOULDBLOCK;
		return -1;
	}
	f->locked = fd;
	return 0;
}

static int sim_want(void *self, int fd, bool on)
{
	struct simdisk *d = self;
	struct sim_file *f = get_fd(d, fd)->file;

	if (fails(d))
		return -1;
	if (on)
		f->wanted = fd;
	else if (f->wanted == fd)
		f->wanted = -1;
	return 0;
}

static int sim_wanted(void *self, int fd)
{
	struct simdisk *d = self;
	const struct sim_file *f = get_fd(d, fd)->file;

	if (fails(d))
		return -1;
	return f->wanted >= 0 && f->wanted != fd;
}

static void sim_pause(void *self, uint64_t ns)
{
	simdisk_pass(self, ns);
}

static int sim_space(void *self, int fd, uint64_t *bytes)
{
	struct simdisk *d = self;

	get_fd(d, fd);
	if (fails(d))
		return -1;
	*bytes = UINT64_MAX;
	if (d->capacity)
		*bytes = d->capacity > used(d) ? d->capacity - used(d) : 0;
	return 0;
}

static const char *sim_remote(void *self, int fd)
{
	struct simdisk *d = self;

	get_fd(d, fd);
	return d->remote;
}

/* Time goes on by a microsecond from call to call. */
static uint64_t sim_clock(void *self, int id)
{
	struct simdisk *d = self;

	simdisk_pass(d, 1000);
	return id == CLOCK_REALTIME ? d->realtime : d->mono;
}

static int sim_random(void *self, void *p, size_t len)
{
	struct simdisk *d = self;
	uint8_t *to = p;

	if (fails(d))
		return -1;
	while (len--)
		*to++ = (uint8_t)(++d->drawn * 37);
	return 0;
}

static void sim_boot_id(void *self, uint8_t out[16])
{
	struct simdisk *d = self;

	memset(out, 'b', 16);
	memcpy(out, &d->boot, sizeof(d->boot));
}

const struct span__io simdisk__calls = {
	.open = sim_open,
	.close = sim_close,
	.pread = sim_pread,
	.pwrite = sim_pwrite,
	.ftruncate = sim_ftruncate,
	.fdatasync = sim_sync,
	.fsync = sim_sync,
	.fstat = sim_fstat,
	.map = sim_map,
	.unmap = sim_unmap,
	.touch = sim_touch,
	.mkdir = sim_mkdir,
	.rename = sim_rename,
	.unlink = sim_unlink,
	.list = sim_list,
	.flock = sim_flock,
	.want = sim_want,
	.wanted = sim_wanted,
	.pause = sim_pause,
	.space = sim_space,
	.remote = sim_remote,
	.clock = sim_clock,
	.random = sim_random,
	.boot_id = sim_boot_id,
};
