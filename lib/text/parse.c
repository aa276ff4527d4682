/* SPDX-License-Identifier: Apache-2.0 */
#include "text/parse.h"

#include <span/text.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

bool span__text_to_double(struct span_str s, double *out)
{
	char text[SPAN__NUMBER_MAX + 1];
	char *end, *point;

	if (!s.len || s.len > SPAN__NUMBER_MAX || memchr(s.p, 0, s.len))
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = 0;
	point = strchr(text, '.');
	if (point)
		*point = *localeconv()->decimal_point;
	*out = strtod(text, &end);
	return end == text + s.len;
}

/* Six bits, or -1. */
static int sextet(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

bool span_text_from_base64(struct span_str text, char *out, size_t *len)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t n = 0;

	while (text.len && text.p[text.len - 1] == '=' && n < 2) {
		text.len--;
		n++;
	}
	if (text.len % 4 == 1 || (n && (text.len + n) % 4))
		return false;
	n = 0;
	for (size_t i = 0; i < text.len; i++) {
		int v = sextet((unsigned char)text.p[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[n++] = (char)(unsigned char)(bits >> n_bits);
		}
	}
	*len = n;
	return true;
}
