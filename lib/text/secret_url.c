/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a URL's query, and who asks: RFC 3986 3.2.1, 3.4. */
#include "text/secret_scan.h"

#include <string.h>

#include "base/banned.h"

#define NAME_LEN 128u /* of a parameter that is recognised */

static bool is_parameter(char c)
{
	return span__is_alnum(c) || (c && strchr("_-.%~+[]$!*:@", c)) ||
	       (unsigned char)c >= 0x80;
}

static bool is_value(char c)
{
	return c && !strchr(" \t\r\n&;#\"'<>\\`", c);
}

/* Is the '=' at I behind the name of a parameter, "?name" or "&name"? */
static bool is_behind_name(struct span_str s, size_t i)
{
	size_t n = 0;

	while (n < i && n < NAME_LEN && is_parameter(s.p[i - n - 1]))
		n++;
	return n && n < i && (s.p[i - n - 1] == '?' || s.p[i - n - 1] == '&');
}

/* "user:password" of "://user:password@", where the slashes are before I. */
static size_t userinfo_at(struct span_str s, size_t i)
{
	size_t end = i;

	while (end < s.len && is_value(s.p[end]) && !strchr("/?@", s.p[end]))
		end++;
	return span__char_at(s, end) == '@' ? end - i : 0;
}

bool span__find_query(struct span_str s, size_t from, size_t *start,
		      size_t *len)
{
	for (size_t i = from; i < s.len; i++) {
		size_t end = i + 1;

		if (s.p[i] == '/' && i >= 2 && s.p[i - 1] == '/' &&
		    s.p[i - 2] == ':' && (*len = userinfo_at(s, i + 1)) &&
		    span__label_at(s, i + 1) != *len) {
			*start = i + 1;
			return true;
		}
		if (s.p[i] != '=' || !is_behind_name(s, i))
			continue;
		while (end < s.len && is_value(s.p[end]))
			end++;
		*start = i + 1;
		*len = end - *start;
		if (*len && span__label_at(s, *start) != *len)
			return true;
	}
	return false;
}
