/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which runs of a text are numbers is decided by the text alone, so that texts
 * of the same form have the same template. A run of hex digits with letters in
 * it is a number when it is long enough not to be a word.
 */
#include "store/seg_template.h"

#include <string.h>

#include "base/banned.h"

#define DECIMALS_MAX 19u /* fit into 64 bits */
#define HEX_MIN 8u
#define HEX_MAX 32u
#define UUID_LEN 36u

static const uint64_t powers[DECIMALS_MAX + 1] = {
	1ull,
	10ull,
	100ull,
	1000ull,
	10000ull,
	100000ull,
	1000000ull,
	10000000ull,
	100000000ull,
	1000000000ull,
	10000000000ull,
	100000000000ull,
	1000000000000ull,
	10000000000000ull,
	100000000000000ull,
	1000000000000000ull,
	10000000000000000ull,
	100000000000000000ull,
	1000000000000000000ull,
	10000000000000000000ull,
};

/* What a byte is as a hex digit; NO_HEX: none. */
#define NO_HEX 0xffu
#define N4 NO_HEX, NO_HEX, NO_HEX, NO_HEX
#define N16 N4, N4, N4, N4
static const uint8_t hex_digits[256] = {
	N16, N16,    N16,    0,	  1,   2,      3,   4,	 5,   6,   7,	8,  9,
	N4,  NO_HEX, NO_HEX, N16, N16, NO_HEX, 10,  11,	 12,  13,  14,	15, N4,
	N4,  NO_HEX, N16,    N16, N16, N16,    N16, N16, N16, N16, N16,
};
#undef N4
#undef N16

static uint8_t hex_digit(char c)
{
	return hex_digits[(uint8_t)c];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint64_t decimal_value(const char *p, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v * 10 + (uint64_t)(p[i] - '0');
	return v;
}

/* The number that LEN hex digits make, up to 16: false when they are none. */
static bool hex_value(const char *p, size_t len, uint64_t *v)
{
	unsigned bad = 0;
	uint64_t x = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t digit = hex_digit(p[i]);

		bad |= digit;
		x = x << 4 | (digit & 15);
	}
	*v = x;
	return bad < 16;
}

/* The halves of the UUID that TEXT begins with: false when there is none. */
static bool uuid_value(struct span_str text, uint64_t *high, uint64_t *low)
{
	const char *p = text.p;
	uint64_t a, b, c, d, e;

	if (text.len < UUID_LEN || p[8] != '-' || p[13] != '-' ||
	    p[18] != '-' || p[23] != '-' || !hex_value(p, 8, &a) ||
	    !hex_value(p + 9, 4, &b) || !hex_value(p + 14, 4, &c) ||
	    !hex_value(p + 19, 4, &d) || !hex_value(p + 24, 12, &e))
		return false;
	*high = a << 32 | b << 16 | c;
	*low = d << 48 | e;
	return true;
}

/* ---- The bytes of a template ---- */

int span__token_next(struct span__tokens *t, struct span__token *out)
{
	uint8_t b;

	if (t->p == t->end)
		return 0;
	b = *t->p++;
	*out = (struct span__token){.kind = TOKEN_LITERAL};
	if (b < 0x80) {
		out->literal = (struct span_str){(const char *)t->p, b};
		if (!b || b > t->end - t->p)
			return -1;
		t->p += b;
		return 1;
	}
	out->kind = b >> 3 & 15;
	out->slot = b & 7;
	if (out->kind >= TOKEN_LITERAL)
		return -1;
	if (out->kind >= TOKEN_DIGITS && out->kind <= TOKEN_HEX_LONG) {
		if (t->p == t->end)
			return -1;
		out->width = *t->p++;
	}
	if (span__token_long(out->kind)) {
		if (t->p == t->end || *t->p >= SEG_TEMPLATE_VARS)
			return -1;
		out->low_slot = *t->p++;
	}
	switch (out->kind) {
	case TOKEN_DIGITS:
		return out->width && out->width <= DECIMALS_MAX ? 1 : -1;
	case TOKEN_HEX:
		return out->width && out->width <= 16 ? 1 : -1;
	case TOKEN_HEX_LONG:
		return out->width > 16 && out->width <= HEX_MAX ? 1 : -1;
	default:
		return 1;
	}
}

/* ---- Taking apart ---- */

struct splitter {
	struct span__split *s;
	const char *p;
	size_t len, literal; /* where the literal that is not yet put begins */
};

