/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --help and --completion, out of the same tables that are parsed. What
 * --completion prints is read by completions.awk, see there.
 */
#include "cmd_private.h"

#include <string.h>

#include "base/banned.h"

#define COLUMNS 79
#define HELP_AT 26 /* the column of the explanations */

void cmd__usage_line(FILE *f)
{
	const struct cmd *c = cmd__scope.cmd, *verb = cmd__scope.verb;
	const char *operands = verb ? verb->operands : c->operands;

	if (c->verbs && !verb)
		operands = "VERB ...";
	fprintf(f, "usage: %s%s%s [OPTION...]%s%s\n", c->name, verb ? " " : "",
		verb ? verb->name : "", operands && *operands ? " " : "",
		operands ? operands : "");
}

/* Print TEXT from column AT on, wrapped; the cursor stands at column AT. */
static size_t wrap(const char *text, size_t at, size_t indent)
{
	while (*text) {
		size_t len = strcspn(text, " ");
		bool first = at == indent;

		if (!first && at + 1 + len > COLUMNS) {
			printf("\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		printf("%s%.*s", first ? "" : " ", (int)len, text);
		at += len + !first;
		text += len;
		text += strspn(text, " ");
	}
	return at;
}

static bool has_choices(const struct cmd_option *o)
{
	return o->kind == CMD_CHOICE || o->kind == CMD_WORD;
}

static void show(const struct cmd__entry *e)
{
	const struct cmd_option *o = e->option;
	const char *arg = o->arg ? o->arg : "";
	const char *open = o->kind == CMD_OPTIONAL ? "[=" : *arg ? " " : "";
	const char *close = o->kind == CMD_OPTIONAL ? "]" : "";
	char text[400];
	size_t len = 0;
	int n;

	if (e->letter)
		n = printf("  -%c, ", e->letter);
	else
		n = printf("      ");
	n += printf("--%s%s%s%s", o->name, open, arg, close);
	if (n + 2 > HELP_AT)
		printf("\n%*s", HELP_AT, "");
	else
		printf("%*s", HELP_AT - n, "");
	snprintf(text, sizeof(text), "%s", o->help);
	for (int i = 0; has_choices(o) && o->choices[i]; i++) {
		len = strlen(text);
		snprintf(text + len, sizeof(text) - len, "%s%s",
			 i ? ", " : ": ", o->choices[i]);
	}
	wrap(text, HELP_AT, HELP_AT);
	putchar('\n');
}

static void show_verbs(const struct cmd *verbs)
{
	printf("\nVerbs:\n");
	for (const struct cmd *v = verbs; v->name; v++) {
		int n = printf("  %s", v->name);

		printf("%*s", n + 2 > HELP_AT ? 2 : HELP_AT - n, "");
		wrap(v->summary, HELP_AT, HELP_AT);
		putchar('\n');
	}
}

void cmd__help(void)
{
	/* All of it is written when it is flushed, which tells why it fails. */
	static char room[16384];
	const struct cmd *c =
		cmd__scope.verb ? cmd__scope.verb : cmd__scope.cmd;
	const struct cmd__table *t = &cmd__scope.table;
	const char *group = NULL;

	setvbuf(stdout, room, _IOFBF, sizeof(room));
	cmd__usage_line(stdout);
	wrap(c->summary, 0, 0);
	putchar('\n');
	if (c->notes)
		printf("\n%s", c->notes);
	if (c->verbs)
		show_verbs(c->verbs);
	for (size_t i = 0; i < t->n; i++) {
		if (!t->v[i].option->help)
			continue;
		if (!group || strcmp(group, t->v[i].group))
			printf("\n%s:\n", t->v[i].group);
		group = t->v[i].group;
		show(&t->v[i]);
	}
	if (c->verbs)
		printf("\n'%s VERB --help' shows a verb's options.\n", c->name);
	else
		printf("\n%s(1) says more.\n", cmd__scope.cmd->name);
}

static void dump_options(const struct cmd__table *t, const char *verb)
{
	static const char *const kinds[] = {
		[CMD_FLAG] = "flag",	 [CMD_NOFLAG] = "flag",
		[CMD_COUNT] = "flag",	 [CMD_LIST] = "list",
		[CMD_CHOICE] = "choice", [CMD_OPTIONAL] = "optional",
		[CMD_WORD] = "choice",	 [CMD_GROUP] = NULL,
	};

	for (size_t i = 0; i < t->n; i++) {
		const struct cmd_option *o = t->v[i].option;
		const char *kind = kinds[o->kind];

		if (!o->help)
			continue;
		printf("option\t%s\t%c\t%s\t%s\t%s\t%s\t", verb,
		       t->v[i].letter ? t->v[i].letter : '-', o->name,
		       kind ? kind : "argument", o->arg ? o->arg : "-",
		       o->help);
		for (int j = 0; has_choices(o) && o->choices[j]; j++)
			printf("%s%s", j ? " " : "", o->choices[j]);
		putchar('\n');
	}
}

void cmd__completion(void)
{
	const struct cmd *c = cmd__scope.cmd;
	const char *operands = c->operands && *c->operands ? c->operands : "-";

	printf("command\t%s\t%s\t%s\n", c->name, operands, c->summary);
	dump_options(&cmd__scope.table, "-");
	for (const struct cmd *v = c->verbs; v && v->name; v++) {
		struct cmd__table t;

		printf("verb\t%s\t%s\t%s\n", v->name,
		       v->operands && *v->operands ? v->operands : "-",
		       v->summary);
		cmd__table_build(&t, c, v);
		dump_options(&t, v->name);
	}
}
