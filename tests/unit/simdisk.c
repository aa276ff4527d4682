/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file has its content as a process sees it (CACHE) and as the last sync
 * left it on the disk (DISK), and the writes and cuts between the two. A
 * directory has the same for names. Memory that is out aborts.
 */
#include "simdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_LEN 48
#define MAX_NAMES 128
#define MAX_FDS 64
#define SECTOR 512u

struct bytes {
	uint8_t *p;
	size_t len, cap;
};

struct op {
	uint64_t pos;
	size_t len; /* of the write; a cut to POS when it is 0 */
	uint8_t *p;
};

struct file {
	struct bytes cache, disk;
	struct op *ops;
	size_t n_ops, cap_ops;
	size_t refs; /* names, pending names and descriptors */
	int locked;  /* by this descriptor; -1: not */
};

struct entry {
	char name[NAME_LEN];
	struct file *file;
	uint64_t born; /* the order of a listing */
};

struct names {
	struct entry v[MAX_NAMES];
	size_t n;
	uint64_t born;
};

/* A name that was set (FILE) or removed, after the last sync. */
struct name_op {
	char name[NAME_LEN], removed[NAME_LEN]; /* "": none */
	struct file *file;
};

struct fd {
	enum { FREE, ROOT, STORE, FILE_FD } kind;
	struct file *file;
};

struct simdisk {
	struct span__io io;
	bool store, store_synced; /* the directory is there */
	struct names cache, disk;
	struct name_op *ops;
	size_t n_ops, cap_ops;
	struct fd fds[MAX_FDS];
	uint64_t calls, fail_at, kill_at, call_at;
	int fail_sys;
	bool dead, sync_failed;
	void (*call)(void *);
	void *call_arg;
	uint64_t capacity, realtime, mono, boot, drawn;
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void resize(struct bytes *b, size_t len)
{
	if (len > b->cap) {
		b->cap = len * 2;
		b->p = must(realloc(b->p, b->cap));
	}
	if (len > b->len)
		memset(b->p + b->len, 0, len - b->len);
	b->len = len;
}

static void write_at(struct bytes *b, const void *p, size_t len, uint64_t pos)
{
	if (pos + len > b->len)
		resize(b, pos + len);
	if (len)
		memcpy(b->p + pos, p, len);
}

static void apply(struct bytes *b, const struct op *op)
{
	if (op->len)
		write_at(b, op->p, op->len, op->pos);
	else
		resize(b, op->pos);
}

static void clear_ops(struct file *f)
{
	for (size_t i = 0; i < f->n_ops; i++)
		free(f->ops[i].p);
	f->n_ops = 0;
}

static void unref(struct file *f)
{
	if (--f->refs)
		return;
	clear_ops(f);
	free(f->ops);
	free(f->cache.p);
	free(f->disk.p);
	free(f);
}

static struct file *new_file(void)
{
	struct file *f = must(calloc(1, sizeof(*f)));

	f->locked = -1;
	return f;
}

static struct entry *find(struct names *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++) {
		if (!strcmp(n->v[i].name, name))
			return &n->v[i];
	}
	return NULL;
}

static void remove_name(struct names *n, const char *name)
{
	struct entry *e = find(n, name);

	if (!e)
		return;
	unref(e->file);
	*e = n->v[--n->n];
}

static void set_name(struct names *n, const char *name, struct file *f)
{
	struct entry *e;

	f->refs++;
	remove_name(n, name);
	if (n->n == MAX_NAMES)
		abort();
	e = &n->v[n->n++];
	snprintf(e->name, NAME_LEN, "%s", name);
	e->file = f;
	e->born = ++n->born;
}

static void add_name_op(struct simdisk *d, const char *name, struct file *f,
			const char *removed)
{
	struct name_op *op;

	if (d->n_ops == d->cap_ops) {
		d->cap_ops = d->cap_ops ? d->cap_ops * 2 : 16;
		d->ops = must(realloc(d->ops, d->cap_ops * sizeof(*d->ops)));
	}
	op = &d->ops[d->n_ops++];
	*op = (struct name_op){.file = f};
	snprintf(op->name, NAME_LEN, "%s", name);
	snprintf(op->removed, NAME_LEN, "%s", removed);
	if (f)
		f->refs++;
}

