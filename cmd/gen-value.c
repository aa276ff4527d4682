/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws the values of tags. A named value has no storage: it is drawn again
 * wherever it is used, from the seed of its trace (or span), so that all
 * spans of a trace agree.
 */
#include "gen.h"

#include <string.h>

#include "base/banned.h"

void gen_text_put(struct gen_text *t, const void *p, size_t len)
{
	if (len > t->cap - t->len)
		len = t->cap - t->len;
	if (!len)
		return;
	memcpy(t->p + t->len, p, len);
	t->len += len;
}

void gen_text_puts(struct gen_text *t, const char *s)
{
	gen_text_put(t, s, strlen(s));
}

void gen_text_number(struct gen_text *t, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
	} while (n /= 10);
	gen_text_put(t, digits + i, sizeof(digits) - i);
}

void gen_text_hex(struct gen_text *t, uint64_t v, unsigned int digits)
{
	char out[16];

	for (unsigned int i = digits; i-- > 0; v >>= 4)
		out[i] = "0123456789abcdef"[v & 15];
	gen_text_put(t, out, digits);
}

static void put_hex(struct gen_text *t, uint64_t *state, uint64_t digits)
{
	for (; digits > 16; digits -= 16)
		gen_text_hex(t, gen_rand(state), 16);
	gen_text_hex(t, gen_rand(state), (unsigned int)digits);
}

/* Version 4, variant 1. */
static void put_uuid(struct gen_text *t, uint64_t *state)
{
	uint64_t a = gen_rand(state), b = gen_rand(state);

	gen_text_hex(t, a >> 32, 8);
	gen_text_puts(t, "-");
	gen_text_hex(t, a >> 16, 4);
	gen_text_puts(t, "-4");
	gen_text_hex(t, a, 3);
	gen_text_puts(t, "-");
	gen_text_hex(t, (b >> 62 | 2) << 12 | (b >> 48 & 0xfff), 4);
	gen_text_puts(t, "-");
	gen_text_hex(t, b, 12);
}

static int64_t draw_int(const struct gen_value *v, uint64_t *state)
{
	uint64_t n;

	if (v->draw != GEN_SKEW)
		return v->lo +
		       (int64_t)gen_below(state, (uint64_t)(v->hi - v->lo) + 1);
	n = gen_log_uniform(state, v->lo_log2, v->hi_log2);
	if (n < (uint64_t)v->lo)
		return v->lo;
	return n > (uint64_t)v->hi ? v->hi : (int64_t)n;
}

static const struct gen_value *choose(const struct gen_value *v,
				      uint64_t *state)
{
	uint64_t at = gen_below(state, v->weights[v->n_values - 1]);
	size_t i = 0;

	while (v->weights[i] <= at)
		i++;
	return &v->values[i];
}

/* The named value I, as all of its trace or span see it. */
static void draw_named(int64_t i, const struct gen_context *c,
		       struct span_value *out)
{
	const struct gen_value *v = &c->named[i];
	uint64_t state = gen_mix(v->per_span ? c->span_seed : c->trace_seed,
				 ~(uint64_t)i);

	gen_value_draw(v, c, &state, out);
}

static void put_value(struct gen_text *t, const struct span_value *v)
{
	uint64_t milli;

	switch (v->type) {
	case SPAN_INT:
		if (v->i < 0)
			gen_text_puts(t, "-");
		gen_text_number(t, v->i < 0 ? -(uint64_t)v->i : (uint64_t)v->i);
		break;
	case SPAN_DOUBLE:
		if (v->d < 0)
			gen_text_puts(t, "-");
		milli = (uint64_t)((v->d < 0 ? -v->d : v->d) * 1000 + 0.5);
		gen_text_number(t, milli / 1000);
		gen_text_puts(t, ".");
		gen_text_number(t, milli / 100 % 10);
		gen_text_number(t, milli / 10 % 10);
		gen_text_number(t, milli % 10);
		break;
	case SPAN_BOOL:
		gen_text_puts(t, v->b ? "true" : "false");
		break;
	default:
		/* A named value's text is at the end of the buffer already. */
		if (v->str.len && v->str.p != t->p + t->len - v->str.len)
			gen_text_put(t, v->str.p, v->str.len);
	}
}

static void put_builtin(struct gen_text *t, int which,
			const struct gen_context *c)
{
	const struct gen_process *p =
		which <= GEN_PEER && c->peer ? c->peer : c->self;
	struct span_str s = p->process.service;

	if (which == GEN_HOST || which == GEN_PEER_HOST)
		s = p->host;
	else if (which == GEN_IP || which == GEN_PEER_IP)
		s = p->ip;
	if (which == GEN_INSTANCE)
		gen_text_number(t, p->instance);
	else
		gen_text_put(t, s.p, s.len);
}

static void put_template(const struct gen_value *v, const struct gen_context *c)
{
	for (size_t i = 0; i < v->n_parts; i++) {
		const struct gen_part *part = &v->parts[i];
		struct span_value named;

		if (part->ref == GEN_TEXT) {
			gen_text_put(c->text, part->text.p, part->text.len);
		} else if (part->ref < 0) {
			put_builtin(c->text, part->ref, c);
		} else {
			draw_named(part->ref, c, &named);
			put_value(c->text, &named);
		}
	}
}

void gen_value_draw(const struct gen_value *v, const struct gen_context *c,
		    uint64_t *state, struct span_value *out)
{
	size_t start = c->text->len;

	switch (v->draw) {
	case GEN_CONST:
		*out = v->value;
		return;
	case GEN_INT:
	case GEN_SKEW:
		out->type = SPAN_INT;
		out->i = draw_int(v, state);
		return;
	case GEN_DOUBLE:
		out->type = SPAN_DOUBLE;
		out->d = (double)draw_int(v, state) / 1000;
		return;
	case GEN_CHOICE:
		gen_value_draw(choose(v, state), c, state, out);
		return;
	case GEN_REF:
		draw_named(v->lo, c, out);
		return;
	case GEN_TEMPLATE:
		put_template(v, c);
		break;
	case GEN_HEX:
		put_hex(c->text, state, (uint64_t)v->hi);
		break;
	case GEN_UUID:
		put_uuid(c->text, state);
		break;
	}
	out->type = SPAN_STRING;
	out->str.p = c->text->p + start;
	out->str.len = c->text->len - start;
}
