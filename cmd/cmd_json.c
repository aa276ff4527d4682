/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd_json.h"

#include <math.h>

#include "base/banned.h"

void cmd_json_name(struct cmd_json *j, struct span_str name)
{
	if (j->more)
		span_buf_putc(j->b, ',');
	span_text_json(j->b, name);
	span_buf_putc(j->b, ':');
	j->more = false;
}

void cmd_json_value(struct cmd_json *j, const char *name)
{
	if (name)
		cmd_json_name(j, span_str(name));
	else if (j->more)
		span_buf_putc(j->b, ',');
	j->more = true;
}

void cmd_json_open(struct cmd_json *j, const char *name, char open)
{
	cmd_json_value(j, name);
	span_buf_putc(j->b, open);
	j->more = false;
}

void cmd_json_close(struct cmd_json *j, char close)
{
	span_buf_putc(j->b, close);
	j->more = true;
}

void cmd_json_line(struct cmd_json *j)
{
	span_buf_puts(j->b, j->more ? ",\n" : "\n");
	j->more = false;
}

void cmd_json_text(struct cmd_json *j, const char *name, struct span_str s)
{
	cmd_json_value(j, name);
	span_text_json(j->b, s);
}

void cmd_json_uint(struct cmd_json *j, const char *name, uint64_t n)
{
	cmd_json_value(j, name);
	span_text_uint(j->b, n);
}

void cmd_json_double(struct cmd_json *j, const char *name, double d)
{
	if (!isfinite(d)) {
		cmd_json_null(j, name);
		return;
	}
	cmd_json_value(j, name);
	span_text_double(j->b, d);
}

void cmd_json_time(struct cmd_json *j, const char *name, uint64_t ns)
{
	cmd_json_value(j, name);
	span_buf_putc(j->b, '"');
	span_text_time(j->b, ns, 9);
	span_buf_putc(j->b, '"');
}

void cmd_json_null(struct cmd_json *j, const char *name)
{
	cmd_json_value(j, name);
	span_buf_puts(j->b, "null");
}
