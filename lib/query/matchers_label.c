/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the labels of a selector are: fields of a span, in the names that
 * OpenTelemetry, Jaeger and Tempo give them; attributes; or what Prometheus
 * says of the program that it asked, which is nothing of a span. Where such a
 * label has taken the name of one of ours, that is now "exported_" and its
 * name.
 */
#include "query/matchers.h"

#include <math.h>
#include <string.h>

#include "text/label.h"
#include "text/parse.h"

#include "base/banned.h"

#define EXPORTED SPAN_STR("exported_")

static const struct {
	const char *name;
	enum span__label label;
	const char *unless; /* another label is there, which has it */
} labels[] = {
	{"service_name", SPAN__LABEL_SERVICE, NULL},
	{"service", SPAN__LABEL_SERVICE, "service_name"},
	{"span_name", SPAN__LABEL_OPERATION, NULL},
	{"operation", SPAN__LABEL_OPERATION, "span_name"},
	{"span_kind", SPAN__LABEL_KIND, NULL},
	{"status_code", SPAN__LABEL_STATUS, NULL},
	{"status_message", SPAN__LABEL_MESSAGE, NULL},
	{"error", SPAN__LABEL_ERROR, NULL},
	{"trace_id", SPAN__LABEL_TRACE_ID, NULL},
	{"span_id", SPAN__LABEL_SPAN_ID, NULL},
	{"job", SPAN__LABEL_NONE, NULL},
	{"instance", SPAN__LABEL_NONE, NULL},
	{"__name__", SPAN__LABEL_NONE, NULL},
};

static int fail(struct span_error *err, size_t pos, const char *what)
{
	return span_error_at(err, SPAN_E_INVALID, pos,
			     "matchers, column %zu: %s", pos + 1, what);
}

static bool begins(struct span_str s, struct span_str with)
{
	return s.len > with.len && !memcmp(s.p, with.p, with.len);
}

static bool ends(struct span_str s, struct span_str with)
{
	return s.len >= with.len &&
	       !memcmp(s.p + s.len - with.len, with.p, with.len);
}

/* Is there a label KEY, with "exported_" before it if that is wanted? */
static bool has(const struct span__selector *s, struct span_str key,
		bool exported)
{
	for (size_t i = 0; i < s->n; i++)
		if (begins(s->v[i].name, EXPORTED) == exported &&
		    span__label_is(key, s->v[i].key))
			return true;
	return false;
}

static void find(const struct span__selector *s, struct span__matcher *m)
{
	bool exported = begins(m->name, EXPORTED);

	/* No program that is asked has one: "exported_le" is an attribute. */
	if (span_str_equal(m->key, SPAN_STR("le"))) {
		if (!exported)
			m->label = SPAN__LABEL_LE;
		return;
	}
	if (!exported && has(s, m->key, true)) {
		m->label = SPAN__LABEL_NONE;
		return;
	}
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		const char *unless = labels[i].unless;

		if (!span__label_is(span_str(labels[i].name), m->key))
			continue;
		if (unless && (has(s, span_str(unless), false) ||
			       has(s, span_str(unless), true)))
			return;
		if (!exported || labels[i].label != SPAN__LABEL_NONE)
			m->label = labels[i].label;
		return;
	}
}

/* ns in the unit of a histogram of that name; 0 when it tells none. */
static double unit_of(struct span_str metric)
{
	static const struct {
		struct span_str ends;
		double ns;
	} units[] = {
		{{"_milliseconds", 13}, 1e6},
		{{"_seconds", 8}, 1e9},
		{{"traces_spanmetrics_latency", 26}, 1e9},
		/* Where names have no unit, it is that of the connector. */
		{{"duration", 8}, 1e6},
		{{"latency", 7}, 1e6},
	};

	if (ends(metric, SPAN_STR("_bucket")))
		metric.len -= sizeof("_bucket") - 1;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (ends(metric, units[i].ends))
			return units[i].ns;
	return 0;
}

/* A bound was a whole number of ns before it was divided by the unit. */
static uint64_t whole_ns(double ns)
{
	double near = round(ns);

	if (near >= 18446744073709551615.0)
		return UINT64_MAX;
	return (uint64_t)(fabs(near - ns) <= 1e-9 * ns ? near : floor(ns));
}

static int read_bound(const struct span__selector *s, struct span__matcher *m,
		      struct span_error *err)
{
	double unit = unit_of(s->metric), bound;

	if (m->negate || m->is_regex)
		return fail(err, m->pos, "le goes with = alone");
	if (!m->value.len) {
		m->label = SPAN__LABEL_NONE;
		return 0;
	}
	if (!span__text_to_double(m->value, &bound) || !(bound >= 0))
		return fail(err, m->value_pos, "le is a number, or +Inf");
	if (!unit && !isinf(bound))
		return fail(err, m->pos,
			    "le needs the name of its histogram, which tells "
			    "the unit: ..._seconds_bucket or "
			    "..._milliseconds_bucket");
	m->most_ns = isinf(bound) ? UINT64_MAX : whole_ns(bound * unit);
	return 0;
}

/* A metric alone is all of its series; labels have to say something. */
static bool says_nothing(const struct span__selector *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].label != SPAN__LABEL_NONE)
			return false;
	for (size_t i = 0; i < s->n; i++)
		if (!span_str_equal(s->v[i].name, SPAN_STR("__name__")))
			return true;
	return !s->metric.len;
}

int span__selector_resolve(struct span__selector *s, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct span__matcher *m = &s->v[i];
		size_t skip = begins(m->name, EXPORTED) ? EXPORTED.len : 0;

		m->key =
			(struct span_str){m->name.p + skip, m->name.len - skip};
	}
	for (size_t i = 0; i < s->n && !rc; i++) {
		find(s, &s->v[i]);
		if (s->v[i].label == SPAN__LABEL_LE)
			rc = read_bound(s, &s->v[i], err);
	}
	if (rc < 0 || !says_nothing(s))
		return rc;
	return fail(err, s->n ? s->v[0].pos : 0,
		    "no label here says anything of spans");
}
