/* SPDX-License-Identifier: Apache-2.0 */
/* Which output the options ask for. */
#include "query-print.h"

#include <string.h>

#include "base/banned.h"

#define MAX_HELD 10000u /* rows that may wait for the longest */

/* "format:...", "tformat:..." or a text with a %, which is the same. */
static const char *template_of(const char *text, bool *separates)
{
	*separates = !strncmp(text, "format:", 7);
	if (*separates)
		return text + 7;
	if (!strncmp(text, "tformat:", 8))
		return text + 8;
	return strchr(text, '%') ? text : NULL;
}

static void open_template(struct query_print *p, const char *text)
{
	struct span_error err = {0};

	p->format = QUERY_TEMPLATE;
	if (query_template_open(&p->template, text, p->only_matching, &err) < 0)
		cmd_usage("--format: %s", err.msg);
}

static void choose(struct query_print *p, const char *text)
{
	const char *template = template_of(text, &p->separates);

	for (int i = 0; query_formats[i]; i++)
		if (!strcmp(query_formats[i], text)) {
			p->format = (enum query_format)i;
			return;
		}
	if (!template)
		cmd_usage_choice("format", text, query_formats);
	open_template(p, template);
}

static void choose_columns(struct query_print *p, const char *text)
{
	struct span_error err = {0};

	if (p->format != QUERY_TABLE && p->format != QUERY_CSV)
		cmd_usage("--columns goes with -o table and -o csv");
	if (query_columns_read(&p->columns, text, p->only_matching,
			       cmd_output_columns(), &err) < 0)
		cmd_usage("--columns: %s", err.msg);
}

void query_print_choose(struct query_print *p, const char *format,
			const char *columns)
{
	if (format)
		choose(p, format);
	else if (cmd_output_is_terminal() || columns)
		p->format = QUERY_TABLE;
	else
		p->format = QUERY_SPANS;
	if (columns)
		choose_columns(p, columns);
}

void query_print_hold(struct query_print *p, uint64_t limit)
{
	p->holds = p->format == QUERY_TABLE && !p->columns.n && limit &&
		   limit <= MAX_HELD;
}

bool query_print_takes_heads(const struct query_print *p)
{
	if (p->template)
		return query_template_takes_heads(p->template);
	return p->columns.n ? query_columns_take_heads(&p->columns)
			    : p->format == QUERY_TABLE;
}

void query_print_list_columns(void)
{
	for (const struct query_field *f = query_fields; f->name; f++)
		printf("%-16s%s%s\n", f->name, f->help,
		       f->of_trace ? " (of traces only)" : "");
	printf("%-16s%s\n", "tag:KEY",
	       "value of a tag of it, or else of its process");
}
