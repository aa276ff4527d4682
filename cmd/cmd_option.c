/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option tables, flattened and parsed.
 *
 * Not getopt_long(3): a table entry can hold an argument that is only taken
 * after "=", knows its own type, and an option that is not known gets the
 * name that was probably meant. Options and operands may be mixed, "--" ends
 * the options, long names are not abbreviated: what a script calls must mean
 * the same after the next option is added.
 */
#include "cmd_private.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const struct cmd_option standard_options[] = {
	{CMD_FLAG, 'q', "quiet", &cmd_quiet, NULL, "no warnings", NULL},
	{CMD_COUNT, 'v', "verbose", &cmd_verbose, NULL,
	 "say more; ends with a line of counts", NULL},
	{CMD_FLAG, 'h', "help", NULL, NULL, "show this", NULL},
	{CMD_FLAG, 0, "version", NULL, NULL, "show the version", NULL},
	{CMD_FLAG, 0, "completion", NULL, NULL, NULL, NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static void add(struct cmd__table *t, const struct cmd_option *options,
		const char *group)
{
	for (const struct cmd_option *o = options; o && o->kind; o++) {
		char letter = o->letter;
		bool shadowed = false;

		if (o->kind == CMD_GROUP) {
			add(t, o->value, o->help);
			continue;
		}
		for (size_t i = 0; i < t->n; i++) {
			if (!strcmp(t->v[i].option->name, o->name))
				shadowed = true;
			if (letter && t->v[i].letter == letter)
				letter = 0;
		}
		if (shadowed)
			continue;
		assert(t->n < CMD__OPTIONS);
		t->v[t->n++] = (struct cmd__entry){o, group, letter};
	}
}

void cmd__table_build(struct cmd__table *t, const struct cmd *c,
		      const struct cmd *verb)
{
	t->n = 0;
	if (verb)
		add(t, verb->options, "Options");
	add(t, c->options, verb ? "Options of all verbs" : "Options");
	add(t, standard_options, "Common options");
}

static bool takes_argument(const struct cmd_option *o)
{
	return o->kind != CMD_FLAG && o->kind != CMD_NOFLAG &&
	       o->kind != CMD_COUNT && o->kind != CMD_OPTIONAL;
}

/* Edit distance of two option names, for "did you mean". */
static size_t distance(const char *a, size_t a_len, const char *b)
{
	size_t row[65], b_len = strlen(b);

	if (a_len > 64 || b_len > 64)
		return 64;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_len];
}

static _Noreturn void unknown(const struct cmd__table *t, const char *name,
			      size_t len)
{
	const char *best = NULL;
	size_t least = 3;

	for (size_t i = 0; i < t->n; i++) {
		const char *other = t->v[i].option->name;
		size_t d = distance(name, len, other);

		if (len >= 3 && !strncmp(name, other, len))
			d = 1;
		if (d < least && d < len) {
			least = d;
			best = other;
		}
	}
	if (best)
		cmd_usage("unknown option: --%.*s (did you mean --%s?)",
			  (int)len, name, best);
	cmd_usage("unknown option: --%.*s", (int)len, name);
}

static void add_to_list(struct cmd_list *list, const char *text)
{
	const char **v = realloc(list->v, (list->n + 1) * sizeof(*v));

	if (!v) {
		cmd_note("memory is out");
		cmd__exit(CMD_IO);
	}
	v[list->n++] = text;
	list->v = v;
}

_Noreturn void cmd_usage_choice(const char *name, const char *text,
				const char *const *choices)
{
	char all[200];
	size_t len = 0;

	for (int i = 0; choices[i]; i++) {
		int n = snprintf(all + len, sizeof(all) - len, "%s%s",
				 i ? ", " : "", choices[i]);

		if (n > 0 && (size_t)n < sizeof(all) - len)
			len += (size_t)n;
	}
	all[len] = 0;
	cmd_usage("--%s: '%s' is none of %s", name, text, all);
}

static void set_choice(const struct cmd_option *o, const char *text)
{
	for (int i = 0; o->choices[i]; i++)
		if (!strcmp(o->choices[i], text)) {
			*(int *)o->value = i;
			return;
		}
	cmd_usage_choice(o->name, text, o->choices);
}

