/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables of a frame say before its spans are looked at. */
#include "store/frame_judge.h"

#include "base/bytes.h"
#include "stream/frame.h"

#include "base/banned.h"

static int one_of(struct span_str s, const struct span_str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (span__str_equal(s, v[i]))
			return 1;
	}
	return !n;
}

int span__range_service(const struct span_range *r, struct span_str name,
			struct span_error *err)
{
	int rc = one_of(name, r->services, r->n_services);

	return rc && r->service_fn ? r->service_fn(r->fn_arg, name, err) : rc;
}

int span__range_operation(const struct span_range *r, struct span_str name,
			  struct span_error *err)
{
	int rc = one_of(name, r->operations, r->n_operations);

	return rc && r->operation_fn ? r->operation_fn(r->fn_arg, name, err)
				     : rc;
}

/* No condition is set. */
static bool is_open(const struct span_range *r)
{
	return !r->since_ns && !r->until_ns && !r->min_duration_ns &&
	       !r->max_duration_ns && !r->n_services && !r->n_operations &&
	       !r->service_fn && !r->operation_fn && !r->error && !r->n_tags;
}

void span__filter_init(struct span__filter *filter,
		       const struct span__scan *scan)
{
	const struct span_range *r = scan->range;

	*filter = (struct span__filter){.scan = *scan};
	filter->all = !scan->n_ids && (!r || is_open(r));
	filter->errors = r && r->error;
	for (size_t i = 0; r && i < r->n_tags && i < JUDGE_TAGS; i++) {
		struct span__tag_eq *eq = &filter->tags[filter->n_tags++];

		span__tag_eq_init(eq, r->tags[i].key, r->tags[i].value);
		filter->errors |= eq->derived == SPAN__DERIVED_ERROR;
	}
}

static void *room(struct span_buf *b, size_t len)
{
	b->len = 0;
	return span_buf_reserve(b, len);
}

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/*
 * Mark the strings of the frame. False when a key, or an operation, that every
 * span would need is not among them.
 */
static bool mark_strings(struct span__judge *j, uint8_t *marks)
{
	const struct span__filter *filter = j->filter;
	const struct span_range *r = filter->scan.range;
	const struct span_frame_info *info = &j->f->info;
	bool few = r->n_operations && r->n_operations <= 8, any = !few;
	uint64_t seen = 0;

	for (size_t i = 0; i < info->n_strings; i++) {
		struct span_str s = info->strings[i];

		marks[i] = 0;
		for (size_t k = 0; k < filter->n_tags; k++) {
			if (!span__str_equal(s, filter->tags[k].key))
				continue;
			marks[i] |= JUDGE_KEY;
			seen |= 1ull << k;
		}
		if (span__str_equal(s, SPAN_STR("error"))) {
			marks[i] |= JUDGE_ERROR;
			j->has_error_key = true;
		}
		if (few && one_of(s, r->operations, r->n_operations))
			any = true;
		else if (few)
			marks[i] |= JUDGE_NO;
	}
	j->has_keys = seen;
	for (size_t k = 0; k < filter->n_tags; k++)
		any = any && (filter->tags[k].derived || seen >> k & 1);
	return any;
}

static int judge_attrs(const struct span__judge *j, const struct span_attrs *a,
		       uint64_t *tags, struct span_buf *text)
{
	for (size_t k = 0; k < j->filter->n_tags; k++) {
		int rc = span__tag_eq_attrs(&j->filter->tags[k], a, text);

		if (rc < 0)
			return rc;
		*tags |= (uint64_t)(rc > 0) << k;
	}
	return 0;
}

/* The tags whose derived field is one of a process or scope. */
static uint64_t derived_tags(const struct span__judge *j,
			     enum span__derived derived, struct span_str text)
{
	uint64_t tags = 0;

