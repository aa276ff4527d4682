/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/v3_params.h"

#include <inttypes.h>

#include "serve/answers.h"
#include "serve/json_map.h"
#include "serve/params.h"

#include "base/banned.h"

#define DEPTH 100u

struct span_str span__v3_value(const struct span__serve_request *r,
			       const char *name, const char *old,
			       const char **named)
{
	struct span_str v = span__serve_value(r, name);

	*named = v.len ? name : old;
	return v.len ? v : span__serve_value(r, old);
}

/* NOMEM, or INVALID with the answer. */
static int refuse(struct span__serve_answer *a, const char *name,
		  const struct span_error *why)
{
	if (why->code == SPAN_E_NOMEM ||
	    span__serve_error_v3(a, 400, "malformed parameter %s: %s", name,
				 why->msg) < 0)
		return SPAN_E_NOMEM;
	return SPAN_E_INVALID;
}

int span__v3_time(const struct span__serve_request *r, const char *name,
		  const char *old, uint64_t *ns, struct span__serve_answer *a)
{
	struct span_error why = {0};
	const char *named;
	struct span_str v = span__v3_value(r, name, old, &named);

	*ns = 0;
	if (v.len && span__serve_time(v, ns, &why) < 0)
		return refuse(a, named, &why);
	return 0;
}

int span__v3_bool(const struct span__serve_request *r, const char *name,
		  const char *old, bool *yes, struct span__serve_answer *a)
{
	struct span_error why = {0};
	const char *named;
	struct span_str v = span__v3_value(r, name, old, &named);

	*yes = false;
	if (v.len && span__serve_bool(v, yes, &why) < 0)
		return refuse(a, named, &why);
	return 0;
}

/* As Jaeger has it: below 0 there is none. */
static int read_duration(const struct span__serve_request *r, const char *name,
			 const char *old, uint64_t *ns,
			 struct span__serve_answer *a)
{
	struct span_error why = {0};
	const char *named;
	struct span_str v = span__v3_value(r, name, old, &named);
	int64_t n = 0;

	if (v.len && span__serve_duration(v, &n, &why) < 0)
		return refuse(a, named, &why);
	*ns = n > 0 ? (uint64_t)n : 0;
	return 0;
}

static int bad_request(struct span__serve_answer *a, const char *text)
{
	int rc = span__serve_error_v3(a, 400, "%s", text);

	return rc < 0 ? rc : SPAN_E_INVALID;
}

static int read_times(const struct span__serve_request *r,
		      struct span_select *sel, struct span__serve_answer *a)
{
	uint64_t until = 0;
	int rc = span__v3_time(r, "query.startTimeMin", "query.start_time_min",
			       &sel->since_ns, a);

	if (!rc)
		rc = span__v3_time(r, "query.startTimeMax",
				   "query.start_time_max", &until, a);
	if (rc < 0)
		return rc;
	if (!sel->since_ns || !until)
		return bad_request(a, "query.startTimeMin and "
				      "query.startTimeMax are required");
	if (sel->since_ns >= until)
		return bad_request(a, "query.startTimeMin must be before "
				      "query.startTimeMax");
	sel->until_ns = until + 1;
	return 0;
}

static int read_depth(const struct span__serve *serve,
		      const struct span__serve_request *r, uint64_t *depth,
		      struct span__serve_answer *a)
{
	struct span_error why = {0};
	const char *named;
	struct span_str v = span__v3_value(r, "query.searchDepth",
					   "query.search_depth", &named);
	int64_t n = DEPTH;

	if (!v.len)
		v = span__v3_value(r, "query.numTraces", "query.num_traces",
				   &named);
	if (v.len && span__serve_int(v, &n, &why) < 0)
		return refuse(a, named, &why);
	if (n <= 0 || (uint64_t)n > serve->max_traces) {
		int rc = span__serve_error_v3(
			a, 400,
			"search depth must be greater than 0 and not "
			"more than %zu",
			serve->max_traces);

		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	*depth = (uint64_t)n;
	return 0;
}

static int put_attribute(void *arg, struct span_str key, struct span_str value)
{
	span__select_jaeger_tag(arg, key, value);
	return 0;
}

static int read_attributes(const struct span__serve_request *r,
			   struct span__select *s, struct span__serve_answer *a)
{
	struct span_error why = {0};
	struct span_str v = span__serve_value(r, "query.attributes");