static void apply_name(struct names *n, const struct name_op *op)
{
	if (*op->removed)
		remove_name(n, op->removed);
	if (op->file)
		set_name(n, op->name, op->file);
}

static void sync_names(struct simdisk *d, bool keep)
{
	for (size_t i = 0; i < d->n_ops; i++) {
		if (keep)
			apply_name(&d->disk, &d->ops[i]);
		if (d->ops[i].file)
			unref(d->ops[i].file);
	}
	d->n_ops = 0;
}

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

static int new_fd(struct simdisk *d, struct fd fd)
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

static struct fd *get_fd(struct simdisk *d, int fd)
{
	if (fd < 100 || fd >= 100 + MAX_FDS || d->fds[fd - 100].kind == FREE)
		abort(); /* the store uses a descriptor that it closed */
	return &d->fds[fd - 100];
}

static int open_dir(struct simdisk *d, const char *name)
{
	if (!strcmp(name, "."))
		return new_fd(d, (struct fd){ROOT, NULL});
	if (!strcmp(name, "store") && d->store)
		return new_fd(d, (struct fd){STORE, NULL});
	errno = ENOENT;
	return -1;
}

static int sim_open(void *self, int dirfd, const char *name, int flags,
		    mode_t mode)
{
	struct simdisk *d = self;
	struct entry *e;
	struct file *f;

	(void)mode;
	if (fails(d))
		return -1;
	if (dirfd == AT_FDCWD)
		return open_dir(d, name);
	get_fd(d, dirfd);
	e = find(&d->cache, name);
	if (e && flags & O_CREAT && flags & O_EXCL) {
		errno = EEXIST;
		return -1;
	}
	if (!e && !(flags & O_CREAT)) {
		errno = ENOENT;
		return -1;
	}
	f = e ? e->file : new_file();
	if (!e) {
		set_name(&d->cache, name, f);
		add_name_op(d, name, f, "");
	}
	return new_fd(d, (struct fd){FILE_FD, f});
}

/* A file is closed even when close(2) says that it failed. */
static int sim_close(void *self, int number)
{
	struct simdisk *d = self;
	bool failed = fails(d);
	struct fd *fd = get_fd(d, number);

	if (fd->file) {
		if (fd->file->locked == number)
			fd->file->locked = -1;
		unref(fd->file);
	}
	*fd = (struct fd){FREE, NULL};
	return failed ? -1 : 0;
}

static ssize_t sim_pread(void *self, int fd, void *p, size_t len, uint64_t pos)
{
	struct simdisk *d = self;
	const struct bytes *b;

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

static void write_file(struct file *f, const void *p, size_t len, uint64_t pos)
{
	if (f->n_ops == f->cap_ops) {
		f->cap_ops = f->cap_ops ? f->cap_ops * 2 : 16;
		f->ops = must(realloc(f->ops, f->cap_ops * sizeof(*f->ops)));
	}
	f->ops[f->n_ops] = (struct op){pos, len, NULL};
	if (len) {
		f->ops[f->n_ops].p = must(malloc(len));
		memcpy(f->ops[f->n_ops].p, p, len);
	}
	apply(&f->cache, &f->ops[f->n_ops++]);
}

static uint64_t used(const struct simdisk *d)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < d->cache.n; i++)
		sum += d->cache.v[i].file->cache.len;
	return sum;
}

static ssize_t sim_pwrite(void *self, int fd, const void *p, size_t len,
			  uint64_t pos)
{
	struct simdisk *d = self;
	bool was_dead = d->dead;
	struct file *f = get_fd(d, fd)->file;

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
	struct fd *fd = get_fd(d, number);
	bool failed = fails(d);

	if (d->dead)
		return -1;
	d->sync_failed |= failed;
	if (fd->kind == ROOT) {
		d->store_synced |= !failed && d->store;
	} else if (fd->kind == STORE) {
		sync_names(d, !failed);
	} else {
		for (size_t i = 0; i < fd->file->n_ops && !failed; i++)
			apply(&fd->file->disk, &fd->file->ops[i]);
		clear_ops(fd->file);
	}
	return failed ? -1 : 0;
}

