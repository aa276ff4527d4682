/* SPDX-License-Identifier: Apache-2.0 */
#include "store/attr_test.h"

#include "base/bytes.h"

#include "base/banned.h"

int span__attr_test_value(const struct span_attr_test *t,
			  const struct span_value *v, struct span_error *err)
{
	if (t->numbers && v->type == SPAN_INT)
		return (v->i >= t->min && v->i <= t->max) != t->outside;
	if (t->numbers && v->type == SPAN_DOUBLE)
		return (v->d >= t->double_min && v->d <= t->double_max) !=
		       t->outside;
	if (t->text && v->type == SPAN_STRING)
		return span__str_equal(v->str, *t->text);
	return t->fn(t->arg, v, err);
}

int span__attr_test_attrs(const struct span_attr_test *t,
			  const struct span_attrs *a, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < a->n && !rc; i++) {
		if (span__str_equal(a->v[i].key, t->key))
			rc = span__attr_test_value(t, &a->v[i].value, err);
	}
	return rc;
}

static bool has_value(const struct span_attrs *a, struct span_str key)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].value.type != SPAN_NULL &&
		    span__str_equal(a->v[i].key, key))
			return true;
	}
	return false;
}

int span__attr_test_span(const struct span_attr_test *t, const struct span *s,
			 struct span_error *err)
{
	int rc = 0;

	if (t->of & SPAN_ATTRS_SPAN)
		rc = span__attr_test_attrs(t, &s->attrs, err);
	if (!rc &&
	    (t->of & SPAN_ATTRS_PROCESS || (t->of & SPAN_ATTRS_PROCESS_ELSE &&
					    !has_value(&s->attrs, t->key))))
		rc = span__attr_test_attrs(t, &s->process->attrs, err);
	if (!rc && t->of & SPAN_ATTRS_SCOPE && s->scope)
		rc = span__attr_test_attrs(t, &s->scope->attrs, err);
	for (size_t i = 0; i < s->n_events && !rc; i++) {
		if (t->of & SPAN_ATTRS_EVENTS)
			rc = span__attr_test_attrs(t, &s->events[i].attrs, err);
	}
	for (size_t i = 0; i < s->n_refs && !rc; i++) {
		if (t->of & SPAN_ATTRS_REFS)
			rc = span__attr_test_attrs(t, &s->refs[i].attrs, err);
	}
	return rc;
}
