/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that stand for what was there: "card-{last:4}", "{hash}". */
#include "query/redact.h"

#include "base/siphash.h"

#include <string.h>

#include "base/banned.h"

enum field { FIELD_HASH, FIELD_KIND, FIELD_LENGTH, FIELD_FIRST, FIELD_LAST };

static const struct {
	const char *name;
	bool counts; /* it has a number behind a colon */
} fields[] = {
	[FIELD_HASH] = {"hash", false},	    [FIELD_KIND] = {"kind", false},
	[FIELD_LENGTH] = {"length", false}, [FIELD_FIRST] = {"first", true},
	[FIELD_LAST] = {"last", true},
};
#define N_FIELDS (sizeof(fields) / sizeof(*fields))

/* The number in TEXT, or SIZE_MAX. */
static size_t number(struct span_str text)
{
	size_t n = 0;

	if (!text.len || text.len > 5)
		return SIZE_MAX;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return SIZE_MAX;
		n = 10 * n + (size_t)(text.p[i] - '0');
	}
	return n;
}

/*
 * The field between the brace at T.p and its end: its length with both, 0 when
 * it is none.
 */
static size_t field_at(struct span_str t, enum field *field, size_t *n)
{
	const char *end = memchr(t.p, '}', t.len), *colon;
	struct span_str name, count = {0};

	if (!end)
		return 0;
	name = (struct span_str){t.p + 1, (size_t)(end - t.p) - 1};
	colon = memchr(name.p, ':', name.len);
	if (colon) {
		count = (struct span_str){colon + 1, (size_t)(end - colon) - 1};
		name.len = (size_t)(colon - name.p);
	}
	*n = number(count);
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (!span_str_equal(name, span_str(fields[i].name)))
			continue;
		*field = (enum field)i;
		return fields[i].counts == (*n != SIZE_MAX) &&
				       fields[i].counts == (colon != NULL)
			       ? (size_t)(end - t.p) + 1
			       : 0;
	}
	return 0;
}

int span__redact_template_check(struct span_str t, bool *hashes, size_t *pos)
{
	enum field field;
	size_t used, n;

	for (size_t i = 0; i < t.len; i += used) {
		struct span_str rest = {t.p + i, t.len - i};

		used = 1;
		if (*rest.p != '{')
			continue;
		if (rest.len > 1 && rest.p[1] == '{') {
			used = 2;
			continue;
		}
		used = field_at(rest, &field, &n);
		*pos = i;
		if (!used)
			return SPAN_E_INVALID;
		*hashes |= field == FIELD_HASH;
	}
	return 0;
}

void span__redact_put_hash(struct span_buf *out, const uint8_t *key,
			   struct span_str what)
{
	uint64_t hash = span__siphash(key, what.p, what.len);

	for (int shift = 60; shift >= 0; shift -= 4)
		span_buf_putc(out, (char)('a' + (hash >> shift & 15)));
}

static bool is_inside(struct span_str s, size_t i)
{
	return i < s.len && ((unsigned char)s.p[i] & 0xc0) == 0x80;
}

void span__redact_put_first(struct span_buf *out, struct span_str what,
			    size_t n)
{
	n = n < what.len ? n : what.len;
	while (n && is_inside(what, n))
		n--;
	span_buf_put(out, what.p, n);
}

static void put_last(struct span_buf *out, struct span_str what, size_t n)
{
	size_t from = what.len - (n < what.len ? n : what.len);

	while (is_inside(what, from))
		from++;
	span_buf_put(out, what.p + from, what.len - from);
}

/* What is shown of a text is a quarter of it on each side at most. */
static void put_field(struct span_buf *out, enum field field, size_t n,
		      const struct span__redact_rule *rule, const uint8_t *key,
		      struct span_str what)
{
	n = n < what.len / 4 ? n : what.len / 4;
	if (field == FIELD_HASH)
		span__redact_put_hash(out, key, what);
	else if (field == FIELD_LENGTH)
		span_buf_printf(out, "%zu", what.len);
	else if (field == FIELD_FIRST)
		span__redact_put_first(out, what, n);
	else if (field == FIELD_LAST)
		put_last(out, what, n);
	else
		span_buf_puts(out, span__redact_kind(rule));
}

void span__redact_template_put(struct span_buf *out,
			       const struct span__redact_rule *rule,
			       const uint8_t *key, struct span_str what)
{
	struct span_str t = rule->mask;
	enum field field = FIELD_KIND;
	size_t used, n = 0;

	for (size_t i = 0; i < t.len; i += used) {
		struct span_str rest = {t.p + i, t.len - i};

		used = *rest.p == '{' ? field_at(rest, &field, &n) : 0;
		if (used) {
			put_field(out, field, n, rule, key, what);
			continue;
		}
		span_buf_putc(out, *rest.p);
		used = *rest.p == '{' ? 2 : 1;
	}
}