static void fill_stat(struct span__io_stat *out, const struct file *f)
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

static int sim_mkdir(void *self, int dirfd, const char *name, mode_t mode)
{
	struct simdisk *d = self;

	(void)dirfd;
	(void)mode;
	if (fails(d))
		return -1;
	if (strcmp(name, "store") || d->store) {
		errno = d->store ? EEXIST : ENOENT;
		return -1;
	}
	d->store = true;
	return 0;
}

static int sim_rename(void *self, int dirfd, const char *from, const char *to)
{
	struct simdisk *d = self;
	struct entry *e;
	struct file *f;

	(void)dirfd;
	if (fails(d))
		return -1;
	e = find(&d->cache, from);
	if (!e) {
		errno = ENOENT;
		return -1;
	}
	f = e->file;
	set_name(&d->cache, to, f);
	remove_name(&d->cache, from);
	add_name_op(d, to, f, from);
	return 0;
}

static int sim_unlink(void *self, int dirfd, const char *name)
{
	struct simdisk *d = self;

	(void)dirfd;
	if (fails(d))
		return -1;
	if (!find(&d->cache, name)) {
		errno = ENOENT;
		return -1;
	}
	remove_name(&d->cache, name);
	add_name_op(d, "", NULL, name);
	return 0;
}

/* Names that appear while a listing is made are in it, or not. */
static bool shows_late(const struct entry *e)
{
	unsigned sum = 0;

	for (const char *c = e->name; *c; c++)
		sum += (unsigned char)*c;
	return sum % 2;
}

