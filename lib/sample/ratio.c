/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions by trace id. Each scheme looks at a number of so many bits and
 * keeps the trace when it is below a share of all of them; OpenTelemetry's
 * consistent sampling, when 56 bits are not below the rest of them.
 *
 * Sources: OpenTelemetry, "TraceState: Probability Sampling"; the samplers of
 * the SDKs for Python 1.45, JavaScript 2, Go 1 and Java 1; jaeger-client for
 * Python 4.8 and Go 2; Jaeger 1, the down-sampling of its collector.
 */
#include "sample/ratio.h"

#include <math.h>
#include <string.h>

#include "model/model.h"

#include "base/banned.h"

#define TWO_63 9223372036854775808.0
#define TWO_64 18446744073709551616.0
#define JS_SHARE 4294967295.0

static uint64_t big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint64_t span__ratio_threshold(double p)
{
	uint64_t kept = (uint64_t)(p * (double)SPAN__OT_ALL + 0.5);

	return SPAN__OT_ALL - (p > 0 && !kept ? 1 : kept);
}

/* FNV-1a of 64 bits. */
static uint64_t fnv(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* What the scheme looks at, in the upper bits. */
static uint64_t number_of(const struct span_ratio *r, const uint8_t id[16])
{
	uint64_t low = big_endian(id + 8, 8), high = big_endian(id, 8), x;

	switch (r->like) {
	case SPAN_RATIO_OTEL_JS:
		x = high ^ low;
		return (x ^ x << 32) & UINT64_C(0xffffffff00000000);
	case SPAN_RATIO_OTEL_GO:
		return low & ~UINT64_C(1);
	case SPAN_RATIO_OTEL_JAVA:
		/* The smallest number has no opposite, and stays below all. */
		if (low == UINT64_C(1) << 63)
			return 0;
		return (low >> 63 ? 0 - low : low) << 1;
	case SPAN_RATIO_JAEGER_GO:
		return low << 1;
	case SPAN_RATIO_SALTED:
		x = fnv(UINT64_C(0xcbf29ce484222325), r->salt.p, r->salt.len);
		return fnv(x, id, 16);
	default:
		return low;
	}
}

/* Is the number of 64 bits V below BOUND, which may be 2^64? */
static bool below(uint64_t v, double bound)
{
	return bound >= TWO_64 || v < (uint64_t)bound;
}

/*
 * As each of them rounds. A share of 0 is nothing, but for Jaeger's Go client,
 * which keeps the number 0 even so.
 */
static bool is_below(enum span_ratio_like like, double p, uint64_t v)
{
	switch (like) {
	case SPAN_RATIO_OTEL_PYTHON:
		return below(v, rint(p * TWO_64));
	case SPAN_RATIO_OTEL_JS:
		return p >= 1 || v >> 32 < (uint64_t)(p * JS_SHARE);
	case SPAN_RATIO_OTEL_GO:
	case SPAN_RATIO_OTEL_JAVA:
		return p >= 1 || v >> 1 < (uint64_t)(p * TWO_63);
	case SPAN_RATIO_JAEGER_GO:
		return p >= 1 || v >> 1 <= (uint64_t)(p * TWO_63);
	case SPAN_RATIO_JAEGER_PYTHON:
		return below(v, ceil(p * TWO_64));
	default:
		return below(v, p * TWO_64);
	}
}

bool span_ratio_keeps(const struct span_ratio *r, double p,
		      const struct span *s)
{
	if (r->like != SPAN_RATIO_CONSISTENT)
		return is_below(r->like, p, number_of(r, s->trace_id));
	return span__ratio_random(r, s) >= span__ratio_threshold(p);
}

uint64_t span__ratio_random(const struct span_ratio *r, const struct span *s)
{
	uint64_t random = 0;

	if (r->like != SPAN_RATIO_CONSISTENT)
		return SPAN__OT_ALL - 1 - (number_of(r, s->trace_id) >> 8);
	if (!span__randomness(s->trace_state, &random))
		random = big_endian(s->trace_id + 9, 7);
	return random;
}

static bool priority(const struct span *s, double *p)
{
	const struct span_value *v =
		span_attr_get(&s->attrs, SPAN_STR("sampling.priority"));

	if (!v || (v->type != SPAN_INT && v->type != SPAN_DOUBLE))
		return false;
	*p = v->type == SPAN_INT ? (double)v->i : v->d;
	return true;
}

bool span_wants_sampling(const struct span *s)
{
	double p;

	if (!s->scope && s->flags & 2)
		return true;
	return priority(s, &p) && p > 0;
}

bool span_refuses_sampling(const struct span *s)
{
	double p;

	return priority(s, &p) && p == 0;
}
