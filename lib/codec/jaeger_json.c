/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of Jaeger's query API, written; jaeger_json_read.c reads it.
 *
 * Source: jaeger model/json.
 */
#include "codec/jaeger_extra.h"
#include "codec/jaeger_proto.h"

#include <span/text.h>

#include <inttypes.h>
#include <string.h>

#include "base/id.h"
#include "base/sort.h"

#include "base/banned.h"

/* What JavaScript holds exactly. */
#define MAX_EXACT ((INT64_C(1) << 53) - 1)

static void put_typed(struct span_buf *b, const struct span_value *v)
{
	struct span_buf text = {0};

	switch (v->type) {
	case SPAN_BOOL:
		span_buf_puts(b, "\"bool\",\"value\":");
		span_text_value_json(b, v);
		return;
	case SPAN_INT:
		span_buf_puts(b, "\"int64\",\"value\":");
		if (v->i > MAX_EXACT || v->i < -MAX_EXACT)
			span_buf_printf(b, "\"%" PRId64 "\"", v->i);
		else
			span_text_int(b, v->i);
		return;
	case SPAN_DOUBLE:
		span_buf_puts(b, "\"float64\",\"value\":");
		span_text_value_json(b, v);
		return;
	case SPAN_BYTES:
		span_buf_puts(b, "\"binary\",\"value\":");
		span_text_value_json(b, v);
		return;
	case SPAN_STRING:
		span_buf_puts(b, "\"string\",\"value\":");
		span_text_json(b, v->str);
		return;
	case SPAN_NULL:
	case SPAN_ARRAY:
	case SPAN_MAP:
		span_buf_puts(b, "\"string\",\"value\":");
		span_text_value(&text, v);
		span_text_json(b, (struct span_str){text.p, text.len});
		b->failed |= text.failed;
		span_buf_release(&text);
		return;
	}
}

/* A comma where something stands before in the array. */
static void put_comma(struct span_buf *b)
{
	if (b->len && b->p[b->len - 1] != '[')
		span_buf_putc(b, ',');
}

static void put_tag(struct span_buf *b, struct span_str key,
		    const struct span_value *v)
{
	put_comma(b);
	span_buf_puts(b, "{\"key\":");
	span_text_json(b, key);
	span_buf_puts(b, ",\"type\":");
	put_typed(b, v);
	span_buf_putc(b, '}');
}

static void put_attrs(struct span_buf *b, const struct span_attrs *a)
{
	for (size_t i = 0; i < a->n; i++)
		put_tag(b, a->v[i].key, &a->v[i].value);
}

static void put_tags(struct span_buf *b, const struct span *s)
{
	struct span__extra x;
	size_t i;

	span__extra_find(s, &x);
	span_buf_puts(b, ",\"tags\":[");
	for (i = 0; i < x.n_before; i++)
		put_tag(b, x.v[i].key, &x.v[i].value);
	for (size_t k = 0; k < s->attrs.n; k++)
		if (!span__extra_is_warnings(&s->attrs.v[k]))
			put_tag(b, s->attrs.v[k].key, &s->attrs.v[k].value);
	for (; i < x.n; i++)
		put_tag(b, x.v[i].key, &x.v[i].value);
	span_buf_putc(b, ']');
}

static void put_ref(struct span_buf *b, bool child_of,
		    const uint8_t trace_id[16], const uint8_t span_id[8])
{
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	put_comma(b);
	span_buf_puts(b, child_of ? "{\"refType\":\"CHILD_OF\",\"traceID\":\""
				  : "{\"refType\":\"FOLLOWS_FROM\","
				    "\"traceID\":\"");
	span_buf_puts(b, span_trace_id_text(trace_id, trace));
	span_buf_puts(b, "\",\"spanID\":\"");
	span_buf_puts(b, span_id_text(span_id, id));
	span_buf_puts(b, "\"}");
}

static bool is_child_of(const struct span_ref *r)
{
	return span__extra_ref_type(r) == SPAN_REF_CHILD_OF;
}

/*
 * As they were received where they name the parent, else the parent comes
 * first. A link to the parent says of what kind the parent is.
 */
static void put_refs(struct span_buf *b, const struct span *s)
{
	const struct span_ref *link;

	span_buf_puts(b, ",\"references\":[");
	if (span__extra_parent(s, &link))
		put_ref(b, !link || is_child_of(link), s->trace_id,
			s->parent_id);
	for (size_t i = 0; i < s->n_refs; i++)
		if (&s->refs[i] != link)
			put_ref(b, is_child_of(&s->refs[i]),
				s->refs[i].trace_id, s->refs[i].span_id);
	span_buf_putc(b, ']');
}

