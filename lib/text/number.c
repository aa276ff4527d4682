/* SPDX-License-Identifier: Apache-2.0 */
#include <span/text.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

void span_text_hex(struct span_buf *b, struct span_str bytes)
{
	static const char digit[] = "0123456789abcdef";
	char *to;

	if (bytes.len > SIZE_MAX / 4) {
		b->failed = true;
		return;
	}
	to = span_buf_reserve(b, bytes.len * 2);
	if (!to)
		return;
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		*to++ = digit[c >> 4];
		*to++ = digit[c & 15];
	}
	b->len += bytes.len * 2;
}

void span_text_base64(struct span_buf *b, struct span_str bytes)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
				    "qrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)bytes.p;

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t v = (uint32_t)p[i] << 16;
		char out[4];

		if (left > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			v |= p[i + 2];
		out[0] = digit[v >> 18];
		out[1] = digit[v >> 12 & 63];
		out[2] = '=';
		out[3] = '=';
		if (left > 1)
			out[2] = digit[v >> 6 & 63];
		if (left > 2)
			out[3] = digit[v & 63];
		span_buf_put(b, out, sizeof(out));
	}
}

void span_text_uint(struct span_buf *b, uint64_t n)
{
	char text[20], *p = text + sizeof(text);

	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	span_buf_put(b, p, (size_t)(text + sizeof(text) - p));
}

void span_text_int(struct span_buf *b, int64_t n)
{
	if (n < 0)
		span_buf_putc(b, '-');
	span_text_uint(b, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

/* Add one to the last digit; all nines cannot be what is looked for. */
static void next_digits(char *text)
{
	for (char *c = strchr(text, 'e'); c-- > text;) {
		if (*c < '0' || *c > '9')
			continue;
		if (*c != '9') {
			++*c;
			return;
		}
		*c = '0';
	}
}

/*
 * The fewest digits that read back as D, finite and above 0, as printf(3)
 * writes them with %e. Below 15 digits only subnormal numbers can need fewer
 * than are shown. The nearest number of 16 digits is not always the one: a
 * power of two reaches twice as far up as down.
 */
static void print_shortest(double d, char *text, size_t len)
{
	for (int n = d < 2.3e-308 ? 1 : 15; n <= 17; n++) {
		snprintf(text, len, "%.*e", n - 1, d);
		if (strtod(text, NULL) == d)
			return;
		if (n != 16)
			continue;
		next_digits(text);
		if (strtod(text, NULL) == d)
			return;
	}
}

/*
 * The digits of D and its decimal exponent. The decimal point, which is the
 * locale's, is passed over. Returns the number of digits.
 */
static int shortest(double d, char digits[20], int *exponent)
{
	char text[64], *e;
	int len = 0;

	print_shortest(d, text, sizeof(text));
	e = strchr(text, 'e');
	*exponent = (int)strtol(e + 1, NULL, 10);
	for (const char *c = text; c < e; c++)
		if (*c >= '0' && *c <= '9')
			digits[len++] = *c;
	while (len > 1 && digits[len - 1] == '0')
		len--;
	return len;
}

static void zeros(struct span_buf *b, int n)
{
	for (; n > 0; n--)
		span_buf_putc(b, '0');
}

/* Plain from 1e-6 to below 1e21, as Go and JavaScript write JSON. */
void span_text_double(struct span_buf *b, double d)
{
	char digits[20];
	int n, exponent;

	if (isnan(d)) {
		span_buf_puts(b, "NaN");
		return;
	}
	if (signbit(d))
		span_buf_putc(b, '-');
	d = fabs(d);
	if (isinf(d)) {
		span_buf_puts(b, "Infinity");
		return;
	}
	if (d == 0) {
		span_buf_putc(b, '0');
		return;
	}
	n = shortest(d, digits, &exponent);
	if (exponent < -6 || exponent >= 21) {
		span_buf_putc(b, digits[0]);
		if (n > 1)
			span_buf_putc(b, '.');
		span_buf_put(b, digits + 1, (size_t)n - 1);
		span_buf_printf(b, "e%+d", exponent);
	} else if (exponent < 0) {
		span_buf_puts(b, "0.");
		zeros(b, -exponent - 1);
		span_buf_put(b, digits, (size_t)n);
	} else if (n <= exponent + 1) {
		span_buf_put(b, digits, (size_t)n);
		zeros(b, exponent + 1 - n);
	} else {
		span_buf_put(b, digits, (size_t)exponent + 1);
		span_buf_putc(b, '.');
		span_buf_put(b, digits + exponent + 1,
			     (size_t)(n - exponent - 1));
	}
}

void span_text_size(struct span_buf *b, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	uint64_t unit = 1024, tenths;
	size_t i = 0;

	if (bytes < 1024) {
		span_text_uint(b, bytes);
		span_buf_puts(b, " B");
		return;
	}
	for (;; i++, unit *= 1024) {
		uint64_t rest = bytes % unit / (unit / 1024);

		tenths = bytes / unit * 10 + (rest * 10 + 512) / 1024;
		if (tenths < 10240 || i + 1 == sizeof(units) / sizeof(*units))
			break;
	}
	span_buf_printf(b, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10,
			tenths % 10, units[i]);
}

void span_text_count(struct span_buf *b, uint64_t n)
{
	char text[24];
	size_t len = (size_t)snprintf(text, sizeof(text), "%" PRIu64, n);

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			span_buf_putc(b, ',');
		span_buf_putc(b, text[i]);
	}
}
