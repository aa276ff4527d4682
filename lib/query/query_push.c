/* SPDX-License-Identifier: Apache-2.0 */
/* What a store can look for: options, and the hints of an expression. */
#include "query/traceql.h"

#include "base/banned.h"

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

/* Hand exact names to the store, which finds them faster. */
static int push_down(struct span_query *q, const struct span__names *names,
		     const struct span_str **out, size_t *n)
{
	struct span_str *v;

	if (!span__names_exact(names))
		return 0;
	v = span_arena_array(&q->arena, names->n, sizeof(*v));
	if (!v)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < names->n; i++)
		v[i] = names->v[i].text;
	*out = v;
	*n = names->n;
	return 0;
}

static int service_fits(void *arg, struct span_str name, struct span_error *err)
{
	const struct span__asked *a = arg;
	int rc = a->options ? span__names_match(&a->q->services, name, err) : 1;

	if (rc <= 0 || !a->hints)
		return rc;
	return span__traceql_name_fits(a->q->expression, &a->hints->services,
				       name, true, err);
}

static int operation_fits(void *arg, struct span_str name,
			  struct span_error *err)
{
	const struct span__asked *a = arg;
	int rc = a->options ? span__names_match(&a->q->operations, name, err)
			    : 1;

	if (rc <= 0 || !a->hints)
		return rc;
	return span__traceql_name_fits(a->q->expression, &a->hints->operations,
				       name, false, err);
}

/* The tags that are an equality: all others are left to the match. */
static int push_down_tags(struct span_query *q)
{
	struct span_tag_eq *v =
		span_arena_array(&q->arena, q->tags.n, sizeof(*v));

	if (!v)
		return SPAN_E_NOMEM;
	q->range.tags = v;
	for (size_t i = 0; i < q->tags.n; i++) {
		const struct span__tag *tag = &q->tags.v[i];

		if (!tag->regex && !tag->negate)
			v[q->range.n_tags++] = (struct span_tag_eq){
				tag->eq.key, tag->eq.value};
	}
	q->headed = q->range.n_tags == q->tags.n && !q->n_not_tags;
	q->pushed = q->headed && !q->root && !q->orphans;
	return 0;
}

/* Those of an expression come on top. */
static int push_down_hint_tags(struct span_query *q)
{
	size_t n = q->range.n_tags;
	struct span_tag_eq *v =
		span_arena_array(&q->arena, n + q->hints->n_tags, sizeof(*v));

	if (!v)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		v[i] = q->range.tags[i];
	for (size_t i = 0; i < q->hints->n_tags; i++)
		v[n + i] = q->hints->tags[i];
	q->range.tags = v;
	q->range.n_tags = n + q->hints->n_tags;
	return 0;
}

/* The names that an expression lists; false when others are listed. */
static bool push_down_names(const struct tql_names *names,
			    const struct span_str **out, size_t *n)
{
	if (!names->set)
		return true;
	if (*n)
		return false;
	*out = names->v;
	*n = names->n;
	return true;
}

/* All but tags and functions. True when the range says all that H does. */
static bool push_down_hints(const struct tql_hints *h, struct span_range *r)
{
	bool all = push_down_names(&h->services, &r->services, &r->n_services);

	all &= push_down_names(&h->operations, &r->operations,
			       &r->n_operations);
	if (h->min_ns > r->min_duration_ns)
		r->min_duration_ns = h->min_ns;
	if (h->max_ns &&
	    (!r->max_duration_ns || h->max_ns < r->max_duration_ns))
		r->max_duration_ns = h->max_ns;
	r->error |= h->error;
	return all && h->exact;
}

/* What it asks of attributes. */
static int push_down_attrs(struct span_query *q, struct tql_hints *h,
			   struct span_range *r)
{
	struct span_attr_test *v =
		span_arena_array(&q->arena, h->n_attrs, sizeof(*v));

	if (!v)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < h->n_attrs; i++) {
		v[i] = h->attrs[i].test;
		v[i].arg = &h->attrs[i];
	}
	r->tests = v;
	r->n_tests = h->n_attrs;
	return 0;
}

/* What the options say, and H besides. OPTIONS: a store finds all of them. */
static int push_down_part(struct span_query *q, struct span__part *p,
			  const struct span_range *options, bool pushed,
			  struct tql_hints *h)
{
	struct span_tag_eq *tags = span_arena_array(
		&q->arena, options->n_tags + h->n_tags, sizeof(*tags));

