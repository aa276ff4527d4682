/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How output for people looks: colours, time zone, what the terminal can show.
 */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/banned.h"

enum { AUTO, ALWAYS, NEVER };
static const char *const when[] = {"auto", "always", "never", NULL};

static struct {
	int colour;
	bool utc;
} opt;

const struct cmd_option cmd_look_options[] = {
	{CMD_CHOICE, 0, "color", &opt.colour, "WHEN", "use colours", when},
	{CMD_FLAG, 0, "utc", &opt.utc, NULL, "show times in UTC", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool colour(void)
{
	const char *term = getenv("TERM");

	if (opt.colour != AUTO)
		return opt.colour == ALWAYS;
	return cmd_output_is_terminal() && !is_set("NO_COLOR") && term &&
	       strcmp(term, "dumb") != 0;
}

/* Is the locale one of UTF-8, by its name? */
static bool utf8(void)
{
	const char *locale = is_set("LC_ALL")	  ? getenv("LC_ALL")
			     : is_set("LC_CTYPE") ? getenv("LC_CTYPE")
						  : getenv("LANG");

	return locale &&
	       (strcasestr(locale, "UTF-8") || strcasestr(locale, "UTF8"));
}

void cmd_look(struct span_render_opts *o)
{
	*o = (struct span_render_opts){
		.columns = cmd_output_columns(),
		.colour = colour(),
		.local_time = !opt.utc,
		.ascii = !utf8(),
	};
}

void cmd_look_fit(struct span_buf *b, const struct span_render_opts *o,
		  struct span_str s, size_t width, bool pad)
{
	if (o->ascii)
		span_text_fit_ascii(b, s, width, pad);
	else
		span_text_fit(b, s, width, pad);
}

size_t cmd_look_width(const struct span_render_opts *o, struct span_str s)
{
	return o->ascii ? span_text_width_ascii(s) : span_text_width(s);
}
