/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/adjust.h"

#include <inttypes.h>

#include "base/sort.h"
#include "trace/clock_skew.h"
#include "trace/parents.h"

#include "base/banned.h"

#define SECOND UINT64_C(1000000000)

/* N / UNIT, with what is left of it after a point. */
static void put_decimal(struct span_buf *b, uint64_t n, uint64_t unit)
{
	uint64_t rest = n % unit;

	span_buf_printf(b, "%" PRIu64, n / unit);
	if (rest)
		span_buf_putc(b, '.');
	while (rest) {
		unit /= 10;
		span_buf_putc(b, (char)('0' + rest / unit));
		rest %= unit;
	}
}

/* As Go prints it: "-45ms", "1.5s", "1h0m2s". */
static void put_duration(struct span_buf *b, int64_t ns)
{
	uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		span_buf_putc(b, '-');
	if (n && n < 1000) {
		span_buf_printf(b, "%" PRIu64 "ns", n);
	} else if (n && n < 1000000) {
		put_decimal(b, n, 1000);
		span_buf_puts(b, "\xc2\xb5s");
	} else if (n && n < SECOND) {
		put_decimal(b, n, 1000000);
		span_buf_puts(b, "ms");
	} else {
		if (n >= 3600 * SECOND)
			span_buf_printf(b, "%" PRIu64 "h", n / 3600 / SECOND);
		if (n >= 60 * SECOND)
			span_buf_printf(b, "%um",
					(unsigned)(n / 60 / SECOND % 60));
		put_decimal(b, n % (60 * SECOND), SECOND);
		span_buf_putc(b, 's');
	}
}

static void put_skew(struct span_buf *b, bool moved, int64_t delta_ns,
		     uint64_t max_ns)
{
	if (moved) {
		span_buf_puts(b, "This span's timestamps were adjusted by ");
	} else if (max_ns) {
		span_buf_puts(b, "max clock skew adjustment delta of ");
		put_duration(b,
			     max_ns < INT64_MAX ? (int64_t)max_ns : INT64_MAX);
		span_buf_puts(b,
			      " exceeded; not applying calculated delta of ");
	} else {
		span_buf_puts(b, "clock skew adjustment disabled; "
				 "not applying calculated delta of ");
	}
	put_duration(b, delta_ns);
}

/* What the last attribute says becomes a warning. */
static int warn_of_skew(struct span_arena *a, struct span *s, uint64_t max_ns,
			struct span_buf *text)
{
	const struct span_attr *last;
	bool moved;

	if (!s->attrs.n)
		return 0;
	last = &s->attrs.v[s->attrs.n - 1];
	if (last->value.type != SPAN_INT)
		return 0;
	moved = span_str_equal(last->key, SPAN__KEY_MOVED);
	if (!moved && !span_str_equal(last->key, SPAN__KEY_REFUSED))
		return 0;
	text->len = 0;
	put_skew(text, moved, last->value.i, max_ns);
	s->attrs.n--;
	return span__warn_text(a, s, text);
}

static int warn_of_parent(struct span_arena *a, struct span *s,
			  enum span_adjust_family family, struct span_buf *text)
{
	bool otlp = family == SPAN_ADJUST_OTLP;
	char id[SPAN_ID_TEXT];

	text->len = 0;
	span_buf_printf(text,
			"%s span ID%s=%s%s; skipping clock skew adjustment",
			otlp ? "parent" : "invalid parent", otlp ? "" : "s",
			span_id_text(s->parent_id, id),
			otlp ? " is not in the trace" : "");
	return span__warn_text(a, s, text);
}

/* All spans with an id that an earlier one has. */
static int warn_of_ids(struct span_trace_builder *b, const struct span_trace *t)
{
	static const struct span_str text = {
		"duplicate span IDs; skipping clock skew adjustment", 50};
	size_t n, shared = 0;
	struct span *spans = span__adjusted(b, &n);
	struct span__item *v = span_arena_array(&b->arena, 2 * n, sizeof(*v));
	int rc = v ? 0 : SPAN_E_NOMEM;

	if (!v)
		return rc;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->nodes[i].flags & SPAN_TRACE_SHARED)
			v[shared++] = (struct span__item){
				span__id_get(spans[i].span_id), i};
	span__sort(v, v + n, shared, NULL, NULL);
	for (size_t k = 1; k < shared && !rc; k++)
		if (v[k].key == v[k - 1].key)
			rc = span__warn(&b->arena, &spans[v[k].i], &text, 1);
	return rc;
}

int span_adjust_clocks(struct span_trace_builder *b,
		       enum span_adjust_family family, uint64_t max_ns,
		       struct span_trace *t, struct span_error *err)
{
	struct span_buf text = {0};
	int rc = span_trace_builder_adjust(b, max_ns, t, err);
	bool skewed = rc > 0;
	size_t n;
	struct span *spans = span__adjusted(b, &n);

	if (rc < 0)
		return rc;
	rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		if (skewed)
			rc = warn_of_skew(&b->arena, &spans[i], max_ns, &text);
		if (!rc && t->nodes[i].flags & SPAN_TRACE_ORPHAN)
			rc = warn_of_parent(&b->arena, &spans[i], family,
					    &text);
	}
	if (!rc)
		rc = warn_of_ids(b, t);
	span_buf_release(&text);
	return span__adjust_end(rc, err);
}
