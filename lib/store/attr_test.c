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

static bool has_value(const struct span_attrs *a, struct span_str key)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].value.type != SPAN_NULL &&
		    span__str_equal(a->v[i].key, key))
			return true;
	}
	return false;
}

int span__attr_test_attrs(const struct span_attr_test *t,
			  const struct span_attrs *a, struct span_error *err)
{
	bool seen = false;
	int rc = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct span_value *v = &a->v[i].value;

		if (!span__str_equal(a->v[i].key, t->key) ||
		    (t->every && v->type == SPAN_NULL))
			continue;
		seen = true;
		rc = span__attr_test_value(t, v, err);
		if (rc < 0 || (rc > 0) != t->every)
			return rc;
	}
	return seen && t->every;
}

/* The next of several lists, of which RC says what those before did. */
static int next_list(const struct span_attr_test *t, const struct span_attrs *a,
		     int rc, bool *failed, struct span_error *err)
{
	int one;

	if (rc < 0 || *failed || (rc && !t->every))
		return rc;
	one = span__attr_test_attrs(t, a, err);
	*failed = !one && t->every && has_value(a, t->key);
	return one < 0 ? one : rc || one;
}

int span__attr_test_span(const struct span_attr_test *t, const struct span *s,
			 struct span_error *err)
{
	bool failed = false;
	int rc = 0;

	if (t->of & SPAN_ATTRS_SPAN)
		rc = span__attr_test_attrs(t, &s->attrs, err);
	if (!rc &&
	    (t->of & SPAN_ATTRS_PROCESS || (t->of & SPAN_ATTRS_PROCESS_ELSE &&
					    !has_value(&s->attrs, t->key))))
		rc = span__attr_test_attrs(t, &s->process->attrs, err);
	if (!rc && t->of & SPAN_ATTRS_SCOPE && s->scope)
		rc = span__attr_test_attrs(t, &s->scope->attrs, err);
	for (size_t i = 0; i < s->n_events && rc >= 0; i++) {
		if (t->of & SPAN_ATTRS_EVENTS)
			rc = next_list(t, &s->events[i].attrs, rc, &failed,
				       err);
	}
	for (size_t i = 0; i < s->n_refs && rc >= 0; i++) {
		if (t->of & SPAN_ATTRS_REFS)
			rc = next_list(t, &s->refs[i].attrs, rc, &failed, err);
	}
	return failed ? 0 : rc;
}