	if (!tags)
		return SPAN_E_NOMEM;
	*p = (struct span__part){.asked = {q, h, true}, .range = *options};
	p->pushed = push_down_hints(h, &p->range) && pushed;
	for (size_t i = 0; i < options->n_tags; i++)
		tags[i] = options->tags[i];
	for (size_t i = 0; i < h->n_tags; i++)
		tags[p->range.n_tags++] = h->tags[i];
	p->range.tags = tags;
	p->range.fn_arg = &p->asked;
	if (h->services.n_conds)
		p->range.service_fn = service_fits;
	if (h->operations.n_conds)
		p->range.operation_fn = operation_fits;
	return push_down_attrs(q, h, &p->range);
}

/* The parts of an expression whose hints say less; OPTIONS are pushed. */
static int push_down_parts(struct span_query *q, struct span_error *err)
{
	const struct span_range options = q->range;
	bool pushed = q->pushed;
	struct tql_hints *v;
	size_t n;
	int rc;

	if (q->hints->exact)
		return 0;
	rc = span__traceql_parts(q->expression, &q->either, &v, &n, &q->arena,
				 err);
	if (rc < 0 || !n)
		return rc;
	q->parts = span_arena_array(&q->arena, n, sizeof(*q->parts));
	if (!q->parts)
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++) {
		if (push_down_part(q, &q->parts[i], &options, pushed, &v[i]) <
		    0)
			return out_of_memory(err);
	}
	q->n_parts = n;
	return 0;
}

int span__query_push_down(struct span_query *q, struct span_error *err)
{
	int rc;

	if (push_down(q, &q->services, &q->range.services,
		      &q->range.n_services) < 0 ||
	    push_down(q, &q->operations, &q->range.operations,
		      &q->range.n_operations) < 0 ||
	    push_down_tags(q) < 0 || span__matchers_push(q) < 0)
		return out_of_memory(err);
	q->asked = (struct span__asked){q, q->hints, true};
	q->range.fn_arg = &q->asked;
	if (q->services.n && !q->range.n_services)
		q->range.service_fn = service_fits;
	if (q->operations.n && !q->range.n_operations)
		q->range.operation_fn = operation_fits;
	if (!q->hints)
		return 0;
	rc = push_down_parts(q, err);
	if (rc < 0)
		return rc;
	if (push_down_hint_tags(q) < 0)
		return out_of_memory(err);
	q->pushed &= push_down_hints(q->hints, &q->range);
	q->headed &= q->hints->exact;
	if (push_down_attrs(q, q->hints, &q->range) < 0)
		return out_of_memory(err);
	if (q->hints->services.n_conds)
		q->range.service_fn = service_fits;
	if (q->hints->operations.n_conds)
		q->range.operation_fn = operation_fits;
	return 0;
}

/* Options, but for the time. */
static bool has_options(const struct span_select *sel)
{
	return sel->n_services || sel->n_operations || sel->n_tags ||
	       sel->min_duration_ns || sel->max_duration_ns || sel->error ||
	       sel->root || sel->orphans || sel->n_not_tags ||
	       sel->n_has_tags || sel->n_kinds || sel->n_statuses ||
	       sel->n_matchers;
}

/* Options are about the spans that match, which are the candidates. */
int span__query_compile_need(struct span_query *q,
			     const struct span_select *sel,
			     struct span_error *err)
{
	struct span_range *r = &q->need.range;
	struct tql_hints *h;
	bool any_time = !sel->since_ns && !sel->until_ns;
	bool narrowed = has_options(sel) || sel->n_trace_ids;
	int rc;

	q->alone = q->expression && !narrowed;
	q->all = !q->expression && !narrowed && any_time;
	if (!q->alone || !q->expression->whole || !any_time)
		return 0;
	h = span_arena_alloc(&q->arena, sizeof(*h));
	if (!h)
		return out_of_memory(err);
	rc = span__traceql_need(q->expression, h, &q->arena, err);
	if (rc < 0)
		return rc;
	q->need.hints = h;
	q->need.asked = (struct span__asked){q, h, false};
	q->need.pushed = push_down_hints(h, r);
	r->tags = h->tags;
	r->n_tags = h->n_tags;
	r->fn_arg = &q->need.asked;
	if (push_down_attrs(q, h, r) < 0)
		return out_of_memory(err);
	if (h->services.n_conds)
		r->service_fn = service_fits;
	if (h->operations.n_conds)
		r->operation_fn = operation_fits;
	return 0;
}
