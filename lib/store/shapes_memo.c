/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shapes_memo.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PLACES 65536u /* 1.5 MiB of them, half of them used */
#define MAX_BYTES (2u << 20)

static int prepare(struct span__shapes_memo *m, struct span_error *err)
{
	if (m->places)
		return 0;
	m->places = calloc(PLACES, sizeof(*m->places));
	return m->places ? span__key_init(&m->key, err)
			 : span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

/* The place of TEXT, or the free one where it belongs. */
static struct span__memo_shape *place(const struct span__shapes_memo *m,
				      struct span_str text)
{
	size_t at = m->hash % PLACES;

	for (;; at = (at + 1) % PLACES) {
		struct span__memo_shape *p = &m->places[at];

		if (!p->len || (p->hash == m->hash && p->len == text.len &&
				!memcmp(m->texts.p + p->at, text.p, text.len)))
			return p;
	}
}

int span__shapes_memo_find(struct span__shapes_memo *m, struct span_str text,
			   uint32_t *matched, struct span_error *err)
{
	const struct span__memo_shape *p;
	int rc = prepare(m, err);

	if (rc < 0)
		return rc;
	m->hash = span__hash(&m->key, text.p, text.len);
	p = place(m, text);
	if (!p->len)
		return 0;
	*matched = p->matched;
	return 1;
}

void span__shapes_memo_put(struct span__shapes_memo *m, struct span_str text,
			   uint32_t matched)
{
	size_t at = m->texts.len;

	if (m->n >= PLACES / 2 || text.len > MAX_BYTES - at)
		return;
	span_buf_put(&m->texts, text.p, text.len);
	if (m->texts.failed) {
		m->texts.failed = false;
		return;
	}
	*place(m, text) = (struct span__memo_shape){
		.hash = m->hash,
		.at = (uint32_t)at,
		.len = (uint32_t)text.len,
		.matched = matched,
	};
	m->n++;
}

void span__shapes_memo_release(struct span__shapes_memo *m)
{
	free(m->places);
	span_buf_release(&m->texts);
	*m = (struct span__shapes_memo){0};
}
