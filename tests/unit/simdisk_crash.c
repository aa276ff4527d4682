/* SPDX-License-Identifier: Apache-2.0 */
/* What the next process finds: the page cache, or what a power cut left. */
#include "simdisk_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct simdisk *next_process(const struct simdisk *d)
{
	struct simdisk *copy = simdisk_open();

	for (size_t i = 0; i < SIM_DIRS; i++) {
		copy->dirs[i].made = d->dirs[i].made;
		copy->dirs[i].synced = d->dirs[i].synced;
	}
	copy->capacity = d->capacity;
	copy->realtime = d->realtime;
	copy->mono = d->mono;
	copy->boot = d->boot;
	copy->drawn = d->drawn;
	return copy;
}

static void copy_bytes(struct sim_bytes *to, const struct sim_bytes *from)
{
	to->len = 0;
	simdisk__write_at(to, from->p, from->len, 0);
}

/* The copy of F, which is made when it is first asked for. */
static struct sim_file *copy_file(struct sim_file *f, struct sim_file **known,
				  struct sim_file **copies, size_t *n)
{
	struct sim_file *c;

	for (size_t i = 0; i < *n; i++) {
		if (known[i] == f)
			return copies[i];
	}
	c = simdisk__new_file();
	copy_bytes(&c->cache, &f->cache);
	copy_bytes(&c->disk, &f->disk);
	c->ops = simdisk__must(calloc(f->n_ops + 1, sizeof(*c->ops)));
	c->cap_ops = f->n_ops + 1;
	for (size_t i = 0; i < f->n_ops; i++) {
		c->ops[i] = f->ops[i];
		if (!f->ops[i].len)
			continue;
		c->ops[i].p = simdisk__must(malloc(f->ops[i].len));
		memcpy(c->ops[i].p, f->ops[i].p, f->ops[i].len);
	}
	c->n_ops = f->n_ops;
	known[*n] = f;
	copies[(*n)++] = c;
	return c;
}

static void copy_dir(struct sim_dir *copy, const struct sim_dir *d)
{
	size_t max = 2 * MAX_NAMES + d->n_ops, n = 0;
	struct sim_file **known =
		simdisk__must(calloc(2 * max, sizeof(*known)));

	for (size_t i = 0; i < d->cache.n; i++)
		simdisk__set_name(
			&copy->cache, d->cache.v[i].name,
			copy_file(d->cache.v[i].file, known, known + max, &n));
	for (size_t i = 0; i < d->disk.n; i++)
		simdisk__set_name(
			&copy->disk, d->disk.v[i].name,
			copy_file(d->disk.v[i].file, known, known + max, &n));
	for (size_t i = 0; i < d->n_ops; i++) {
		struct sim_name_op *op = &d->ops[i];

		simdisk__add_name_op(
			copy, op->name,
			op->file ? copy_file(op->file, known, known + max, &n)
				 : NULL,
			op->removed);
	}
	free(known);
}

struct simdisk *simdisk_copy(const struct simdisk *d)
{
	struct simdisk *copy = next_process(d);

	for (size_t i = 0; i < SIM_DIRS; i++)
		copy_dir(&copy->dirs[i], &d->dirs[i]);
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
static void apply_in_part(struct sim_bytes *b, const struct sim_op *op,
			  uint64_t *seed)
{
	uint64_t pos = op->pos, end = op->pos + op->len;

	if (draw(seed) % 2 && b->len < end)
		simdisk__resize(b, end);
	while (pos < end) {
		uint64_t next = (pos / SECTOR + 1) * SECTOR;

		if (next > end)
			next = end;
		if (draw(seed) % 2)
			simdisk__write_at(b, op->p + (pos - op->pos),
					  (size_t)(next - pos), pos);
		pos = next;
	}
}

static void cut_file(struct sim_bytes *out, const struct sim_file *f,
		     uint64_t *seed)
{
	uint64_t how = draw(seed) % 4;
	size_t whole = draw(seed) % (f->n_ops + 1);

	copy_bytes(out, &f->disk);
	for (size_t i = 0; i < f->n_ops; i++) {
		const struct sim_op *op = &f->ops[i];

		if (how == 0 || (how == 1 && i < whole))
			simdisk__apply_op(out, op);
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

static void cut_dir(struct sim_dir *copy, const struct sim_dir *d,
		    uint64_t *seed)
{
	struct sim_names *names = simdisk__must(calloc(1, sizeof(*names)));
	size_t prefix = draw(seed) % (d->n_ops + 1);
	bool subset = draw(seed) % 4 == 0;

	copy->made = d->made && (d->synced || draw(seed) % 2);
	for (size_t i = 0; i < d->disk.n; i++)
		simdisk__set_name(names, d->disk.v[i].name, d->disk.v[i].file);
	for (size_t i = 0; i < d->n_ops; i++) {
		if (subset ? draw(seed) % 2 : i < prefix)
			simdisk__apply_name(names, &d->ops[i]);
	}
	for (size_t i = 0; i < names->n && copy->made; i++) {
		struct sim_file *f = simdisk__new_file();

		cut_file(&f->cache, names->v[i].file, seed);
		copy_bytes(&f->disk, &f->cache);
		simdisk__set_name(&copy->cache, names->v[i].name, f);
		simdisk__set_name(&copy->disk, names->v[i].name, f);
	}
	copy->synced = copy->made;
	simdisk__clear_names(names);
	free(names);
}

struct simdisk *simdisk_power_cut(const struct simdisk *d, uint64_t seed)
{
	struct simdisk *copy = next_process(d);

	simdisk_reboot(copy);
	for (size_t i = 0; i < SIM_DIRS; i++)
		cut_dir(&copy->dirs[i], &d->dirs[i], &seed);
	return copy;
}
