/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag_values.h - the values of a key of a span, with Jaeger's meaning
 *
 * They are those of the span's tags, of its process, events, scope and
 * references, and the fields that Jaeger shows as tags. A value is compared by
 * its text, as span_text_value() prints it.
 */
#ifndef SPAN_TEXT_TAG_VALUES_H
#define SPAN_TEXT_TAG_VALUES_H

#include <span/text.h>

/* Which field of a span is a value of a key besides its attributes. */
enum span__derived {
	SPAN__DERIVED_NONE = 0,
	SPAN__DERIVED_ERROR,
	SPAN__DERIVED_EVENT, /* the name of each event */
	SPAN__DERIVED_KIND,
	SPAN__DERIVED_SCOPE_NAME,
	SPAN__DERIVED_SCOPE_VERSION,
	SPAN__DERIVED_SERVICE,
	SPAN__DERIVED_STATUS,
	SPAN__DERIVED_STATUS_CODE,
	SPAN__DERIVED_STATUS_MESSAGE,
	SPAN__DERIVED_TRACE_STATE,
};
enum span__derived span__derived_find(struct span_str key);

/*
 * The text of such a field; where it is empty the field is not there. That of
 * events is not here.
 */
struct span_str span__derived_text(enum span__derived d, const struct span *s);

/* Called with a value: 0 to go on, anything else is returned. */
typedef int span__tag_value_fn(void *arg, const struct span_value *v);

/* Call FN with the values of KEY in A, or in all of S. */
int span__attr_values(const struct span_attrs *a, struct span_str key,
		      span__tag_value_fn *fn, void *arg);
int span__tag_values(const struct span *s, struct span_str key,
		     enum span__derived derived, span__tag_value_fn *fn,
		     void *arg);

/* The integer that prints as S: "-12", but not "-0", "+1" or "007". */
bool span__int_of(struct span_str s, int64_t *out);

/* That a value of KEY has the text VALUE, in a form that is quick to ask. */
struct span__tag_eq {
	struct span_str key, value;
	enum span__derived derived;
	bool is_int, is_double, is_true, is_false;
	int64_t i; /* the value that prints so */
	double d;
};

/* The texts are borrowed. */
void span__tag_eq_init(struct span__tag_eq *eq, struct span_str key,
		       struct span_str value);
/* 1, 0, or SPAN_E_NOMEM; TEXT is working memory. */
SPAN_NODISCARD int span__tag_eq_value(const struct span__tag_eq *eq,
				      const struct span_value *v,
				      struct span_buf *text);
/* The same, of any value of the key in A, or in S. */
SPAN_NODISCARD int span__tag_eq_attrs(const struct span__tag_eq *eq,
				      const struct span_attrs *a,
				      struct span_buf *text);
SPAN_NODISCARD int span__tag_eq_span(const struct span__tag_eq *eq,
				     const struct span *s,
				     struct span_buf *text);

#endif
