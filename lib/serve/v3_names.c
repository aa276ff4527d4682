/* SPDX-License-Identifier: Apache-2.0 */
/* Services, operations and who calls whom: what a store knows in advance. */
#include "serve/v3.h"

#include <inttypes.h>

#include "serve/answers.h"
#include "serve/edges.h"
#include "serve/families.h"
#include "serve/params.h"
#include "serve/v3_params.h"

#include "base/banned.h"

struct names {
	struct span_buf *out;
	struct span_buf last; /* the service, or operation, before */
	bool internal;	      /* the operation before was put as internal */
	struct span_str service, kind;
	bool any;
};

static int put_service(void *arg, const struct span_store_name *n,
		       struct span_error *err)
{
	struct names *names = arg;
	struct span_str last = {names->last.p, names->last.len};

	(void)err;
	if (names->any && span_str_equal(n->service, last))
		return 0;
	if (names->any)
		span_buf_putc(names->out, ',');
	span_text_json(names->out, n->service);
	names->any = true;
	names->last.len = 0;
	span_buf_str(&names->last, n->service);
	return 0;
}

/* Is it one that has been put already, by another kind that is shown alike? */
static bool is_repeated(struct names *names, struct span_str operation,
			bool internal)
{
	struct span_str last = {names->last.p, names->last.len};
	bool same = names->any && span_str_equal(operation, last);
	bool repeated = same && internal && names->internal;

	if (!same) {
		names->last.len = 0;
		span_buf_str(&names->last, operation);
		names->internal = false;
	}
	names->internal |= internal;
	return repeated;
}

/* Those without a kind are internal, to who knows no others. */
static int put_operation(void *arg, const struct span_store_name *n,
			 struct span_error *err)
{
	struct names *names = arg;
	const char *kind = span_kind_name(n->kind);
	bool internal = !*kind || n->kind == SPAN_KIND_INTERNAL;

	(void)err;
	if (internal)
		kind = "internal";
	if (!span_str_equal(n->service, names->service) ||
	    (names->kind.len && !span_str_equal(span_str(kind), names->kind)) ||
	    is_repeated(names, n->operation, internal))
		return 0;
	span_buf_puts(names->out, names->any ? ",{\"name\":" : "{\"name\":");
	span_text_json(names->out, n->operation);
	span_buf_printf(names->out, ",\"spanKind\":\"%s\"}", kind);
	names->any = true;
	return 0;
}

static int put_names(const struct span__serve *serve, span_store_name_fn *fn,
		     struct names *names, struct span__serve_answer *a,
		     struct span_error *err)
{
	struct span_store *st;
	int rc = span__serve_take(serve->store, &st, err);

	if (rc < 0)
		return span__v3_failed(a, rc, err);
	rc = span_store_names(st, fn, names, err);
	span__serve_give_back(serve->store, st);
	a->type = SPAN__SERVE_JSON;
	if (!rc && names->last.failed)
		rc = SPAN_E_NOMEM;
	span_buf_release(&names->last);
	return rc < 0 ? span__v3_failed(a, rc, err) : 0;
}

int span__v3_services(const struct span__serve *serve,
		      const struct span__serve_request *r,
		      struct span__serve_answer *a, struct span_error *err)
{
	struct names names = {.out = &a->body};
	int rc;

	(void)r;
	span_buf_puts(&a->body, "{\"services\":[");
	rc = put_names(serve, put_service, &names, a, err);
	if (!rc && !a->status)
		span_buf_puts(&a->body, "]}");
	return rc;
}

int span__v3_operations(const struct span__serve *serve,
			const struct span__serve_request *r,
			struct span__serve_answer *a, struct span_error *err)
{
	const char *named;
	struct names names = {
		.out = &a->body,
		.service = span__serve_value(r, "service"),
		.kind = span__v3_value(r, "spanKind", "span_kind", &named),
	};
	int rc;

	span_buf_puts(&a->body, "{\"operations\":[");
	rc = put_names(serve, put_operation, &names, a, err);
	if (!rc && !a->status)
		span_buf_puts(&a->body, "]}");
	return rc;
}

/* ---- Dependencies ---- */

struct edges {
	struct span_buf *out;
	bool any;
};

static void put_edge(void *arg, const struct span__edge *e)
{
	struct edges *edges = arg;
	struct span_buf *out = edges->out;

	span_buf_puts(out, edges->any ? ",{\"parent\":" : "{\"parent\":");
	span_text_json(out, e->parent);
	span_buf_puts(out, ",\"child\":");
	span_text_json(out, e->child);
	span_buf_printf(out, ",\"callCount\":\"%" PRIu64 "\"}", e->calls);
	edges->any = true;
}

static int dependencies(const struct span__serve *serve,
			const struct span_store_calls_range *range,
			struct span__serve_answer *a, struct span_error *err)
{
	struct edges edges = {.out = &a->body};
	int rc;

	a->type = SPAN__SERVE_JSON;
	span_buf_puts(&a->body, "{\"dependencies\":[");
	rc = span__edges(serve, range, put_edge, &edges, err);
	span_buf_puts(&a->body, "]}");
	return rc < 0 ? span__v3_failed(a, rc, err) : 0;
}

int span__v3_dependencies(const struct span__serve *serve,
			  const struct span__serve_request *r,
			  struct span__serve_answer *a, struct span_error *err)
{
	struct span_store_calls_range range = {0};
	int rc =
		span__v3_time(r, "startTime", "start_time", &range.since_ns, a);

	if (!rc)
		rc = span__v3_time(r, "endTime", "end_time", &range.until_ns,
				   a);
	if (rc < 0)
		return rc == SPAN_E_INVALID ? 0 : rc;
	if (!range.since_ns || !range.until_ns)
		return span__serve_error_v3(a, 400,
					    "startTime and endTime are "
					    "required");
	if (range.since_ns >= range.until_ns)
		return span__serve_error_v3(a, 400,
					    "endTime must be after startTime");
	range.until_ns++;
	return dependencies(serve, &range, a, err);
}

const struct span__serve_route span__serve_v3_routes[] = {
	{.method = "GET",
	 .pattern = "/api/v3/services",
	 .fn = span__v3_services},
	{.method = "GET",
	 .pattern = "/api/v3/operations",
	 .fn = span__v3_operations},
	{.method = "GET", .pattern = "/api/v3/traces", .fn = span__v3_traces},
	{.method = "GET", .pattern = "/api/v3/traces/*", .fn = span__v3_trace},
	{.method = "GET",
	 .pattern = "/api/v3/trace-summaries",
	 .fn = span__v3_summaries},
	{.method = "GET",
	 .pattern = "/api/v3/dependencies",
	 .fn = span__v3_dependencies},
};
const size_t span__serve_v3_n_routes =
	sizeof(span__serve_v3_routes) / sizeof(*span__serve_v3_routes);
