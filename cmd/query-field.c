/* SPDX-License-Identifier: Apache-2.0 */
#include "query-field.h"

#include <inttypes.h>
#include <string.h>

#include "base/banned.h"

static uint64_t start_of(const struct query_item *i)
{
	return i->trace ? i->trace->start_ns : i->span->start_ns;
}

static uint64_t end_of(const struct query_item *i)
{
	return i->trace ? i->trace->end_ns : span_end_ns(i->span);
}

static uint64_t duration_of(const struct query_item *i)
{
	return i->trace ? end_of(i) - start_of(i) : i->span->duration_ns;
}

static void put_trace_id(struct span_buf *b, const struct query_item *i)
{
	char text[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, span_trace_id_text(i->span->trace_id, text));
}

static void put_span_id(struct span_buf *b, const struct query_item *i)
{
	char text[SPAN_ID_TEXT];

	span_buf_puts(b, span_id_text(i->span->span_id, text));
}

static void put_parent_id(struct span_buf *b, const struct query_item *i)
{
	static const uint8_t none[8];
	char text[SPAN_ID_TEXT];

	if (memcmp(i->span->parent_id, none, sizeof(none)) != 0)
		span_buf_puts(b, span_id_text(i->span->parent_id, text));
}

static void put_service(struct span_buf *b, const struct query_item *i)
{
	span_buf_str(b, i->span->process->service);
}

static void put_operation(struct span_buf *b, const struct query_item *i)
{
	span_buf_str(b, i->span->name);
}

static void put_kind(struct span_buf *b, const struct query_item *i)
{
	span_buf_puts(b, span_kind_name(i->span->kind));
}

static void put_status(struct span_buf *b, const struct query_item *i)
{
	span_buf_puts(b, span_status_name(i->span->status));
}

static void put_status_message(struct span_buf *b, const struct query_item *i)
{
	span_buf_str(b, i->span->status_message);
}

static void put_error(struct span_buf *b, const struct query_item *i)
{
	bool error = i->trace ? i->trace->n_errors > 0 : span_is_error(i->span);

	span_buf_puts(b, error ? "true" : "false");
}

static void put_start_ns(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, start_of(i));
}

static void put_end_ns(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, end_of(i));
}

static void put_duration(struct span_buf *b, const struct query_item *i)
{
	span_text_duration(b, duration_of(i));
}

/* NS in a unit of 10^DIGITS ns, exactly. */
static void put_scaled(struct span_buf *b, uint64_t ns, int digits)
{
	uint64_t unit = 1;

	for (int i = 0; i < digits; i++)
		unit *= 10;
	span_buf_printf(b, "%" PRIu64, ns / unit);
	if (!(ns % unit))
		return;
	span_buf_printf(b, ".%0*" PRIu64, digits, ns % unit);
	while (b->len && b->p[b->len - 1] == '0')
		b->len--;
}

static void put_duration_ms(struct span_buf *b, const struct query_item *i)
{
	put_scaled(b, duration_of(i), 6);
}

static void put_duration_us(struct span_buf *b, const struct query_item *i)
{
	put_scaled(b, duration_of(i), 3);
}

static void put_duration_ns(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, duration_of(i));
}

static void put_spans(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, i->trace->n);
}

static void put_services(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, i->trace->n_services);
}

static void put_errors(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, i->trace->n_errors);
}

static void put_orphans(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, i->trace->n_orphans);
}

static void put_roots(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, i->trace->n_roots);
}

static void put_events(struct span_buf *b, const struct query_item *i)
{
	span_text_uint(b, i->span->n_events);
}

static void put_attrs(struct span_buf *b, const struct span_attrs *a)
{
	struct span_buf value = {0};

	for (size_t i = 0; i < a->n; i++) {
		if (i)
			span_buf_putc(b, ' ');
		value.len = 0;
		span_text_value(&value, &a->v[i].value);
		span_text_logfmt(b, a->v[i].key);
		span_buf_putc(b, '=');
		span_text_logfmt(b, (struct span_str){value.p, value.len});
	}
	b->failed |= value.failed;
	span_buf_release(&value);
}

static void put_tags(struct span_buf *b, const struct query_item *i)
{
	put_attrs(b, &i->span->attrs);
}

static void put_process(struct span_buf *b, const struct query_item *i)
{
	put_attrs(b, &i->span->process->attrs);
}

