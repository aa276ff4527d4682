/* SPDX-License-Identifier: Apache-2.0 */
/* Which tags there are, by where they are. */
#include "serve/tempo_tags.h"

#include <span/text.h>

#include "serve/answers.h"
#include "serve/params.h"

#include "base/banned.h"

const char *const span__tempo_scopes[SEEN_SCOPES] = {
	[SEEN_RESOURCE] = "resource",	  [SEEN_SPAN] = "span",
	[SEEN_EVENT] = "event",		  [SEEN_LINK] = "link",
	[SEEN_SCOPE] = "instrumentation", [SEEN_INTRINSIC] = "intrinsic",
};

static const char *const intrinsics[] = {
	"duration",
	"event:name",
	"event:timeSinceStart",
	"instrumentation:name",
	"instrumentation:version",
	"kind",
	"link:spanID",
	"link:traceID",
	"name",
	"rootName",
	"rootServiceName",
	"span:childCount",
	"span:duration",
	"span:id",
	"span:kind",
	"span:name",
	"span:parentID",
	"span:status",
	"span:statusMessage",
	"status",
	"statusMessage",
	"trace:duration",
	"trace:id",
	"trace:rootName",
	"trace:rootService",
	"traceDuration",
};
#define N_ELEMENTS(v) (sizeof(v) / sizeof(*(v)))

void span__tempo_tags_release(struct span__tempo_seen *t)
{
	span__select_release(&t->select);
	span__seen_release(&t->seen);
	span_buf_release(&t->text);
}

int span__tempo_tags_read(const struct span__serve_request *r,
			  struct span__tempo_seen *t,
			  struct span__serve_answer *a)
{
	struct span_str q = span__serve_value(r, "q");
	uint64_t limit = 0;
	int rc = span__tempo_range(r, &t->select.sel, &limit, a);
	struct span_query *query = NULL;

	t->seen.limit = limit;
	if (rc < 0 || !q.len)
		return rc;
	span__select_expression(&t->select, q);
	rc = span__select_compile(&t->select, &query, NULL);
	span_query_close(&query);
	if (rc == SPAN_E_INVALID)
		t->select.sel.expression = NULL;
	t->select.zero = false;
	return rc == SPAN_E_NOMEM ? rc : 0;
}

/* Those of the newest spans. */
int span__tempo_tags_look(const struct span__serve *serve,
			  struct span__tempo_seen *t, span__seen_fn *fn,
			  struct span_error *err)
{
	int rc = span__seen_spans(serve, &t->select, NULL, fn, t, err);

	if (rc >= 0 && (t->seen.failed || t->text.failed))
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return rc;
}

/* ---- Tags ---- */

static void add_keys(struct span__tempo_seen *t, enum span__tempo_scope scope,
		     const struct span_attrs *attrs)
{
	if (!(t->wanted & 1u << scope))
		return;
	for (size_t i = 0; i < attrs->n; i++)
		span__seen_add(&t->seen, scope, attrs->v[i].key);
}

static void add_span_keys(void *arg, const struct span *s)
{
	struct span__tempo_seen *t = arg;

	if (t->wanted & 1u << SEEN_RESOURCE)
		span__seen_add(&t->seen, SEEN_RESOURCE,
			       SPAN_STR("service.name"));
	add_keys(t, SEEN_RESOURCE, &s->process->attrs);
	add_keys(t, SEEN_SPAN, &s->attrs);
	for (size_t i = 0; i < s->n_events; i++)
		add_keys(t, SEEN_EVENT, &s->events[i].attrs);
	for (size_t i = 0; i < s->n_refs; i++)
		add_keys(t, SEEN_LINK, &s->refs[i].attrs);
	if (s->scope)
		add_keys(t, SEEN_SCOPE, &s->scope->attrs);
}

