/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/spans.h"

#include <inttypes.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/params.h"

#include "base/banned.h"

int span__spans_error(struct span__serve_answer *a, unsigned status,
		      const char *parameter, int64_t column, const char *text)
{
	int rc = span__serve_plain(a, status, "%s", "");

	if (rc < 0)
		return rc;
	a->type = SPAN__SERVE_JSON;
	a->body.len = 0;
	span_buf_puts(&a->body, "{\"error\":");
	span_text_json(&a->body, span_str(text));
	if (parameter)
		span_buf_printf(&a->body, ",\"parameter\":\"%s\"", parameter);
	if (column >= 0)
		span_buf_printf(&a->body, ",\"column\":%" PRId64, column + 1);
	span_buf_puts(&a->body, "}\n");
	return a->body.failed ? SPAN_E_NOMEM : 0;
}

static int refuse(struct span__serve_answer *a, const char *name,
		  const char *text)
{
	int rc = span__spans_error(a, 400, name, -1, text);

	return rc < 0 ? rc : SPAN_E_INVALID;
}

static void read_lists(const struct span__serve_request *r,
		       struct span__select *s)
{
	static const char *const names[SELECT_LISTS] = {
		[SELECT_SERVICES] = "service",
		[SELECT_OPERATIONS] = "operation",
		[SELECT_TAGS] = "tag",
		[SELECT_NOT_TAGS] = "not-tag",
		[SELECT_HAS_TAGS] = "has-tag",
		[SELECT_KINDS] = "kind",
		[SELECT_STATUSES] = "status",
		[SELECT_TRACE_IDS] = "trace-id",
		[SELECT_MATCHERS] = "matchers",
	};

	for (int i = 0; i < SELECT_LISTS; i++) {
		const struct span_str *v;
		size_t at = 0;

		while ((v = span__serve_next(r, names[i], &at)))
			span__select_add(s, (enum span__select_list)i, *v);
	}
}

/* There without a value is true. */
static int read_flag(const struct span__serve_request *r, const char *name,
		     bool *yes, struct span__serve_answer *a)
{
	const struct span_str *v = span__serve_param(r, name);
	struct span_error why = {0};

	*yes = v;
	if (v && v->len && span__serve_bool(*v, yes, &why) < 0)
		return refuse(a, name, why.msg);
	return 0;
}

static int read_flags(const struct span__serve_request *r,
		      struct span__spans_query *q, struct span__serve_answer *a)
{
	const struct {
		const char *name;
		bool *yes;
	} flags[] = {
		{"error", &q->select.sel.error},
		{"root", &q->select.sel.root},
		{"orphans", &q->select.sel.orphans},
		{"traces", &q->traces},
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags) && !rc; i++)
		rc = read_flag(r, flags[i].name, flags[i].yes, a);
	return rc;
}

static int read_times(const struct span__serve *serve,
		      const struct span__serve_request *r,
		      struct span_select *sel, struct span__serve_answer *a)
{
	const struct {
		const char *name;
		uint64_t *ns;
		bool time;
	} times[] = {
		{"since", &sel->since_ns, true},
		{"until", &sel->until_ns, true},
		{"min-duration", &sel->min_duration_ns, false},
		{"max-duration", &sel->max_duration_ns, false},
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		struct span_str v = span__serve_value(r, times[i].name);
		struct span_error why = {0};
		int rc = 0;

		if (v.len && times[i].time)
			rc = span_time_parse(v, serve->now(), times[i].ns,
					     &why);
		else if (v.len)
			rc = span_duration_parse(v, times[i].ns, &why);
		if (rc < 0)
			return refuse(a, times[i].name, why.msg);
	}
	return 0;
}

/* The number of the value of NAME in LIST, or what it is without one. */
static int read_choice(const struct span__serve_request *r, const char *name,
		       const char *const *list, int *choice,
		       struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, name);
	struct span_buf b = {0};
	int rc;

	if (!v.len)
		return 0;
	span_buf_puts(&b, "it is one of");
	for (int i = 0; list[i]; i++) {
		if (span_str_equal(v, span_str(list[i]))) {
			*choice = i;
			span_buf_release(&b);
			return 0;
		}
		span_buf_printf(&b, "%s %s", i ? "," : "", list[i]);
	}
	span_buf_putc(&b, 0);
	rc = b.failed ? SPAN_E_NOMEM : refuse(a, name, b.p);
	span_buf_release(&b);
	return rc;
}

static int read_results(const struct span__serve_request *r,
			struct span__spans_query *q,
			struct span__serve_answer *a)
{
	static const char *const sorts[] = {"newest", "start",	"duration",
					    "spans",  "errors", NULL};
	static const char *const formats[] = {
		"jsonl", "csv", "spans", "ids", "json", "otlp-json", NULL};
	struct span_str limit = span__serve_value(r, "limit");
	int sort = -1, format = SPANS_JSONL, rc;
	struct span_error why = {0};
	int64_t n = 0;

	if (limit.len && span__serve_int(limit, &n, &why) < 0)
		return refuse(a, "limit", why.msg);
	if (limit.len && n < 1)
		return refuse(a, "limit", "it is 1 or more");
	q->search.limit = (uint64_t)n;
	rc = read_choice(r, "sort", sorts, &sort, a);
	if (!rc)
		rc = read_choice(r, "format", formats, &format, a);
	q->search.sort = (enum span_sort)(sort + 1);
	q->format = (enum span__spans_format)format;
	if (!rc && q->search.sort >= SPAN_SORT_SPANS && !q->traces &&
	    q->format < SPANS_JSON)
		return refuse(a, "sort",
			      "that is an order of traces; see "
			      "traces");
	return rc;
}

int span__spans_read(const struct span__serve *serve,
		     const struct span__serve_request *r,
		     struct span__spans_query *q, struct span__serve_answer *a)
{
	struct span_str expression = span__serve_value(r, "q");
	int rc;

	*q = (struct span__spans_query){0};
	read_lists(r, &q->select);
	if (expression.len)
		span__select_expression(&q->select, expression);
	rc = read_flags(r, q, a);
	if (!rc)
		rc = read_times(serve, r, &q->select.sel, a);
	if (!rc)
		rc = read_results(r, q, a);
	return rc;
}
