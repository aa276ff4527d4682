/* SPDX-License-Identifier: Apache-2.0 */
#include "query/traceql.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MAX_LIST 65536u /* alternatives of one option */
#define MAX_KEY 4096u

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

/* That KEY has a value, whatever it is. */
static int add_key(struct span_query *q, const char *key,
		   struct span_error *err)
{
	struct span_str copy;

	if (!*key || strlen(key) > MAX_KEY)
		return span_error_set(err, SPAN_E_INVALID,
				      *key ? "the key of a tag is too long"
					   : "the key of a tag is missing");
	if (!span_arena_str(&q->arena, span_str(key), &copy))
		return out_of_memory(err);
	return span__tags_add(&q->tags, copy, SPAN_STR(""), true, &q->arena,
			      err);
}

static bool is_kind(struct span_str word)
{
	return span_kind_parse(word) > 0;
}

static bool is_status(struct span_str word)
{
	return span_status_parse(word) >= 0;
}

/*
 * That KEY, a derived tag, is one of the words V, of which FN knows all: an
 * equality where that is enough, since a store looks for it.
 */
static int add_words(struct span_query *q, const char *key, const char *what,
		     const char *const *v, size_t n,
		     bool (*fn)(struct span_str word), struct span_error *err)
{
	struct span_buf text = {0};
	struct span_str copy;
	bool regex = n > 1;

	if (!n)
		return 0;
	span_buf_puts(&text, regex ? "^(" : "");
	for (size_t i = 0; i < n; i++) {
		if (!fn(span_str(v[i]))) {
			span_buf_release(&text);
			return span_error_set(err, SPAN_E_INVALID,
					      "'%.60s' is no %s of a span",
					      v[i], what);
		}
		span_buf_puts(&text, i ? "|" : "");
		for (const char *p = v[i]; *p; p++)
			span_buf_putc(&text, *p <= 'Z' ? (char)(*p | 32) : *p);
	}
	span_buf_puts(&text, regex ? ")$" : "");
	if (text.failed ||
	    !span_arena_str(&q->arena, (struct span_str){text.p, text.len},
			    &copy)) {
		span_buf_release(&text);
		return out_of_memory(err);
	}
	span_buf_release(&text);
	return span__tags_add(&q->tags, span_str(key), copy, regex, &q->arena,
			      err);
}

static int compile_tags(struct span_query *q, const struct span_select *sel,
			struct span_error *err)
{
	int rc = span__tags_init(&q->tags, err);

	for (size_t i = 0; i < sel->n_tags && !rc; i++)
		rc = span__tags_parse(&q->tags, sel->tags[i], &q->arena, err);
	for (size_t i = 0; i < sel->n_has_tags && !rc; i++)
		rc = add_key(q, sel->has_tags[i], err);
	if (!rc)
		rc = add_words(q, "span.kind", "kind", sel->kinds, sel->n_kinds,
			       is_kind, err);
	if (!rc)
		rc = add_words(q, "status", "status", sel->statuses,
			       sel->n_statuses, is_status, err);
	return rc;
}

static int compile_not_tags(struct span_query *q, const struct span_select *sel,
			    struct span_error *err)
{
	int rc = 0;

	if (!sel->n_not_tags)
		return 0;
	q->not_tags = calloc(sel->n_not_tags, sizeof(*q->not_tags));
	if (!q->not_tags)
		return out_of_memory(err);
	q->n_not_tags = sel->n_not_tags;
	for (size_t i = 0; i < q->n_not_tags && !rc; i++) {
		rc = span__tags_init(&q->not_tags[i], err);
		if (!rc)
			rc = span__tags_parse(&q->not_tags[i], sel->not_tags[i],
					      &q->arena, err);
	}
	return rc;
}

static int compile_range(struct span_query *q, const struct span_select *sel,
			 struct span_error *err)
{
	q->range.since_ns = sel->since_ns;
	q->range.until_ns = sel->until_ns;
	q->range.min_duration_ns = sel->min_duration_ns;
	q->range.max_duration_ns = sel->max_duration_ns;
	q->range.error = sel->error;
	q->root = sel->root;
	q->orphans = q->whole = sel->orphans;
	if (sel->root && sel->orphans)
		return span_error_set(err, SPAN_E_INVALID,
				      "no span is a root and an orphan");
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
	int rc = span__names_match(&q->services, name, err);

	if (rc <= 0 || !q->expression)
		return rc;
	return span__traceql_name_fits(q->expression, &q->hints->services, name,
				       true, err);
}

static int operation_fits(void *arg, struct span_str name,
			  struct span_error *err)
{
	const struct span_query *q = arg;
	int rc = span__names_match(&q->operations, name, err);

	if (rc <= 0 || !q->expression)
		return rc;
	return span__traceql_name_fits(q->expression, &q->hints->operations,
				       name, false, err);
}

/* The tags that are an equality: all others are left to the match. */
static int push_down_tags(struct span_query *q)
{
	size_t n_hints = q->hints ? q->hints->n_tags : 0;
	struct span_tag_eq *v =
		span_arena_array(&q->arena, q->tags.n + n_hints, sizeof(*v));

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
	for (size_t i = 0; i < n_hints; i++)
		v[q->range.n_tags++] = q->hints->tags[i];
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
	if (!q->hints)
		return 0;
	q->pushed &= push_down_hints(q->hints, &q->range);
	q->headed &= q->hints->exact;
	if (q->hints->services.n_conds)
		q->range.service_fn = service_fits;
	if (q->hints->operations.n_conds)
		q->range.operation_fn = operation_fits;
	return 0;
}

