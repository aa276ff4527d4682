/* SPDX-License-Identifier: Apache-2.0 */
#include "render/html_data.h"

#include <span/text.h>

#include <inttypes.h>

#include "render/cell.h"

#include "base/banned.h"

int span__html_data_init(struct span__html_data *d, struct span_error *err)
{
	int rc;

	*d = (struct span__html_data){0};
	rc = span__strings_init(&d->texts, err);
	if (!rc)
		rc = span__strings_init(&d->processes, err);
	return rc ? rc : span__strings_init(&d->scopes, err);
}

void span__html_data_release(struct span__html_data *d)
{
	span__strings_release(&d->texts);
	span__strings_release(&d->processes);
	span__strings_release(&d->scopes);
	span_buf_release(&d->text);
	span_buf_release(&d->json);
}

/* The number of S in T, from 0 on. */
static uint32_t number_of(struct span__html_data *d, struct span__strings *t,
			  struct span_str s)
{
	int64_t n = d->failed ? -1 : span__strings_add(t, s, false);

	if (n >= 0)
		return (uint32_t)n - t->n_reserved;
	d->failed = true;
	return 0;
}

void span__html_text(struct span__html_data *d, struct span_buf *b,
		     struct span_str s)
{
	s.len = span_text_cut(s, SPAN_MAX_STRING);
	span_text_uint(b, number_of(d, &d->texts, s));
}

static void put_value(struct span__html_data *d, struct span_buf *b,
		      const struct span_value *v)
{
	if (v->type == SPAN_STRING) {
		span__html_text(d, b, v->str);
		return;
	}
	d->text.len = 0;
	if (v->type == SPAN_BYTES)
		span_buf_puts(&d->text, "0x");
	span_text_value(&d->text, v);
	d->failed |= d->text.failed;
	span__html_text(d, b, (struct span_str){d->text.p, d->text.len});
}

static void put_dropped(struct span__html_data *d, struct span_buf *b,
			uint32_t n)
{
	d->text.len = 0;
	span_buf_printf(&d->text, "%" PRIu32 " %s dropped by the sender", n,
			n == 1 ? "was" : "were");
	d->failed |= d->text.failed;
	span__html_text(d, b, SPAN_STR("(more)"));
	span_buf_putc(b, ',');
	span__html_text(d, b, (struct span_str){d->text.p, d->text.len});
}

void span__html_attrs(struct span__html_data *d, struct span_buf *b,
		      const struct span_attrs *a)
{
	span_buf_putc(b, '[');
	for (size_t i = 0; i < a->n; i++) {
		if (i)
			span_buf_putc(b, ',');
		span__html_text(d, b, a->v[i].key);
		span_buf_putc(b, ',');
		put_value(d, b, &a->v[i].value);
	}
	if (a->n && a->dropped)
		span_buf_putc(b, ',');
	if (a->dropped)
		put_dropped(d, b, a->dropped);
	span_buf_putc(b, ']');
}

void span__html_process(struct span__html_data *d, struct span_buf *b,
			const struct span_process *p)
{
	size_t at = ((uintptr_t)p >> 4) % SPAN__HTML_RECENT;

	if (d->recent[at].process != p) {
		d->json.len = 0;
		span_buf_putc(&d->json, '[');
		span__html_text(d, &d->json, p->service);
		span_buf_printf(&d->json, ",%u,",
				span__service_colour(p->service));
		span__html_attrs(d, &d->json, &p->attrs);
		span_buf_putc(&d->json, ']');
		d->failed |= d->json.failed;
		d->recent[at].process = p;
		d->recent[at].number =
			number_of(d, &d->processes,
				  (struct span_str){d->json.p, d->json.len});
	}
	span_text_uint(b, d->recent[at].number);
}

/* Name and version first, as if they were attributes. */
void span__html_scope(struct span__html_data *d, struct span_buf *b,
		      const struct span_scope *s)
{
	size_t end;

	d->json.len = 0;
	span_buf_putc(&d->json, '[');
	span__html_text(d, &d->json, SPAN_STR("name"));
	span_buf_putc(&d->json, ',');
	span__html_text(d, &d->json, s->name);
	span_buf_putc(&d->json, ',');
	span__html_text(d, &d->json, SPAN_STR("version"));
	span_buf_putc(&d->json, ',');
	span__html_text(d, &d->json, s->version);
	end = d->json.len;
	span__html_attrs(d, &d->json, &s->attrs);
	d->failed |= d->json.failed;
	if (!d->failed && d->json.len > end + 2)
		d->json.p[end] = ',';
	else if (!d->failed)
		d->json.len = end;
	if (!d->failed && d->json.len == end)
		span_buf_putc(&d->json, ']');
	span_text_uint(b, number_of(d, &d->scopes,
				    (struct span_str){d->json.p, d->json.len}));
}

static struct span_str entry(const struct span__strings *t, uint32_t i)
{
	const struct strings__entry *e = &t->entries[i];

	return (struct span_str){t->packed.p + e->off, e->len};
}

static void put_json(const char *name, const struct span__strings *t,
		     struct span_buf *b)
{
	span_buf_printf(b, "\"%s\":[", name);
	for (uint32_t i = t->n_reserved; i < t->n; i++) {
		if (i > t->n_reserved)
			span_buf_putc(b, ',');
		span_buf_str(b, entry(t, i));
	}
	span_buf_puts(b, "],\n");
}

void span__html_tables(struct span__html_data *d, struct span_buf *b)
{
	const struct span__strings *t = &d->texts;

	put_json("processes", &d->processes, b);
	put_json("scopes", &d->scopes, b);
	span_buf_puts(b, "\"strings\":[");
	for (uint32_t i = t->n_reserved; i < t->n; i++) {
		if (i > t->n_reserved)
			span_buf_puts(b, ",\n");
		span_text_script(b, entry(t, i));
	}
	span_buf_putc(b, ']');
}
