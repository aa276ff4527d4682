/* SPDX-License-Identifier: Apache-2.0 */
#include "simdisk_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *simdisk__must(void *p)
{
	if (!p)
		abort();
	return p;
}

void simdisk__resize(struct sim_bytes *b, size_t len)
{
	if (len > b->cap) {
		b->cap = len * 2;
		b->p = simdisk__must(realloc(b->p, b->cap));
	}
	if (len > b->len)
		memset(b->p + b->len, 0, len - b->len);
	b->len = len;
}

void simdisk__write_at(struct sim_bytes *b, const void *p, size_t len,
		       uint64_t pos)
{
	if (pos + len > b->len)
		simdisk__resize(b, pos + len);
	if (len)
		memcpy(b->p + pos, p, len);
}

void simdisk__apply_op(struct sim_bytes *b, const struct sim_op *op)
{
	if (op->len)
		simdisk__write_at(b, op->p, op->len, op->pos);
	else
		simdisk__resize(b, op->pos);
}

void simdisk__clear_ops(struct sim_file *f)
{
	for (size_t i = 0; i < f->n_ops; i++)
		free(f->ops[i].p);
	f->n_ops = 0;
}

void simdisk__unref(struct sim_file *f)
{
	if (--f->refs)
		return;
	simdisk__clear_ops(f);
	free(f->ops);
	free(f->cache.p);
	free(f->disk.p);
	free(f);
}

struct sim_file *simdisk__new_file(void)
{
	struct sim_file *f = simdisk__must(calloc(1, sizeof(*f)));

	f->locked = f->wanted = -1;
	return f;
}

struct sim_entry *simdisk__find_name(struct sim_names *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++) {
		if (!strcmp(n->v[i].name, name))
			return &n->v[i];
	}
	return NULL;
}

void simdisk__remove_name(struct sim_names *n, const char *name)
{
	struct sim_entry *e = simdisk__find_name(n, name);

	if (!e)
		return;
	simdisk__unref(e->file);
	*e = n->v[--n->n];
}

void simdisk__set_name(struct sim_names *n, const char *name,
		       struct sim_file *f)
{
	struct sim_entry *e;

	f->refs++;
	simdisk__remove_name(n, name);
	if (n->n == MAX_NAMES)
		abort();
	e = &n->v[n->n++];
	snprintf(e->name, NAME_LEN, "%s", name);
	e->file = f;
	e->born = ++n->born;
}

void simdisk__add_name_op(struct sim_dir *d, const char *name,
			  struct sim_file *f, const char *removed)
{
	struct sim_name_op *op;

	if (d->n_ops == d->cap_ops) {
		d->cap_ops = d->cap_ops ? d->cap_ops * 2 : 16;
		d->ops = simdisk__must(
			realloc(d->ops, d->cap_ops * sizeof(*d->ops)));
	}
	op = &d->ops[d->n_ops++];
	*op = (struct sim_name_op){.file = f};
	snprintf(op->name, NAME_LEN, "%s", name);
	snprintf(op->removed, NAME_LEN, "%s", removed);
	if (f)
		f->refs++;
}

void simdisk__apply_name(struct sim_names *n, const struct sim_name_op *op)
{
	if (*op->removed)
		simdisk__remove_name(n, op->removed);
	if (op->file)
		simdisk__set_name(n, op->name, op->file);
}

void simdisk__sync_names(struct sim_dir *d, bool keep)
{
	for (size_t i = 0; i < d->n_ops; i++) {
		if (keep)
			simdisk__apply_name(&d->disk, &d->ops[i]);
		if (d->ops[i].file)
			simdisk__unref(d->ops[i].file);
	}
	d->n_ops = 0;
}

struct simdisk *simdisk_open(void)
{
	struct simdisk *d = simdisk__must(calloc(1, sizeof(*d)));

	d->io = simdisk__calls;
	d->io.self = d;
	d->realtime = 1795341600000000000;
	d->mono = 1000000000;
	d->boot = 1;
	return d;
}

void simdisk__clear_names(struct sim_names *n)
{
	while (n->n)
		simdisk__remove_name(n, n->v[0].name);
}

void simdisk_close(struct simdisk **disk)
{
	struct simdisk *d = *disk;

	if (!d)
		return;
	for (int i = 0; i < MAX_FDS; i++) {
		if (d->fds[i].file)
			simdisk__unref(d->fds[i].file);
	}
	for (size_t i = 0; i < SIM_DIRS; i++) {
		simdisk__sync_names(&d->dirs[i], false);
		simdisk__clear_names(&d->dirs[i].cache);
		simdisk__clear_names(&d->dirs[i].disk);
		free(d->dirs[i].ops);
	}
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

void simdisk_remote(struct simdisk *d, const char *name)
{
	d->remote = name;
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

struct sim_dir *simdisk__dir(struct simdisk *d, const char *name)
{
	if (!strcmp(name, "store"))
		return &d->dirs[0];
	return strcmp(name, "other") ? NULL : &d->dirs[1];
}

/* The directory that a path is in, and its last part. */
static struct sim_dir *dir_of(struct simdisk *d, const char **name)
{
	if (strncmp(*name, "other/", 6))
		return &d->dirs[0];
	*name += 6;
	return &d->dirs[1];
}

uint8_t *simdisk_file(struct simdisk *d, const char *name, size_t *len)
{
	struct sim_dir *dir = dir_of(d, &name);
	struct sim_entry *e = simdisk__find_name(&dir->cache, name);

	*len = e ? e->file->cache.len : 0;
	return e ? e->file->cache.p : NULL;
}

void simdisk_put(struct simdisk *d, const char *name, const void *p, size_t len)
{
	struct sim_dir *dir = dir_of(d, &name);
	struct sim_file *f = simdisk__new_file();

	dir->made = dir->synced = true;
	simdisk__write_at(&f->cache, p, len, 0);
	simdisk__write_at(&f->disk, p, len, 0);
	simdisk__set_name(&dir->cache, name, f);
	simdisk__set_name(&dir->disk, name, f);
}

void simdisk_remove(struct simdisk *d, const char *name)
{
	struct sim_dir *dir = dir_of(d, &name);

	simdisk__remove_name(&dir->cache, name);
	simdisk__remove_name(&dir->disk, name);
}

const char *simdisk_name(const struct simdisk *d, size_t i)
{
	return i < d->dirs[0].cache.n ? d->dirs[0].cache.v[i].name : NULL;
}

static size_t count(const struct sim_names *names, const char *suffix)
{
	size_t n = 0, want = strlen(suffix);

	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i].name;

		n += strlen(name) >= want &&
		     !strcmp(name + strlen(name) - want, suffix);
	}
	return n;
}

size_t simdisk_count(const struct simdisk *d, const char *suffix)
{
	return count(&d->dirs[0].cache, suffix);
}

size_t simdisk_count_other(const struct simdisk *d, const char *suffix)
{
	return count(&d->dirs[1].cache, suffix);
}

size_t simdisk_descriptors(const struct simdisk *d)
{
	size_t n = 0;

	for (int i = 0; i < MAX_FDS; i++)
		n += d->fds[i].kind != FREE;
	return n;
}
