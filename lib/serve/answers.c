/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answers.h"

#include <stdarg.h>
#include <stdio.h>

#include <span/text.h>

#include "base/banned.h"

#define TEXT_MAX 1000u
#define INDENT_MAX 200u /* spaces: no more for what is nested deeper */

void span__serve_put_data(struct span_buf *b)
{
	span_buf_puts(b, "{\"data\":");
}

void span__serve_put_data_end(struct span_buf *b, uint64_t total,
			      const struct span_buf *errors)
{
	span_buf_puts(b, ",\"total\":");
	span_text_uint(b, total);
	span_buf_puts(b, ",\"limit\":0,\"offset\":0,\"errors\":");
	if (errors && errors->len)
		span_buf_put(b, errors->p, errors->len);
	else
		span_buf_puts(b, "null");
	span_buf_putc(b, '}');
}

void span__serve_data(struct span__serve_answer *a)
{
	a->type = SPAN__SERVE_JSON;
	a->body.len = 0;
	span__serve_put_data(&a->body);
}

void span__serve_data_end(struct span__serve_answer *a, uint64_t total,
			  const struct span_buf *errors)
{
	span__serve_put_data_end(&a->body, total, errors);
}

/* Begin anew, whatever has been done for another answer. */
static void start_over(struct span__serve_answer *a, unsigned status,
		       const char *type)
{
	if (a->close)
		a->close(a->arg);
	a->more = NULL;
	a->close = NULL;
	a->immutable = false;
	a->status = status;
	a->type = type;
	a->body.len = 0;
}

/* What stands around the text of an error. */
static const struct {
	const char *type, *head, *tail; /* HEAD: with its status */
} forms[] = {
	[SPAN__ERROR_JAEGER] = {SPAN__SERVE_PLAIN,
				"{\"data\":null,\"total\":0,\"limit\":0,"
				"\"offset\":0,\"errors\":[{\"code\":%u,"
				"\"msg\":",
				"}]}\n"},
	[SPAN__ERROR_V3] = {SPAN__SERVE_JSON,
			    "{\"error\":{\"httpCode\":%u,\"message\":", "}}"},
	[SPAN__ERROR_PLAIN] = {SPAN__SERVE_PLAIN, NULL, "\n"},
};

int span__serve_refuse(struct span__serve_answer *a, enum span__serve_form form,
		       unsigned status, const char *fmt, ...)
{
	char text[TEXT_MAX];
	struct span_str s = {text, 0};
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, TEXT_MAX, fmt, ap);
	va_end(ap);
	if (n > 0)
		s.len = n < (int)TEXT_MAX ? (size_t)n : TEXT_MAX - 1;
	start_over(a, status, forms[form].type);
	if (form == SPAN__ERROR_PLAIN) {
		span_text_terminal(&a->body, s);
	} else {
		span_buf_printf(&a->body, forms[form].head, status);
		span_text_json(&a->body, s);
	}
	span_buf_puts(&a->body, forms[form].tail);
	return a->body.failed ? SPAN_E_NOMEM : 0;
}

int span__serve_bad_param(struct span__serve_answer *a, const char *name,
			  const struct span_error *err)
{
	if (err->code == SPAN_E_NOMEM)
		return SPAN_E_NOMEM;
	return span__serve_error(a, 400, "unable to parse param '%s': %s", name,
				 err->msg);
}

int span__serve_failed(struct span__serve_answer *a, int rc,
		       const struct span_error *err)
{
	if (rc == SPAN_E_NOMEM)
		return rc;
	return span__serve_error(a, rc == SPAN_E_NOTFOUND ? 503 : 500, "%s",
				 err->msg);
}

static void new_line(const struct span__serve_indent *i, struct span_buf *out)
{
	unsigned n = i->depth * 4 < INDENT_MAX ? i->depth * 4 : INDENT_MAX;

	span_buf_printf(out, "\n%*s", (int)n, "");
}

static void in_string(struct span__serve_indent *i, char c)
{
	if (i->escaped)
		i->escaped = false;
	else if (c == '\\')
		i->escaped = true;
	else if (c == '"')
		i->in_string = false;
}

/* Between strings. An empty list or map stays on its line. */
static void between(struct span__serve_indent *i, struct span_buf *out, char c)
{
	bool closes = c == '}' || c == ']';

	if (i->opened && !closes)
		new_line(i, out);
	if (closes && i->depth)
		i->depth--;
	if (closes && !i->opened)
		new_line(i, out);
	i->opened = c == '{' || c == '[';
	i->depth += i->opened;
	i->in_string = c == '"';
	span_buf_putc(out, c);
	if (c == ',')
		new_line(i, out);
	if (c == ':')
		span_buf_putc(out, ' ');
}

void span__serve_indent(struct span__serve_indent *i, struct span_buf *out,
			struct span_str json)
{
	for (size_t at = 0; at < json.len; at++) {
		char c = json.p[at];

		if (i->in_string) {
			in_string(i, c);
			span_buf_putc(out, c);
		} else if (c != ' ' && c != '\n') {
			between(i, out, c);
		}
	}
}