static void put_logs(struct span_buf *b, const struct span *s)
{
	span_buf_puts(b, ",\"logs\":[");
	for (size_t i = 0; i < s->n_events; i++) {
		const struct span_event *e = &s->events[i];
		struct span_value name = {.type = SPAN_STRING, .str = e->name};

		put_comma(b);
		span_buf_puts(b, "{\"timestamp\":");
		span_text_uint(b, e->time_ns / 1000);
		span_buf_puts(b, ",\"fields\":[");
		if (e->name.len && !span_attr_get(&e->attrs, SPAN_STR("event")))
			put_tag(b, SPAN_STR("event"), &name);
		put_attrs(b, &e->attrs);
		span_buf_puts(b, "]}");
	}
	span_buf_putc(b, ']');
}

static void put_warnings(struct span_buf *b, const struct span *s)
{
	size_t len = b->len;

	span_buf_puts(b, ",\"warnings\":[");
	for (const struct span__warning *w = span__warnings; w->mark; w++) {
		if (!(s->marks & w->mark))
			continue;
		put_comma(b);
		span_text_json(b, w->text);
	}
	for (size_t i = 0; i < s->attrs.n; i++) {
		const struct span_value *v = &s->attrs.v[i].value;

		if (!span__extra_is_warnings(&s->attrs.v[i]))
			continue;
		for (size_t k = 0; k < v->array.n; k++) {
			put_comma(b);
			span_text_json(b, v->array.v[k].str);
		}
	}
	if (!b->failed && b->p[b->len - 1] == '[') {
		b->len = len;
		span_buf_puts(b, ",\"warnings\":null");
		return;
	}
	span_buf_putc(b, ']');
}

static void put_span(struct span_buf *b, const struct span *s, uint32_t process)
{
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_puts(b, "{\"traceID\":\"");
	span_buf_puts(b, span_trace_id_text(s->trace_id, trace));
	span_buf_puts(b, "\",\"spanID\":\"");
	span_buf_puts(b, span_id_text(s->span_id, id));
	span_buf_putc(b, '"');
	if (span__extra_flags(s)) {
		span_buf_puts(b, ",\"flags\":");
		span_text_uint(b, span__extra_flags(s));
	}
	span_buf_puts(b, ",\"operationName\":");
	span_text_json(b, s->name);
	put_refs(b, s);
	span_buf_puts(b, ",\"startTime\":");
	span_text_uint(b, s->start_ns / 1000);
	span_buf_puts(b, ",\"duration\":");
	span_text_uint(b, s->duration_ns / 1000);
	put_tags(b, s);
	put_logs(b, s);
	span_buf_puts(b, ",\"processID\":\"p");
	span_text_uint(b, process);
	span_buf_putc(b, '"');
	put_warnings(b, s);
	span_buf_putc(b, '}');
}

/*
 * The processes of a trace, numbered from 1 in order of first use: two are one
 * when their JSON is the same. Equal ones meet in a sorted list, as a table of
 * names from the wire would need a secret.
 */
struct processes {
	const struct span *spans;
	size_t n;
	struct span_buf json, memory;
	struct span__item *items, *tmp;
	struct span_str *text; /* JSON of each span's process */
	uint32_t *number;      /* of each span's process */
};

static bool allocate(struct processes *p)
{
	size_t each =
		2 * sizeof(*p->items) + sizeof(*p->text) + sizeof(*p->number);
	char *at = NULL;

	if (p->n < UINT32_MAX && p->n < SIZE_MAX / 2 / each)
		at = span_buf_reserve(&p->memory, p->n * each);
	if (!at)
		return false;
	p->items = (struct span__item *)at;
	p->tmp = p->items + p->n;
	p->text = (struct span_str *)(p->tmp + p->n);
	p->number = (uint32_t *)(p->text + p->n);
	return true;
}

static void put_process(struct span_buf *b, const struct span_process *p)
{
	span_buf_puts(b, "{\"serviceName\":");
	span_text_json(b, p->service);
	span_buf_puts(b, ",\"tags\":[");
	put_attrs(b, &p->attrs);
	span_buf_puts(b, "]}");
}

/* Fill text[], each struct process once; tmp[] holds offsets meanwhile. */
static bool write_processes(struct processes *p)
{
	size_t from = 0;

	for (uint32_t i = 0; i < p->n; i++)
		p->items[i] =
			(struct span__item){(uintptr_t)p->spans[i].process, i};
	span__sort(p->items, p->tmp, p->n, NULL, NULL);
	for (size_t k = 0; k < p->n; k++) {
		uint32_t i = p->items[k].i;

		if (!k || p->items[k].key != p->items[k - 1].key) {
			from = p->json.len;
			put_process(&p->json, p->spans[i].process);
		}
		p->text[i] = (struct span_str){NULL, p->json.len - from};
		p->tmp[i].key = from;
	}
	if (p->json.failed)
		return false;
	for (size_t i = 0; i < p->n; i++)
		p->text[i].p = p->json.p + p->tmp[i].key;
	return true;
}

