/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables of a frame say before its spans are looked at. */
#include "store/frame_judge.h"

#include "base/bytes.h"
#include "store/attr_test.h"
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
	       !r->service_fn && !r->operation_fn && !r->error && !r->n_tags &&
	       !r->n_tests;
}

/* For which kinds, or statuses, a span of that one fulfils EQ. */
static uint16_t fitting_heads(const struct span__tag_eq *eq)
{
	uint16_t heads = 0;

	if (eq->derived != SPAN__DERIVED_KIND &&
	    eq->derived != SPAN__DERIVED_STATUS &&
	    eq->derived != SPAN__DERIVED_STATUS_CODE)
		return 0;
	for (unsigned i = 0; i < 16; i++) {
		const struct span s = {.kind = i, .status = i};
		struct span_str text = span__derived_text(eq->derived, &s);

		if (text.len && span__str_equal(text, eq->value))
			heads |= (uint16_t)(1u << i);
	}
	return heads;
}

void span__filter_init(struct span__filter *filter,
		       const struct span__scan *scan)
{
	const struct span_range *r = scan->range;

	*filter = (struct span__filter){.scan = *scan};
	filter->all = !scan->n_ids && (!r || is_open(r));
	filter->errors = r && r->error;
	for (size_t i = 0; r && i < r->n_tags && i < JUDGE_TAGS; i++) {
		struct span__tag_eq *eq = &filter->tags[filter->n_tags];

		span__tag_eq_init(eq, r->tags[i].key, r->tags[i].value);
		filter->heads[filter->n_tags++] = fitting_heads(eq);
		filter->errors |= eq->derived == SPAN__DERIVED_ERROR;
	}
	for (size_t i = 0; r && i < r->n_tests && filter->n_tags < JUDGE_TAGS;
	     i++) {
		filter->tests[filter->n_tags] = &r->tests[i];
		if (r->tests[i].every)
			filter->everys |= UINT64_C(1) << filter->n_tags;
		if (r->tests[i].of & SPAN_ATTRS_PROCESS_ELSE)
			filter->elses |= UINT64_C(1) << filter->n_tags;
		filter->tags[filter->n_tags++].key = r->tests[i].key;
	}
	filter->more = r && r->n_tags + r->n_tests > filter->n_tags;
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

static int judge_tag(struct span__judge *j, size_t k,
		     const struct span_attrs *a, unsigned of,
		     struct span_error *err)
{
	const struct span_attr_test *test = j->filter->tests[k];
	int rc;

	if (test) {
		rc = test->of & of ? span__attr_test_attrs(test, a, err) : 0;
		j->ended |= rc < 0;
		return rc;
	}
	rc = span__tag_eq_attrs(&j->filter->tags[k], a, &j->text);
	return rc < 0 ? out_of_memory(err) : rc;
}

/* The attributes of a process or scope, as OF says. */
static int judge_attrs(struct span__judge *j, const struct span_attrs *a,
		       unsigned of, uint64_t *tags, struct span_error *err)
{
	for (size_t k = 0; k < j->filter->n_tags; k++) {
		int rc = judge_tag(j, k, a, of, err);

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
		rc = judge_attrs(j, &p->attrs,
				 SPAN_ATTRS_PROCESS | SPAN_ATTRS_PROCESS_ELSE,
				 &v[i].tags, err);
		if (rc < 0)
			return rc;
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
		int rc;

		v[i + 1] = (struct span__verdict){0};
		v[i + 1].tags =
			derived_tags(j, SPAN__DERIVED_SCOPE_NAME, s->name) |
			derived_tags(j, SPAN__DERIVED_SCOPE_VERSION,
				     s->version);
		rc = judge_attrs(j, &s->attrs, SPAN_ATTRS_SCOPE, &v[i + 1].tags,
				 err);
		if (rc < 0)
			return rc;
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
	j->err = err;
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
	if (rc > 0)
		rc = filter_tags(r, s, text, err);
	for (size_t i = 0; i < r->n_tests && rc > 0; i++)
		rc = span__attr_test_span(&r->tests[i], s, err);
	return rc;
}
