/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which orphans have their parents in other files is found out first, then a
 * file's calls are counted. Logs need no more than that; calls_count_seg.c has
 * segments.
 */
#include "store/calls_count.h"

#include "base/banned.h"

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* What LOAD says, with 1 for a file that can be read and 0 for another. */
static int load(struct span__calls_counter *c, size_t n, bool keep,
		struct span__calls_file *out, struct span_error *err)
{
	int rc = c->files->load(c->files->arg, n, keep, out, err);

	if (rc == SPAN_E_NOTFOUND || rc == SPAN_E_CORRUPT)
		return 0;
	return rc < 0 ? rc : 1;
}

static bool any_absent(const struct span__orphan *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].parent == CALLS_ABSENT)
			return true;
	return false;
}

size_t span__calls_nearest(const struct span__calls_counter *c, size_t k)
{
	size_t far = k / 2 + 1;

	if (k % 2)
		return far <= c->number ? c->number - far : SIZE_MAX;
	return far < c->files->n - c->number ? c->number + far : SIZE_MAX;
}

bool span__calls_near_file(const struct span__calls_counter *c, size_t number)
{
	const struct span__calls_source *own = &c->files->bounds[c->number];

	return number < c->files->n &&
	       span__calls_near(own->min_start_ns, own->max_end_ns,
				&c->files->bounds[number]);
}

int span__calls_load(struct span__calls_counter *c, size_t number,
		     struct span__calls_file *out, struct span_error *err)
{
	return load(c, number, false, out, err);
}

int span__calls_resolve(struct span__calls_counter *c, size_t number,
			struct span__orphan *v, size_t n,
			struct span_error *err)
{
	struct span__calls_source other = c->files->bounds[number];
	int rc = any_absent(v, n);

	if (rc)
		rc = load(c, number, false, &other.file, err);
	if (rc > 0)
		rc = span__orphans_find(&c->search, &c->file, v, n, &other,
					c->names, err);
	return rc;
}

static int resolve_all(struct span__calls_counter *c, struct span__orphan *v,
		       size_t n, struct span_error *err)
{
	int rc = 0;

	for (size_t k = 0; k < 2 * c->files->n && !rc; k++) {
		size_t number = span__calls_nearest(c, k);

		if (span__calls_near_file(c, number))
			rc = span__calls_resolve(c, number, v, n, err);
	}
	return rc;
}

/* Count those of the trace that have a parent, or name none. */
static int count_trace(struct span__calls_counter *c, uint64_t trace,
		       struct span_buf *orphans, struct span_error *err)
{
	const struct span__call_trace *t = &c->trace;
	int rc = span__call_trace_link(&c->trace, err);

	for (size_t i = 0; i < t->n && !rc; i++) {
		const struct span__call *call = &t->calls[i];
		uint32_t parent = t->parent[i];

		if (!span__calls_in(&c->sink, call->start_ns))
			continue;
		if (t->flags[i] & SPAN_TRACE_ORPHAN) {
			struct span__orphan o = {
				.trace = trace,
				.parent_id = t->members[i].parent_id,
				.start_ns = call->start_ns,
				.duration_ns = call->duration_ns,
				.name = call->name,
				.place = call->place,
				.parent = CALLS_ABSENT,
				.checked = true,
			};

			span_buf_put(orphans, &o, sizeof(o));
			continue;
		}
		rc = span__calls_groups_add(
			c->groups,
			parent == SPAN_TRACE_NONE
				? CALLS_NONE
				: CALLS_NAME + t->calls[parent].name,
			call->name, call->start_ns, call->duration_ns, err);
	}
	return rc;
}

static int count_log(struct span__calls_counter *c, struct span_error *err)
{
	uint64_t n_traces = span__calls_file_traces(&c->file);
	struct span_buf buf = {0};
	struct span__orphan *v;
	size_t n;
	int rc = 0;

	for (uint64_t i = 0; i < n_traces && !rc; i++) {
		rc = span__calls_file_trace(&c->file, i, &c->trace, err);
		if (!rc)
			rc = count_trace(c, i, &buf, err);
	}
	if (!rc && buf.failed)
		rc = out_of_memory(err);
	v = (struct span__orphan *)(void *)buf.p;
	n = buf.len / sizeof(*v);
	if (!rc)
		rc = resolve_all(c, v, n, err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = span__calls_groups_add(c->groups, v[i].parent, v[i].name,
					    v[i].start_ns, v[i].duration_ns,
					    err);
	span_buf_release(&buf);
	return rc;
}

static bool in_range(const struct span__calls_counter *c)
{
	const struct span__calls_source *b = &c->files->bounds[c->number];

	return b->min_start_ns <= c->sink.last_ns &&
	       b->max_end_ns >= c->sink.since_ns;
}

static int count_file(struct span__calls_counter *c, struct span_error *err)
{
	int rc;

	if (!in_range(c))
		return 0;
	rc = load(c, c->number, true, &c->file, err);
	if (rc <= 0)
		return rc;
	rc = c->file.log ? count_log(c, err) : span__calls_count_seg(c, err);
	if (!rc)
		rc = span__calls_groups_flush(c->groups, err);
	c->files->done(c->files->arg, c->number);
	return rc;
}

static int check_range(const struct span_store_calls_range *r,
		       struct span_error *err)
{
	if (!r || r->width_ns % CALLS_WIDTH_NS == 0)
		return 0;
	return span_error_set(err, SPAN_E_INVALID,
			      "a bucket of calls is minutes long");
}

int span__calls_count(const struct span__calls_files *files,
		      struct span__call_names *names,
		      const struct span_store_calls_range *range,
		      span_store_calls_fn *fn, void *arg,
		      struct span_error *err)
{
	static const struct span_store_calls_range all;
	const struct span_store_calls_range *r = range ? range : &all;
	struct span__calls_counter c = {
		.files = files,
		.names = names,
		.sink = {.since_ns = r->since_ns,
			 .last_ns = r->until_ns ? r->until_ns - 1 : UINT64_MAX,
			 .width_ns = r->width_ns,
			 .names = names,
			 .fn = fn,
			 .arg = arg},
	};
	int rc = check_range(range, err);

	if (!rc)
		rc = span__calls_groups_open(&c.groups, &c.sink, err);
	for (; c.number < files->n && !rc; c.number++)
		rc = count_file(&c, err);
	span__calls_groups_close(&c.groups);
	span__orphan_search_release(&c.search);
	span__call_trace_release(&c.trace);
	return rc;
}