static void put_literal(struct splitter *x, size_t end)
{
	struct span__split *s = x->s;

	while (x->literal < end) {
		size_t k = end - x->literal;

		if (k > TEMPLATE_LITERAL_MAX)
			k = TEMPLATE_LITERAL_MAX;
		s->body[s->len++] = (uint8_t)k;
		memcpy(s->body + s->len, x->p + x->literal, k);
		s->len += k;
		x->literal += k;
	}
}

static void put_number(struct splitter *x, size_t from, size_t to,
		       enum span__token_kind kind, uint64_t high, uint64_t low)
{
	struct span__split *s = x->s;
	unsigned n = span__token_long(kind) ? 2 : 1;
	uint8_t key = kind == TOKEN_DIGITS ? 0 : (uint8_t)((uint8_t)kind << 5);

	/* What there is no slot for stays literal. */
	if (s->n + n > SEG_TEMPLATE_VARS)
		return;
	put_literal(x, from);
	x->literal = to;
	s->body[s->len++] = (uint8_t)(0x80 | (unsigned)kind << 3 | s->n);
	if (kind >= TOKEN_DIGITS && kind <= TOKEN_HEX_LONG) {
		s->body[s->len++] = (uint8_t)(to - from);
		if (key)
			key |= (uint8_t)(to - from);
	}
	s->kind[s->n] = key;
	s->v[s->n++] = high;
	if (n == 1)
		return;
	s->body[s->len++] = (uint8_t)s->n;
	s->kind[s->n] = (uint8_t)TOKEN_LITERAL << 5;
	s->v[s->n++] = low;
}

static void split_decimal(struct splitter *x, size_t from, size_t to)
{
	size_t len = to - from;
	bool zero = len > 1 && x->p[from] == '0';

	if (len > DECIMALS_MAX)
		return;
	put_number(x, from, to, zero ? TOKEN_DIGITS : TOKEN_DECIMAL,
		   decimal_value(x->p + from, len), 0);
}

static void split_hex(struct splitter *x, size_t from, size_t to)
{
	size_t len = to - from, high = len > 16 ? len - 16 : 0;
	uint64_t a, b;

	hex_value(x->p + from, high, &a);
	hex_value(x->p + from + high, len - high, &b);
	if (high)
		put_number(x, from, to, TOKEN_HEX_LONG, a, b);
	else
		put_number(x, from, to, TOKEN_HEX, b, 0);
}

/* The digits in a short run that has letters too. */
static void split_word(struct splitter *x, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t begin = i;

		while (i < to && is_digit(x->p[i]))
			i++;
		if (i > begin)
			split_decimal(x, begin, i);
	}
}

/* A run of hex digits, of which N_LETTERS are letters. Returns its end. */
static size_t split_run(struct splitter *x, size_t from, size_t to,
			size_t n_letters)
{
	size_t len = to - from;
	struct span_str rest = {x->p + from, x->len - from};
	uint64_t high, low;

	if (len == 8 && uuid_value(rest, &high, &low)) {
		to = from + UUID_LEN;
		put_number(x, from, to, TOKEN_UUID, high, low);
	} else if (!n_letters) {
		split_decimal(x, from, to);
	} else if (len >= HEX_MIN && len <= HEX_MAX &&
		   (n_letters < len || len == 16 || len == 32)) {
		split_hex(x, from, to);
	} else if (n_letters < len) {
		split_word(x, from, to);
	}
	return to;
}

void span__template_split(struct span__split *s, struct span_str text)
{
	struct splitter x = {.s = s, .p = text.p, .len = text.len};

	s->len = 0;
	s->n = 0;
	for (size_t i = 0; i < text.len;) {
		size_t from = i, n_letters = 0;
		uint8_t digit;

		for (; i < text.len; i++) {
			digit = hex_digit(text.p[i]);
			if (digit == NO_HEX)
				break;
			n_letters += digit > 9;
		}
		if (i > from)
			i = split_run(&x, from, i, n_letters);
		else
			i++;
	}
	put_literal(&x, text.len);
}

/* ---- Putting together ---- */

static char *put_digits(char *out, uint64_t v, unsigned width)
{
	for (unsigned i = width; i--; v /= 10)
		out[i] = (char)('0' + v % 10);
	return out + width;
}

static char *put_hex(char *out, uint64_t v, unsigned width)
{
	for (unsigned i = width; i--; v >>= 4)
		out[i] = "0123456789abcdef"[v & 15];
	return out + width;
}