	if (v.len && span__json_map(v, put_attribute, s, &why) < 0)
		return refuse(a, "query.attributes", &why);
	return 0;
}

/* 400 for what makes no sense, 501 for what cannot be looked for. */
static int read_filter(const struct span__serve_request *r,
		       struct span__select *s, struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, "query.filter");
	struct span_error why = {0};
	struct span_buf text = {0};
	int rc = span_filter_traceql(&text, v, &why);

	if (!rc)
		span__select_expression(s, (struct span_str){text.p, text.len});
	span_buf_release(&text);
	if (rc != SPAN_E_FORMAT)
		return rc < 0 ? refuse(a, "query.filter", &why) : 0;
	rc = span__serve_error_v3(a, 501,
				  "malformed parameter query.filter: "
				  "%s",
				  why.msg);
	return rc < 0 ? rc : SPAN_E_INVALID;
}

/* TraceQL, which Jaeger does not have, goes with all but a filter. */
static int read_traceql(const struct span__serve_request *r,
			struct span__select *s, struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, "query.traceql");

	if (v.len && span__serve_value(r, "query.filter").len)
		return bad_request(a, "query.filter cannot be combined with "
				      "query.traceql");
	/* Attributes of resources are an expression already. */
	if (v.len && s->sel.expression)
		return bad_request(a, "attributes of resource. cannot be "
				      "combined with query.traceql");
	if (v.len)
		span__select_expression(s, v);
	return 0;
}

/* What a filter takes the place of. */
static int read_conditions(const struct span__serve_request *r,
			   struct span__select *s, struct span__serve_answer *a)
{
	const char *named;
	struct span_str service = span__v3_value(r, "query.serviceName",
						 "query.service_name", &named);
	struct span_str operation = span__v3_value(
		r, "query.operationName", "query.operation_name", &named);
	struct span_select *sel = &s->sel;
	int rc = read_duration(r, "query.durationMin", "query.duration_min",
			       &sel->min_duration_ns, a);

	if (!rc)
		rc = read_duration(r, "query.durationMax", "query.duration_max",
				   &sel->max_duration_ns, a);
	if (!rc)
		rc = read_attributes(r, s, a);
	if (!rc)
		rc = read_traceql(r, s, a);
	if (rc < 0 || !span__serve_value(r, "query.filter").len) {
		if (!rc && service.len)
			span__select_name(s, SELECT_SERVICES, service);
		if (!rc && operation.len)
			span__select_name(s, SELECT_OPERATIONS, operation);
		return rc;
	}
	if (service.len || operation.len || sel->min_duration_ns ||
	    sel->max_duration_ns || s->lists[SELECT_TAGS].len ||
	    s->lists[SELECT_STATUSES].len || sel->expression)
		return bad_request(
			a, "query.filter cannot be combined with serviceName, "
			   "operationName, attributes, durationMin or "
			   "durationMax; express those predicates in the "
			   "filter instead");
	return read_filter(r, s, a);
}

int span__v3_search(const struct span__serve *serve,
		    const struct span__serve_request *r,
		    struct span__v3_search *s, struct span__serve_answer *a)
{
	int rc;

	*s = (struct span__v3_search){0};
	rc = read_times(r, &s->select.sel, a);
	if (!rc)
		rc = read_depth(serve, r, &s->depth, a);
	if (!rc)
		rc = span__v3_bool(r, "query.rawTraces", "query.raw_traces",
				   &s->raw, a);
	if (!rc)
		rc = read_conditions(r, &s->select, a);
	return rc;
}

int span__v3_failed(struct span__serve_answer *a, int rc,
		    const struct span_error *err)
{
	if (rc == SPAN_E_NOMEM)
		return rc;
	return span__serve_error_v3(a, span__found_fault(rc), "%s", err->msg);
}
