/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame as a whole: where all that changes are strings of its table, each to
 * one text wherever it is used, only the table is made anew. redact_refs.c
 * looks at what is used. What no span uses becomes empty, since no rule
 * has looked at it.
 */
#include "query/redact_table.h"
#include "stream/writer.h"

#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define STRINGS_MAX 16384u /* of a frame that is tried as a whole */
#define WITHOUT_HEAD (SPAN_FRAME_MAX - 1024) /* bytes of a frame */
#define WAIT_MAX 15u /* frames, after some with which it did not go */

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

void span__redact_table_close(struct span__redact_table **t)
{
	if (!*t)
		return;
	free((*t)->texts);
	free((*t)->keys);
	free((*t)->owners);
	span_buf_release(&(*t)->strings);
	span_buf_release(&(*t)->part);
	span_buf_release(&(*t)->body);
	span_buf_release(&(*t)->edits);
	span_buf_release(&(*t)->added);
	free(*t);
	*t = NULL;
}

/* Room for N elements of SIZE, all zero; false: no memory. */
static bool clear_room(void *array, size_t *cap, size_t n, size_t size)
{
	void **p = array;

	if (n > *cap) {
		free(*p);
		*p = malloc(n * size);
		*cap = *p ? n : 0;
	}
	if (*p)
		memset(*p, 0, n * size);
	return *p;
}

static bool clear_table(struct span__redact_table *t,
			const struct span_frame_info *info, size_t n_owners)
{
	t->strings_of = info->strings;
	t->n = info->n_strings;
	t->n_processes = info->n_processes;
	t->n_scopes = n_owners - info->n_processes;
	t->n_changed = 0;
	t->strings.len = t->part.len = t->body.len = 0;
	t->edits.len = t->added.len = 0;
	memset(t->applied, 0, sizeof(*t->applied) * t->r->n_rules);
	return clear_room(&t->texts, &t->texts_cap, t->n, sizeof(*t->texts)) &&
	       clear_room(&t->keys, &t->keys_cap, REDACT_OWNERS * t->n,
			  sizeof(*t->keys)) &&
	       clear_room(&t->owners, &t->owners_cap, n_owners,
			  sizeof(*t->owners));
}

/* Has the frame nothing but what is known here, as far as its head tells? */
static bool is_plain(const struct span_frame *f)
{
	static const char head[] = "\x9b" SPAN__MARK;
	const size_t minor = sizeof(head) - 1;

	return f->info.bytes.len > minor &&
	       !memcmp(f->info.bytes.p, head, minor) &&
	       !f->info.bytes.p[minor] && f->info.n_strings &&
	       f->info.n_strings <= STRINGS_MAX &&
	       f->info.n_processes + f->n_scopes <= 2 * f->info.n_spans;
}

static bool is_kept(const struct redact_text *m, struct span_str text)
{
	return m->rules ? !m->done : !text.len;
}

static void put_string(struct span_buf *b, struct span_str text)
{
	struct pack x = {span_buf_reserve(b, PACK_MAX + text.len)};

	if (!x.p)
		return;
	pack_str(&x, text.len);
	pack_raw(&x, text.p, text.len);
	b->len = (size_t)(x.p - b->p);
}

