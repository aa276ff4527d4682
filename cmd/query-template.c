/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates as those of git log: %(field), %<(20) and its kin, which hold for
 * the field that follows, %n, %% and %x00.
 */
#include "query-template.h"

#include <stdlib.h>
#include <string.h>

#include <span/text.h>

#include "base/banned.h"

#define MAX_TEXT 65536u
#define MAX_WIDTH 1000u

enum align { NO_ALIGN = 0, LEFT, RIGHT, CENTRE };

struct pad {
	enum align align;
	unsigned width;
	bool cut;
};

/* A text, or a field when it has one. */
struct part {
	struct span_str text;
	struct query_column column;
	struct pad pad;
};

struct query_template {
	struct part *v;
	size_t n;
	char bytes[256]; /* what %x00 and %n stand for */
};

struct parser {
	const char *start, *p;
	bool spans;
	struct query_template *t;
	struct span_error *err;
};

static int fail(const struct parser *in, const char *at, const char *what,
		struct span_str name)
{
	size_t column = (size_t)(at - in->start);

	return span_error_at(in->err, SPAN_E_INVALID, column,
			     "template, column %zu: %s%s%.*s%s", column + 1,
			     what, name.p ? " '" : "",
			     (int)span_text_cut(name, 60), name.p ? name.p : "",
			     name.p ? "'" : "");
}

static const struct span_str no_name;

/* A part for each % and what comes before it. */
static struct part *add(struct parser *in)
{
	return &in->t->v[in->t->n++];
}

static bool skip(struct parser *in, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(in->p, word, len) != 0)
		return false;
	in->p += len;
	return true;
}

/* "(field)" */
static int parse_field(struct parser *in, struct pad *pad)
{
	const char *at = in->p + 1;
	size_t len = strcspn(at, ")");
	struct span_str name = {at, len};
	struct part *part = add(in);

	if (!at[len])
		return fail(in, in->p, "the bracket is not closed", no_name);
	if (!query_field_find(name, &part->column))
		return fail(in, at, "unknown field", name);
	if (in->spans && part->column.field->of_trace)
		return fail(in, at,
			    "no field of a span, but of a trace:", name);
	part->pad = *pad;
	*pad = (struct pad){0};
	in->p = at + len + 1;
	return 0;
}

/* "(20)" or "(20,trunc)" behind %< and the like. */
static int parse_pad(struct parser *in, enum align align, struct pad *pad)
{
	const char *at = in->p;
	unsigned n = 0;

	if (!skip(in, "("))
		return fail(in, at, "a width in brackets is missing", no_name);
	for (; *in->p >= '0' && *in->p <= '9' && n <= MAX_WIDTH; in->p++)
		n = n * 10 + (unsigned)(*in->p - '0');
	if (!n || n > MAX_WIDTH)
		return fail(in, at + 1, "a width is 1 to 1000", no_name);
	pad->cut = skip(in, ",trunc");
	if (!skip(in, ")"))
		return fail(in, in->p, "the bracket is not closed", no_name);
	pad->align = align;
	pad->width = n;
	return 0;
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | ((c >= 'A') << 5)) : NULL;

	return at ? (int)(at - digits) : -1;
}

static void add_byte(struct parser *in, unsigned char c)
{
	in->t->bytes[c] = (char)c;
	add(in)->text = (struct span_str){&in->t->bytes[c], 1};
}

/* What follows a %. */
static int parse_percent(struct parser *in, struct pad *pad)
{
	const char *at = in->p++;

	if (*in->p == '(')
		return parse_field(in, pad);
	if (skip(in, "><"))
		return parse_pad(in, CENTRE, pad);
	if (skip(in, "<"))
		return parse_pad(in, LEFT, pad);
	if (skip(in, ">"))
		return parse_pad(in, RIGHT, pad);
	if (skip(in, "n") || skip(in, "%")) {
		add_byte(in, in->p[-1] == 'n' ? '\n' : '%');
		return 0;
	}
	if (*in->p == 'x' && hex(in->p[1]) >= 0 && hex(in->p[2]) >= 0) {
		add_byte(in,
			 (unsigned char)(hex(in->p[1]) << 4 | hex(in->p[2])));
		in->p += 3;
		return 0;
	}
	return fail(in, at,
		    "a % is %(field), %<(N), %>(N), %><(N), %n, %xHH "
		    "or %%",
		    no_name);
}

static int parse(struct parser *in)
{
	struct pad pad = {0};
	const char *pad_at = NULL;

	while (*in->p) {
		size_t len = strcspn(in->p, "%");
		int rc;

		if (len) {
			add(in)->text = (struct span_str){in->p, len};
			in->p += len;
			continue;
		}
		if (pad.align && in->p[1] != '(')
			break;
		pad_at = in->p;
		rc = parse_percent(in, &pad);
		if (rc < 0)
			return rc;
	}
	if (pad.align)
		return fail(in, pad_at, "no field follows a width", no_name);
	return 0;
}

int query_template_open(struct query_template **out, const char *text,
			bool spans, struct span_error *err)
{
	struct query_template *t = calloc(1, sizeof(*t));
	struct parser in = {text, text, spans, t, err};
	int rc;

	*out = NULL;
	/* Each part takes at least a byte. */
	if (t)
		t->v = calloc(strlen(text) + 1, sizeof(*t->v));
	if (!t || !t->v) {
		query_template_close(&t);
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	}
	rc = strlen(text) > MAX_TEXT
		     ? fail(&in, text, "it is too long", no_name)
		     : parse(&in);
	if (rc < 0)
		query_template_close(&t);
	*out = t;
	return rc;
}

static void spaces(struct span_buf *b, size_t n)
{
	while (n--)
		span_buf_putc(b, ' ');
}

static void put_padded(struct span_buf *b, const struct pad *pad,
		       struct span_str s)
{
	size_t width = span_text_width(s);
	size_t left = width < pad->width ? pad->width - width : 0;

	if (pad->align == RIGHT)
		spaces(b, left);
	else if (pad->align == CENTRE)
		spaces(b, left / 2);
	if (pad->cut && width > pad->width)
		span_text_fit(b, s, pad->width, true);
	else
		span_text_terminal(b, s);
	if (pad->align == LEFT)
		spaces(b, left);
	else if (pad->align == CENTRE)
		spaces(b, left - left / 2);
}

void query_template_put(struct span_buf *b, const struct query_template *t,
			const struct query_item *item, bool local)
{
	struct span_buf text = {0};

	for (size_t i = 0; i < t->n; i++) {
		const struct part *p = &t->v[i];

		if (!p->column.field) {
			span_buf_str(b, p->text);
			continue;
		}
		text.len = 0;
		query_column_put(&text, &p->column, item, local);
		put_padded(b, &p->pad, (struct span_str){text.p, text.len});
	}
	b->failed |= text.failed;
	span_buf_release(&text);
}

bool query_template_takes_heads(const struct query_template *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].column.field && t->v[i].column.field->deep)
			return false;
	return true;
}

void query_template_close(struct query_template **t)
{
	if (*t)
		free((*t)->v);
	free(*t);
	*t = NULL;
}
