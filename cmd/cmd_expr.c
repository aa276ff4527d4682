/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions on the command line: which operand is one, several as one, and
 * what is wrong with one, shown where it is wrong.
 */
#include "cmd_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define BEFORE 48u /* bytes that are shown before the column */
#define SHOWN 72u  /* and in all */

bool cmd__metrics;

void cmd_source_metrics(void)
{
	cmd__metrics = true;
}

bool cmd__expr_is(const char *operand, bool store)
{
	if (!store && !strpbrk(operand, "{}()=<>!~|&\"`"))
		return false;
	return access(operand, F_OK) != 0;
}

/* The line of TEXT that has the byte AT, which becomes an index into it. */
static struct span_str line_of(const char *text, size_t *at)
{
	size_t len = strlen(text), start, end;

	if (*at > len)
		*at = len;
	for (start = *at; start && text[start - 1] != '\n'; start--)
		;
	end = start + strcspn(text + start, "\n");
	*at -= start;
	return (struct span_str){text + start, end - start};
}

/* Print the line and a mark under its byte AT. */
static void show(const char *text, size_t at)
{
	struct span_str line = line_of(text, &at), before;
	struct span_buf b = {0};
	size_t skip = at > BEFORE ? at - BEFORE : 0;

	while (skip < at && (line.p[skip] & 0xc0) == 0x80)
		skip++;
	line.p += skip;
	line.len -= skip;
	before = (struct span_str){line.p, at - skip};
	line.len = span_text_cut(line, SHOWN);
	span_text_terminal(&b, line);
	fprintf(stderr, "  %s%.*s\n  %*s^\n", skip ? "..." : "", (int)b.len,
		b.p ? b.p : "", (int)(span_text_width(before) + (skip ? 3 : 0)),
		"");
	span_buf_release(&b);
}

/* Does TEXT, in braces or not, mean something? */
static int check(const char *text, struct span_error *err)
{
	struct span_select sel = {.expression = text, .metrics = cmd__metrics};
	struct span_query *q;
	int rc = span_query_compile(&q, &sel, err);

	span_query_close(&q);
	return rc;
}

/* What people write for an expression who mean a trace. */
static bool is_trace_id(const char *text)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF");

	return !text[len] && (len == 16 || len == 32);
}

/* RC of a compilation of TEXT: what is wrong with it is shown, and exits. */
static int show_or_exit(const char *text, int rc, const struct span_error *err)
{
	if (rc != SPAN_E_INVALID)
		return rc;
	cmd_note("%s", err->msg);
	show(text, err->pos);
	if (is_trace_id(text))
		cmd_note("a trace is named by --trace-id %s", text);
	exit(CMD_USAGE);
}

/* Append an alternative: a condition needs its braces between others. */
static int add(struct span_buf *b, const char *text)
{
	struct span_buf braced = {0};
	int rc = SPAN_E_NOMEM;

	span_buf_printf(&braced, "{ %s }", text);
	span_buf_putc(&braced, 0);
	if (!braced.failed) {
		rc = check(braced.p, NULL);
		span_buf_printf(b, "%s(%s)", b->len ? " || " : "",
				rc ? text : braced.p);
	}
	span_buf_release(&braced);
	return rc == SPAN_E_NOMEM ? rc : 0;
}

int cmd__expr_join(const struct cmd_list *expressions, char **out,
		   struct span_error *err)
{
	struct span_buf b = {0};
	int rc = 0;

	*out = NULL;
	for (size_t i = 0; i < expressions->n && !rc; i++) {
		rc = check(expressions->v[i], err);
		rc = show_or_exit(expressions->v[i], rc, err);
		if (!rc && expressions->n == 1)
			span_buf_puts(&b, expressions->v[i]);
		else if (!rc)
			rc = add(&b, expressions->v[i]);
	}
	if (!rc && expressions->n) {
		span_buf_putc(&b, 0);
		*out = b.p;
	}
	if (b.failed || rc == SPAN_E_NOMEM)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (rc < 0) {
		span_buf_release(&b);
		*out = NULL;
	}
	return rc;
}

int cmd__expr_matchers(const struct cmd_list *matchers, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < matchers->n && !rc; i++) {
		struct span_select sel = {.matchers = &matchers->v[i],
					  .n_matchers = 1};
		struct span_query *q;

		rc = span_query_compile(&q, &sel, err);
		span_query_close(&q);
		rc = show_or_exit(matchers->v[i], rc, err);
	}
	return rc;
}
