/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL for sqlite3(1): four tables in one transaction. The ids of spans may come
 * twice, so a row's key is the hash of all its span says: a file that is loaded
 * again, or another one that has some of its spans, adds what is new.
 */
#include "encode.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Keys are no numbers in order: a larger cache has the pages that they hit. */
static const char schema[] =
	"PRAGMA foreign_keys = OFF;\n"
	"PRAGMA cache_size = -65536;\n"
	"BEGIN;\n"
	"CREATE TABLE IF NOT EXISTS spans (id INTEGER PRIMARY KEY, "
	"trace_id TEXT NOT NULL, "
	"span_id TEXT NOT NULL, parent_id TEXT, service TEXT NOT NULL, "
	"name TEXT NOT NULL, kind TEXT, start_ns INTEGER NOT NULL, "
	"duration_ns INTEGER NOT NULL, status TEXT NOT NULL, "
	"status_message TEXT, flags INTEGER NOT NULL, trace_state TEXT, "
	"scope_name TEXT, scope_version TEXT);\n"
	"CREATE TABLE IF NOT EXISTS tags "
	"(span INTEGER NOT NULL REFERENCES spans(id), "
	"place TEXT NOT NULL, n INTEGER NOT NULL, key TEXT NOT NULL, "
	"type TEXT NOT NULL, value, PRIMARY KEY (span, place, n)) "
	"WITHOUT ROWID;\n"
	"CREATE TABLE IF NOT EXISTS events "
	"(span INTEGER NOT NULL REFERENCES spans(id), n INTEGER NOT NULL, "
	"time_ns INTEGER NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL, "
	"PRIMARY KEY (span, n)) WITHOUT ROWID;\n"
	"CREATE TABLE IF NOT EXISTS refs "
	"(span INTEGER NOT NULL REFERENCES spans(id), n INTEGER NOT NULL, "
	"type TEXT NOT NULL, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, "
	"PRIMARY KEY (span, n)) WITHOUT ROWID;\n";

static const char indices[] =
	"CREATE INDEX IF NOT EXISTS spans_trace ON spans(trace_id, span_id);\n"
	"CREATE INDEX IF NOT EXISTS spans_parent "
	"ON spans(trace_id, parent_id);\n"
	"CREATE INDEX IF NOT EXISTS spans_name "
	"ON spans(service, name, start_ns);\n"
	"CREATE INDEX IF NOT EXISTS spans_start ON spans(start_ns);\n"
	"CREATE INDEX IF NOT EXISTS tags_key ON tags(key, value);\n"
	"COMMIT;\n";

static const char *const types[] = {"null",   "string", "bool",	 "int64",
				    "double", "bytes",	"array", "map"};

/* The least integer: its digits are a double. */
static const char least[] = "(-9223372036854775807-1)";

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

/*
 * Digits that sqlite reads as this double: up to 15 of them, and a power of ten
 * that is a double too. Where there are more, its last bit may be wrong.
 */
static bool is_short(double d, char *text, size_t len)
{
	snprintf(text, len, "%.15g", d);
	return !d ||
	       (strtod(text, NULL) == d && fabs(d) >= 1e-7 && fabs(d) < 1e22);
}

/* A whole number of 53 bits times or by powers of two: no step rounds. */
static void put_exact(struct span_buf *b, double d)
{
	int power;
	int64_t whole = (int64_t)ldexp(frexp(d, &power), 53);

	span_buf_printf(b, "(%" PRId64 ".0", whole);
	power -= 53;
	for (int left = abs(power); left > 0; left -= 52)
		span_buf_printf(b, "%c%" PRIu64 ".0", power > 0 ? '*' : '/',
				UINT64_C(1) << (left < 52 ? left : 52));
	span_buf_putc(b, ')');
}

/* sqlite has no NaN: NULL, of type double. */
static void put_double(struct span_buf *b, double d)
{
	char text[32];

	if (isnan(d))
		span_buf_puts(b, "NULL");
	else if (isinf(d))
		span_buf_puts(b, d > 0 ? "9e999" : "-9e999");
	else if (is_short(d, text, sizeof(text)))
		span_buf_printf(b, "CAST('%s' AS REAL)", text);
	else
		put_exact(b, d);
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
		if (v->i == INT64_MIN)
			span_buf_puts(b, least);
		else
			span_text_int(b, v->i);
		break;
	case SPAN_BYTES:
		span_buf_puts(b, "X'");
		span_text_hex(b, v->str);
		span_buf_putc(b, '\'');
		break;
	case SPAN_DOUBLE:
		put_double(b, v->d);
		break;
	default:
		span_text_value_json(&text, v);
		span_text_sql(b, (struct span_str){text.p, text.len});
		b->failed |= text.failed;
		span_buf_release(&text);
	}
}

/* The beginning of a row that may be there already. */
static void put_insert(struct span_buf *b, const char *table, int64_t id)
{
	span_buf_puts(b, "INSERT OR IGNORE INTO ");
	span_buf_puts(b, table);
	span_buf_puts(b, " VALUES(");
	if (id == INT64_MIN)
		span_buf_puts(b, least);
	else
		span_text_int(b, id);
}

static void put_tags(struct span_buf *b, int64_t id, const char *place,
		     const struct span_attrs *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct span_value *v = &a->v[i].value;

		put_insert(b, "tags", id);
		span_buf_printf(b, ",'%s',%zu", place, i + 1);
		put_name(b, a->v[i].key);
		span_buf_printf(b, ",'%s'", types[v->type]);
		put_value(b, v);
		span_buf_puts(b, ");\n");
	}
}

static void put_events(struct span_buf *b, int64_t id, const struct span *s)
{
	struct span_buf json = {0};

	for (size_t i = 0; i < s->n_events; i++) {
		const struct span_event *e = &s->events[i];
		struct span_value fields = {
			.type = SPAN_MAP,
			.map = {.v = e->attrs.v, .n = e->attrs.n}};

		json.len = 0;
		span_text_value_json(&json, &fields);
		put_insert(b, "events", id);
		span_buf_printf(b, ",%zu", i + 1);
		put_number(b, e->time_ns);
		put_name(b, span_event_name(e));
		put_name(b, (struct span_str){json.p, json.len});
		span_buf_puts(b, ");\n");
	}
	b->failed |= json.failed;
	span_buf_release(&json);
}

static void put_refs(struct span_buf *b, int64_t id, const struct span *s)
{
	char trace[SPAN_TRACE_ID_TEXT], span[SPAN_ID_TEXT];

	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];
		const char *type = r->type == SPAN_REF_LINK	  ? "link"
				   : r->type == SPAN_REF_CHILD_OF ? "child_of"
				   : r->type == SPAN_REF_FOLLOWS_FROM
					   ? "follows_from"
					   : "other";

		put_insert(b, "refs", id);
		span_buf_printf(b, ",%zu,'%s','%s','%s');\n", i + 1, type,
				span_trace_id_text(r->trace_id, trace),
				span_id_text(r->span_id, span));
	}
}

static void put_row(struct span_buf *b, int64_t id, const struct span *s)
{
	static const uint8_t none[8];
	char trace[SPAN_TRACE_ID_TEXT], span[SPAN_ID_TEXT];
	bool root = !memcmp(s->parent_id, none, sizeof(none));

	put_insert(b, "spans", id);
	span_buf_printf(b, ",'%s','%s'", span_trace_id_text(s->trace_id, trace),
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
	int64_t id = (int64_t)span_hash(s);

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
