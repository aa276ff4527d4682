/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most spans have no trace state, and none of the elements around it: theirs
 * are put behind what they have, without a look at it.
 */
#include "stream/slice.h"

#include <string.h>

#include "base/bytes.h"
#include "base/pack.h"
#include "stream/frame.h"

#include "base/banned.h"

#define EXTRA 13u      /* elements of a span before those at the end */
#define ADDED_MAX 16u  /* texts, which are looked for one by one */
#define FRAME_HEAD 64u /* bytes of a frame beside its tables and its body */

struct slicing {
	struct span__slice *s;
	const struct span__kept *k;
	struct span_error *err;
};

/* A span with another trace state: these, one after another. */
struct patch {
	char head[PACK_MAX];
	struct span_str before;
	char middle[3 * PACK_MAX + EXTRA];
	struct span_str after;
	size_t head_len, middle_len;
};

static int bad(const struct slicing *x, const struct dec *d)
{
	return span_error_set(x->err, SPAN_E_CORRUPT, "a span is bad: %s",
			      d->what);
}

static int no_memory(const struct slicing *x)
{
	return span_error_set(x->err, SPAN_E_NOMEM, "no memory for a frame");
}

static struct span_str between(const unsigned char *p, const unsigned char *end)
{
	return (struct span_str){(const char *)p, (size_t)(end - p)};
}

/* The number of a text plus one where the frame has it; else 0. */
static uint32_t find1(const struct slicing *x, struct span_str text)
{
	const struct span_frame_info *f = &x->k->frame->info;
	struct dec d;

	for (size_t i = 0; i < f->n_strings; i++)
		if (span__str_equal(f->strings[i], text))
			return (uint32_t)i + 1;
	if (!x->s->n_added)
		return 0;
	d = dec_init(x->s->strings.p, x->s->strings.len);
	for (uint32_t i = 0; i < x->s->n_added; i++)
		if (span__str_equal(dec_str(&d, SPAN_MAX_STRING), text))
			return (uint32_t)f->n_strings + i + 1;
	return 0;
}

/* 1 with its number plus one; 0 when there are too many; SPAN_E_NOMEM. */
static int add1(const struct slicing *x, struct span_str text, uint32_t *n)
{
	struct pack p;

	*n = text.len ? find1(x, text) : 0;
	if (*n || !text.len)
		return 1;
	if (x->s->n_added >= ADDED_MAX)
		return 0;
	p.p = span_buf_reserve(&x->s->strings, PACK_MAX + text.len);
	if (!p.p)
		return no_memory(x);
	pack_str(&p, text.len);
	pack_raw(&p, text.p, text.len);
	x->s->strings.len = (size_t)(p.p - x->s->strings.p);
	*n = (uint32_t)x->k->frame->info.n_strings + ++x->s->n_added;
	return 1;
}

/* The new number for the old one, both plus one: 1, 0 or a code as above. */
static int renumber(const struct slicing *x, struct dec *d, uint64_t old1,
		    uint32_t *new1)
{
	const struct span_frame_info *f = &x->k->frame->info;
	uint32_t *known = (uint32_t *)(void *)x->s->numbers.p;
	struct span_str text = {0};
	int rc;

	if (old1 > f->n_strings) {
		dec_fail(d, SPAN_E_CORRUPT, "a string outside the table");
		return bad(x, d);
	}
	if (known[old1]) {
		*new1 = known[old1] - 1;
		return 1;
	}
	if (old1)
		text = f->strings[old1 - 1];
	rc = x->k->state(x->k->arg, &text, x->err);
	if (rc < 0)
		return rc;
	*new1 = (uint32_t)old1;
	if (text.len <= SPAN_MAX_STRING)
		rc = add1(x, text, new1);
	else
		rc = 1;
	if (rc > 0)
		known[old1] = *new1 + 1;
	return rc;
}

/* A span of N elements, which D is behind: the others are added. */
static int append_extra(const struct slicing *x, struct dec *d, size_t n,
			struct patch *out)
{
	struct pack p = {out->head};
	uint32_t new1;
	int rc = renumber(x, d, 0, &new1);

	if (rc <= 0)
		return rc;
	pack_array(&p, EXTRA + 1);
	out->head_len = (size_t)(p.p - out->head);
	out->before = between(d->p, d->end);
	p.p = out->middle;
	for (; n < EXTRA; n++)
		pack_array(&p, 0);
	pack_array(&p, 2);
	pack_uint8(&p, 0);
	pack_uint32(&p, new1);
	out->middle_len = (size_t)(p.p - out->middle);
	return 1;
}

/* A span that begins at START has them: its trace state becomes another. */
static int change_extra(const struct slicing *x, struct dec *d,
			const unsigned char *start, struct patch *out)
{
	struct pack p = {out->middle};
	uint64_t message1, old1;
	uint32_t new1;
	size_t n;
	int rc;

	for (unsigned i = 0; i < EXTRA; i++)
		span__dec_skip(d);
	out->before = between(start, d->p);
	n = dec_array(d);
	message1 = n > 0 ? dec_uint(d) : 0;
	old1 = n > 1 ? dec_uint(d) : 0;
	if (d->err)
		return bad(x, d);
	rc = renumber(x, d, old1, &new1);
	if (rc <= 0)
		return rc;
	pack_array(&p, n > 2 ? n : 2);
	pack_uint64(&p, message1);
	pack_uint32(&p, new1);
	out->middle_len = (size_t)(p.p - out->middle);
	out->after = between(d->p, d->end);
	return 1;
}