static void set_double(const struct cmd_option *o, const char *text)
{
	char *end;
	double d;

	errno = 0;
	d = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(d))
		cmd_usage("--%s: '%s' is not a number", o->name, text);
	*(double *)o->value = d;
}

static void set_number(const struct cmd_option *o, const char *text)
{
	struct span_error err = {0};
	int rc;

	if (o->kind == CMD_INT)
		rc = cmd_parse_int(text, o->value, &err);
	else if (o->kind == CMD_SIZE)
		rc = cmd_parse_size(text, o->value, &err);
	else if (o->kind == CMD_DURATION)
		rc = cmd_parse_duration(text, o->value, &err);
	else
		rc = cmd_parse_time(text, cmd_now_ns(), o->value, &err);
	if (rc < 0)
		cmd_usage("--%s: %s", o->name, err.msg);
}

static void set(const struct cmd_option *o, const char *text)
{
	switch (o->kind) {
	case CMD_FLAG:
	case CMD_NOFLAG:
		*(bool *)o->value = o->kind == CMD_FLAG;
		break;
	case CMD_COUNT:
		++*(int *)o->value;
		break;
	case CMD_STRING:
	case CMD_WORD:
	case CMD_OPTIONAL:
		*(const char **)o->value = text;
		break;
	case CMD_LIST:
		add_to_list(o->value, text);
		break;
	case CMD_CHOICE:
		set_choice(o, text);
		break;
	case CMD_DOUBLE:
		set_double(o, text);
		break;
	default:
		set_number(o, text);
	}
}

/* Options that act where they stand. */
static void act(const struct cmd_option *o)
{
	if (!strcmp(o->name, "help"))
		cmd__help();
	else if (!strcmp(o->name, "completion"))
		cmd__completion();
	else if (!strcmp(o->name, "version"))
		printf("%s (spantools) %s\n", cmd__scope.cmd->name,
		       span_version());
	else
		return;
	cmd__exit(CMD_OK);
}

/* A long option without its dashes. True when NEXT was used. */
static bool parse_long(const struct cmd__table *t, const char *text,
		       const char *next)
{
	size_t len = strcspn(text, "=");
	const char *arg = text[len] ? text + len + 1 : NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct cmd_option *o = t->v[i].option;

		if (strlen(o->name) != len || strncmp(o->name, text, len))
			continue;
		if (arg && !takes_argument(o) && o->kind != CMD_OPTIONAL)
			cmd_usage("--%s takes no argument", o->name);
		if (takes_argument(o) && !arg && !next)
			cmd_usage("--%s needs an argument: %s", o->name,
				  o->arg);
		if (!o->value)
			act(o);
		else if (takes_argument(o))
			set(o, arg ? arg : next);
		else
			set(o, arg ? arg : "");
		return takes_argument(o) && !arg;
	}
	unknown(t, text, len);
}

/* A cluster of letters without its dash. True when NEXT was used. */
static bool parse_letters(const struct cmd__table *t, const char *text,
			  const char *next)
{
	for (; *text; text++) {
		const struct cmd_option *o = NULL;

		for (size_t i = 0; !o && i < t->n; i++)
			if (t->v[i].letter == *text)
				o = t->v[i].option;
		if (!o)
			cmd_usage("unknown option: -%c", *text);
		if (!takes_argument(o)) {
			if (!o->value)
				act(o);
			else
				set(o, "");
			continue;
		}
		if (!text[1] && !next)
			cmd_usage("-%c needs an argument: %s", *text, o->arg);
		set(o, text[1] ? text + 1 : next);
		return !text[1];
	}
	return false;
}

int cmd__parse(const struct cmd__table *t, int argc, char **argv, bool first)
{
	int n = 0, i = 0;

	for (; i < argc; i++) {
		const char *text = argv[i];
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		bool used;

		if (!strcmp(text, "--")) {
			i++;
			break;
		}
		if (text[0] != '-' || !text[1]) {
			if (first)
				return i;
			argv[n++] = argv[i];
			continue;
		}
		used = text[1] == '-' ? parse_long(t, text + 2, next)
				      : parse_letters(t, text + 1, next);
		i += used;
	}
	if (first)
		return i;
	while (i < argc)
		argv[n++] = argv[i++];
	argv[n] = NULL;
	return n;
}
