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

const struct span_metrics *span_query_metrics(const struct span_query *q)
{
	return q->expression ? q->expression->metrics : NULL;
}

static int compile_expression(struct span_query *q,
			      const struct span_select *sel,
			      struct span_error *err)
{
	int rc = span__traceql_compile(
		&q->expression, span_str(sel->expression), &q->arena, err);

	if (rc < 0)
		return rc;
	if (q->expression->metrics && !sel->metrics)
		return span_error_at(
			err, SPAN_E_INVALID, q->expression->metrics_pos,
			"expression, column %zu: %s() is a metrics function, "
			"which is not supported in a search: see span-stats(1)",
			q->expression->metrics_pos + 1,
			q->expression->metrics_name);
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
	    sel->n_kinds > MAX_LIST || sel->n_statuses > MAX_LIST ||
	    sel->n_matchers > MAX_LIST)
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
		rc = span__matchers_compile(&q->matchers, sel->matchers,
					    sel->n_matchers, &q->arena, err);
	if (!rc)
		rc = compile_ids(q, sel, err);
	if (!rc)
		rc = compile_range(q, sel, err);
	if (!rc && sel->expression)
		rc = compile_expression(q, sel, err);
	if (!rc)
		rc = span__query_compile_need(q, sel, err);
	return rc < 0 ? rc : span__query_push_down(q, err);
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
	span__matchers_release(&(*q)->matchers);
	span__traceql_close(&(*q)->expression);
	span_arena_release(&(*q)->arena);
	free(*q);
	*q = NULL;
}
