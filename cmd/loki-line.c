/* SPDX-License-Identifier: Apache-2.0 */
#include "loki-line.h"

#include "base/banned.h"

/* The end of a line that was cut, in either form, with what closes it. */
#define CUT_ROOM 16u

/* What LogQL would take for ours, as it reads names: see span_text_label(). */
static const struct span_str ours[] = {
	{"time", 4},	{"level", 5},
	{"service", 7}, {"trace_id", 8},
	{"span_id", 7}, {"parent_id", 9},
	{"trace", 5},	{"span", 4},
	{"cut", 3},	{"duration", 8},
	{"spans", 5},	{"services", 8},
	{"errors", 6},	{"kind", 4},
	{"status", 6},	{"status_message", 14},
	{"event", 5}, /* the last one: if it is there */
};
#define N_OURS (sizeof(ours) / sizeof(ours[0]))

void loki_line_begin(struct loki_line *l, bool json)
{
	l->text.len = 0;
	l->json = json;
	l->cut = l->named = false;
}

/* ---- A field ---- */

/* What a key may not have becomes _: space, = and ", controls, no UTF-8. */
static void put_key(struct span_buf *b, struct span_str key)
{
	if (!key.len)
		span_buf_putc(b, '_');
	for (size_t i = 0; i < key.len; i++) {
		unsigned char c = (unsigned char)key.p[i];
		bool bad = c <= ' ' || c >= 0x7f || c == '=' || c == '"' ||
			   c == '\\';

		span_buf_putc(b, bad ? '_' : (char)c);
	}
}

/* Begin a field; returns where the line ends without it. */
static size_t begin(struct loki_line *l, struct span_str name)
{
	size_t before = l->text.len;

	if (l->json) {
		span_buf_putc(&l->text, before ? ',' : '{');
		span_text_json(&l->text, name);
		span_buf_putc(&l->text, ':');
	} else {
		if (before)
			span_buf_putc(&l->text, ' ');
		put_key(&l->text, name);
		span_buf_putc(&l->text, '=');
	}
	return before;
}

/* Keep the field that began at BEFORE, if it fits. */
static void finish(struct loki_line *l, size_t before)
{
	if (l->text.len + CUT_ROOM <= LOKI_MAX_LINE)
		return;
	l->text.len = before;
	l->cut = true;
}

static void put_value(struct loki_line *l, struct span_str v)
{
	if (l->json)
		span_text_json(&l->text, v);
	else
		span_text_logfmt(&l->text, v);
}

/* ---- What fields say ---- */

void loki_line_text(struct loki_line *l, const char *name, struct span_str v)
{
	size_t before = begin(l, span_str(name));

	put_value(l, v);
	finish(l, before);
}

void loki_line_uint(struct loki_line *l, const char *name, uint64_t n)
{
	size_t before = begin(l, span_str(name));

	span_text_uint(&l->text, n);
	finish(l, before);
}

static void put_scratch(struct loki_line *l, const char *name)
{
	loki_line_text(l, name,
		       (struct span_str){l->scratch.p, l->scratch.len});
}

void loki_line_duration(struct loki_line *l, const char *name, uint64_t ns)
{
	bool us = ns % 1000 == 0;

	l->scratch.len = 0;
	span_buf_printf(&l->scratch, "%llu%s",
			(unsigned long long)(us ? ns / 1000 : ns),
			us ? "us" : "ns");
	put_scratch(l, name);
}

void loki_line_time(struct loki_line *l, uint64_t ns)
{
	l->scratch.len = 0;
	span_text_time(&l->scratch, ns, 9);
	put_scratch(l, "time");
}

void loki_line_ids(struct loki_line *l, const struct span *s)
{
	char trace_id[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	loki_line_text(l, "trace_id",
		       span_str(span_trace_id_text(s->trace_id, trace_id)));
	loki_line_text(l, "span_id", span_str(span_id_text(s->span_id, id)));
}

static bool is_ours(struct loki_line *l, struct span_str key)
{
	l->name.len = 0;
	span_text_label(&l->name, key);
	for (size_t i = 0; i < (l->named ? N_OURS : N_OURS - 1); i++)
		if (span_str_equal((struct span_str){l->name.p, l->name.len},
				   ours[i]))
			return true;
	return false;
}

/* The tag's own name, or one that is not ours; valid until the next. */
static struct span_str name_of(struct loki_line *l, struct span_str key)
{
	if (!is_ours(l, key))
		return key;
	l->name.len = 0;
	span_buf_puts(&l->name, "tag_");
	span_buf_str(&l->name, key);
	return (struct span_str){l->name.p, l->name.len};
}

static void put_attr(struct loki_line *l, const struct span_attr *a)
{
	size_t before = begin(l, name_of(l, a->key));

	if (l->json) {
		span_text_value_json(&l->text, &a->value);
	} else {
		l->scratch.len = 0;
		span_text_value(&l->scratch, &a->value);
		put_value(l, (struct span_str){l->scratch.p, l->scratch.len});
	}
	finish(l, before);
}

void loki_line_attrs(struct loki_line *l, const struct span_attrs *attrs)
{
	for (size_t i = 0; i < attrs->n; i++)
		put_attr(l, &attrs->v[i]);
}

bool loki_line_end(struct loki_line *l)
{
	if (l->cut) {
		(void)begin(l, SPAN_STR("cut"));
		span_buf_puts(&l->text, "true");
	}
	if (l->json)
		span_buf_putc(&l->text, '}');
	return !l->text.failed && !l->scratch.failed && !l->name.failed;
}

void loki_line_release(struct loki_line *l)
{
	span_buf_release(&l->text);
	span_buf_release(&l->scratch);
	span_buf_release(&l->name);
}
