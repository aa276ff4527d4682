/* SPDX-License-Identifier: Apache-2.0 */
#include "text/secrets.h"

#include "text/secret_scan.h"

#include <string.h>

#include "base/banned.h"

#define HASH_LEN 16u /* letters of a hash */

static const struct {
	const char *name;
	span__secret_fn *find;
} detectors[SECRET_KINDS] = {
	[SECRET_CARD] = {"card", span__find_card},
	[SECRET_EMAIL] = {"email", span__find_email},
	[SECRET_IP] = {"ip", span__find_ip},
	[SECRET_TOKEN] = {"token", span__find_token},
	[SECRET_VALUE] = {"secret", span__find_value},
	[SECRET_XML] = {"xml", span__find_xml},
	[SECRET_SQL] = {"sql", span__find_sql},
	[SECRET_QUERY] = {"query", span__find_query},
	[SECRET_DIGITS] = {"digits", span__find_digits},
};

const char *span__secret_name(enum span__secret kind)
{
	return detectors[kind].name;
}

int span__secret_parse(struct span_str name)
{
	for (int i = 0; i < SECRET_KINDS; i++)
		if (span_str_equal(name, span_str(detectors[i].name)))
			return i;
	return -1;
}

bool span__secret_find(enum span__secret kind, struct span_str text,
		       size_t from, struct span_str *part)
{
	size_t start, len;

	if (from >= text.len || !detectors[kind].find(text, from, &start, &len))
		return false;
	*part = (struct span_str){text.p + start, len};
	return true;
}

size_t span__label_at(struct span_str s, size_t i)
{
	const size_t hashed = sizeof(SECRET_HASHED) - 1;

	if (span__char_at(s, i) != '[')
		return 0;
	if (span__has_word(s, i, SECRET_HASHED))
		return span__char_at(s, i + hashed + HASH_LEN) == ']'
			       ? hashed + HASH_LEN + 1
			       : 0;
	for (int k = 0; k < SECRET_KINDS; k++) {
		size_t n = strlen(detectors[k].name);

		if (span__has_word(s, i + 1, detectors[k].name) &&
		    span__char_at(s, i + 1 + n) == ']')
			return n + 2;
	}
	return 0;
}