static int needs_service(void *arg, struct span_str name,
			 struct span_error *err)
{
	const struct span_query *q = arg;

	return span__traceql_name_fits(q->expression, &q->need.hints->services,
				       name, true, err);
}

static int needs_operation(void *arg, struct span_str name,
			   struct span_error *err)
{
	const struct span_query *q = arg;

	return span__traceql_name_fits(
		q->expression, &q->need.hints->operations, name, false, err);
}

static bool has_options(const struct span_select *sel)
{
	return sel->n_services || sel->n_operations || sel->n_tags ||
	       sel->min_duration_ns || sel->max_duration_ns || sel->since_ns ||
	       sel->until_ns || sel->error || sel->root || sel->orphans ||
	       sel->n_not_tags || sel->n_has_tags || sel->n_kinds ||
	       sel->n_statuses;
}

/* Options are about the spans that match, which are the candidates. */
static int compile_need(struct span_query *q, const struct span_select *sel,
			struct span_error *err)
{
	struct span_range *r = &q->need.range;
	struct tql_hints *h;
	int rc;

	if (!q->expression || !q->expression->whole || has_options(sel))
		return 0;
	h = span_arena_alloc(&q->arena, sizeof(*h));
	if (!h)
		return out_of_memory(err);
	rc = span__traceql_need(q->expression, h, &q->arena, err);
	if (rc < 0)
		return rc;
	q->need.hints = h;
	q->need.pushed = push_down_hints(h, r);
	r->tags = h->tags;
	r->n_tags = h->n_tags;
	r->fn_arg = q;
	if (h->services.n_conds)
		r->service_fn = needs_service;
	if (h->operations.n_conds)
		r->operation_fn = needs_operation;
	return 0;
}

static int compile_expression(struct span_query *q,
			      const struct span_select *sel,
			      struct span_error *err)
{
	int rc = span__traceql_compile(
		&q->expression, span_str(sel->expression), &q->arena, err);

	if (rc < 0)
		return rc;
	q->whole |= q->expression->whole;
	q->hints = span_arena_alloc(&q->arena, sizeof(*q->hints));
	if (!q->hints)
		return out_of_memory(err);
	return span__traceql_hints(q->expression, q->hints, &q->arena, err);
}

static int compile(struct span_query *q, const struct span_select *sel,
		   struct span_error *err)
{
	int rc;

	if (sel->n_services > MAX_LIST || sel->n_operations > MAX_LIST ||
	    sel->n_tags > MAX_LIST || sel->n_trace_ids > MAX_LIST ||
	    sel->n_not_tags > MAX_LIST || sel->n_has_tags > MAX_LIST ||
	    sel->n_kinds > MAX_LIST || sel->n_statuses > MAX_LIST)
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
		rc = compile_not_tags(q, sel, err);
	if (!rc)
		rc = compile_ids(q, sel, err);
	if (!rc)
		rc = compile_range(q, sel, err);
	if (!rc && sel->expression)
		rc = compile_expression(q, sel, err);
	if (!rc)
		rc = compile_need(q, sel, err);
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

/* Of a query with an expression its hints are in the range, too. */
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
	if ((q->root || q->orphans) && span_is_root(s) != q->root)
		return 0;
	rc = span__names_match(&q->services, s->process->service, err);
	if (rc > 0)
		rc = span__names_match(&q->operations, s->name, err);
	if (rc <= 0)
		return rc;
	return q->tags.n || q->n_not_tags || q->range.error || q->expression
		       ? 2
		       : 1;
}

/* All but the expression. */
static int match_options(const struct span_query *q, const struct span *s,
			 struct span_error *err)
{
	int rc = span_query_match_head(q, s, err);

	if (rc <= 1)
		return rc;
	if (q->range.error && !span_is_error(s))
		return 0;
	rc = span__tags_match(&q->tags, s, err);
	for (size_t i = 0; i < q->n_not_tags && rc > 0; i++) {
		rc = span__tags_match(&q->not_tags[i], s, err);
		rc = rc < 0 ? rc : !rc;
	}
	return rc;
}

int span_query_match(const struct span_query *q, const struct span *s,
		     struct span_error *err)
{
	int rc = match_options(q, s, err);

	if (rc > 0 && q->expression)
		rc = span__traceql_match(q->expression, s, err);
	return rc > 0 ? 1 : rc;
}

int span__query_needs(const struct span_query *q, const struct span *s,
		      struct span_error *err)
{
	int rc = span__traceql_needs(q->expression, s, err);

	return rc > 0 ? 1 : rc;
}

bool span_query_needs_trace(const struct span_query *q)
{
	return q->whole;
}

int span__query_judge(const struct span_query *q, const struct span_trace *t,
		      uint8_t *matched, struct span_error *err)
{
	bool chosen = q->expression && q->expression->whole;
	int any = 0, rc = 1;

	if (chosen)
		rc = span__traceql_judge(q->expression, t, matched, err);
	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < t->n; i++) {
		if (chosen)
			rc = matched[i] ? match_options(q, &t->spans[i], err)
					: 0;
		else
			rc = span_query_match(q, &t->spans[i], err);
		if (rc < 0)
			return rc;
		matched[i] = rc > 0 && (!q->orphans ||
					t->nodes[i].flags & SPAN_TRACE_ORPHAN);
		any |= matched[i];
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
	for (size_t i = 0; i < (*q)->n_not_tags; i++)
		span__tags_release(&(*q)->not_tags[i]);
	free((*q)->not_tags);
	span__traceql_close(&(*q)->expression);
	span_arena_release(&(*q)->arena);
	free(*q);
	*q = NULL;
}
