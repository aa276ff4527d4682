/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as Go reads them: strconv and time of its standard library, whose
 * documentation says what is taken and whose sentences clients know.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <span/text.h>

#include "serve/params.h"

#include "base/banned.h"

#define HALF (UINT64_C(1) << 63)
#define NUMBER_MAX 400u /* bytes of a number that is read */

/* Both quote as Go does, as much as there is room for in an error. */
static int number_error(struct span_error *err, const char *fn,
			struct span_str text, const char *why)
{
	struct span_buf b = {0};
	int rc;

	span_text_quoted(&b, text);
	rc = b.failed ? SPAN_E_NOMEM : SPAN_E_INVALID;
	span_error_set(err, rc, "strconv.%s: parsing %.*s: %s", fn,
		       (int)span_text_cut((struct span_str){b.p, b.len}, 150),
		       b.p ? b.p : "", why);
	span_buf_release(&b);
	return rc;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal integer of BITS bits. */
static int read_int(struct span_str text, unsigned bits, int64_t *out,
		    struct span_error *err)
{
	const int64_t max = INT64_MAX >> (64 - bits);
	bool minus = text.len && text.p[0] == '-', over = false;
	size_t i = minus || (text.len && text.p[0] == '+');
	int64_t n = 0;

	if (i == text.len)
		return number_error(err, "ParseInt", text, "invalid syntax");
	for (; i < text.len; i++) {
		int digit = text.p[i] - '0';

		if (!is_digit(text.p[i]))
			return number_error(err, "ParseInt", text,
					    "invalid syntax");
		/* Negative, as there is one more of them. */
		over |= __builtin_mul_overflow(n, 10, &n) ||
			__builtin_sub_overflow(n, digit, &n);
	}
	if (over || n < -max - 1 || (!minus && n < -max))
		return number_error(err, "ParseInt", text,
				    "value out of range");
	*out = minus ? n : -n;
	return 0;
}

int span__serve_int(struct span_str text, int64_t *out, struct span_error *err)
{
	return read_int(text, 64, out, err);
}

int span__serve_int32(struct span_str text, int32_t *out,
		      struct span_error *err)
{
	int64_t n = 0;
	int rc = read_int(text, 32, &n, err);

	if (rc == 0)
		*out = (int32_t)n;
	return rc;
}

/* No hexadecimal number, no space: what strtod(3) would take as well. */
static bool is_plain_number(struct span_str s)
{
	static const char *const words[] = {"inf", "infinity", "nan"};
	struct span_str word = s;

	if (s.len && (*s.p == '+' || *s.p == '-'))
		word = (struct span_str){s.p + 1, s.len - 1};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (word.len == strlen(words[i]) &&
		    !strncasecmp(word.p, words[i], word.len))
			return true;
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.p[i]) && !memchr("+-.eE", s.p[i], 5))
			return false;
	return s.len > 0;
}

int span__serve_double(struct span_str text, double *out,
		       struct span_error *err)
{
	char copy[NUMBER_MAX + 1], *end;
	double d;

	if (!is_plain_number(text) || text.len > NUMBER_MAX)
		return number_error(err, "ParseFloat", text, "invalid syntax");
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	errno = 0;
	d = strtod(copy, &end);
	if (*end)
		return number_error(err, "ParseFloat", text, "invalid syntax");
	if (errno == ERANGE && (d > 1 || d < -1))
		return number_error(err, "ParseFloat", text,
				    "value out of range");
	*out = d;
	return 0;
}

int span__serve_bool(struct span_str text, bool *out, struct span_error *err)
{
	static const char *const words[] = {"0",     "f",     "F",    "FALSE",
					    "false", "False", "1",    "t",
					    "T",     "TRUE",  "true", "True"};

	for (size_t i = 0; i < 12; i++) {
		if (!span_str_equal(text, span_str(words[i])))
			continue;
		*out = i >= 6;
		return 0;
	}
	return number_error(err, "ParseBool", text, "invalid syntax");
}

/* ---- Durations ---- */

/* Package time quotes what is not printable ASCII by its bytes. */
static void put_quoted(struct span_buf *b, struct span_str s)
{
	static const char digits[] = "0123456789abcdef";

	span_buf_putc(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\') {
			span_buf_putc(b, '\\');
			span_buf_putc(b, (char)c);
		} else if (c < 0x20 || c >= 0x7f) {
			span_buf_puts(b, "\\x");
			span_buf_putc(b, digits[c >> 4]);
			span_buf_putc(b, digits[c & 15]);
		} else {
			span_buf_putc(b, (char)c);
		}
	}
	span_buf_putc(b, '"');
}