/* The name that a listing which came to LAST and ends with END has next. */
static const struct entry *next_name(const struct names *n, uint64_t last,
				     uint64_t end)
{
	const struct entry *next = NULL;

	for (size_t i = 0; i < n->n; i++) {
		const struct entry *e = &n->v[i];

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
	uint64_t last = 0, end = d->cache.born;

	get_fd(d, dirfd);
	for (;;) {
		const struct entry *e;

		if (fails(d))
			return -1;
		e = next_name(&d->cache, last, end);
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
	struct file *f = get_fd(d, fd)->file;

	if (fails(d))
		return -1;
	if (f->locked >= 0 && f->locked != fd) {
		errno = EWOULDBLOCK;
		return -1;
	}
	f->locked = fd;
	return 0;
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
	get_fd(self, fd);
	return NULL;
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

struct simdisk *simdisk_open(void)
{
	struct simdisk *d = must(calloc(1, sizeof(*d)));

	d->io = (struct span__io){
		.self = d,
		.open = sim_open,
		.close = sim_close,
		.pread = sim_pread,
		.pwrite = sim_pwrite,
		.ftruncate = sim_ftruncate,
		.fdatasync = sim_sync,
		.fsync = sim_sync,
		.fstat = sim_fstat,
		.mkdir = sim_mkdir,
		.rename = sim_rename,
		.unlink = sim_unlink,
		.list = sim_list,
		.flock = sim_flock,
		.space = sim_space,
		.remote = sim_remote,
		.clock = sim_clock,
		.random = sim_random,
		.boot_id = sim_boot_id,
	};
	d->realtime = 1795341600000000000;
	d->mono = 1000000000;
	d->boot = 1;
	return d;
}

static void clear_names(struct names *n)
{
	while (n->n)
		remove_name(n, n->v[0].name);
}

void simdisk_close(struct simdisk **disk)
{
	struct simdisk *d = *disk;

	if (!d)
		return;
	for (int i = 0; i < MAX_FDS; i++) {
		if (d->fds[i].file)
			unref(d->fds[i].file);
	}
	sync_names(d, false);
	clear_names(&d->cache);
	clear_names(&d->disk);
	free(d->ops);
	free(d);
	*disk = NULL;
}

const struct span__io *simdisk_io(struct simdisk *d)
{
	return &d->io;
}

uint64_t simdisk_calls(const struct simdisk *d)
{
	return d->calls;
}

void simdisk_fail(struct simdisk *d, uint64_t nth, int sys)
{
	d->fail_at = nth;
	d->fail_sys = sys;
}

void simdisk_kill(struct simdisk *d, uint64_t nth)
{
	d->kill_at = nth;
}

bool simdisk_sync_failed(const struct simdisk *d)
{
	return d->sync_failed;
}

bool simdisk_dead(const struct simdisk *d)
{
	return d->dead;
}

void simdisk_call(struct simdisk *d, uint64_t nth, void (*fn)(void *arg),
		  void *arg)
{
	d->call_at = nth;
	d->call = fn;
	d->call_arg = arg;
}

void simdisk_capacity(struct simdisk *d, uint64_t bytes)
{
	d->capacity = bytes;
}

void simdisk_pass(struct simdisk *d, uint64_t ns)
{
	d->realtime += ns;
	d->mono += ns;
}

void simdisk_set_clock(struct simdisk *d, uint64_t realtime_ns)
{
	d->realtime = realtime_ns;
}

void simdisk_reboot(struct simdisk *d)
{
	d->boot++;
	d->mono = 1000000000;
}

static struct simdisk *next_process(const struct simdisk *d)
{
	struct simdisk *copy = simdisk_open();

	copy->store = d->store;
	copy->store_synced = d->store_synced;
	copy->capacity = d->capacity;
	copy->realtime = d->realtime;
	copy->mono = d->mono;
	copy->boot = d->boot;
	copy->drawn = d->drawn;
	return copy;
}

static void copy_bytes(struct bytes *to, const struct bytes *from)
{
	to->len = 0;
	write_at(to, from->p, from->len, 0);
}

/* The copy of F, which is made when it is first asked for. */
static struct file *copy_file(struct file *f, struct file **known,
			      struct file **copies, size_t *n)
{
	struct file *c;

	for (size_t i = 0; i < *n; i++) {
		if (known[i] == f)
			return copies[i];
	}
	c = new_file();
	copy_bytes(&c->cache, &f->cache);
	copy_bytes(&c->disk, &f->disk);
	c->ops = must(calloc(f->n_ops + 1, sizeof(*c->ops)));
	c->cap_ops = f->n_ops + 1;
	for (size_t i = 0; i < f->n_ops; i++) {
		c->ops[i] = f->ops[i];
		if (!f->ops[i].len)
			continue;
		c->ops[i].p = must(malloc(f->ops[i].len));
		memcpy(c->ops[i].p, f->ops[i].p, f->ops[i].len);
	}
	c->n_ops = f->n_ops;
	known[*n] = f;
	copies[(*n)++] = c;
	return c;
}

struct simdisk *simdisk_copy(const struct simdisk *d)
{
	struct simdisk *copy = next_process(d);
	size_t max = 2 * MAX_NAMES + d->n_ops, n = 0;
	struct file **known = must(calloc(2 * max, sizeof(*known)));

	for (size_t i = 0; i < d->cache.n; i++)
		set_name(&copy->cache, d->cache.v[i].name,
			 copy_file(d->cache.v[i].file, known, known + max, &n));
	for (size_t i = 0; i < d->disk.n; i++)
		set_name(&copy->disk, d->disk.v[i].name,
			 copy_file(d->disk.v[i].file, known, known + max, &n));
	for (size_t i = 0; i < d->n_ops; i++) {
		struct name_op *op = &d->ops[i];

		add_name_op(
			copy, op->name,
			op->file ? copy_file(op->file, known, known + max, &n)
				 : NULL,
			op->removed);
	}
	free(known);
	return copy;
}

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Some of the sectors of a write reach the disk; the size may without them. */
static void apply_in_part(struct bytes *b, const struct op *op, uint64_t *seed)
{
	uint64_t pos = op->pos, end = op->pos + op->len;

	if (draw(seed) % 2 && b->len < end)
		resize(b, end);
	while (pos < end) {
		uint64_t next = (pos / SECTOR + 1) * SECTOR;

		if (next > end)
			next = end;
		if (draw(seed) % 2)
			write_at(b, op->p + (pos - op->pos),
				 (size_t)(next - pos), pos);
		pos = next;
	}
}

static void cut_file(struct bytes *out, const struct file *f, uint64_t *seed)
{
	uint64_t how = draw(seed) % 4;
	size_t whole = draw(seed) % (f->n_ops + 1);

	copy_bytes(out, &f->disk);
	for (size_t i = 0; i < f->n_ops; i++) {
		const struct op *op = &f->ops[i];

		if (how == 0 || (how == 1 && i < whole))
			apply(out, op);
		else if (how == 1 && i == whole)
			apply_in_part(out, op, seed);
		else if (how == 2 && op->len)
			apply_in_part(out, op, seed);
	}
	/* What was never written may hold what was there before. */
	if (how == 2 && out->len > f->disk.len && draw(seed) % 4 == 0) {
		for (size_t i = f->disk.len; i < out->len; i++) {
			if (!out->p[i])
				out->p[i] = (uint8_t)draw(seed);
		}
	}
}

struct simdisk *simdisk_power_cut(const struct simdisk *d, uint64_t seed)
{
	struct simdisk *copy = next_process(d);
	struct names *names = must(calloc(1, sizeof(*names)));
	size_t prefix = draw(&seed) % (d->n_ops + 1);
	bool subset = draw(&seed) % 4 == 0;

	simdisk_reboot(copy);
	copy->store = d->store && (d->store_synced || draw(&seed) % 2);
	for (size_t i = 0; i < d->disk.n; i++)
		set_name(names, d->disk.v[i].name, d->disk.v[i].file);
	for (size_t i = 0; i < d->n_ops; i++) {
		if (subset ? draw(&seed) % 2 : i < prefix)
			apply_name(names, &d->ops[i]);
	}
	for (size_t i = 0; i < names->n && copy->store; i++) {
		struct file *f = new_file();

		cut_file(&f->cache, names->v[i].file, &seed);
		copy_bytes(&f->disk, &f->cache);
		set_name(&copy->cache, names->v[i].name, f);
		set_name(&copy->disk, names->v[i].name, f);
	}
	copy->store_synced = copy->store;
	clear_names(names);
	free(names);
	return copy;
}

uint8_t *simdisk_file(struct simdisk *d, const char *name, size_t *len)
{
	struct entry *e = find(&d->cache, name);

	*len = e ? e->file->cache.len : 0;
	return e ? e->file->cache.p : NULL;
}

void simdisk_put(struct simdisk *d, const char *name, const void *p, size_t len)
{
	struct file *f = new_file();

	d->store = d->store_synced = true;
	write_at(&f->cache, p, len, 0);
	write_at(&f->disk, p, len, 0);
	set_name(&d->cache, name, f);
	set_name(&d->disk, name, f);
}

void simdisk_remove(struct simdisk *d, const char *name)
{
	remove_name(&d->cache, name);
	remove_name(&d->disk, name);
}

const char *simdisk_name(const struct simdisk *d, size_t i)
{
	return i < d->cache.n ? d->cache.v[i].name : NULL;
}

size_t simdisk_count(const struct simdisk *d, const char *suffix)
{
	size_t n = 0, want = strlen(suffix);

	for (size_t i = 0; i < d->cache.n; i++) {
		const char *name = d->cache.v[i].name;

		n += strlen(name) >= want &&
		     !strcmp(name + strlen(name) - want, suffix);
	}
	return n;
}

size_t simdisk_descriptors(const struct simdisk *d)
{
	size_t n = 0;

	for (int i = 0; i < MAX_FDS; i++)
		n += d->fds[i].kind != FREE;
	return n;
}