static struct span_str contents(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

static void put_head(struct span_buf *b, size_t n)
{
	struct pack x = {span_buf_reserve(b, PACK_MAX)};

	if (!x.p)
		return;
	pack_array(&x, n);
	b->len = (size_t)(x.p - b->p);
}

/* Which of the strings changed? The first one, or N. */
static size_t first_changed(const struct span__redact_table *t)
{
	size_t i = 0;

	while (i < t->n && is_kept(&t->texts[i], t->strings_of[i]))
		i++;
	return i;
}

/* The strings as they become, runs of those that stay at a time. */
static void make_strings(struct span__redact_table *t,
			 const struct span_frame *f)
{
	struct span_buf *out = &t->strings;
	struct dec d = dec_init(f->tables.p, f->tables.len);
	const struct span_str *added;
	const char *run, *end;
	size_t n_added;

	dec_array(&d);
	run = end = (const char *)d.p;
	added = redact_added(t, &n_added);
	put_head(out, t->n + n_added);
	for (size_t i = 0; i < t->n; i++) {
		struct span_str text = t->strings_of[i];
		const struct redact_text *m = &t->texts[i];

		if (!is_kept(m, text)) {
			span_buf_put(out, run, (size_t)(end - run));
			put_string(out, m->done ? m->done->text : SPAN_STR(""));
			run = text.p + text.len;
		}
		end = text.p + text.len;
	}
	span_buf_put(out, run, (size_t)(end - run));
	for (size_t i = 0; i < n_added; i++)
		put_string(out, added[i]);
}

/* The bytes from FROM to END with the next edits in them, and the ones behind.
 */
static const struct redact_edit *put_edited(struct span_buf *out,
					    const unsigned char *from,
					    const unsigned char *end,
					    const struct redact_edit *e,
					    const struct redact_edit *last)
{
	for (; e < last && e->value < end; e++) {
		struct pack x;

		/* The key doubled, plus one: there is a string behind it. */
		span_buf_put(out, from, (size_t)(e->key - from));
		span_buf_putc(out, (char)(*e->key | 1));
		x.p = span_buf_reserve(out, PACK_MAX);
		if (!x.p)
			return last;
		pack_uint32(&x, e->string);
		out->len = (size_t)(x.p - out->p);
		from = e->end;
	}
	span_buf_put(out, from, (size_t)(end - from));
	return e;
}

static void put_length(struct span_buf *out, size_t len)
{
	struct pack x = {span_buf_reserve(out, PACK_MAX)};

	if (!x.p)
		return;
	pack_uint64(&x, len);
	out->len = (size_t)(x.p - out->p);
}

/* Each span with its edits. False: one is too long then. */
static bool make_body(struct span__redact_table *t, const struct span_frame *f)
{
	struct dec d = dec_init(f->body.p, f->body.len);
	size_t n;
	const struct redact_edit *e = redact_edits(t, &n);
	const struct redact_edit *last = e + t->n_body_edits;
	const unsigned char *run = d.p;
	struct span_buf *one = &t->part;

	while (e < last) {
		const unsigned char *start = d.p, *at;
		size_t len = dec_uint(&d);

		at = dec_take(&d, len);
		if (!at)
			return false;
		if (e->value >= d.p)
			continue;
		span_buf_put(&t->body, run, (size_t)(start - run));
		one->len = 0;
		e = put_edited(one, at, d.p, e, last);
		if (one->len > SPAN_MAX_BYTES)
			return false;
		put_length(&t->body, one->len);
		span_buf_put(&t->body, one->p, one->len);
		run = d.p;
	}
	span_buf_put(&t->body, run, (size_t)(d.end - run));
	return true;
}

/* Processes and scopes with their edits, if there are any. */
static struct span_str make_owners(struct span__redact_table *t,
				   const struct span_frame *f)
{
	struct span_str in = span__frame_owners(f);
	const unsigned char *p = (const unsigned char *)in.p;
	size_t n;
	const struct redact_edit *e = redact_edits(t, &n);

	if (n == t->n_body_edits)
		return in;
	t->part.len = 0;
	put_edited(&t->part, p, p + in.len, e + t->n_body_edits, e + n);
	return contents(&t->part);
}

static int write_changed(struct span__redact_table *t,
			 const struct span_frame *f, struct span_writer *w,
			 struct span_error *err)
{
	struct span_str body = f->body, owners;
	int rc;

	make_strings(t, f);
	if (t->n_body_edits) {
		if (!make_body(t, f))
			return 0;
		body = contents(&t->body);
	}
	owners = make_owners(t, f);
	if (t->strings.failed || t->part.failed || t->body.failed)
		return out_of_memory(err);
	if (t->strings.len + owners.len + body.len > WITHOUT_HEAD)
		return 0;
	rc = span__writer_put_parts(w, f, contents(&t->strings), owners, body,
				    err);
	return rc < 0 ? rc : 1;
}

static void count_applied(struct span__redact_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->texts[i].uses)
			span__redact_flush_uses(t, &t->texts[i]);
	for (size_t i = 0; i < t->r->n_rules; i++)
		if (t->applied[i])
			span__redact_count(t->r, (uint16_t)i, t->applied[i]);
}

/* 1, 0 when it does not go, or a negative code. */
static int write_frame(struct span__redact_table *t, struct span_frame *f,
		       struct span_writer *w, struct span_error *err)
{
	int rc;

	if (first_changed(t) < t->n || t->edits.len) {
		rc = write_changed(t, f, w, err);
	} else {
		rc = span_writer_put_frame(w, f, err);
		rc = rc < 0 ? rc : 1;
	}
	if (rc > 0)
		count_applied(t);
	return rc;
}

/* Where one frame does not go the next ones may not either. */
static bool is_time(struct span__redact_table *t)
{
	if (t->wait)
		t->wait--;
	else
		return true;
	return false;
}

static int open_table(struct span_redact *r, struct span_error *err)
{
	r->table = calloc(1, sizeof(*r->table));
	if (!r->table)
		return out_of_memory(err);
	r->table->r = r;
	return 0;
}

int span_redact_put_frame(struct span_redact *r, struct span_frame *f,
			  struct span_writer *w, uint32_t *changed,
			  struct span_error *err)
{
	struct span__redact_table *t;
	int rc;

	if (r->anonymize || r->found || !is_plain(f))
		return 0;
	if (!r->table && (rc = open_table(r, err)) < 0)
		return rc;
	t = r->table;
	if (!is_time(t))
		return 0;
	span_redact_frame(r);
	if (!clear_table(t, &f->info, f->info.n_processes + f->n_scopes))
		return out_of_memory(err);
	rc = span__redact_look(t, f) ? write_frame(t, f, w, err) : 0;
	t->tries = rc ? 0 : t->tries + 1;
	t->wait = t->tries < WAIT_MAX ? t->tries : WAIT_MAX;
	*changed = t->n_changed;
	return rc;
}