enum { ID = 16, TIME = 23, DURATION = 8, NS = 19, COUNT = 6, SHARED = 0 };

const struct query_field query_fields[] = {
	{"trace_id", "id of the trace", 2 * ID, 0, 0, 0, 0, put_trace_id},
	{"span_id", "id of the span, or of the root", ID, 0, 0, 0, 0,
	 put_span_id},
	{"parent_id", "id of its parent, if it names one", ID, 0, 0, 0, 0,
	 put_parent_id},
	{"service", "service of the span, or of the root", SHARED, 0, 0, 1, 0,
	 put_service},
	{"operation", "its operation", SHARED, 0, 0, 1, 0, put_operation},
	{"name", "the same", SHARED, 0, 0, 1, 0, put_operation},
	{"kind", "internal, server, client, producer, consumer", DURATION, 0, 0,
	 0, 0, put_kind},
	{"status", "unset, ok, error", COUNT, 0, 0, 0, 0, put_status},
	{"status_message", "what the status says", SHARED, 0, 0, 1, 1,
	 put_status_message},
	{"error", "true or false: of the span, or of any in the trace", COUNT,
	 0, 0, 0, 0, put_error},
	{"start", "start as a time", TIME, 0, 0, 0, 0, NULL},
	{"start_ns", "start in ns since the epoch", NS, 1, 0, 0, 0,
	 put_start_ns},
	{"end", "end as a time", TIME, 0, 0, 0, 0, NULL},
	{"end_ns", "end in ns since the epoch", NS, 1, 0, 0, 0, put_end_ns},
	{"duration", "duration for people", DURATION, 1, 0, 0, 0, put_duration},
	{"duration_ms", "duration in ms, with decimals", 12, 1, 0, 0, 0,
	 put_duration_ms},
	{"duration_us", "duration in us, with decimals", 14, 1, 0, 0, 0,
	 put_duration_us},
	{"duration_ns", "duration in ns", 15, 1, 0, 0, 0, put_duration_ns},
	{"spans", "number of spans of the trace", COUNT, 1, 1, 0, 0, put_spans},
	{"services", "number of its services", DURATION, 1, 1, 0, 0,
	 put_services},
	{"errors", "number of its spans with an error", COUNT, 1, 1, 0, 0,
	 put_errors},
	{"orphans", "number of its spans whose parent is missing", DURATION, 1,
	 1, 0, 0, put_orphans},
	{"roots", "number of its spans without a parent there", COUNT, 1, 1, 0,
	 0, put_roots},
	{"events", "number of events of the span, or of the root", COUNT, 1, 0,
	 0, 1, put_events},
	{"tags", "its tags, logfmt", SHARED, 0, 0, 1, 1, put_tags},
	{"process", "the tags of its process, logfmt", SHARED, 0, 0, 1, 0,
	 put_process},
	{NULL, NULL, 0, 0, 0, 0, 0, NULL},
};

static const struct query_field tag_field = {
	.name = "tag:KEY",
	.help = "value of a tag of it, or of its process",
	.width = SHARED,
	.text = true,
	.deep = true,
};

bool query_field_find(struct span_str name, struct query_column *out)
{
	*out = (struct query_column){.name = name};
	if (name.len > 4 && !memcmp(name.p, "tag:", 4)) {
		out->field = &tag_field;
		out->key = (struct span_str){name.p + 4, name.len - 4};
		return true;
	}
	for (const struct query_field *f = query_fields; f->name; f++)
		if (span_str_equal(name, span_str(f->name)))
			out->field = f;
	return out->field;
}

static void put_tag(struct span_buf *b, const struct query_column *c,
		    const struct span *s)
{
	const struct span_value *v = span_attr_get(&s->attrs, c->key);

	if (!v)
		v = span_attr_get(&s->process->attrs, c->key);
	if (v)
		span_text_value(b, v);
}

void query_column_put(struct span_buf *b, const struct query_column *c,
		      const struct query_item *item, bool local)
{
	uint64_t ns;

	if (c->key.len) {
		put_tag(b, c, item->span);
		return;
	}
	if (c->field->put) {
		c->field->put(b, item);
		return;
	}
	ns = c->field->name[0] == 's' ? start_of(item) : end_of(item);
	if (local)
		span_text_local_time(b, ns, 3);
	else
		span_text_time(b, ns, 9);
}
