/* SPDX-License-Identifier: Apache-2.0 */
/* Zipkin's API: names, and who calls whom. Source: zipkin2-api.yaml. */
#include "serve/zipkin.h"

#include <inttypes.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/edges.h"
#include "serve/families.h"
#include "serve/params.h"
#include "serve/seen_tags.h"

#include "base/banned.h"

#define MS UINT64_C(1000000)

int span__zipkin_missing(struct span__serve_answer *a, const char *name)
{
	return span__serve_plain(a, 400, "Required parameter '%s' is missing.",
				 name);
}

int span__zipkin_refuse(struct span__serve_answer *a, const char *name,
			const struct span_error *why)
{
	int rc = why->code == SPAN_E_NOMEM
			 ? SPAN_E_NOMEM
			 : span__serve_plain(a, 400, "%s: %s", name, why->msg);

	return rc < 0 ? rc : SPAN_E_INVALID;
}

int span__zipkin_failed(struct span__serve_answer *a, int rc,
			const struct span_error *err)
{
	if (rc == SPAN_E_NOMEM)
		return rc;
	return span__serve_plain(a, span__found_fault(rc), "%s", err->msg);
}

/* So many milliseconds, as ns; what is not there stays. */
static int read_ms(const struct span__serve_request *r, const char *name,
		   uint64_t *ns, struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, name);
	struct span_error why = {0};
	int64_t ms = 0;

	if (v.len && span__serve_int(v, &ms, &why) < 0)
		return span__zipkin_refuse(a, name, &why);
	if (ms < 0 || (uint64_t)ms > UINT64_MAX / 2 / MS) {
		span_error_set(&why, SPAN_E_INVALID, "out of range");
		return span__zipkin_refuse(a, name, &why);
	}
	if (v.len)
		*ns = (uint64_t)ms * MS;
	return 0;
}

int span__zipkin_times(const struct span__serve *serve,
		       const struct span__serve_request *r, uint64_t *since_ns,
		       uint64_t *until_ns, struct span__serve_answer *a)
{
	uint64_t end = serve->now(), lookback = serve->lookback_ns;
	int rc = read_ms(r, "endTs", &end, a);

	if (!rc)
		rc = read_ms(r, "lookback", &lookback, a);
	/* endTs is the whole of a millisecond. */
	*until_ns = end - end % MS + MS;
	*since_ns = end > lookback ? end - lookback : 1;
	return rc;
}

/* ---- Texts in a list ---- */

static void put_list(struct span_buf *out, const struct span__seen *seen)
{
	span_buf_putc(out, '[');
	for (size_t i = 0; i < seen->n; i++) {
		if (i)
			span_buf_putc(out, ',');
		span_text_json(out, seen->v[i].text);
	}
	span_buf_putc(out, ']');
}

static int answer_list(struct span__seen *seen, int rc,
		       struct span__serve_answer *a,
		       const struct span_error *err)
{
	if (!rc && seen->failed)
		rc = SPAN_E_NOMEM;
	a->type = SPAN__SERVE_JSON;
	if (!rc)
		put_list(&a->body, seen);
	span__seen_release(seen);
	return rc < 0 ? span__zipkin_failed(a, rc, err) : 0;
}

/* ---- Services and spans ---- */

struct names {
	struct span__seen seen;
	const struct span_str *service; /* whose spans; NULL: services */
};

static int add_name(void *arg, const struct span_store_name *n,
		    struct span_error *err)
{
	struct names *names = arg;

	(void)err;
	if (!names->service)
		span__seen_add(&names->seen, 0, n->service);
	else if (span_str_equal(n->service, *names->service))
		span__seen_add(&names->seen, 0, n->operation);
	return 0;
}

static int list_names(const struct span__serve *serve,
		      const struct span_str *service,
		      struct span__serve_answer *a, struct span_error *err)
{
	struct names names = {.service = service};
	struct span_store *st;
	int rc = span__serve_take(serve->store, &st, err);

	if (rc < 0)
		return span__zipkin_failed(a, rc, err);
	rc = span_store_names(st, add_name, &names, err);
	span__serve_give_back(serve->store, st);
	return answer_list(&names.seen, rc, a, err);
}

static int services(const struct span__serve *serve,
		    const struct span__serve_request *r,
		    struct span__serve_answer *a, struct span_error *err)
{
	(void)r;
	return list_names(serve, NULL, a, err);
}

static int spans(const struct span__serve *serve,
		 const struct span__serve_request *r,
		 struct span__serve_answer *a, struct span_error *err)
{
	const struct span_str *service = span__serve_param(r, "serviceName");

	if (!service)
		return span__zipkin_missing(a, "serviceName");
	return list_names(serve, service, a, err);
}

/* ---- What spans say ---- */

struct values {
	struct span__seen seen;
	struct span_str key;
	struct span_buf text;
};

