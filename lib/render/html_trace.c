/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace as data for page.js, which says what stands where. Spans come in
 * preorder with their depth, times count from the trace's start.
 */
#include <span/text.h>

#include <inttypes.h>

#include "render/cell.h"
#include "render/html_data.h"
#include "render/tree_critical.h"

#include "base/banned.h"

#define NONE UINT32_MAX

/* Flags of a row: page.js has the same. */
enum {
	ROW_ERROR = 1 << 0,
	ROW_ORPHAN = 1 << 1,
	ROW_CYCLE = 1 << 2,
	ROW_FOLLOWS = 1 << 3,
	ROW_MATCHED = 1 << 4,
};

struct page_trace {
	struct span_buf *b;
	const struct span_trace *t;
	const uint8_t *matched;
	struct span__html_data data;
	struct span__critical critical;
	bool more; /* a member stands in the object at hand */
};

static void put_key(struct page_trace *p, const char *key)
{
	span_buf_printf(p->b, "%s\"%s\":", p->more ? "," : "{", key);
	p->more = true;
}

static void put_member(struct page_trace *p, const char *key,
		       struct span_str text)
{
	if (!text.len)
		return;
	put_key(p, key);
	span__html_text(&p->data, p->b, text);
}

/* From the trace's start on, below it with a sign. */
static void put_time(struct page_trace *p, uint64_t ns)
{
	uint64_t from = p->t->start_ns;

	if (ns < from)
		span_buf_putc(p->b, '-');
	span_text_uint(p->b, ns < from ? from - ns : ns - from);
}

static void put_events(struct page_trace *p, const struct span *s)
{
	if (!s->n_events)
		return;
	put_key(p, "e");
	for (size_t i = 0; i < s->n_events; i++) {
		span_buf_putc(p->b, i ? ',' : '[');
		span_buf_putc(p->b, '[');
		put_time(p, s->events[i].time_ns);
		span_buf_putc(p->b, ',');
		span__html_text(&p->data, p->b, span_event_name(&s->events[i]));
		span_buf_putc(p->b, ',');
		span__html_attrs(&p->data, p->b, &s->events[i].attrs);
		span_buf_putc(p->b, ']');
	}
	span_buf_putc(p->b, ']');
}

static void put_refs(struct page_trace *p, const struct span *s)
{
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	if (!s->n_refs)
		return;
	put_key(p, "l");
	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		span_buf_printf(p->b, "%s[\"%s\",\"%s/%s\",", i ? "," : "[",
				span__ref_name(r->type),
				span_trace_id_text(r->trace_id, trace),
				span_id_text(r->span_id, id));
		span__html_attrs(&p->data, p->b, &r->attrs);
		span_buf_putc(p->b, ']');
	}
	span_buf_putc(p->b, ']');
}

static void put_critical(struct page_trace *p, uint32_t span)
{
	const struct span__critical *c = &p->critical;

	if (!c->first || c->first[span] == NONE)
		return;
	put_key(p, "c");
	for (uint32_t i = c->first[span]; i != NONE; i = c->next[i]) {
		span_buf_putc(p->b, i == c->first[span] ? '[' : ',');
		put_time(p, c->sections[i].start_ns);
		span_buf_putc(p->b, ',');
		put_time(p, c->sections[i].end_ns);
	}
	span_buf_putc(p->b, ']');
}

static void put_warnings(struct page_trace *p, const struct span *s)
{
	size_t n = 0;

	for (unsigned i = 0; i < SPAN__MARKS; i++) {
		if (!(s->marks & 1u << i))
			continue;
		if (!n)
			put_key(p, "w");
		span_buf_printf(p->b, "%s\"%s\"", n++ ? "," : "[",
				span__mark_text(i));
	}
	if (s->dropped_events) {
		if (!n)
			put_key(p, "w");
		span_buf_printf(
			p->b, "%s\"%" PRIu32 " event%s dropped by the sender\"",
			n++ ? "," : "[", s->dropped_events,
			s->dropped_events == 1 ? " was" : "s were");
	}
	if (n)
		span_buf_putc(p->b, ']');
}

