/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What <span/store.h> promises whatever the store is: names, defaults, and
 * the store's name before every message.
 */
#include "store/store_ops.h"
#include "store/store_shapes.h"
#include "store/store_traces.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

#define MS 1000000ull
#define MINUTE (60ull * 1000 * MS)
#define DAY (24ull * 60 * MINUTE)

static const char memory_prefix[] = "memory:";

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
	return value ? value : fallback;
}

static void fill_defaults(struct span_store_opts *o)
{
	o->sync_delay_ns = or_default(o->sync_delay_ns, 200 * MS);
	o->sync_bytes = or_default(o->sync_bytes, 4u << 20);
	o->max_frame = or_default(o->max_frame, 4u << 20);
	o->rotate_bytes = or_default(o->rotate_bytes, 64u << 20);
	o->rotate_age_ns = or_default(o->rotate_age_ns, 10 * MINUTE);
	o->max_future_ns = or_default(o->max_future_ns, 2 * DAY);
	if (o->max_frame > SPAN_FRAME_MAX)
		o->max_frame = SPAN_FRAME_MAX;
}

/* "64M" after "memory:": bytes, or 0 when it is no size. */
static uint64_t parse_size(const char *text)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t n;
	char *end;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return 0;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		for (const char *u = units; u <= unit; u++) {
			if (__builtin_mul_overflow(n, 1024u, &n))
				return 0;
		}
		end++;
	}
	return *end ? 0 : n;
}

int span__store_named(const char *name, int rc, struct span_error *err)
{
	char msg[sizeof(err->msg)];

	if (rc >= 0 || !err || rc == SPAN_E_PIPE)
		return rc;
	memcpy(msg, err->msg, sizeof(msg));
	errno = err->sys;
	return span_error_set(err, rc, "%s: %s", name, msg);
}

int span__store_open(struct span_store **out, const char *name,
		     const struct span_store_opts *o, const struct span__io *io,
		     struct span_error *err)
{
	const size_t prefix = sizeof(memory_prefix) - 1;
	struct span_store_opts opts = {0};
	uint64_t size;
	int rc;

	*out = NULL;
	if (o)
		opts = *o;
	fill_defaults(&opts);
	if (strncmp(name, memory_prefix, prefix)) {
		rc = span__store_open_dir(out, name, &opts, io, err);
		return span__store_named(name, rc, err);
	}
	size = parse_size(name + prefix);
	if (!size)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: not a size like memory:64M", name);
	rc = span__store_open_memory(out, size, name, &opts, io, err);
	return span__store_named(name, rc, err);
}

int span_store_open(struct span_store **out, const char *name,
		    const struct span_store_opts *o, struct span_error *err)
{
	return span__store_open(out, name, o, &span__io_system, err);
}

/* How many spans of the frame start after LIMIT. */
static int count_future(struct span_frame *f, uint64_t limit, uint32_t *n,
			struct span_error *err)
{
	struct span span;
	int rc;

	span_frame_rewind(f);
	while ((rc = span_frame_next(f, &span, err)) > 0)
		*n += span.start_ns > limit;
	span_frame_rewind(f);
	return rc;
}

int span_store_append_frame(struct span_store *st, struct span_frame *f,
			    struct span_error *err)
{
	const struct span_frame_info *info = span_frame_info(f);
	uint64_t limit = st->io->clock(st->io->self, CLOCK_REALTIME);
	uint32_t future = 0;
	int rc;

	if (!st->ops->append || st->opts.mode != SPAN_STORE_APPEND)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: not open for append", st->name);
	if (info->bytes.len > st->opts.max_frame)
		return span_error_set(
			err, SPAN_E_LIMIT,
			"%s: a frame of %zu bytes is above the limit of %llu",
			st->name, info->bytes.len,
			(unsigned long long)st->opts.max_frame);
	if (__builtin_add_overflow(limit, st->opts.max_future_ns, &limit))
		limit = UINT64_MAX;
	if (info->max_end_ns > limit) {
		rc = count_future(f, limit, &future, err);
		if (rc < 0)
			return rc;
	}
	return span__store_named(st->name,
				 st->ops->append(st, info, future, err), err);
}

int span_store_sync(struct span_store *st, struct span_error *err)
{
	if (!st->ops->sync)
		return 0;
	return span__store_named(st->name, st->ops->sync(st, err), err);
}

int span_store_tick(struct span_store *st, uint64_t *wait_ns,
		    struct span_error *err)
{
	*wait_ns = UINT64_MAX;
	if (!st->ops->tick)
		return 0;
	return span__store_named(st->name, st->ops->tick(st, wait_ns, err),
				 err);
}

