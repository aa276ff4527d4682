/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/zipkin_read.h"

#include "base/banned.h"

void span__zipkin_begin(struct span__zipkin_reader *r)
{
	r->span = (struct span__zipkin_span){.name = {"", 0}};
	r->annotations.len = r->binaries.len = 0;
	r->bad_at = NULL;
	r->m->marks = 0;
}

void span__zipkin_bad(struct span__zipkin_reader *r, const unsigned char *at,
		      const char *what)
{
	if (r->bad_at)
		return;
	r->bad_at = at;
	r->bad = what;
}

static void keep(struct span__zipkin_reader *r, struct span_buf *b,
		 const void *element, size_t size, size_t most)
{
	struct span__cursor *in = &r->m->in;

	if (b->len >= most * size) {
		r->m->marks |= SPAN_MARK_CUT;
		return;
	}
	span_buf_put(b, element, size);
	if (b->failed)
		span__cursor_fail(in, in->p, SPAN_E_NOMEM, "out of memory");
}

void span__zipkin_annotate(struct span__zipkin_reader *r,
			   const struct span__zipkin_annotation *a)
{
	keep(r, &r->annotations, a, sizeof(*a), SPAN_MAX_EVENTS);
}

void span__zipkin_add(struct span__zipkin_reader *r,
		      const struct span__zipkin_binary *b)
{
	keep(r, &r->binaries, b, sizeof(*b), SPAN_MAX_ATTRS);
}

void span__zipkin_end(struct span__zipkin_reader *r, const unsigned char *at)
{
	struct span__zipkin_span *z = &r->span;

	z->annotations = (const void *)r->annotations.p;
	z->n_annotations = r->annotations.len / sizeof(*z->annotations);
	z->binaries = (const void *)r->binaries.p;
	z->n_binaries = r->binaries.len / sizeof(*z->binaries);
	if (!z->trace_id && !z->trace_id_high)
		span__zipkin_bad(r, at, "a span has no trace id");
	if (!z->id)
		span__zipkin_bad(r, at, "a span has no id");
	if (r->m->in.failed)
		return;
	if (r->bad_at)
		span__message_bad_span(r->m, r->bad_at, r->bad);
	else
		span__zipkin_span(r->m, z);
	if (r->m->pass != SPAN__COLLECT)
		span_arena_reset(&r->m->d->arena);
}

void span__zipkin_release(struct span__zipkin_reader *r)
{
	span_buf_release(&r->annotations);
	span_buf_release(&r->binaries);
}

struct span_str span__zipkin_text(struct span__message *m, struct span_str s)
{
	if (s.len > SPAN_MAX_STRING)
		span__message_cut(m, &s, true);
	return s;
}
