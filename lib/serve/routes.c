/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/routes.h"

#include <stdlib.h>
#include <string.h>

#include "serve/answers.h"
#include "serve/families.h"
#include "serve/params.h"
#include "serve/pool.h"

#include "base/banned.h"

static const struct span__serve_routes families[] = {
	{span__serve_about_routes, &span__serve_about_n_routes},
	{span__serve_page_routes, &span__serve_page_n_routes},
	{span__serve_metrics_routes, &span__serve_metrics_n_routes},
	{span__serve_spans_routes, &span__serve_spans_n_routes},
	/* Before Jaeger's, with which it shares a path. */
	{span__serve_tempo_routes, &span__serve_tempo_n_routes},
	{span__serve_jaeger_routes, &span__serve_jaeger_n_routes},
	{span__serve_v3_routes, &span__serve_v3_n_routes},
	{span__serve_zipkin_routes, &span__serve_zipkin_n_routes},
	/* The last one: it has a route for all that is left. */
	{span__serve_ui_routes, &span__serve_ui_n_routes},
};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

const struct span__serve_route *span__serve_route_at(size_t i)
{
	for (size_t f = 0; f < N_FAMILIES; f++) {
		if (i < *families[f].n)
			return &families[f].rows[i];
		i -= *families[f].n;
	}
	return NULL;
}

/* Does PATH fit PATTERN? */
static bool fits(const char *pattern, struct span_str path)
{
	size_t i = 0;

	for (; *pattern; pattern++) {
		size_t start = i;

		if (*pattern != '*') {
			if (i == path.len || path.p[i++] != *pattern)
				return false;
			continue;
		}
		if (pattern[1] == '*')
			return true;
		while (i < path.len && path.p[i] != '/')
			i++;
		if (i == start)
			return false;
	}
	return i == path.len;
}

/* Is a pattern, which may begin with a type, for R? */
static bool is_for(const char *pattern, const struct span__serve_request *r)
{
	const char *blank = strchr(pattern, ' ');

	if (!blank)
		return fits(pattern, r->path);
	return r->accept.len &&
	       memmem(r->accept.p, r->accept.len, pattern,
		      (size_t)(blank - pattern)) &&
	       fits(blank + 1, r->path);
}

static bool is_method(struct span_str method, const char *name)
{
	return span_str_equal(method, span_str(name)) ||
	       (span_str_equal(method, SPAN_STR("HEAD")) &&
		!strcmp(name, "GET"));
}

static const struct span__serve_route *
find_in(const struct span__serve_routes *f, const struct span__serve_request *r,
	const char **allow)
{
	for (size_t i = 0; i < *f->n; i++) {
		if (!is_for(f->rows[i].pattern, r))
			continue;
		if (is_method(r->method, f->rows[i].method))
			return &f->rows[i];
		if (!*allow)
			*allow = f->rows[i].method;
	}
	return NULL;
}

/* Of the two for people one only. */
static bool is_served(const struct span__serve *s,
		      const struct span__serve_route *rows)
{
	return rows !=
	       (s->ui ? span__serve_page_routes : span__serve_ui_routes);
}

const struct span__serve_route *
span__serve_route(const struct span__serve *s,
		  const struct span__serve_request *r, const char **allow)
{
	const struct span__serve_route *route = NULL;

	*allow = NULL;
	for (size_t f = 0; f < N_FAMILIES && !route; f++)
		if (is_served(s, families[f].rows))
			route = find_in(&families[f], r, allow);
	return route;
}

/* ---- prettyPrint ---- */

struct pretty {
	struct span__serve_indent indent;
	struct span_buf piece;
	span__serve_more_fn *more;
	void (*close)(void *arg);
	void *arg;
};

static int pretty_more(void *arg, struct span_buf *out, struct span_error *err)
{
	struct pretty *p = arg;
	int rc;

	p->piece.len = 0;
	rc = p->more(p->arg, &p->piece, err);
	if (rc > 0)
		span__serve_indent(&p->indent, out,
				   (struct span_str){p->piece.p, p->piece.len});
	return rc;
}

static void pretty_close(void *arg)
{
	struct pretty *p = arg;

	if (p->close)
		p->close(p->arg);
	span_buf_release(&p->piece);
	free(p);
}

/* Let the pieces that are still to come pass by P. */
static void wrap(struct span__serve_answer *a, struct pretty *p)
{
	p->more = a->more;
	p->close = a->close;
	p->arg = a->arg;
	a->more = pretty_more;
	a->close = pretty_close;
	a->arg = p;
}

static int pretty_print(struct span__serve_answer *a)
{
	struct pretty *p = calloc(1, sizeof(*p));
	struct span_buf plain = a->body;

	if (!p)
		return SPAN_E_NOMEM;
	a->body = (struct span_buf){0};
	span__serve_indent(&p->indent, &a->body,
			   (struct span_str){plain.p, plain.len});
	span_buf_release(&plain);
	if (a->more)
		wrap(a, p);
	else
		free(p);
	return a->body.failed ? SPAN_E_NOMEM : 0;
}

/* As Jaeger has it: any value but an empty one and false. */
static bool wants_pretty(const struct span__serve_request *r,
			 const struct span__serve_answer *a)
{
	const struct span_str v = span__serve_value(r, "prettyPrint");

	return v.len && !span_str_equal(v, SPAN_STR("false")) && a->type &&
	       !strcmp(a->type, SPAN__SERVE_JSON);
}

int span__serve_answer(const struct span__serve *s,
		       const struct span__serve_route *route, const char *allow,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err)
{
	int rc;

	if (!route && allow)
		return span__serve_plain(a, 405, "405 method not allowed");
	if (!route)
		return span__serve_plain(a, 404, "404 page not found");
	span__serve_pool_watch(r->gone);
	rc = route->fn(s, r, a, err);
	span__serve_pool_watch(NULL);
	if (rc == 0 && wants_pretty(r, a))
		rc = pretty_print(a);
	if (rc == 0 && a->body.failed)
		rc = SPAN_E_NOMEM;
	return rc;
}
