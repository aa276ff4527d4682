/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_target.h"

#include <strings.h>

#include "base/banned.h"

static size_t scheme_len(struct span_str s)
{
	if (s.len >= 7 && !strncasecmp(s.p, "http://", 7))
		return 7;
	return s.len >= 8 && !strncasecmp(s.p, "https://", 8) ? 8 : 0;
}

bool span__http_target(struct span_str target, struct span_str *host,
		       struct span_str *rest)
{
	size_t begin = scheme_len(target), end = begin;

	while (begin && end < target.len && target.p[end] != '/' &&
	       target.p[end] != '?')
		end++;
	*host = (struct span_str){target.p + begin, end - begin};
	*rest = (struct span_str){target.p + end, target.len - end};
	return begin > 0;
}