	for (size_t k = 0; k < j->filter->n_tags; k++) {
		const struct span__tag_eq *eq = &j->filter->tags[k];

		if (eq->derived == derived && text.len &&
		    span__str_equal(eq->value, text))
			tags |= 1ull << k;
	}
	return tags;
}

/* 1, 0 when no process is of a service that is asked for, or a code. */
static int judge_processes(struct span__judge *j, struct span_error *err)
{
	const struct span_frame_info *info = &j->f->info;
	struct span__verdict *v =
		room(&j->processes, (info->n_processes + 1) * sizeof(*v));
	bool any = false;

	if (!v)
		return out_of_memory(err);
	for (size_t i = 0; i < info->n_processes; i++) {
		const struct span_process *p = &info->processes[i];
		int rc = span__range_service(j->filter->scan.range, p->service,
					     err);

		j->ended |= rc < 0;
		if (rc < 0)
			return rc;
		v[i] = (struct span__verdict){.in = rc > 0};
		any |= v[i].in;
		if (!v[i].in || !j->filter->n_tags)
			continue;
		v[i].tags = derived_tags(j, SPAN__DERIVED_SERVICE, p->service);
		if (judge_attrs(j, &p->attrs, &v[i].tags, &j->text) < 0)
			return out_of_memory(err);
	}
	return any;
}

static int judge_scopes(struct span__judge *j, struct span_error *err)
{
	struct span__verdict *v =
		room(&j->scopes, (j->f->n_scopes + 1) * sizeof(*v));

	if (!v)
		return out_of_memory(err);
	v[0] = (struct span__verdict){0};
	for (size_t i = 0; i < j->f->n_scopes; i++) {
		const struct span_scope *s = &j->f->scopes[i];

		v[i + 1] = (struct span__verdict){0};
		v[i + 1].tags =
			derived_tags(j, SPAN__DERIVED_SCOPE_NAME, s->name) |
			derived_tags(j, SPAN__DERIVED_SCOPE_VERSION,
				     s->version);
		if (judge_attrs(j, &s->attrs, &v[i + 1].tags, &j->text) < 0)
			return out_of_memory(err);
	}
	return 0;
}

int span__judge_tables(struct span__judge *j, struct span_error *err)
{
	uint8_t *marks;
	int rc;

	j->has_keys = j->has_error_key = false;
	j->has_tag = j->has_error = NULL;
	j->searched = 0;
	if (!j->filter->scan.range)
		return 1;
	marks = room(&j->marks, j->f->info.n_strings + 1);
	if (!marks)
		return out_of_memory(err);
	rc = judge_processes(j, err);
	if (rc <= 0)
		return rc;
	if (!mark_strings(j, marks))
		return 0;
	rc = j->filter->n_tags ? judge_scopes(j, err) : 0;
	return rc < 0 ? rc : 1;
}

static int filter_tags(const struct span_range *r, const struct span *s,
		       struct span_buf *text, struct span_error *err)
{
	int rc = 1;

	for (size_t i = 0; i < r->n_tags && rc > 0; i++) {
		struct span__tag_eq eq;

		span__tag_eq_init(&eq, r->tags[i].key, r->tags[i].value);
		rc = span__tag_eq_span(&eq, s, text);
	}
	return rc < 0 ? out_of_memory(err) : rc;
}

int span__filter_span(const struct span__filter *filter, const struct span *s,
		      struct span_buf *text, struct span_error *err)
{
	const struct span__scan *scan = &filter->scan;
	const struct span_range *r = scan->range;
	int rc;

	if (scan->n_ids && !span__id_among(s->trace_id, scan->ids, scan->n_ids))
		return 0;
	if (!r)
		return 1;
	if (!span__range_times(r, s->start_ns, s->duration_ns) ||
	    (r->error && !span_is_error(s)))
		return 0;
	rc = span__range_service(r, s->process->service, err);
	if (rc > 0)
		rc = span__range_operation(r, s->name, err);
	return rc > 0 ? filter_tags(r, s, text, err) : rc;
}
