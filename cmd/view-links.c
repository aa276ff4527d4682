/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links are gathered as they come and put in order before they are looked for,
 * so that no trace, whatever it links to, costs more than sorting its links.
 * Links that are found while a level is shown stand behind those of the level.
 */
#include "view-links.h"

#include <span/text.h>

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static struct view_link *links(const struct view_links *l)
{
	return (struct view_link *)(void *)l->wanted.p;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* One of those that are wanted now. A trace may come in several parts. */
static void set_seen(struct view_links *l, const uint8_t id[16])
{
	const char *found =
		l->ids.len ? bsearch(id, l->ids.p, l->ids.len / 16, 16, by_id)
			   : NULL;

	if (found)
		l->seen.p[(found - l->ids.p) / 16] = 1;
}

size_t view_links_absent(const struct view_links *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->seen.len; i++)
		n += !l->seen.p[i];
	return n;
}

void view_links_add(struct view_links *l, const struct span_trace *t)
{
	static const uint8_t none[16];

	set_seen(l, t->trace_id);
	span_buf_put(&l->shown, t->trace_id, 16);
	for (size_t i = 0; i < t->n; i++) {
		const struct span *s = &t->spans[i];

		for (size_t k = 0; k < s->n_refs; k++) {
			struct view_link link;

			memcpy(link.to, s->refs[k].trace_id, 16);
			if (!memcmp(link.to, t->trace_id, 16) ||
			    !memcmp(link.to, none, 16))
				continue;
			memcpy(link.from, t->trace_id, 16);
			memcpy(link.span, s->span_id, 8);
			span_buf_put(&l->wanted, &link, sizeof(link));
		}
	}
}

/* By where they point to, then by where they come from. */
static int by_link(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct view_link));
}

const uint8_t (*view_links_ids(struct view_links *l, size_t *n))[16]
{
	size_t n_wanted = l->wanted.len / sizeof(struct view_link);
	size_t n_shown = l->shown.len / 16;

	*n = 0;
	l->ids.len = l->seen.len = 0;
	if (l->wanted.failed || l->shown.failed ||
	    !span_buf_reserve(&l->ids, 16))
		return NULL;
	if (n_wanted)
		qsort(l->wanted.p, n_wanted, sizeof(struct view_link), by_link);
	if (n_shown)
		qsort(l->shown.p, n_shown, 16, by_id);
	for (size_t i = 0; i < n_wanted; i++) {
		const struct view_link *link = &links(l)[i];

		if ((*n && !memcmp(l->ids.p + l->ids.len - 16, link->to, 16)) ||
		    bsearch(link->to, l->shown.p, n_shown, 16, by_id))
			continue;
		if (l->n_linked == VIEW_MAX_LINKED) {
			l->more = true;
			break;
		}
		l->n_linked++;
		++*n;
		span_buf_put(&l->ids, link->to, 16);
		span_buf_putc(&l->seen, 0);
	}
	l->n_sorted = n_wanted;
	span_buf_put(&l->shown, l->ids.p, l->ids.len);
	if (l->ids.failed || l->seen.failed)
		return NULL;
	return (const uint8_t(*)[16])(void *)l->ids.p;
}

/* The spans that link to the trace that LINK does, it and those behind it. */
static size_t count_spans(const struct view_link *link,
			  const struct view_link *end)
{
	const struct view_link *last = link;
	size_t n = 1;

	for (const struct view_link *k = link; k < end && !by_id(k, link);
	     last = k++)
		n += by_link(k, last) != 0;
	return n;
}

void view_links_note(const struct view_links *l, const uint8_t id[16],
		     struct span_buf *note)
{
	char trace[SPAN_TRACE_ID_TEXT], span[SPAN_ID_TEXT];
	const struct view_link *first = links(l);
	const struct view_link *link =
		l->n_sorted
			? bsearch(id, first, l->n_sorted, sizeof(*first), by_id)
			: NULL;
	size_t n;

	note->len = 0;
	if (!link)
		return;
	while (link > first && !by_id(link - 1, id))
		link--;
	n = count_spans(link, first + l->n_sorted);
	span_buf_printf(note, "linked from %s, span %s",
			span_trace_id_text(link->from, trace),
			span_id_text(link->span, span));
	if (n > 1)
		span_buf_printf(note, " and %zu more", n - 1);
}

void view_links_release(struct view_links *l)
{
	span_buf_release(&l->shown);
	span_buf_release(&l->wanted);
	span_buf_release(&l->ids);
	span_buf_release(&l->seen);
}
