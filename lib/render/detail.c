/* SPDX-License-Identifier: Apache-2.0 */
/* A span whole. Keys stand in a column as wide as the longest, to a limit. */
#include <span/render.h>
#include <span/text.h>

#include <inttypes.h>
#include <string.h>

#include "render/cell.h"
#include "text/utf8.h"

#include "base/banned.h"

#define MAX_KEY 32
#define INDENT 2
#define TAB 4

struct detail {
	struct span_buf *b;
	const struct span_render_opts *o;
	const struct span_trace *t;
	const struct span *s;
	bool relative;
};

static size_t key_width(const struct detail *d, const struct span_attrs *a)
{
	size_t width = 0;

	for (size_t i = 0; i < a->n; i++) {
		size_t w = span__text_width(a->v[i].key, MAX_KEY, d->o->ascii);

		if (w > width)
			width = w;
	}
	return width;
}

static void put_key(const struct detail *d, size_t indent, struct span_str key,
		    size_t width)
{
	size_t used;

	span__spaces(d->b, indent);
	used = span__whole(d->b, d->o, SPAN__DIM, key);
	span__spaces(d->b, used < width ? width - used : 0);
	span_buf_puts(d->b, "  ");
}

/* Tabs, of which stack traces are full, become spaces. */
static void put_line(const struct detail *d, struct span_str s)
{
	while (s.len) {
		const char *tab = memchr(s.p, '\t', s.len);
		size_t len = tab ? (size_t)(tab - s.p) : s.len;

		span__text_terminal(d->b, (struct span_str){s.p, len},
				    d->o->ascii);
		if (tab)
			span__spaces(d->b, TAB);
		len += tab != NULL;
		s = (struct span_str){s.p + len, s.len - len};
	}
}

/* A text of several lines: each on a line of its own, below. */
static void put_text(const struct detail *d, size_t indent, struct span_str s)
{
	const char *newline = s.len ? memchr(s.p, '\n', s.len) : NULL;

	if (!newline) {
		span__text_terminal(d->b, s, d->o->ascii);
		span__line_end(d->b);
		return;
	}
	while (s.len) {
		size_t len;

		newline = memchr(s.p, '\n', s.len);
		len = newline ? (size_t)(newline - s.p) : s.len;
		span__line_end(d->b);
		span__spaces(d->b, indent);
		put_line(d, (struct span_str){s.p, len});
		len += newline != NULL;
		s = (struct span_str){s.p + len, s.len - len};
	}
	span__line_end(d->b);
}

static void put_value(const struct detail *d, size_t indent,
		      const struct span_value *v)
{
	struct span_buf text = {0};

	if (v->type == SPAN_STRING) {
		put_text(d, indent, v->str);
		return;
	}
	if (v->type == SPAN_BYTES)
		span_buf_puts(d->b, "0x");
	span_text_value(&text, v);
	d->b->failed |= text.failed;
	put_text(d, indent, (struct span_str){text.p, text.len});
	span_buf_release(&text);
}

static void put_dropped(const struct detail *d, uint32_t n)
{
	span_buf_printf(d->b, "(%" PRIu32 " more %s dropped by the sender)\n",
			n, n == 1 ? "was" : "were");
}

static void put_attrs(const struct detail *d, size_t indent,
		      const struct span_attrs *a)
{
	size_t width = key_width(d, a);

	for (size_t i = 0; i < a->n; i++) {
		put_key(d, indent, a->v[i].key, width);
		put_value(d, indent + INDENT, &a->v[i].value);
	}
	if (!a->dropped)
		return;
	span__spaces(d->b, indent);
	put_dropped(d, a->dropped);
}

static void put_group(const struct detail *d, const char *name,
		      const struct span_attrs *a)
{
	if (!a->n && !a->dropped)
		return;
	span__cell(d->b, d->o, SPAN__BOLD, span_str(name), span_str(name).len);
	span_buf_putc(d->b, '\n');
	put_attrs(d, INDENT, a);
}

static void put_field(const struct detail *d, const char *name,
		      struct span_str value)
{
	if (!value.len)
		return;
	put_key(d, 0, span_str(name), 9);
	put_text(d, INDENT, value);
}

static void put_offset(const struct detail *d, uint64_t ns)
{
	uint64_t from = d->relative ? d->s->start_ns : d->t->start_ns;

	span_buf_putc(d->b, ns < from ? '-' : '+');
	span_text_duration(d->b, ns < from ? from - ns : ns - from);
}

static void put_event(const struct detail *d, const struct span_event *e)
{
	size_t from = d->b->len;
	struct span_str name = span_event_name(e);

	span__spaces(d->b, INDENT);
	put_offset(d, e->time_ns);
	span__spaces(d->b, d->b->len - from < 12 ? 12 - (d->b->len - from) : 1);
	span__whole(d->b, d->o, SPAN__BOLD, name);
	span__line_end(d->b);
	put_attrs(d, 2 * INDENT, &e->attrs);
}

static void put_events(const struct detail *d)
{
	if (!d->s->n_events && !d->s->dropped_events)
		return;
	span__cell(d->b, d->o, SPAN__BOLD, SPAN_STR("events"), 6);
	span_buf_putc(d->b, '\n');
	for (size_t i = 0; i < d->s->n_events; i++)
		put_event(d, &d->s->events[i]);
	if (d->s->dropped_events) {
		span__spaces(d->b, INDENT);
		put_dropped(d, d->s->dropped_events);
	}
}

const char *span__ref_name(int32_t type)
{
	switch (type) {
	case SPAN_REF_CHILD_OF:
		return "child of";
	case SPAN_REF_FOLLOWS_FROM:
		return "follows";
	case SPAN_REF_LINK:
		return "link";
	default:
		return "reference";
	}
}

