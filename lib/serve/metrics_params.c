/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/metrics.h"

#include <span/model.h>
#include <span/text.h>

#include "serve/answers.h"
#include "serve/params.h"

#include "base/banned.h"

#define MS UINT64_C(1000000)

/* 400 with WHY, or its memory. */
static int refuse(struct span__serve_answer *a, const char *name,
		  const struct span_error *why)
{
	int rc = span__serve_bad_param(a, name, why);

	return rc < 0 ? rc : SPAN_E_INVALID;
}

static int read_services(const struct span__serve_request *r,
			 struct span__serve_answer *a)
{
	struct span_error why = {0};
	size_t at = 0;

	if (span__serve_next(r, "service", &at))
		return 0;
	span_error_set(&why, SPAN_E_INVALID,
		       "please provide at least one service name");
	return refuse(a, "service", &why);
}

bool span__metrics_wants(const struct span__serve_request *r,
			 struct span_str name)
{
	const struct span_str *v;
	size_t at = 0;

	while ((v = span__serve_next(r, "service", &at)))
		if (span_str_equal(*v, name))
			return true;
	return false;
}

static int read_by_operation(const struct span__serve_request *r, bool *yes,
			     struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, "groupByOperation");
	struct span_error why = {0};

	*yes = false;
	if (v.len && span__serve_bool(v, yes, &why) < 0)
		return refuse(a, "groupByOperation", &why);
	return 0;
}

/* The kind that is called NAME exactly, or -1. */
static int find_kind(struct span_str name)
{
	if (span_str_equal(name, SPAN_STR("unspecified")))
		return SPAN_KIND_UNSPECIFIED;
	for (int k = SPAN_KIND_INTERNAL; k <= SPAN_KIND_CONSUMER; k++)
		if (span_str_equal(name, span_str(span_kind_name(k))))
			return k;
	return -1;
}

static int read_kinds(const struct span__serve_request *r, unsigned *kinds,
		      struct span__serve_answer *a)
{
	const struct span_str *v;
	struct span_error why = {0};
	size_t at = 0;

	*kinds = 0;
	while ((v = span__serve_next(r, "spanKind", &at))) {
		int kind = find_kind(*v);

		if (kind < 0) {
			span_error_set(&why, SPAN_E_INVALID,
				       "unsupported span kind: '%.*s'",
				       (int)span_text_cut(*v, 100),
				       v->len ? v->p : "");
			return refuse(a, "spanKind", &why);
		}
		*kinds |= 1u << kind;
	}
	if (!*kinds)
		*kinds = 1u << SPAN_KIND_SERVER;
	return 0;
}

/* So many milliseconds, or NS when it is not there. */
static int read_ms(const struct span__serve_request *r, const char *name,
		   uint64_t *ns, struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, name);
	struct span_error why = {0};
	int64_t ms = 0;

	if (!v.len)
		return 0;
	if (span__serve_int(v, &ms, &why) < 0)
		return refuse(a, name, &why);
	if (ms < 0 || (uint64_t)ms > UINT64_MAX / 4 / MS) {
		span_error_set(&why, SPAN_E_INVALID, "out of range");
		return refuse(a, name, &why);
	}
	*ns = (uint64_t)ms * MS;
	return 0;
}

static int read_quantile(const struct span__serve_request *r, double *quantile,
			 struct span__serve_answer *a)
{
	struct span_error why = {0};

	if (span__serve_double(span__serve_value(r, "quantile"), quantile,
			       &why) < 0)
		return refuse(a, "quantile", &why);
	if (*quantile >= 0 && *quantile <= 1)
		return 0;
	span_error_set(&why, SPAN_E_INVALID, "it must be from 0 to 1");
	return refuse(a, "quantile", &why);
}

static uint64_t whole_minutes(uint64_t ns)
{
	uint64_t n =
		ns / SPAN__METRICS_MINUTE + (ns % SPAN__METRICS_MINUTE != 0);

	return (n ? n : 1) * SPAN__METRICS_MINUTE;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The times of points, from what was asked for. */
static int set_times(struct span__metrics_query *q, uint64_t end_ns,
		     uint64_t lookback_ns, struct span__serve_answer *a)
{
	uint64_t width, back, points;

	q->step_ns = whole_minutes(q->step_ns);
	q->rate_ns = whole_minutes(q->rate_ns);
	width = common_divisor(q->step_ns, q->rate_ns);
	q->width_ns = width;
	q->end_ns = end_ns - end_ns % width;
	back = lookback_ns - lookback_ns % width;
	q->start_ns = q->end_ns > back ? q->end_ns - back : 0;
	if (q->start_ns < q->rate_ns)
		q->start_ns = q->rate_ns;
	if (q->end_ns < q->start_ns)
		return 0;
	points = (q->end_ns - q->start_ns) / q->step_ns;
	q->end_ns = q->start_ns + points * q->step_ns;
	if (points < SPAN__METRICS_POINTS)
		return 0;
	if (span__serve_error(a, 400,
			      "exceeded maximum resolution of 11,000 points "
			      "per timeseries. Try decreasing the query "
			      "resolution (?step=XX)") < 0)
		return SPAN_E_NOMEM;
	return SPAN_E_INVALID;
}

int span__metrics_read(const struct span__serve *serve,
		       const struct span__serve_request *r, bool quantile,
		       struct span__metrics_query *q,
		       struct span__serve_answer *a)
{
	uint64_t end = serve->now(), lookback = 3600 * 1000 * MS;
	int rc = quantile ? read_quantile(r, &q->quantile, a) : 0;

	q->step_ns = 5000 * MS;
	q->rate_ns = 600 * 1000 * MS;
	if (!rc)
		rc = read_services(r, a);
	if (!rc)
		rc = read_by_operation(r, &q->by_operation, a);
	if (!rc)
		rc = read_kinds(r, &q->kinds, a);
	if (!rc)
		rc = read_ms(r, "endTs", &end, a);
	if (!rc)
		rc = read_ms(r, "lookback", &lookback, a);
	if (!rc)
		rc = read_ms(r, "step", &q->step_ns, a);
	if (!rc)
		rc = read_ms(r, "ratePer", &q->rate_ns, a);
	q->asked_ns = end;
	return rc < 0 ? rc : set_times(q, end, lookback, a);
}

int span__metrics_time(const struct span__serve *serve,
		       const struct span__serve_request *r, uint64_t *since_ns,
		       uint64_t *until_ns, struct span__serve_answer *a)
{
	uint64_t end = serve->now(), lookback = 0;
	int rc = read_ms(r, "endTs", &end, a);

	if (!rc)
		rc = read_ms(r, "lookback", &lookback, a);
	*since_ns = *until_ns = 0;
	if (!rc && lookback) {
		*since_ns = end > lookback ? end - lookback : 0;
		*until_ns = end ? end : 1;
	}
	return rc;
}
