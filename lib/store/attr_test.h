/* SPDX-License-Identifier: Apache-2.0 */
/* attr_test.h - ask attributes what a scan wants of them */
#ifndef SPAN_ATTR_TEST_H
#define SPAN_ATTR_TEST_H

#include <span/store.h>

/* Does the test hold for a value? 1, 0, or what its function returned. */
SPAN_NODISCARD int span__attr_test_value(const struct span_attr_test *t,
					 const struct span_value *v,
					 struct span_error *err);
/* For one of those that its key has in A. */
SPAN_NODISCARD int span__attr_test_attrs(const struct span_attr_test *t,
					 const struct span_attrs *a,
					 struct span_error *err);
/* For one of those that it has where the test looks in S. */
SPAN_NODISCARD int span__attr_test_span(const struct span_attr_test *t,
					const struct span *s,
					struct span_error *err);

#endif