static unsigned flags_of(const struct page_trace *p, uint32_t i)
{
	uint32_t flags = p->t->nodes[i].flags;

	return (span_is_error(&p->t->spans[i]) ? ROW_ERROR : 0u) |
	       (flags & SPAN_TRACE_ORPHAN ? ROW_ORPHAN : 0u) |
	       (flags & SPAN_TRACE_CYCLE ? ROW_CYCLE : 0u) |
	       (flags & SPAN_TRACE_FOLLOWS ? ROW_FOLLOWS : 0u) |
	       (p->matched && p->matched[i] ? ROW_MATCHED : 0u);
}

static void put_row(struct page_trace *p, uint32_t i)
{
	const struct span *s = &p->t->spans[i];
	char id[SPAN_ID_TEXT];

	span_buf_printf(p->b, "[%" PRIu32 ",", p->t->nodes[i].depth);
	span__html_process(&p->data, p->b, s->process);
	span_buf_putc(p->b, ',');
	span__html_text(&p->data, p->b, s->name);
	span_buf_printf(p->b, ",%u,%u,", flags_of(p, i), (unsigned)s->kind);
	put_time(p, s->start_ns);
	span_buf_printf(p->b, ",%" PRIu64 ",%" PRIu64, s->duration_ns,
			span_trace_self_ns(p->t, i));
	span_buf_printf(p->b, ",\"%s\"", span_id_text(s->span_id, id));
	span_buf_printf(p->b, ",\"%s\",",
			span_is_root(s) ? "" : span_id_text(s->parent_id, id));
	p->more = false;
	put_member(p, "m", s->status_message);
	put_member(p, "s", s->trace_state);
	put_warnings(p, s);
	if (s->attrs.n || s->attrs.dropped) {
		put_key(p, "t");
		span__html_attrs(&p->data, p->b, &s->attrs);
	}
	put_events(p, s);
	put_refs(p, s);
	put_critical(p, i);
	if (s->scope) {
		put_key(p, "o");
		span__html_scope(&p->data, p->b, s->scope);
	}
	span_buf_puts(p->b, p->more ? "}]" : "0]");
}

/* A text that stands there itself. */
static void put_head(struct page_trace *p, const struct span_render_opts *o)
{
	const struct span *root = &p->t->spans[p->t->root];
	char id[SPAN_TRACE_ID_TEXT];
	struct span_buf text = {0};

	span_buf_printf(p->b, "{\"id\":\"%s\",\"start\":\"",
			span_trace_id_text(p->t->trace_id, id));
	if (o->local_time)
		span_text_local_time(p->b, p->t->start_ns, 3);
	else
		span_text_time(p->b, p->t->start_ns, 3);
	span_buf_printf(p->b, "\",\"ns\":%" PRIu64,
			p->t->end_ns - p->t->start_ns);
	span_buf_printf(p->b, ",\"errors\":%zu,\"services\":%zu,\"root\":",
			p->t->n_errors, p->t->n_services);
	span_buf_str(&text, root->process->service);
	span_buf_putc(&text, ' ');
	span_buf_str(&text, root->name);
	span_text_script(p->b, (struct span_str){text.p, text.len});
	if (o->depth)
		span_buf_printf(p->b, ",\"depth\":%" PRIu32, o->depth);
	if (o->note.len) {
		span_buf_puts(p->b, ",\"note\":");
		span_text_script(p->b, o->note);
	}
	p->b->failed |= text.failed;
	span_buf_release(&text);
}

int span_render_html_trace(struct span_buf *b, const struct span_render_opts *o,
			   const struct span_trace *t, const uint8_t *matched,
			   struct span_error *err)
{
	struct page_trace p = {.b = b, .t = t, .matched = matched};
	int rc = span__html_data_init(&p.data, err);

	if (rc < 0)
		goto done;
	p.data.failed = !span__critical_init(&p.critical, o, t);
	span_buf_puts(b, "<script type=\"application/json\" class=\"trace\">");
	put_head(&p, o);
	span_buf_puts(b, ",\"rows\":[");
	for (size_t k = 0; k < t->n && !p.data.failed; k++) {
		span_buf_puts(b, k ? ",\n" : "\n");
		put_row(&p, t->order[k]);
	}
	span_buf_puts(b, "],\n");
	span__html_tables(&p.data, b);
	span_buf_puts(b, "}</script>\n");
	if (p.data.failed || b->failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
done:
	span__critical_release(&p.critical);
	span__html_data_release(&p.data);
	return rc;
}