static void put_refs(const struct detail *d)
{
	for (size_t i = 0; i < d->s->n_refs; i++) {
		const struct span_ref *r = &d->s->refs[i];
		char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

		put_key(d, 0, span_str(span__ref_name(r->type)), 9);
		span_buf_printf(d->b, "%s/%s\n",
				span_trace_id_text(r->trace_id, trace),
				span_id_text(r->span_id, id));
		put_attrs(d, INDENT, &r->attrs);
	}
}

static void put_ids(const struct detail *d)
{
	static const uint8_t none[8];
	char id[SPAN_TRACE_ID_TEXT];

	put_field(d, "trace", span_str(span_trace_id_text(d->s->trace_id, id)));
	put_field(d, "span", span_str(span_id_text(d->s->span_id, id)));
	if (memcmp(d->s->parent_id, none, sizeof(none)) != 0)
		put_field(d, "parent",
			  span_str(span_id_text(d->s->parent_id, id)));
	put_field(d, "kind", span_str(span_kind_name(d->s->kind)));
}

static void put_times(const struct detail *d, uint32_t i)
{
	put_key(d, 0, SPAN_STR("start"), 9);
	if (d->o->local_time)
		span_text_local_time(d->b, d->s->start_ns, 6);
	else
		span_text_time(d->b, d->s->start_ns, 6);
	span_buf_puts(d->b, "  +");
	span_text_duration(d->b, d->s->start_ns - d->t->start_ns);
	span_buf_putc(d->b, '\n');
	put_key(d, 0, SPAN_STR("duration"), 9);
	span_text_duration(d->b, d->s->duration_ns);
	span_buf_puts(d->b, ", of these itself ");
	span_text_duration(d->b, span_trace_self_ns(d->t, i));
	span_buf_putc(d->b, '\n');
}

static void put_status(const struct detail *d)
{
	const char *name = span_status_name(d->s->status);

	if (d->s->status == SPAN_STATUS_UNSET && !d->s->status_message.len)
		return;
	put_key(d, 0, SPAN_STR("status"), 9);
	span__cell(d->b, d->o, span_is_error(d->s) ? SPAN__ERROR : SPAN__PLAIN,
		   span_str(name), span_str(name).len);
	if (d->s->status_message.len)
		span_buf_puts(d->b, ": ");
	put_text(d, INDENT, d->s->status_message);
}

const char *span__mark_text(unsigned bit)
{
	static const char *const texts[SPAN__MARKS] = {
		"something of it was cut",
		"a time did not fit and was changed",
		"a name was missing and filled in",
	};

	return texts[bit];
}

static void put_marks(const struct detail *d)
{
	for (unsigned i = 0; i < SPAN__MARKS; i++)
		if (d->s->marks & 1u << i)
			put_field(d, "warning", span_str(span__mark_text(i)));
}

static void put_scope(const struct detail *d)
{
	if (!d->s->scope)
		return;
	put_field(d, "scope", d->s->scope->name);
	put_field(d, "version", d->s->scope->version);
	put_attrs(d, INDENT, &d->s->scope->attrs);
}

void span_render_span(struct span_buf *b, const struct span_render_opts *o,
		      const struct span_trace *t, uint32_t i, bool relative)
{
	const struct detail d = {b, o, t, &t->spans[i], relative};

	span__service(b, o, d.s->process->service, SIZE_MAX);
	span_buf_putc(b, ' ');
	span__whole(b, o, span_is_error(d.s) ? SPAN__ERROR : SPAN__BOLD,
		    d.s->name);
	span__line_end(b);
	put_ids(&d);
	put_times(&d, i);
	put_status(&d);
	put_field(&d, "state", d.s->trace_state);
	put_marks(&d);
	put_refs(&d);
	put_scope(&d);
	put_group(&d, "tags", &d.s->attrs);
	put_group(&d, "process", &d.s->process->attrs);
	put_events(&d);
}

/* Has it a type, message or stack of an exception, or an error's kind? */
static bool is_exception(const struct span_event *e)
{
	static const char *const names[] = {"exception", "error"};
	struct span_str name = span_event_name(e);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (span_str_equal(name, span_str(names[i])))
			return true;
	return span_attr_get(&e->attrs, SPAN_STR("exception.type")) ||
	       span_attr_get(&e->attrs, SPAN_STR("error.object")) ||
	       span_attr_get(&e->attrs, SPAN_STR("stack"));
}

static bool is_wanted(const struct span_event *e, bool errors)
{
	return !errors || is_exception(e);
}

void span_render_events(struct span_buf *b, const struct span_render_opts *o,
			const struct span_trace *t, uint32_t i, bool relative,
			bool errors)
{
	const struct detail d = {b, o, t, &t->spans[i], relative};
	char id[SPAN_ID_TEXT];
	size_t n = 0;

	for (size_t k = 0; k < d.s->n_events; k++)
		n += is_wanted(&d.s->events[k], errors);
	if (errors ? !span_is_error(d.s) : !n)
		return;
	span__service(b, o, d.s->process->service, SIZE_MAX);
	span_buf_putc(b, ' ');
	span__whole(b, o, errors ? SPAN__ERROR : SPAN__BOLD, d.s->name);
	span_buf_printf(b, "  %s  ", span_id_text(d.s->span_id, id));
	put_offset(&d, d.s->start_ns);
	span__line_end(b);
	if (errors)
		put_status(&d);
	for (size_t k = 0; k < d.s->n_events; k++)
		if (is_wanted(&d.s->events[k], errors))
			put_event(&d, &d.s->events[k]);
}