static int duration_error(struct span_error *err, const char *why,
			  struct span_str unit, struct span_str text)
{
	struct span_buf b = {0};
	int rc;

	if (unit.len) {
		put_quoted(&b, unit);
		span_buf_puts(&b, " in duration ");
	}
	put_quoted(&b, text);
	rc = b.failed ? SPAN_E_NOMEM : SPAN_E_INVALID;
	span_error_set(err, rc, "time: %s %.*s", why,
		       (int)span_text_cut((struct span_str){b.p, b.len}, 200),
		       b.p ? b.p : "");
	span_buf_release(&b);
	return rc;
}

/* ns of a unit, 0 when there is none such. */
static uint64_t unit_ns(struct span_str unit)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{"ns", 1},	     {"us", 1000},
		{"\xc2\xb5s", 1000}, /* micro sign */
		{"\xce\xbcs", 1000}, /* Greek mu */
		{"ms", 1000000},     {"s", 1000000000},
		{"m", 60000000000},  {"h", 3600000000000},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (span_str_equal(unit, span_str(units[i].name)))
			return units[i].ns;
	return 0;
}

/* Of "1.5h": digits, the point and digits, each of which may be missing. */
struct amount {
	uint64_t whole;
	uint64_t fraction; /* of SCALE: digits above 2^63 do not count */
	double scale;
	size_t n_digits;
	bool over;
};

static size_t read_amount(struct span_str s, size_t i, struct amount *a)
{
	bool full = false;

	*a = (struct amount){.scale = 1};
	for (; i < s.len && is_digit(s.p[i]); i++, a->n_digits++)
		a->over |= __builtin_mul_overflow(a->whole, 10, &a->whole) ||
			   __builtin_add_overflow(a->whole,
						  (uint64_t)(s.p[i] - '0'),
						  &a->whole);
	if (i == s.len || s.p[i] != '.')
		return i;
	for (i++; i < s.len && is_digit(s.p[i]); i++, a->n_digits++) {
		uint64_t more = a->fraction * 10 + (uint64_t)(s.p[i] - '0');

		full |= a->fraction > INT64_MAX / 10 || more > HALF;
		if (full)
			continue;
		a->fraction = more;
		a->scale *= 10;
	}
	return i;
}

/* Add an amount of a unit to *SUM, which is below 2^63. */
static bool add_amount(uint64_t *sum, const struct amount *a, uint64_t unit)
{
	uint64_t ns;

	if (a->over || __builtin_mul_overflow(a->whole, unit, &ns) ||
	    ns > INT64_MAX)
		return false;
	ns += (uint64_t)((double)a->fraction * ((double)unit / a->scale));
	return !__builtin_add_overflow(*sum, ns, sum) && *sum <= INT64_MAX;
}

static size_t unit_end(struct span_str s, size_t i)
{
	while (i < s.len && s.p[i] != '.' && !is_digit(s.p[i]))
		i++;
	return i;
}

int span__serve_duration(struct span_str text, int64_t *ns,
			 struct span_error *err)
{
	bool minus = text.len && text.p[0] == '-';
	size_t i = minus || (text.len && text.p[0] == '+');
	const struct span_str none = {0};
	uint64_t sum = 0;

	if (text.len == i + 1 && text.p[i] == '0') {
		*ns = 0;
		return 0;
	}
	if (i == text.len)
		return duration_error(err, "invalid duration", none, text);
	while (i < text.len) {
		struct span_str unit;
		struct amount a;
		uint64_t scale;
		size_t end;

		i = read_amount(text, i, &a);
		if (!a.n_digits)
			return duration_error(err, "invalid duration", none,
					      text);
		end = unit_end(text, i);
		unit = (struct span_str){text.p + i, end - i};
		if (!unit.len)
			return duration_error(err, "missing unit in duration",
					      none, text);
		scale = unit_ns(unit);
		if (!scale)
			return duration_error(err, "unknown unit", unit, text);
		if (!add_amount(&sum, &a, scale))
			return duration_error(err, "invalid duration", none,
					      text);
		i = end;
	}
	*ns = minus ? -(int64_t)sum : (int64_t)sum;
	return 0;
}