static void add_values(void *arg, const struct span *s)
{
	struct values *v = arg;

	for (size_t i = 0; i < s->attrs.n; i++)
		if (span_str_equal(s->attrs.v[i].key, v->key))
			span__seen_add(&v->seen, 0,
				       span__seen_value(&v->text,
							&s->attrs.v[i].value));
}

static int list_values(const struct span__serve *serve,
		       const struct span_str *service, struct span_str key,
		       struct span__serve_answer *a, struct span_error *err)
{
	struct span__select s = {0};
	struct values v = {.key = key};
	int rc;

	rc = span__seen_spans(serve, &s, service, add_values, &v, err);
	if (v.text.failed)
		rc = SPAN_E_NOMEM;
	span__select_release(&s);
	span_buf_release(&v.text);
	return answer_list(&v.seen, rc, a, err);
}

static int remote_services(const struct span__serve *serve,
			   const struct span__serve_request *r,
			   struct span__serve_answer *a, struct span_error *err)
{
	const struct span_str *service = span__serve_param(r, "serviceName");

	if (!service)
		return span__zipkin_missing(a, "serviceName");
	return list_values(serve, service, SPAN_STR("peer.service"), a, err);
}

static void add_keys(void *arg, const struct span *s)
{
	for (size_t i = 0; i < s->attrs.n; i++)
		span__seen_add(arg, 0, s->attrs.v[i].key);
}

static int keys(const struct span__serve *serve,
		const struct span__serve_request *r,
		struct span__serve_answer *a, struct span_error *err)
{
	struct span__select s = {0};
	struct span__seen seen = {0};
	int rc = span__seen_spans(serve, &s, NULL, add_keys, &seen, err);

	(void)r;
	span__select_release(&s);
	return answer_list(&seen, rc, a, err);
}

static int values(const struct span__serve *serve,
		  const struct span__serve_request *r,
		  struct span__serve_answer *a, struct span_error *err)
{
	const struct span_str *key = span__serve_param(r, "key");

	if (!key)
		return span__zipkin_missing(a, "key");
	return list_values(serve, NULL, *key, a, err);
}

/* ---- Dependencies ---- */

struct links {
	struct span_buf *out;
	bool any;
};

static void put_link(void *arg, const struct span__edge *e)
{
	struct links *links = arg;
	struct span_buf *out = links->out;

	span_buf_puts(out, links->any ? ",{\"parent\":" : "{\"parent\":");
	span_text_json(out, e->parent);
	span_buf_puts(out, ",\"child\":");
	span_text_json(out, e->child);
	span_buf_printf(out, ",\"callCount\":%" PRIu64, e->calls);
	if (e->errors)
		span_buf_printf(out, ",\"errorCount\":%" PRIu64, e->errors);
	span_buf_putc(out, '}');
	links->any = true;
}

static int dependencies(const struct span__serve *serve,
			const struct span__serve_request *r,
			struct span__serve_answer *a, struct span_error *err)
{
	struct span_store_calls_range range = {0};
	struct links links = {.out = &a->body};
	int rc;

	if (!span__serve_param(r, "endTs"))
		return span__zipkin_missing(a, "endTs");
	rc = span__zipkin_times(serve, r, &range.since_ns, &range.until_ns, a);
	if (rc < 0)
		return rc == SPAN_E_INVALID ? 0 : rc;
	a->type = SPAN__SERVE_JSON;
	span_buf_putc(&a->body, '[');
	rc = span__edges(serve, &range, put_link, &links, err);
	span_buf_putc(&a->body, ']');
	return rc < 0 ? span__zipkin_failed(a, rc, err) : 0;
}

const struct span__serve_route span__serve_zipkin_routes[] = {
	{.method = "GET", .pattern = "/api/v2/services", .fn = services},
	{.method = "GET", .pattern = "/api/v2/spans", .fn = spans},
	{.method = "GET",
	 .pattern = "/api/v2/remoteServices",
	 .fn = remote_services},
	{.method = "GET", .pattern = "/api/v2/autocompleteKeys", .fn = keys},
	{.method = "GET",
	 .pattern = "/api/v2/autocompleteValues",
	 .fn = values},
	{.method = "GET",
	 .pattern = "/api/v2/dependencies",
	 .fn = dependencies},
	{.method = "GET",
	 .pattern = "/api/v2/traces",
	 .fn = span__zipkin_traces},
	{.method = "GET",
	 .pattern = "/api/v2/trace/*",
	 .fn = span__zipkin_trace},
	{.method = "GET",
	 .pattern = "/api/v2/traceMany",
	 .fn = span__zipkin_many},
};
const size_t span__serve_zipkin_n_routes =
	sizeof(span__serve_zipkin_routes) / sizeof(*span__serve_zipkin_routes);
