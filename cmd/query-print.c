/* SPDX-License-Identifier: Apache-2.0 */
#include "query-print.h"

#include "base/banned.h"

#define FLUSH_AT (64u << 10)

const char *const query_formats[] = {"spans", "table", "json", "jsonl",
				     "csv",   "ids",   "tree", NULL};

int query_print_open(struct query_print *p, int fd, struct span_error *err)
{
	p->fd = fd;
	cmd_look(&p->look);
	return span_writer_open(&p->writer, fd, err);
}

int query_print_flush(struct query_print *p, struct span_error *err)
{
	int rc = 0;

	if (p->text.failed || p->rows.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (p->text.len)
		rc = span_write_all(p->fd, p->text.p, p->text.len, err);
	p->text.len = 0;
	return rc;
}

static int flush_when_large(struct query_print *p, struct span_error *err)
{
	if (p->text.len < FLUSH_AT && !p->text.failed)
		return 0;
	return query_print_flush(p, err);
}

void query_print_begin(struct query_print *p)
{
	if (p->format == QUERY_JSON)
		span_buf_puts(&p->text, "{\"data\":[");
	if (p->format == QUERY_CSV && p->columns.n)
		query_columns_head(&p->text, &p->columns, true);
	else if (p->format == QUERY_CSV)
		span_encode_csv_head(&p->text);
}

int query_print_end(struct query_print *p, struct span_error *err)
{
	int rc;

	if (p->format == QUERY_JSON)
		span_buf_puts(&p->text, "]}\n");
	query_rows_render(&p->rows, &p->text, &p->look);
	rc = span_writer_flush(p->writer, err);
	return rc < 0 ? rc : query_print_flush(p, err);
}

static void put_id(struct query_print *p, const uint8_t trace_id[16])
{
	char text[SPAN_TRACE_ID_TEXT];

	span_buf_puts(&p->text, span_trace_id_text(trace_id, text));
}

int query_print_id(struct query_print *p, const uint8_t trace_id[16],
		   struct span_error *err)
{
	p->n_traces++;
	put_id(p, trace_id);
	span_buf_putc(&p->text, p->end);
	return flush_when_large(p, err);
}

int query_print_name(struct query_print *p, const char *name,
		     struct span_error *err)
{
	p->n_traces++;
	span_buf_puts(&p->text, name);
	span_buf_putc(&p->text, p->end);
	return flush_when_large(p, err);
}

/* A line of chosen fields; FIRST: nothing stands before it. */
static void put_fields(struct query_print *p, const struct query_item *item,
		       bool first)
{
	bool local = p->look.local_time;

	if (p->format == QUERY_CSV) {
		query_columns_csv(&p->text, &p->columns, item, p->csv_safe);
		return;
	}
	if (p->format == QUERY_TABLE) {
		if (first)
			query_columns_head(&p->text, &p->columns, false);
		query_columns_row(&p->text, &p->columns, item, local);
		return;
	}
	if (p->separates && !first)
		span_buf_putc(&p->text, p->end);
	query_template_put(&p->text, p->template, item, local);
	if (!p->separates)
		span_buf_putc(&p->text, p->end);
}

static bool has_fields(const struct query_print *p)
{
	return p->template || p->columns.n;
}

int query_print_span(struct query_print *p, const struct span *s,
		     struct span_error *err)
{
	char id[SPAN_ID_TEXT];
	bool first = !p->n_spans++;

	if (has_fields(p)) {
		put_fields(p, &(struct query_item){s, NULL}, first);
		return flush_when_large(p, err);
	}
	switch (p->format) {
	case QUERY_SPANS:
		return span_writer_put(p->writer, s, err);
	case QUERY_TABLE:
		if (first)
			span_render_spans_head(&p->text, &p->look);
		span_render_spans_row(&p->text, &p->look, s);
		break;
	case QUERY_JSONL:
		span_encode_jsonl(&p->text, s);
		break;
	case QUERY_CSV:
		span_encode_csv(&p->text, s, p->csv_safe);
		break;
	default:
		put_id(p, s->trace_id);
		span_buf_printf(&p->text, ":%s%c", span_id_text(s->span_id, id),
				p->end);
		break;
	}
	return flush_when_large(p, err);
}

static void put_json(struct query_print *p, const struct span_trace *t,
		     const uint8_t *matched)
{
	struct span_buf kept = {0};
	const struct span *spans = t->spans;
	size_t n = t->n;

	if (p->only_matching && matched) {
		for (size_t i = 0; i < t->n; i++)
			if (matched[i])
				span_buf_put(&kept, &spans[i], sizeof(*spans));
		p->text.failed |= kept.failed;
		spans = (const struct span *)(void *)kept.p;
		n = kept.len / sizeof(*spans);
	}
	span_buf_puts(&p->text, p->n_traces ? ",\n" : "");
	span_encode_jaeger_json(&p->text, spans, n);
	p->n_spans += n;
	span_buf_release(&kept);
}

static void put_row(struct query_print *p, const struct span_trace *t)
{
	if (p->holds) {
		query_rows_put(&p->rows, t);
		return;
	}
	if (!p->n_traces)
		span_render_traces_head(&p->text, &p->look);
	span_render_traces_row(&p->text, &p->look, t);
}

int query_print_trace(struct query_print *p, const struct span_trace *t,
		      const uint8_t *matched, struct span_error *err)
{
	int rc = 0;

	if (has_fields(p)) {
		put_fields(p, &(struct query_item){&t->spans[t->root], t},
			   !p->n_traces++);
		p->n_spans += t->n;
		return flush_when_large(p, err);
	}
	switch (p->format) {
	case QUERY_JSON:
		put_json(p, t, matched);
		break;
	case QUERY_TABLE:
		put_row(p, t);
		p->n_spans += t->n;
		break;
	case QUERY_TREE:
		if (p->n_traces)
			span_buf_putc(&p->text, '\n');
		span_render_tree(&p->text, &p->look, t, matched);
		p->n_spans += t->n;
		break;
	default:
		for (size_t i = 0; i < t->n && !rc; i++)
			rc = query_print_span(p, &t->spans[i], err);
		break;
	}
	p->n_traces++;
	return rc < 0 ? rc : flush_when_large(p, err);
}

void query_print_close(struct query_print *p)
{
	query_rows_release(&p->rows);
	query_template_close(&p->template);
	span_writer_close(&p->writer);
	span_buf_release(&p->text);
}