static char *put_uuid(char *out, uint64_t high, uint64_t low)
{
	out = put_hex(out, high >> 32, 8);
	*out++ = '-';
	out = put_hex(out, high >> 16, 4);
	*out++ = '-';
	out = put_hex(out, high, 4);
	*out++ = '-';
	out = put_hex(out, low >> 48, 4);
	*out++ = '-';
	return put_hex(out, low, 12);
}

static unsigned count_digits(uint64_t v)
{
	unsigned n = 1;

	while (n <= DECIMALS_MAX && v >= powers[n])
		n++;
	return n;
}

static bool fits_hex(uint64_t v, unsigned width)
{
	return width >= 16 || !(v >> 4 * width);
}

static char *put_token(char *out, const struct span__token *t,
		       const uint64_t *slots)
{
	uint64_t v = slots[t->slot];

	switch (t->kind) {
	case TOKEN_LITERAL:
		memcpy(out, t->literal.p, t->literal.len);
		return out + t->literal.len;
	case TOKEN_DECIMAL:
		return put_digits(out, v, count_digits(v));
	case TOKEN_DIGITS:
		return v < powers[t->width] ? put_digits(out, v, t->width)
					    : NULL;
	case TOKEN_HEX:
		return fits_hex(v, t->width) ? put_hex(out, v, t->width) : NULL;
	case TOKEN_HEX_LONG:
		if (!fits_hex(v, t->width - 16u))
			return NULL;
		out = put_hex(out, v, t->width - 16u);
		return put_hex(out, slots[t->low_slot], 16);
	case TOKEN_UUID:
		return put_uuid(out, v, slots[t->low_slot]);
	default:
		return NULL;
	}
}

bool span__template_render(struct span_str body, const uint64_t *v, char *out,
			   size_t *len)
{
	const uint8_t *p = (const uint8_t *)body.p;
	struct span__tokens tokens = {p, p + body.len};
	struct span__token t;
	char *to = out;
	int rc = 0;

	while (to && (rc = span__token_next(&tokens, &t)) > 0)
		to = put_token(to, &t, v);
	*len = to ? (size_t)(to - out) : 0;
	return to && !rc;
}

/* ---- Comparing ---- */

/* How many digits it begins with, up to MAX. */
static size_t run_of_digits(struct span_str text, size_t max)
{
	size_t n = 0;

	while (n < text.len && n < max && is_digit(text.p[n]))
		n++;
	return n;
}

/* How many bytes of TEXT the token takes; 0: it is another one. */
static size_t match_token(const struct span__token *t, struct span_str text,
			  uint64_t *v)
{
	size_t n = t->width;

	switch (t->kind) {
	case TOKEN_LITERAL:
		n = t->literal.len;
		return n <= text.len && !memcmp(t->literal.p, text.p, n) ? n
									 : 0;
	case TOKEN_DECIMAL:
		n = run_of_digits(text, DECIMALS_MAX);
		if (n > 1 && *text.p == '0')
			return 0;
		v[t->slot] = decimal_value(text.p, n);
		return n;
	case TOKEN_DIGITS:
		if (run_of_digits(text, n) < n)
			return 0;
		v[t->slot] = decimal_value(text.p, n);
		return n;
	case TOKEN_HEX:
		return n <= text.len && hex_value(text.p, n, &v[t->slot]) ? n
									  : 0;
	case TOKEN_HEX_LONG:
		return n <= text.len &&
				       hex_value(text.p, n - 16, &v[t->slot]) &&
				       hex_value(text.p + n - 16, 16,
						 &v[t->low_slot])
			       ? n
			       : 0;
	case TOKEN_UUID:
		return uuid_value(text, &v[t->slot], &v[t->low_slot]) ? UUID_LEN
								      : 0;
	default:
		return 0;
	}
}

bool span__template_match(struct span_str body, struct span_str text,
			  uint64_t *v, unsigned *slots)
{
	const uint8_t *p = (const uint8_t *)body.p;
	struct span__tokens tokens = {p, p + body.len};
	struct span__token t;
	int rc;

	*slots = 0;
	while ((rc = span__token_next(&tokens, &t)) > 0) {
		size_t n = match_token(&t, text, v);

		if (!n)
			return false;
		text.p += n;
		text.len -= n;
		if (t.kind == TOKEN_LITERAL)
			continue;
		*slots |= 1u << t.slot;
		if (span__token_long(t.kind))
			*slots |= 1u << t.low_slot;
	}
	return !rc && !text.len;
}
