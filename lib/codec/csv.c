/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of numbers, ids and fixed words are bare, texts always quoted. */
#include <span/codec.h>
#include <span/text.h>

#include <string.h>

#include "base/banned.h"

void span_encode_csv_head(struct span_buf *b)
{
	span_buf_puts(b, "trace_id,span_id,parent_id,service,name,kind,start,"
			 "start_ns,duration_ns,status,status_message,tags,"
			 "process,events\r\n");
}

static void put_logfmt(struct span_buf *b, const struct span_attrs *a,
		       bool safe)
{
	struct span_buf text = {0}, value = {0};

	for (size_t i = 0; i < a->n; i++) {
		if (i)
			span_buf_putc(&text, ' ');
		value.len = 0;
		span_text_value(&value, &a->v[i].value);
		span_text_logfmt(&text, a->v[i].key);
		span_buf_putc(&text, '=');
		span_text_logfmt(&text, (struct span_str){value.p, value.len});
	}
	span_text_csv(b, (struct span_str){text.p, text.len}, safe);
	b->failed |= text.failed | value.failed;
	span_buf_release(&text);
	span_buf_release(&value);
}

static void put_ids(struct span_buf *b, const struct span *s)
{
	static const uint8_t none[8];
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_puts(b, span_trace_id_text(s->trace_id, trace));
	span_buf_putc(b, ',');
	span_buf_puts(b, span_id_text(s->span_id, id));
	span_buf_putc(b, ',');
	if (memcmp(s->parent_id, none, sizeof(none)) != 0)
		span_buf_puts(b, span_id_text(s->parent_id, id));
	span_buf_putc(b, ',');
}

void span_encode_csv(struct span_buf *b, const struct span *s, bool safe)
{
	put_ids(b, s);
	span_text_csv(b, s->process->service, safe);
	span_buf_putc(b, ',');
	span_text_csv(b, s->name, safe);
	span_buf_putc(b, ',');
	span_buf_puts(b, span_kind_name(s->kind));
	span_buf_putc(b, ',');
	span_text_time(b, s->start_ns, 9);
	span_buf_putc(b, ',');
	span_text_uint(b, s->start_ns);
	span_buf_putc(b, ',');
	span_text_uint(b, s->duration_ns);
	span_buf_putc(b, ',');
	span_buf_puts(b, span_status_name(s->status));
	span_buf_putc(b, ',');
	span_text_csv(b, s->status_message, safe);
	span_buf_putc(b, ',');
	put_logfmt(b, &s->attrs, safe);
	span_buf_putc(b, ',');
	put_logfmt(b, &s->process->attrs, safe);
	span_buf_putc(b, ',');
	span_text_uint(b, s->n_events);
	span_buf_puts(b, "\r\n");
}
