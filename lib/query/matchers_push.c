/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store can look for of a selector. A label hides which of its
 * characters were others in the key of an attribute, so that only one without
 * '_' is a key to look for; it may then be found in more places of a span than
 * a label has it from, and the spans are judged.
 */
#include "query/match.h"

#include <string.h>

#include "base/banned.h"

#define WORD_MAX 16

/* May only this text itself be shown as VALUE? Then it has no escapes. */
static bool is_itself(struct span_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] < ' ' || value.p[i] > '~' || value.p[i] == '\\')
			return false;
	return value.len;
}

/* Is the key of an attribute with this label its NAME? */
static bool is_key(struct span_str name)
{
	bool plain = true, underscore = false;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		underscore |= c == '_';
		plain &= c == '_' || (c >= '0' && c <= '9') ||
			 (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	}
	return !plain || !underscore;
}

/* VALUE without PREFIX, in small letters. */
static struct span_str word_of(struct span_str value, struct span_str prefix,
			       char out[WORD_MAX])
{
	if (value.len > prefix.len && !memcmp(value.p, prefix.p, prefix.len)) {
		value.p += prefix.len;
		value.len -= prefix.len;
	}
	if (value.len > WORD_MAX)
		return (struct span_str){0};
	for (size_t i = 0; i < value.len; i++)
		out[i] = (char)(value.p[i] >= 'A' && value.p[i] <= 'Z'
					? value.p[i] | 32
					: value.p[i]);
	return (struct span_str){out, value.len};
}

/* The tag that a span has for which M holds, and others may have: false: none.
 */
static bool find_tag(const struct span__matcher *m, struct span_tag_eq *out)
{
	char word[WORD_MAX];
	int n;

	if (m->label == SPAN__LABEL_KIND) {
		n = span_kind_parse(
			word_of(m->value, SPAN_STR("SPAN_KIND_"), word));
		*out = (struct span_tag_eq){SPAN_STR("span.kind"),
					    span_str(span_kind_name(n))};
		return n > 0;
	}
	if (m->label == SPAN__LABEL_STATUS) {
		n = span_status_parse(
			word_of(m->value, SPAN_STR("STATUS_CODE_"), word));
		if (n >= 0)
			*out = (struct span_tag_eq){
				SPAN_STR("status"),
				span_str(span_status_name(n))};
		return n >= 0;
	}
	*out = (struct span_tag_eq){m->key, m->value};
	return m->label == SPAN__LABEL_ATTRIBUTE && m->key.len == m->name.len &&
	       is_key(m->key);
}

static bool push_name(const struct span__names *names,
		      const struct span__matcher *m,
		      const struct span_str **out, size_t *n)
{
	if (names->n || *n)
		return false;
	*out = &m->value;
	*n = 1;
	return true;
}

/* Bounds, names and errors: true when the range says all that M does. */
static bool push_head(struct span_query *q, const struct span__matcher *m)
{
	struct span_range *r = &q->range;

	switch (m->label) {
	case SPAN__LABEL_SERVICE:
		return push_name(&q->services, m, &r->services, &r->n_services);
	case SPAN__LABEL_OPERATION:
		return push_name(&q->operations, m, &r->operations,
				 &r->n_operations);
	case SPAN__LABEL_ERROR:
		if (!span_str_equal(m->value, SPAN_STR("true")))
			return false;
		r->error = true;
		return true;
	case SPAN__LABEL_LE:
		if (!m->most_ns)
			return false;
		if (!r->max_duration_ns || m->most_ns < r->max_duration_ns)
			r->max_duration_ns = m->most_ns;
		return true;
	default:
		return m->label == SPAN__LABEL_NONE;
	}
}

int span__matchers_push(struct span_query *q)
{
	const struct span__selector *s = q->matchers.v;
	struct span_tag_eq *v;
	bool all = q->matchers.n == 1;
	size_t n = q->range.n_tags;

	if (!all) {
		q->pushed &= !q->matchers.n;
		q->headed &= !q->matchers.n;
		return 0;
	}
	v = span_arena_array(&q->arena, n + s->n, sizeof(*v));
	if (!v)
		return SPAN_E_NOMEM;
	if (n)
		memcpy(v, q->range.tags, n * sizeof(*v));
	for (size_t i = 0; i < s->n; i++) {
		const struct span__matcher *m = &s->v[i];
		bool equal = !m->negate && !m->is_regex && is_itself(m->value);

		if (m->label != SPAN__LABEL_NONE && equal && find_tag(m, &v[n]))
			n++;
		all &= (equal || m->label == SPAN__LABEL_NONE) &&
		       push_head(q, m);
	}
	q->range.tags = v;
	q->range.n_tags = n;
	q->pushed &= all;
	q->headed &= all;
	return 0;
}