void span_store_counts(const struct span_store *st,
		       struct span_store_counts *out)
{
	*out = (struct span_store_counts){0};
	if (st->ops->counts)
		st->ops->counts(st, out);
}

int span_store_scan(struct span_store *st, const struct span_range *r,
		    struct span_cursor **out, struct span_error *err)
{
	const struct span__scan scan = {.range = r};

	*out = NULL;
	return span__store_named(st->name, st->ops->scan(st, &scan, out, err),
				 err);
}

void span_store_work(const struct span_store *st, struct span_store_work *out)
{
	const struct span__work *w = &st->work;

	*out = (struct span_store_work){
		.n_scans = w->scans,
		.n_segments = w->segments,
		.n_segments_passed = w->segments_passed,
		.n_logs = w->logs,
		.n_logs_passed = w->logs_passed,
		.n_blocks = w->blocks,
		.n_blocks_walked = w->blocks_walked,
		.n_shapes = w->shapes,
		.n_frames = w->frames,
		.log_bytes = w->log_bytes,
		.n_spans = w->spans,
		.packed_bytes = w->packed_bytes,
		.unpacked_bytes = w->unpacked_bytes,
	};
}

int span_store_count(struct span_store *st, const struct span_range *r,
		     uint64_t *n, struct span_error *err)
{
	struct span_range range = {0};
	struct span_cursor *c;
	int rc;

	if (r)
		range = *r;
	range.head_only = true;
	*n = 0;
	rc = span_store_scan(st, &range, &c, err);
	if (rc < 0)
		return rc;
	rc = c->ops->count(c, n, err);
	span_cursor_close(&c);
	return rc;
}

static int find(struct span_store *st, const struct span_range *range,
		const uint8_t (*ids)[16], size_t n, struct span_cursor **out,
		struct span_error *err)
{
	const struct span__scan scan = {.range = range, .ids = ids, .n_ids = n};

	*out = NULL;
	if (!n)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: no trace to find", st->name);
	return span__store_named(st->name, st->ops->scan(st, &scan, out, err),
				 err);
}

int span_store_find(struct span_store *st, const uint8_t (*ids)[16], size_t n,
		    struct span_cursor **out, struct span_error *err)
{
	return find(st, NULL, ids, n, out, err);
}

int span__store_find_heads(struct span_store *st, const uint8_t (*ids)[16],
			   size_t n, bool errors, struct span_cursor **out,
			   struct span_error *err)
{
	static const struct span_range heads = {.head_only = true};
	static const struct span_range told = {.head_only = true,
					       .head_errors = true};

	return find(st, errors ? &told : &heads, ids, n, out, err);
}

int span_store_since(struct span_store *st, const struct span_store_mark *from,
		     const struct span_range *range, const uint8_t (*ids)[16],
		     size_t n, span_store_since_fn *fn, void *arg,
		     struct span_store_mark *end, struct span_error *err)
{
	const struct span__scan scan = {.range = range, .ids = ids, .n_ids = n};

	*end = *from;
	if (!st->ops->since)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: it keeps no times of arrival",
				      st->name);
	return span__store_named(
		st->name, st->ops->since(st, from, &scan, fn, arg, end, err),
		err);
}

int span_store_follow(struct span_store *st, struct span_store_place *at,
		      span_store_frame_fn *fn, void *arg,
		      struct span_error *err)
{
	if (!st->ops->follow)
		return span_error_set(err, SPAN_E_INVALID, "%s: it has no logs",
				      st->name);
	return span__store_named(st->name,
				 st->ops->follow(st, at, fn, arg, err), err);
}

int span_cursor_next(struct span_cursor *c, struct span *out,
		     struct span_error *err)
{
	return c->ops->next(c, out, err);
}

void span_cursor_close(struct span_cursor **c)
{
	if (*c)
		(*c)->ops->close(*c);
	*c = NULL;
}

int span_store_refresh(struct span_store *st, struct span_error *err)
{
	if (!st->ops->refresh)
		return 0;
	return span__store_named(st->name, st->ops->refresh(st, err), err);
}

void span_store_stop(struct span_store *st, const bool *stop)
{
	st->stop = stop;
}

int span_store_stat(struct span_store *st, struct span_store_stat *out,
		    struct span_error *err)
{
	*out = (struct span_store_stat){0};
	return span__store_named(st->name, st->ops->stat(st, out, err), err);
}

