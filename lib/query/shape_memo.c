/* SPDX-License-Identifier: Apache-2.0 */
#include "query/shape_memo.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PLACES 65536u /* 1.5 MiB of them, half of them used */
#define MAX_BYTES (2u << 20)

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

static int prepare(struct span__shape_memo *m, struct span_error *err)
{
	if (m->places)
		return 0;
	m->places = calloc(PLACES, sizeof(*m->places));
	return m->places ? span__key_init(&m->key, err) : out_of_memory(err);
}

/* Two bytes of each node into m->asked: 1; 0 when they do not fit. */
static int pack(struct span__shape_memo *m, const struct span__shape_node *v,
		size_t n, struct span_error *err)
{
	uint64_t all = 0;
	uint8_t *p;

	m->asked.len = 0;
	p = (uint8_t *)span_buf_reserve(&m->asked, 2 * n);
	if (!p)
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++) {
		all |= v[i].chosen | v[i].depth;
		p[2 * i] = (uint8_t)v[i].chosen;
		p[2 * i + 1] = (uint8_t)v[i].depth;
	}
	if (all > UINT8_MAX || 2 * n > MAX_BYTES)
		return 0;
	m->asked.len = 2 * n;
	return 1;
}

/* The place of the shape that is asked, or the free one where it belongs. */
static struct span__memo_shape *place(const struct span__shape_memo *m)
{
	size_t at = m->hash % PLACES;

	for (;; at = (at + 1) % PLACES) {
		struct span__memo_shape *p = &m->places[at];

		if (!p->len ||
		    (p->hash == m->hash && p->len == m->asked.len &&
		     !memcmp(m->bytes.p + p->at, m->asked.p, p->len)))
			return p;
	}
}

int span__shape_memo_find(struct span__shape_memo *m,
			  const struct span__shape_node *v, size_t n,
			  uint32_t *matched, struct span_error *err)
{
	const struct span__memo_shape *p;
	int rc = prepare(m, err);

	if (!rc)
		rc = pack(m, v, n, err);
	if (rc <= 0)
		return rc;
	m->hash = span__hash(&m->key, m->asked.p, m->asked.len);
	p = place(m);
	if (!p->len)
		return 0;
	*matched = p->matched;
	return 1;
}

void span__shape_memo_put(struct span__shape_memo *m, uint32_t matched)
{
	size_t at = m->bytes.len, len = m->asked.len;

	if (!len || m->n >= PLACES / 2 || len > MAX_BYTES - at)
		return;
	span_buf_put(&m->bytes, m->asked.p, len);
	if (m->bytes.failed) {
		m->bytes.failed = false;
		return;
	}
	*place(m) = (struct span__memo_shape){
		.hash = m->hash,
		.at = (uint32_t)at,
		.len = (uint32_t)len,
		.matched = matched,
	};
	m->n++;
}

void span__shape_memo_release(struct span__shape_memo *m)
{
	free(m->places);
	span_buf_release(&m->bytes);
	span_buf_release(&m->asked);
	*m = (struct span__shape_memo){0};
}
