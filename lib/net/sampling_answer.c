/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers are written as Go does: whole ones without a point. */
#include "net/sampling_answer.h"

#include <math.h>

#include <span/text.h>

#include "base/banned.h"

#define WHOLE_MAX 2147483647.0

static void put_number(struct span_buf *b, double d)
{
	if (d == floor(d) && fabs(d) <= WHOLE_MAX)
		span_text_int(b, (int64_t)d);
	else
		span_text_double(b, d);
}

static void put_operations(struct span_buf *b, const struct span_strategy *s)
{
	span_buf_puts(
		b, ",\"operationSampling\":{\"defaultSamplingProbability\":");
	put_number(b, s->other);
	span_buf_puts(b, ",\"defaultLowerBoundTracesPerSecond\":0,"
			 "\"perOperationStrategies\":[");
	for (size_t i = 0; i < s->n_operations; i++) {
		span_buf_puts(b, i ? ",{\"operation\":" : "{\"operation\":");
		span_text_json(b, s->operations[i].name);
		span_buf_puts(b,
			      ",\"probabilisticSampling\":{\"samplingRate\":");
		put_number(b, s->operations[i].p);
		span_buf_puts(b, "}}");
	}
	span_buf_puts(b, "],\"defaultUpperBoundTracesPerSecond\":0}");
}

void span__sampling_answer(const struct span_strategies *strategies,
			   struct span_str service, bool numeric,
			   struct span_buf *out)
{
	static const struct span_strategy usual = {
		.param = SPAN_STRATEGY_PROBABILITY};
	const struct span_strategy *s = &usual;

	if (strategies)
		s = span_strategies_find(strategies, service);
	span_buf_puts(out, "{\"strategyType\":");
	if (numeric)
		span_buf_putc(out, s->limits ? '1' : '0');
	else
		span_buf_puts(out, s->limits ? "\"RATE_LIMITING\""
					     : "\"PROBABILISTIC\"");
	span_buf_puts(
		out, s->limits
			     ? ",\"rateLimitingSampling\":"
			       "{\"maxTracesPerSecond\":"
			     : ",\"probabilisticSampling\":{\"samplingRate\":");
	put_number(out, s->param);
	span_buf_putc(out, '}');
	if (s->has_operations)
		put_operations(out, s);
	span_buf_putc(out, '}');
}

bool span__baggage_answer(const struct span_strategies *s, struct span_buf *out)
{
	if (!s || !s->has_baggage)
		return false;
	span_buf_putc(out, '[');
	for (size_t i = 0; i < s->n_baggage; i++) {
		span_buf_puts(out, i ? ",{" : "{");
		span_buf_puts(out, "\"baggageKey\":");
		span_text_json(out, s->baggage[i].key);
		span_buf_puts(out, ",\"maxValueLength\":");
		span_text_int(out, s->baggage[i].max);
		span_buf_putc(out, '}');
	}
	span_buf_putc(out, ']');
	return true;
}