int span_store_files(struct span_store *st, span_store_file_fn *fn, void *arg,
		     struct span_error *err)
{
	if (!st->ops->files)
		return 0;
	return span__store_named(st->name, st->ops->files(st, fn, arg, err),
				 err);
}

int span_store_parts(struct span_store *st, span_store_part_fn *fn, void *arg,
		     struct span_error *err)
{
	if (!st->ops->parts)
		return 0;
	return span__store_named(st->name, st->ops->parts(st, fn, arg, err),
				 err);
}

int span_store_verify(struct span_store *st, span_store_file_fn *fn, void *arg,
		      struct span_error *err)
{
	if (!st->ops->verify)
		return 0;
	return span__store_named(st->name, st->ops->verify(st, fn, arg, err),
				 err);
}

int span_store_expire(struct span_store *st, const struct span_store_policy *p,
		      struct span_store_expired *out, span_store_file_fn *fn,
		      void *arg, struct span_error *err)
{
	*out = (struct span_store_expired){0};
	if (!st->ops->expire ||
	    (!p->dry_run && st->opts.mode != SPAN_STORE_MAINTAIN))
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: not open to expire", st->name);
	return span__store_named(
		st->name, st->ops->expire(st, p, out, fn, arg, err), err);
}

int span_store_seal(struct span_store *st, const struct span_seal_opts *o,
		    struct span_sealed *out, span_store_file_fn *fn, void *arg,
		    struct span_error *err)
{
	bool dry_run = o && o->dry_run;

	*out = (struct span_sealed){0};
	if (!st->ops->seal ||
	    (!dry_run && st->opts.mode != SPAN_STORE_MAINTAIN))
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: not open to seal", st->name);
	return span__store_named(st->name,
				 st->ops->seal(st, o, out, fn, arg, err), err);
}

int span_store_export(struct span_store *st, const char *dir, uint64_t *n,
		      struct span_error *err)
{
	*n = 0;
	if (!st->ops->export_to)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: it has no segments to export",
				      st->name);
	return st->ops->export_to(st, dir, n, err);
}

int span_store_policy_get(struct span_store *st, struct span_store_policy *out,
			  struct span_error *err)
{
	*out = (struct span_store_policy){0};
	if (!st->ops->policy_get)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: it remembers no policy", st->name);
	return span__store_named(st->name, st->ops->policy_get(st, out, err),
				 err);
}

int span_store_policy_set(struct span_store *st,
			  const struct span_store_policy *p,
			  struct span_error *err)
{
	if (!st->ops->policy_set || st->opts.mode != SPAN_STORE_MAINTAIN)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: not open to set its policy",
				      st->name);
	return span__store_named(st->name, st->ops->policy_set(st, p, err),
				 err);
}

int span_store_calls(struct span_store *st,
		     const struct span_store_calls_range *r,
		     span_store_calls_fn *fn, void *arg, struct span_error *err)
{
	return span__store_named(st->name, st->ops->calls(st, r, fn, arg, err),
				 err);
}

int span_store_calls_width(struct span_store *st,
			   const struct span_store_calls_range *r,
			   uint64_t *width_ns, struct span_error *err)
{
	*width_ns = UINT64_C(60000000000);
	if (!st->ops->calls_width)
		return 0;
	return span__store_named(
		st->name, st->ops->calls_width(st, r, width_ns, err), err);
}

int span_store_names(struct span_store *st, span_store_name_fn *fn, void *arg,
		     struct span_error *err)
{
	return span__store_named(st->name, st->ops->names(st, fn, arg, err),
				 err);
}

int span__store_shapes(struct span_store *st, struct span__shapes_sink *sink,
		       struct span_error *err)
{
	sink->n_traces = sink->n_spans = 0;
	if (!st->ops->shapes)
		return 0;
	return span__store_named(st->name, st->ops->shapes(st, sink, err), err);
}

int span__store_traces(struct span_store *st, unsigned want,
		       span__traces_fn *fn, void *arg, struct span_error *err)
{
	if (!st->ops->traces)
		return 0;
	return span__store_named(st->name,
				 st->ops->traces(st, want, fn, arg, err), err);
}

int span_store_close(struct span_store **st, struct span_error *err)
{
	struct span_store *old = *st;
	char *name;
	int rc;

	if (!old)
		return 0;
	*st = NULL;
	name = old->name;
	rc = span__store_named(name, old->ops->close(old, err), err);
	free(name);
	return rc;
}

void span__store_damage(const struct span_store_opts *o, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	if (!o->damage)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	o->damage(o->arg, text);
}
