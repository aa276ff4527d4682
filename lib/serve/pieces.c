/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/pieces.h"

#include <stdlib.h>

#include "base/banned.h"

struct running {
	struct span__pieces p;
	bool any, ended;
};

/* One more result, with what stands before it. */
static int put_next(struct running *r, struct span_buf *out,
		    struct span_error *err)
{
	size_t len = out->len;
	int rc;

	if (r->any)
		span_buf_puts(out, r->p.between);
	rc = r->p.next(r->p.arg, out, err);
	if (rc <= 0)
		out->len = len;
	r->any |= rc > 0;
	return rc;
}

/* A piece, with the tail when it is the last one. */
static int fill(struct running *r, struct span_buf *out, struct span_error *err)
{
	int rc = 1;

	while (rc > 0 && out->len < SPAN__PIECE && !out->failed)
		rc = put_next(r, out, err);
	if (rc < 0)
		return rc;
	r->ended = !rc;
	if (r->ended)
		span_buf_puts(out, r->p.tail);
	if (out->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 1;
}

static int more(void *arg, struct span_buf *out, struct span_error *err)
{
	struct running *r = arg;

	return r->ended ? 0 : fill(r, out, err);
}

static void finish(void *arg)
{
	struct running *r = arg;

	r->p.close(r->p.arg);
	free(r);
}

int span__pieces_answer(struct span__serve_answer *a,
			const struct span__pieces *p, struct span_error *err)
{
	struct running *r = calloc(1, sizeof(*r));
	int rc, any;

	if (!r) {
		p->close(p->arg);
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	}
	r->p = *p;
	a->body.len = 0;
	span_buf_puts(&a->body, p->head);
	rc = fill(r, &a->body, err);
	any = r->any;
	if (rc > 0 && !r->ended) {
		a->more = more;
		a->close = finish;
		a->arg = r;
		return 1;
	}
	finish(r);
	if (rc < 0)
		a->body.len = 0;
	return rc < 0 ? rc : any;
}
