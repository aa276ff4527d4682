/* SPDX-License-Identifier: Apache-2.0 */
#include "query/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MAX_LIST 65536u /* alternatives of one option */

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

static int compile_id(struct span_query *q, struct span__id *id,
		      const char *typed, struct span_error *err)
{
	char digits[SPAN_TRACE_ID_TEXT];
	int rc = span__trace_text_read(typed, digits, err);

	if (rc < 0)
		return rc;
	if (span_trace_id_parse(span_str(digits), id->exact) < 0 ||
	    !span_arena_str(&q->arena, span_str(digits), &id->text))
		return out_of_memory(err);
	id->digits = id->text.len;
	/* The digits are at the right end of the id: move them to the left. */
	for (size_t i = 0; i < id->digits; i++) {
		size_t from = 32 - id->digits + i;
		uint8_t digit = id->exact[from / 2] >> (from % 2 ? 0 : 4) & 15;

		id->prefix[i / 2] |= (uint8_t)(digit << (i % 2 ? 0 : 4));
	}
	return 0;
}

static int compile_ids(struct span_query *q, const struct span_select *sel,
		       struct span_error *err)
{
	q->ids = span_arena_array(&q->arena, sel->n_trace_ids, sizeof(*q->ids));
	if (!q->ids)
		return out_of_memory(err);
	for (size_t i = 0; i < sel->n_trace_ids; i++) {
		int rc;

		q->ids[i] = (struct span__id){0};
		rc = compile_id(q, &q->ids[i], sel->trace_ids[i], err);
		if (rc < 0)
			return rc;
		q->n_ids = i + 1;
	}
	return 0;
}

static int compile_tags(struct span_query *q, const struct span_select *sel,
			struct span_error *err)
{
	q->tags.text = calloc(1, sizeof(*q->tags.text));
	if (!q->tags.text)
		return out_of_memory(err);
	for (size_t i = 0; i < sel->n_tags; i++) {
		int rc = span__tags_parse(&q->tags, sel->tags[i], &q->arena,
					  err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int compile_range(struct span_query *q, const struct span_select *sel,
			 struct span_error *err)
{
	q->range.since_ns = sel->since_ns;
	q->range.until_ns = sel->until_ns;
	q->range.min_duration_ns = sel->min_duration_ns;
	q->range.max_duration_ns = sel->max_duration_ns;
	q->range.error = sel->error;
	if (sel->max_duration_ns && sel->max_duration_ns < sel->min_duration_ns)
		return span_error_set(
			err, SPAN_E_INVALID,
			"the longest duration is below the shortest");
	if (sel->until_ns && sel->until_ns <= sel->since_ns)
		return span_error_set(err, SPAN_E_INVALID,
				      "the time range ends before it begins");
	return 0;
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
	const struct span_query *q = arg;

	return span__names_match(&q->services, name, err);
}

static int operation_fits(void *arg, struct span_str name,
			  struct span_error *err)
{
	const struct span_query *q = arg;

	return span__names_match(&q->operations, name, err);
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
	q->pushed = q->range.n_tags == q->tags.n;
	return 0;
}

static int push_down_all(struct span_query *q, struct span_error *err)
{
	if (push_down(q, &q->services, &q->range.services,
		      &q->range.n_services) < 0 ||
	    push_down(q, &q->operations, &q->range.operations,
		      &q->range.n_operations) < 0 ||
	    push_down_tags(q) < 0)
		return out_of_memory(err);
	q->range.fn_arg = q;
	if (q->services.n && !q->range.n_services)
		q->range.service_fn = service_fits;
	if (q->operations.n && !q->range.n_operations)
		q->range.operation_fn = operation_fits;
	return 0;
}

static int compile(struct span_query *q, const struct span_select *sel,
		   struct span_error *err)
{
	int rc;

	if (sel->n_services > MAX_LIST || sel->n_operations > MAX_LIST ||
	    sel->n_tags > MAX_LIST || sel->n_trace_ids > MAX_LIST)
		return span_error_set(err, SPAN_E_INVALID,
				      "more than %u alternatives", MAX_LIST);
	rc = span__names_compile(&q->services, sel->services, sel->n_services,
				 "service", &q->arena, err);
	if (!rc)
		rc = span__names_compile(&q->operations, sel->operations,
					 sel->n_operations, "operation",
					 &q->arena, err);
	if (!rc)
		rc = compile_tags(q, sel, err);
	if (!rc)
		rc = compile_ids(q, sel, err);
	if (!rc)
		rc = compile_range(q, sel, err);
	return rc < 0 ? rc : push_down_all(q, err);
}

int span_query_compile(struct span_query **out, const struct span_select *sel,
		       struct span_error *err)
{
	struct span_query *q = calloc(1, sizeof(*q));
	int rc;

	*out = NULL;
	if (!q)
		return out_of_memory(err);
	rc = compile(q, sel, err);
	if (rc < 0) {
		span_query_close(&q);
		return rc;
	}
	*out = q;
	return 0;
}

bool span__id_is_prefix(const struct span__id *id, const uint8_t trace_id[16])
{
	static const uint8_t zeros[8];
	bool is_short = !memcmp(trace_id, zeros, sizeof(zeros));
	const uint8_t *printed = trace_id + (is_short ? 8 : 0);
	size_t whole = id->digits / 2;

	if (id->digits > (is_short ? 16 : 32) ||
	    memcmp(printed, id->prefix, whole) != 0)
		return false;
	return id->digits % 2 == 0 ||
	       printed[whole] >> 4 == id->prefix[whole] >> 4;
}

static bool match_ids(const struct span_query *q, const struct span *s)
{
	for (size_t i = 0; i < q->n_ids; i++)
		if (!memcmp(s->trace_id, q->ids[i].exact, 16) ||
		    span__id_is_prefix(&q->ids[i], s->trace_id))
			return true;
	return !q->n_ids;
}

static bool match_range(const struct span_range *r, const struct span *s)
{
	return s->start_ns >= r->since_ns &&
	       (!r->until_ns || s->start_ns < r->until_ns) &&
	       s->duration_ns >= r->min_duration_ns &&
	       (!r->max_duration_ns || s->duration_ns <= r->max_duration_ns);
}

int span_query_match_head(const struct span_query *q, const struct span *s,
			  struct span_error *err)
{
	int rc;

	if (!match_range(&q->range, s) || !match_ids(q, s))
		return 0;
	rc = span__names_match(&q->services, s->process->service, err);
	if (rc > 0)
		rc = span__names_match(&q->operations, s->name, err);
	if (rc <= 0)
		return rc;
	return q->tags.n || q->range.error ? 2 : 1;
}

int span_query_match(const struct span_query *q, const struct span *s,
		     struct span_error *err)
{
	int rc = span_query_match_head(q, s, err);

	if (rc <= 1)
		return rc;
	if (q->range.error && !span_is_error(s))
		return 0;
	return span__tags_match(&q->tags, s, err);
}

int span__query_judge(const struct span_query *q, const struct span_trace *t,
		      uint8_t *matched, struct span_error *err)
{
	int any = 0;

	for (size_t i = 0; i < t->n; i++) {
		int rc = span_query_match(q, &t->spans[i], err);

		if (rc < 0)
			return rc;
		matched[i] = rc > 0;
		any |= rc;
	}
	return any;
}

void span_query_close(struct span_query **q)
{
	if (!*q)
		return;
	span__names_release(&(*q)->services);
	span__names_release(&(*q)->operations);
	span__tags_release(&(*q)->tags);
	span_arena_release(&(*q)->arena);
	free(*q);
	*q = NULL;
}
