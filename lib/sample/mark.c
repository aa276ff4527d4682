/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threshold of sampling in a trace state.
 *
 * Who decides by the same random bits as the samplers before keeps what all of
 * them would keep: the highest threshold counts. Any other decision is
 * independent of them, and the probabilities are multiplied. A decision by
 * other bits of the id leaves these as the trace's randomness (rv), so that who
 * comes later decides by them, and the same decision again changes nothing.
 */
#include <string.h>

#include "model/model.h"
#include "sample/ratio.h"

#include "base/banned.h"

#define DIGITS 14

struct marks {
	uint64_t threshold, random;
	bool set_random;
};

static uint64_t times(uint64_t threshold, double p)
{
	uint64_t left =
		(uint64_t)((double)(SPAN__OT_ALL - threshold) * p + 0.5);

	return SPAN__OT_ALL - (left ? left : 1);
}

static struct marks marks_of(const struct span *s, const struct span_ratio *r,
			     const struct span_verdict *v)
{
	uint64_t before = span__threshold(s->trace_state), random = 0;
	struct marks m = {.threshold = before};
	uint64_t own = span__ratio_threshold(v->p);

	if (v->p >= 1)
		return m;
	if (own > SPAN__OT_ALL - 1)
		own = SPAN__OT_ALL - 1;
	if (!v->by_ratio) {
		m.threshold = times(before, v->p);
		return m;
	}
	m.random = span__ratio_random(r, s);
	if (m.random < own)
		m.random = own;
	if (r->like == SPAN_RATIO_CONSISTENT ||
	    (span__randomness(s->trace_state, &random) && random == m.random)) {
		m.threshold = own > before ? own : before;
	} else if (before) {
		m.threshold = times(before, v->p);
	} else {
		m.threshold = own;
		m.set_random = true;
	}
	return m;
}

/* What OpenTelemetry's member has beside what is set. */
static void keep_ot(struct span_buf *text, struct span_str ot,
		    const struct marks *m)
{
	while (ot.len) {
		struct span_str part = span__trim(span__cut(&ot, ';'));
		struct span_str rest = part, key = span__cut(&rest, ':');

		if (!part.len || span_str_equal(key, SPAN_STR("th")) ||
		    (m->set_random && span_str_equal(key, SPAN_STR("rv"))))
			continue;
		span_buf_putc(text, ';');
		span_buf_str(text, part);
	}
}

/* 56 bits in hex; the zeros at the end only when ALL digits are wanted. */
static void put_hex(struct span_buf *text, uint64_t v, bool all)
{
	int n = 0;

	do {
		span_buf_putc(text, "0123456789abcdef"[v >> 52 & 15]);
		v = v << 4 & (SPAN__OT_ALL - 1);
	} while (++n < DIGITS && (v || all));
}

/* OpenTelemetry's member first, then those of others as they were. */
static void put_state(struct span_buf *text, struct span_str state,
		      const struct marks *m)
{
	struct span_str left = state, part, key;

	span_buf_puts(text, "ot=th:");
	put_hex(text, m->threshold, false);
	if (m->set_random) {
		span_buf_puts(text, ";rv:");
		put_hex(text, m->random, true);
	}
	while (left.len) {
		part = span__trim(span__cut(&left, ','));
		key = span__cut(&part, '=');
		if (span_str_equal(key, SPAN_STR("ot")))
			keep_ot(text, part, m);
	}
	while (state.len) {
		struct span_str rest = part =
			span__trim(span__cut(&state, ','));

		key = span__cut(&rest, '=');
		if (!part.len || span_str_equal(key, SPAN_STR("ot")))
			continue;
		span_buf_putc(text, ',');
		span_buf_str(text, part);
	}
}

int span_sample_mark(struct span *s, const struct span_ratio *r,
		     const struct span_verdict *v, struct span_buf *text,
		     struct span_error *err)
{
	struct marks m = marks_of(s, r, v);

	if (m.threshold == span__threshold(s->trace_state))
		return 0;
	text->len = 0;
	put_state(text, s->trace_state, &m);
	if (text->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	/* A trace state of 64 KiB stays what it is: it cannot grow. */
	if (text->len <= SPAN_MAX_STRING)
		s->trace_state = (struct span_str){text->p, text->len};
	return 0;
}
