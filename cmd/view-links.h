/* SPDX-License-Identifier: Apache-2.0 */
/* view-links.h - which other traces the spans of a trace point to */
#ifndef VIEW_LINKS_H
#define VIEW_LINKS_H

#include <span/trace.h>

/* How far links are followed, and how many linked traces are shown. */
#define VIEW_MAX_LEVELS 8u
#define VIEW_MAX_LINKED 1000u

struct view_link {
	uint8_t to[16], from[16];
	uint8_t span[8];
};

struct view_links {
	struct span_buf shown;	/* ids of traces */
	struct span_buf wanted; /* struct view_link */
	struct span_buf ids;	/* of what is wanted, for view_links_ids() */
	struct span_buf seen;	/* a byte for each of these: it was shown */
	size_t n_sorted;	/* of what is wanted, by where it points to */
	size_t n_linked;
	bool more; /* a limit left some out */
};

/*
 * T, or a part of it, is shown: note its id, and the other traces its spans
 * refer to.
 */
void view_links_add(struct view_links *l, const struct span_trace *t);
/*
 * The ids that are wanted and neither shown nor returned before, each once, in
 * order, N of them, until the next call; NULL when memory is out.
 */
const uint8_t (*view_links_ids(struct view_links *l, size_t *n))[16];
/* How many of those were not shown. */
size_t view_links_absent(const struct view_links *l);
/*
 * Say in NOTE what links to the trace ID, of those: the first span, and how
 * many others.
 */
void view_links_note(const struct view_links *l, const uint8_t id[16],
		     struct span_buf *note);
void view_links_release(struct view_links *l);

#endif