static int read_scope(const struct span__serve_request *r,
		      struct span__tempo_seen *t, struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, "scope");
	struct span_error why = {0};

	t->wanted = (1u << SEEN_SCOPES) - 1;
	if (!v.len || span_str_equal(v, SPAN_STR("none")))
		return 0;
	for (unsigned i = 0; i < SEEN_SCOPES; i++)
		if (span_str_equal(v, span_str(span__tempo_scopes[i]))) {
			t->wanted = 1u << i;
			return 0;
		}
	span_error_set(&why, SPAN_E_INVALID, "%.*s", (int)span_text_cut(v, 100),
		       v.p);
	return span__tempo_refuse(a, "scope", &why);
}

static int find_tags(const struct span__serve *serve,
		     const struct span__serve_request *r,
		     struct span__tempo_seen *t, struct span__serve_answer *a,
		     struct span_error *err)
{
	int rc = read_scope(r, t, a);

	if (!rc)
		rc = span__tempo_tags_read(r, t, a);
	if (rc < 0)
		return rc;
	if (t->wanted != 1u << SEEN_INTRINSIC)
		rc = span__tempo_tags_look(serve, t, add_span_keys, err);
	for (size_t i = 0; i < N_ELEMENTS(intrinsics); i++)
		if (t->wanted & 1u << SEEN_INTRINSIC)
			span__seen_add(&t->seen, SEEN_INTRINSIC,
				       span_str(intrinsics[i]));
	a->type = SPAN__SERVE_JSON;
	return rc < 0 ? span__tempo_failed(a, rc, err) : 0;
}

/* Texts of group G alone, with commas before the next ones. */
static void put_group(struct span_buf *out, const struct span__seen *seen,
		      unsigned g)
{
	bool any = false;

	for (size_t i = 0; i < seen->n; i++) {
		if (seen->v[i].group != g)
			continue;
		if (any)
			span_buf_putc(out, ',');
		span_text_json(out, seen->v[i].text);
		any = true;
	}
}

/* A key of several scopes is there once, as those without a scope are. */
static void put_names(struct span_buf *out, const struct span__seen *seen)
{
	struct span__seen once = {0};

	for (size_t i = 0; i < seen->n; i++)
		if (seen->v[i].group != SEEN_INTRINSIC)
			span__seen_add(&once, 0, seen->v[i].text);
	span_buf_puts(out, "{\"tagNames\":[");
	put_group(out, &once, 0);
	out->failed |= once.failed;
	span__seen_release(&once);
	if (seen->n && seen->v[0].group == SEEN_INTRINSIC)
		put_group(out, seen, SEEN_INTRINSIC);
	span_buf_puts(out, "],\"metrics\":{}}");
}

int span__tempo_tags(const struct span__serve *serve,
		     const struct span__serve_request *r,
		     struct span__serve_answer *a, struct span_error *err)
{
	struct span__tempo_seen t = {0};
	int rc = find_tags(serve, r, &t, a, err);

	if (!rc && !a->status)
		put_names(&a->body, &t.seen);
	span__tempo_tags_release(&t);
	return rc == SPAN_E_INVALID ? 0 : rc;
}

static void put_scopes(struct span_buf *out, const struct span__seen *seen)
{
	bool any = false;

	span_buf_puts(out, "{\"scopes\":[");
	for (size_t i = 0; i < seen->n; i++) {
		unsigned g = seen->v[i].group;

		if (i && seen->v[i - 1].group == g)
			continue;
		span_buf_printf(out, "%s{\"name\":\"%s\",\"tags\":[",
				any ? "," : "", span__tempo_scopes[g]);
		put_group(out, seen, g);
		span_buf_puts(out, "]}");
		any = true;
	}
	span_buf_puts(out, "],\"metrics\":{}}");
}

int span__tempo_tags_v2(const struct span__serve *serve,
			const struct span__serve_request *r,
			struct span__serve_answer *a, struct span_error *err)
{
	struct span__tempo_seen t = {0};
	int rc = find_tags(serve, r, &t, a, err);

	if (!rc && !a->status)
		put_scopes(&a->body, &t.seen);
	span__tempo_tags_release(&t);
	return rc == SPAN_E_INVALID ? 0 : rc;
}
