/* SPDX-License-Identifier: Apache-2.0 */
#include "text/quantity_text.h"

#include <string.h>

#include <span/text.h>

#include "base/banned.h"

#define SECOND 1000000000ull

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit duration_units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000}, /* micro sign */
	{"\xce\xbcs", 1000}, /* Greek mu */
	{"ms", 1000000},
	{"s", SECOND},
	{"m", 60 * SECOND},
	{"h", 3600 * SECOND},
	{"d", 86400 * SECOND},
	{"w", 7 * 86400 * SECOND},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"", 1},
	{"B", 1},
	{"k", 1ull << 10},
	{"K", 1ull << 10},
	{"KiB", 1ull << 10},
	{"M", 1ull << 20},
	{"MiB", 1ull << 20},
	{"G", 1ull << 30},
	{"GiB", 1ull << 30},
	{"T", 1ull << 40},
	{"TiB", 1ull << 40},
	{NULL, 0},
};

static const struct unit count_units[] = {
	{"", 1},	{"k", 1000},	   {"K", 1000},
	{"M", 1000000}, {"G", 1000000000}, {NULL, 0},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * "12.5UNIT" at *TEXT, which moves behind it. The unit goes as far as it is
 * neither digit nor the end. Returns false when it is no such thing or does
 * not fit.
 */
static bool quantity(const char **text, const struct unit *units, uint64_t *out)
{
	const char *digits = *text, *p = digits, *unit, *fraction = NULL;
	uint64_t n = 0, part = 0;
	size_t len;

	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	if (p == digits)
		return false;
	if (*p == '.' && is_digit(p[1])) {
		fraction = ++p;
		p += strspn(p, "0123456789");
	}
	unit = p;
	len = strcspn(unit, "0123456789");
	while (units->name &&
	       (strlen(units->name) != len || strncmp(units->name, unit, len)))
		units++;
	if (!units->name || __builtin_mul_overflow(n, units->factor, &n))
		return false;
	if (fraction && units->factor == 1)
		return false;
	/* From the last digit to the first, so that 1.5G is exact. */
	for (p = unit; fraction && p-- > fraction;)
		part = (part + units->factor * (uint64_t)(*p - '0')) / 10;
	if (__builtin_add_overflow(n, part, &n))
		return false;
	*text = unit + len;
	*out = n;
	return true;
}

bool span__quantity_text(struct span_str text, char out[SPAN_QUANTITY_MAX + 1])
{
	if (text.len > SPAN_QUANTITY_MAX ||
	    (text.len && memchr(text.p, 0, text.len)))
		return false;
	if (text.len)
		memcpy(out, text.p, text.len);
	out[text.len] = 0;
	return true;
}

int span__quantity_refuse(struct span_str text, const char *what,
			  struct span_error *err)
{
	return span_error_set(err, SPAN_E_INVALID, "'%.*s' is no %s",
			      (int)span_text_cut(text, 100),
			      text.len ? text.p : "", what);
}

int span_duration_parse(struct span_str text, uint64_t *ns,
			struct span_error *err)
{
	char copy[SPAN_QUANTITY_MAX + 1];
	const char *p = copy;
	uint64_t sum = 0, part;
	bool good = span__quantity_text(text, copy);

	if (good && !strcmp(copy, "0")) {
		*ns = 0;
		return 0;
	}
	do
		good = good && quantity(&p, duration_units, &part) &&
		       !__builtin_add_overflow(sum, part, &sum);
	while (good && *p);
	if (!good)
		return span__quantity_refuse(
			text, "duration (like 500us, 2s, 1h30m, 7d)", err);
	*ns = sum;
	return 0;
}

static int parse_units(struct span_str text, const struct unit *units,
		       const char *what, uint64_t *out, struct span_error *err)
{
	char copy[SPAN_QUANTITY_MAX + 1];
	const char *p = copy;
	uint64_t n;

	if (!span__quantity_text(text, copy) || !quantity(&p, units, &n) || *p)
		return span__quantity_refuse(text, what, err);
	*out = n;
	return 0;
}

int span_size_parse(struct span_str text, uint64_t *bytes,
		    struct span_error *err)
{
	return parse_units(text, size_units, "size (like 4096, 64K, 16M, 5G)",
			   bytes, err);
}

int span_count_parse(struct span_str text, uint64_t *n, struct span_error *err)
{
	return parse_units(text, count_units, "count (like 100, 10k, 2M)", n,
			   err);
}
