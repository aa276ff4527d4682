/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file has a value on each line only its second line shows. When the
 * first one is cut, the next ones may seem to be parts of its value, until a
 * bracket opens where none can: they are read again then, as lines.
 */
#include "codec/split_state.h"

#include "base/banned.h"

/*
 * Of the AT bytes of a value that cannot be, the end of its first line, when
 * that holds more than brackets and the next one begins as a line of JSON
 * does; or NULL. What a list has on a line of its own ends in a comma.
 */
static const unsigned char *end_of_cut(const struct span_splitter *s, size_t at)
{
	const unsigned char *p = s->in.p, *end = p + at;
	const unsigned char *nl = at ? memchr(p, '\n', at) : NULL, *next;

	if (!nl || nl + 1 == end || !opens(nl[1]))
		return NULL;
	while (p < nl && (opens(*p) || *p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	if (p == nl)
		return NULL;
	next = memchr(nl + 1, '\n', (size_t)(end - nl) - 1);
	if (!next)
		return nl;
	while (next > nl && (*next == '\n' || *next == '\r' || *next == ' '))
		next--;
	return *next == ',' ? NULL : nl;
}

bool span__split_again(struct span_splitter *s, size_t at)
{
	enum level level = s->depth ? s->levels[s->depth - 1] : ITEMS;
	const unsigned char *nl;

	if (s->lines || s->sequence || s->dropped ||
	    !(level == VALUE || (level == OBJECT && !s->container)))
		return false;
	nl = end_of_cut(s, at);
	if (!nl)
		return false;
	span__input_take(&s->in, (size_t)(nl - s->in.p));
	s->lines = true;
	return true;
}
