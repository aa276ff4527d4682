/* SPDX-License-Identifier: Apache-2.0 */
/* view-find.h - which spans of a trace trace-view is asked for */
#ifndef VIEW_FIND_H
#define VIEW_FIND_H

#include <span/trace.h>

/*
 * Does service, operation, status message, or any key or value of S and of
 * its process and events hold TEXT, whatever the case of its letters? TMP is
 * for values as text.
 */
bool view_has_text(const struct span *s, struct span_str text,
		   struct span_buf *tmp);

/* Is PREFIX how the printed id of S begins, in any case? */
bool view_has_id(const struct span *s, struct span_str prefix);

#endif