static int compare_text(const void *arg, uint32_t a, uint32_t b)
{
	const struct processes *p = arg;

	if (p->text[a].p == p->text[b].p)
		return 0;
	return span_str_compare(p->text[a], p->text[b]);
}

/* Fill number[]; the first span of a process stands for it. */
static void number_processes(struct processes *p)
{
	uint32_t first = 0, count = 0;

	for (uint32_t i = 0; i < p->n; i++)
		p->items[i] = (struct span__item){p->text[i].len, i};
	span__sort(p->items, p->tmp, p->n, compare_text, p);
	for (size_t k = 0; k < p->n; k++) {
		uint32_t i = p->items[k].i;

		if (!k || p->items[k].key != p->items[k - 1].key ||
		    compare_text(p, first, i) != 0)
			first = i;
		p->tmp[i].i = first;
	}
	for (uint32_t i = 0; i < p->n; i++)
		p->number[i] =
			p->tmp[i].i == i ? ++count : p->number[p->tmp[i].i];
}

static void put_processes(struct span_buf *b, const struct processes *p)
{
	uint32_t count = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->number[i] <= count)
			continue;
		if (count++)
			span_buf_putc(b, ',');
		span_buf_printf(b, "\"p%" PRIu32 "\":", count);
		span_buf_str(b, p->text[i]);
	}
}

void span_encode_jaeger_json(struct span_buf *b, const struct span *spans,
			     size_t n)
{
	struct processes p = {.spans = spans, .n = n};
	char id[SPAN_TRACE_ID_TEXT] = "";

	if (n)
		span_trace_id_text(spans->trace_id, id);
	if (!allocate(&p) || !write_processes(&p)) {
		b->failed = true;
		goto done;
	}
	number_processes(&p);
	span_buf_printf(b, "{\"traceID\":\"%s\",\"spans\":[", id);
	for (size_t i = 0; i < n; i++) {
		put_comma(b);
		put_span(b, &spans[i], p.number[i]);
	}
	span_buf_puts(b, "],\"processes\":{");
	put_processes(b, &p);
	span_buf_puts(b, "},\"warnings\":null}");
done:
	span_buf_release(&p.memory);
	span_buf_release(&p.json);
}

/* Spans by trace: traces in the order of their first spans. */
struct traces {
	const struct span *spans;
	struct span__item *items, *tmp;
	struct span *sorted;
};

static int compare_ids(const void *arg, uint32_t a, uint32_t b)
{
	const struct traces *t = arg;

	return memcmp(t->spans[a].trace_id, t->spans[b].trace_id, 16);
}

/* Sorted by id, each item gets the number of its trace's first span. */
static void sort_traces(struct traces *t, size_t n)
{
	uint32_t first = 0;

	for (uint32_t i = 0; i < n; i++)
		t->items[i] = (struct span__item){
			span__id_get(t->spans[i].trace_id), i};
	span__sort(t->items, t->tmp, n, compare_ids, t);
	for (size_t k = 0; k < n; k++) {
		if (!k || compare_ids(t, first, t->items[k].i) != 0)
			first = t->items[k].i;
		t->items[k].key = first;
	}
	span__sort(t->items, t->tmp, n, NULL, NULL);
	for (size_t k = 0; k < n; k++)
		t->sorted[k] = t->spans[t->items[k].i];
}

static void put_traces(struct span_buf *b, const struct traces *t, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (t->items[end].key != t->items[i].key)
				break;
		if (i)
			span_buf_putc(b, ',');
		span_encode_jaeger_json(b, &t->sorted[i], end - i);
	}
}

int span__jaeger_json_encode(struct span_buf *b, const struct span *spans,
			     size_t n, struct span_error *err)
{
	size_t each = sizeof(struct span) + 2 * sizeof(struct span__item);
	struct traces t = {.spans = spans};
	struct span_buf memory = {0};
	char *at = NULL;

	if (n < UINT32_MAX && n < SIZE_MAX / 2 / each)
		at = span_buf_reserve(&memory, n * each + 1);
	if (!at)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	t.sorted = (struct span *)(void *)at;
	t.items = (struct span__item *)(t.sorted + n);
	t.tmp = t.items + n;
	sort_traces(&t, n);
	span_buf_puts(b, "{\"data\":[");
	put_traces(b, &t, n);
	span_buf_puts(b, "],\"total\":0,\"limit\":0,\"offset\":0,"
			 "\"errors\":null}");
	span_buf_release(&memory);
	return b->failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			 : 0;
}
