/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL for sqlite3(1): four tables in one transaction. Spans have numbers, as
 * their ids may come twice.
 */
#include "encode.h"

#include <inttypes.h>
#include <string.h>

#include "base/banned.h"

static const char schema[] =
	"PRAGMA foreign_keys = OFF;\n"
	"BEGIN;\n"
	"CREATE TABLE spans (id INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, "
	"span_id TEXT NOT NULL, parent_id TEXT, service TEXT NOT NULL, "
	"name TEXT NOT NULL, kind TEXT, start_ns INTEGER NOT NULL, "
	"duration_ns INTEGER NOT NULL, status TEXT NOT NULL, "
	"status_message TEXT, flags INTEGER NOT NULL, trace_state TEXT, "
	"scope_name TEXT, scope_version TEXT);\n"
	"CREATE TABLE tags (span INTEGER NOT NULL REFERENCES spans(id), "
	"place TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, value);\n"
	"CREATE TABLE events (span INTEGER NOT NULL REFERENCES spans(id), "
	"time_ns INTEGER NOT NULL, name TEXT NOT NULL, "
	"fields TEXT NOT NULL);\n"
	"CREATE TABLE refs (span INTEGER NOT NULL REFERENCES spans(id), "
	"type TEXT NOT NULL, trace_id TEXT NOT NULL, span_id TEXT NOT NULL);\n";

static const char indices[] =
	"CREATE INDEX spans_trace ON spans(trace_id, span_id);\n"
	"CREATE INDEX spans_parent ON spans(trace_id, parent_id);\n"
	"CREATE INDEX spans_name ON spans(service, name, start_ns);\n"
	"CREATE INDEX spans_start ON spans(start_ns);\n"
	"CREATE INDEX tags_span ON tags(span);\n"
	"CREATE INDEX tags_key ON tags(key, value);\n"
	"CREATE INDEX events_span ON events(span);\n"
	"CREATE INDEX refs_span ON refs(span);\n"
	"COMMIT;\n";

static const char *const types[] = {"null",   "string", "bool",	 "int64",
				    "double", "bytes",	"array", "map"};

/* sqlite's integers are signed. */
static void put_number(struct span_buf *b, uint64_t n)
{
	span_buf_putc(b, ',');
	span_text_uint(b, n < INT64_MAX ? n : INT64_MAX);
}

/* A text, or NULL for none. */
static void put_text(struct span_buf *b, struct span_str s)
{
	span_buf_putc(b, ',');
	if (s.len)
		span_text_sql(b, s);
	else
		span_buf_puts(b, "NULL");
}

static void put_name(struct span_buf *b, struct span_str s)
{
	span_buf_putc(b, ',');
	span_text_sql(b, s);
}

static void put_value(struct span_buf *b, const struct span_value *v)
{
	struct span_buf text = {0};

	span_buf_putc(b, ',');
	switch (v->type) {
	case SPAN_NULL:
		span_buf_puts(b, "NULL");
		break;
	case SPAN_STRING:
		span_text_sql(b, v->str);
		break;
	case SPAN_BOOL:
		span_buf_putc(b, v->b ? '1' : '0');
		break;
	case SPAN_INT:
		/* The least one is no literal of an integer. */
		if (v->i == INT64_MIN)
			span_buf_puts(b, "(-9223372036854775807-1)");
		else
			span_text_int(b, v->i);
		break;
	case SPAN_BYTES:
		span_buf_puts(b, "X'");
		span_text_hex(b, v->str);
		span_buf_putc(b, '\'');
		break;
	default:
		span_text_value_json(&text, v);
		if (v->type == SPAN_DOUBLE && text.len && text.p[0] != '"') {
			span_buf_printf(b, "CAST('%.*s' AS REAL)",
					(int)text.len, text.p);
		} else {
			span_text_sql(b, (struct span_str){text.p, text.len});
		}
		b->failed |= text.failed;
		span_buf_release(&text);
	}
}

static void put_tags(struct span_buf *b, uint64_t id, const char *place,
		     const struct span_attrs *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct span_value *v = &a->v[i].value;

		span_buf_printf(b, "INSERT INTO tags VALUES(%" PRIu64 ",'%s'",
				id, place);
		put_name(b, a->v[i].key);
		span_buf_printf(b, ",'%s'", types[v->type]);
		put_value(b, v);
		span_buf_puts(b, ");\n");
	}
}

static void put_events(struct span_buf *b, uint64_t id, const struct span *s)
{
	struct span_buf json = {0};

	for (size_t i = 0; i < s->n_events; i++) {
		const struct span_event *e = &s->events[i];
		struct span_value fields = {
			.type = SPAN_MAP,
			.map = {.v = e->attrs.v, .n = e->attrs.n}};

		json.len = 0;
		span_text_value_json(&json, &fields);
		span_buf_printf(b, "INSERT INTO events VALUES(%" PRIu64, id);
		put_number(b, e->time_ns);
		put_name(b, span_event_name(e));
		put_name(b, (struct span_str){json.p, json.len});
		span_buf_puts(b, ");\n");
	}
	b->failed |= json.failed;
	span_buf_release(&json);
}

static void put_refs(struct span_buf *b, uint64_t id, const struct span *s)
{
	char trace[SPAN_TRACE_ID_TEXT], span[SPAN_ID_TEXT];

	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];
		const char *type = r->type == SPAN_REF_LINK	  ? "link"
				   : r->type == SPAN_REF_CHILD_OF ? "child_of"
				   : r->type == SPAN_REF_FOLLOWS_FROM
					   ? "follows_from"
					   : "other";

		span_buf_printf(b,
				"INSERT INTO refs VALUES(%" PRIu64
				",'%s','%s','%s');\n",
				id, type,
				span_trace_id_text(r->trace_id, trace),
				span_id_text(r->span_id, span));
	}
}

static void put_row(struct span_buf *b, uint64_t id, const struct span *s)
{
	static const uint8_t none[8];
	char trace[SPAN_TRACE_ID_TEXT], span[SPAN_ID_TEXT];
	bool root = !memcmp(s->parent_id, none, sizeof(none));

	span_buf_printf(b, "INSERT INTO spans VALUES(%" PRIu64 ",'%s','%s'", id,
			span_trace_id_text(s->trace_id, trace),
			span_id_text(s->span_id, span));
	put_text(b, span_str(root ? "" : span_id_text(s->parent_id, span)));
	put_name(b, s->process->service);
	put_name(b, s->name);
	put_text(b, span_str(span_kind_name(s->kind)));
	put_number(b, s->start_ns);
	put_number(b, s->duration_ns);
	span_buf_printf(b, ",'%s'", span_status_name(s->status));
	put_text(b, s->status_message);
	put_number(b, s->flags);
	put_text(b, s->trace_state);
	put_text(b, s->scope ? s->scope->name : SPAN_STR(""));
	put_text(b, s->scope ? s->scope->version : SPAN_STR(""));
	span_buf_puts(b, ");\n");
}

static int put_span(struct encode_out *o, const struct span *s,
		    struct span_error *err)
{
	uint64_t id = o->n_spans + 1;

	(void)err;
	put_row(&o->b, id, s);
	put_tags(&o->b, id, "span", &s->attrs);
	put_tags(&o->b, id, "process", &s->process->attrs);
	put_events(&o->b, id, s);
	put_refs(&o->b, id, s);
	return 0;
}

static int begin(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_buf_puts(&o->b, schema);
	return 0;
}

static int end(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_buf_puts(&o->b, indices);
	return 0;
}

const struct encode_format encode_sql = {"sql", begin, put_span,
					 NULL,	end,   NULL};