/* Append the span of LEN bytes at P. 1, 0 or a code as above. */
static int put_changed(const struct slicing *x, const unsigned char *p,
		       size_t len)
{
	struct dec d = dec_init(p, len);
	size_t n = dec_array(&d), new_len;
	struct patch patch;
	struct pack to;
	int rc;

	patch.head_len = 0;
	patch.after = (struct span_str){0};
	if (n < SPAN__SPAN_ELEMENTS)
		dec_fail(&d, SPAN_E_CORRUPT, "a span with too few elements");
	if (d.err)
		return bad(x, &d);
	rc = n > EXTRA ? change_extra(x, &d, p, &patch)
		       : append_extra(x, &d, n, &patch);
	if (rc <= 0)
		return rc;
	new_len = patch.head_len + patch.before.len + patch.middle_len +
		  patch.after.len;
	if (new_len > SPAN_MAX_BYTES) {
		patch = (struct patch){.before = between(p, p + len)};
		new_len = len;
	}
	to.p = span_buf_reserve(&x->s->body, PACK_MAX + new_len);
	if (!to.p)
		return no_memory(x);
	pack_uint64(&to, new_len);
	pack_raw(&to, patch.head, patch.head_len);
	pack_raw(&to, patch.before.p, patch.before.len);
	pack_raw(&to, patch.middle, patch.middle_len);
	pack_raw(&to, patch.after.p, patch.after.len);
	x->s->body.len = (size_t)(to.p - x->s->body.p);
	return 1;
}

/* Runs of spans as they are. */
static int put_runs(const struct slicing *x)
{
	const struct span_frame *f = x->k->frame;
	struct dec d = dec_init(f->body.p, f->body.len);
	const unsigned char *run = NULL;

	for (uint32_t i = 0; i < f->info.n_spans; i++) {
		const unsigned char *at = d.p;

		dec_take(&d, dec_uint(&d));
		if (d.err)
			return bad(x, &d);
		if (span__is_kept(x->k->keep, i)) {
			run = run ? run : at;
		} else if (run) {
			span_buf_str(&x->s->body, between(run, at));
			run = NULL;
		}
	}
	if (run)
		span_buf_str(&x->s->body, between(run, d.p));
	return x->s->body.failed ? no_memory(x) : 1;
}

static int put_patched(const struct slicing *x)
{
	const struct span_frame *f = x->k->frame;
	struct dec d = dec_init(f->body.p, f->body.len);
	size_t numbers = (f->info.n_strings + 1) * sizeof(uint32_t);
	int rc = 1;

	x->s->numbers.len = 0;
	if (!span_buf_reserve(&x->s->numbers, numbers))
		return no_memory(x);
	memset(x->s->numbers.p, 0, numbers);
	for (uint32_t i = 0; i < f->info.n_spans && rc > 0; i++) {
		uint64_t len = dec_uint(&d);
		const unsigned char *p = dec_take(&d, len);

		if (!p)
			return bad(x, &d);
		if (span__is_kept(x->k->keep, i))
			rc = put_changed(x, p, len);
	}
	return rc;
}

/* The tables with the strings that were added. */
static int tables(const struct slicing *x, struct span__parts *parts)
{
	const struct span_frame *f = x->k->frame;
	struct dec d = dec_init(f->tables.p, f->strings_len);
	struct span__slice *s = x->s;
	struct pack p;

	if (!s->n_added) {
		parts->tables[0] = f->tables;
		return 1;
	}
	dec_array(&d);
	s->head.len = 0;
	p.p = span_buf_reserve(&s->head, PACK_MAX);
	if (!p.p)
		return no_memory(x);
	pack_array(&p, f->info.n_strings + s->n_added);
	s->head.len = (size_t)(p.p - s->head.p);
	parts->tables[0] = (struct span_str){s->head.p, s->head.len};
	parts->tables[1] = between(d.p, d.end);
	parts->tables[2] = (struct span_str){s->strings.p, s->strings.len};
	parts->tables[3] = (struct span_str){f->tables.p + f->strings_len,
					     f->tables.len - f->strings_len};
	return 1;
}

int span__slice(struct span__slice *s, const struct span__kept *k,
		struct span__parts *parts, struct span_error *err)
{
	struct slicing x = {s, k, err};
	int rc;

	s->body.len = s->strings.len = 0;
	s->n_added = 0;
	rc = k->state ? put_patched(&x) : put_runs(&x);
	if (rc > 0)
		rc = tables(&x, parts);
	if (rc <= 0)
		return rc;
	parts->body = (struct span_str){s->body.p, s->body.len};
	return s->body.len + s->strings.len + k->frame->tables.len <=
	       SPAN_FRAME_MAX - FRAME_HEAD;
}

void span__slice_release(struct span__slice *s)
{
	span_buf_release(&s->body);
	span_buf_release(&s->head);
	span_buf_release(&s->strings);
	span_buf_release(&s->numbers);
}
