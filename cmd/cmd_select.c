/* SPDX-License-Identifier: Apache-2.0 */
/* The selection options, which every span source has. */
#include "cmd_private.h"
#include "cmd_source.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/banned.h"

#define NOT_GIVEN UINT64_MAX

static struct {
	bool error, root, orphans;
	struct cmd_list not_tags, has_tags, kinds, statuses;
	struct cmd_list services, operations, tags, trace_ids, expressions;
	struct cmd_list matchers;
	uint64_t min_duration, max_duration, since, until;
	const char *around;
} opt = {.max_duration = NOT_GIVEN};

const struct cmd_option cmd__select_options[] = {
	{CMD_LIST, 'e', "expression", &opt.expressions, "EXPR",
	 "only spans that this TraceQL expression chooses", NULL},
	{CMD_LIST, 0, "service", &opt.services, "NAME",
	 "only spans of a service: a name, a glob, or ~REGEX", NULL},
	{CMD_LIST, 0, "operation", &opt.operations, "NAME",
	 "only spans with an operation of that name", NULL},
	{CMD_LIST, 0, "tag", &opt.tags, "COND",
	 "only spans with a tag: k=v, k!=v, k~REGEX, k!~REGEX, or a list of "
	 "them",
	 NULL},
	{CMD_LIST, 0, "not-tag", &opt.not_tags, "COND",
	 "only spans for which such a condition, or list, does not hold", NULL},
	{CMD_LIST, 0, "has-tag", &opt.has_tags, "KEY",
	 "only spans with a tag of that key", NULL},
	{CMD_LIST, 0, "matchers", &opt.matchers, "SELECTOR",
	 "only spans that a series of Prometheus counts: its selector, as "
	 "{payment_method=\"credit_card\"}",
	 NULL},
	{CMD_LIST, 0, "kind", &opt.kinds, "KIND",
	 "only spans of a kind: internal, server, client, producer, consumer",
	 NULL},
	{CMD_LIST, 0, "status", &opt.statuses, "STATUS",
	 "only spans with a status: unset, ok, error", NULL},
	{CMD_FLAG, 0, "root", &opt.root, NULL, "only spans that name no parent",
	 NULL},
	{CMD_FLAG, 0, "orphans", &opt.orphans, NULL,
	 "only spans whose parent is not in their trace", NULL},
	{CMD_FLAG, 0, "error", &opt.error, NULL, "only spans with an error",
	 NULL},
	{CMD_DURATION, 0, "min-duration", &opt.min_duration, "TIME",
	 "only spans that took at least that long", NULL},
	{CMD_DURATION, 0, "max-duration", &opt.max_duration, "TIME",
	 "only spans that took at most that long", NULL},
	{CMD_TIME, 0, "since", &opt.since, "WHEN",
	 "only spans that start then or later: 15m, 14:30, yesterday, "
	 "2026-11-22T10:00:00Z",
	 NULL},
	{CMD_TIME, 0, "until", &opt.until, "WHEN",
	 "only spans that start before", NULL},
	{CMD_STRING, 0, "around", &opt.around, "TIME+-D",
	 "only spans that start at most D before or after: 14:30+-5m", NULL},
	{CMD_LIST, 0, "trace-id", &opt.trace_ids, "ID",
	 "only this trace: its id or the beginning of it, or a link or header "
	 "that has it",
	 NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

bool cmd__select_beside_names(void)
{
	return opt.tags.n || opt.trace_ids.n || opt.error || opt.min_duration ||
	       opt.max_duration != NOT_GIVEN || opt.not_tags.n ||
	       opt.has_tags.n || opt.statuses.n || opt.root || opt.orphans ||
	       opt.matchers.n || opt.expressions.n;
}

bool cmd__select_beside_time(void)
{
	return opt.services.n || opt.operations.n || opt.kinds.n ||
	       cmd__select_beside_names();
}

bool cmd_source_has_kind(void)
{
	return opt.kinds.n;
}

void cmd_source_time(uint64_t *since_ns, uint64_t *until_ns)
{
	cmd__select_time(since_ns, until_ns);
}

void cmd__select_time(uint64_t *since_ns, uint64_t *until_ns)
{
	*since_ns = opt.since;
	*until_ns = opt.until;
}

bool cmd_source_selects(void)
{
	return cmd__select_beside_time() || opt.since || opt.until ||
	       opt.around;
}

const char *cmd__select_time_option(void)
{
	if (opt.around)
		return "around";
	if (opt.since)
		return "since";
	return opt.until ? "until" : NULL;
}

/* An option with its value, quoted so that it ends where it seems to. */
static void put_option(struct span_buf *b, const char *name, struct span_str s)
{
	span_buf_printf(b, " --%s=", name);
	span_text_logfmt(b, s);
}

static void put_list(struct span_buf *b, const struct cmd_option *o)
{
	const struct cmd_list *list = o->value;

	for (size_t i = 0; i < list->n; i++)
		put_option(b, o->name, span_str(list->v[i]));
}

void cmd_source_selection(struct span_buf *b)
{
	const struct cmd_option *o = cmd__select_options;

	for (; o->kind != CMD_END; o++)
		if (o->kind == CMD_LIST)
			put_list(b, o);
		else if (o->kind == CMD_FLAG && *(const bool *)o->value)
			span_buf_printf(b, " --%s", o->name);
	if (opt.min_duration)
		span_buf_printf(b, " --min-duration=%" PRIu64 "ns",
				opt.min_duration);
	if (opt.max_duration != NOT_GIVEN)
		span_buf_printf(b, " --max-duration=%" PRIu64 "ns",
				opt.max_duration);
}

bool cmd_source_in_time(const struct span *s)
{
	return s->start_ns >= opt.since &&
	       (!opt.until || s->start_ns < opt.until);
}

bool cmd_source_has_since(void)
{
	return opt.since || opt.around;
}

void cmd_source_expression(const char *text)
{
	static const char *one;

	one = text;
	opt.expressions = (struct cmd_list){&one, 1};
}

bool cmd_source_has_expression(void)
{
	return opt.expressions.n;
}

void cmd_source_trace_ids(char **ids, size_t n)
{
	opt.trace_ids = (struct cmd_list){(const char **)ids, n};
}

bool cmd__select_has_ids(void)
{
	return opt.trace_ids.n;
}

int cmd__select_operand(int *argc, char ***argv, bool store)
{
	if (opt.expressions.n || !*argc || !cmd__expr_is(**argv, store))
		return 0;
	opt.expressions.v = malloc(sizeof(*opt.expressions.v));
	if (!opt.expressions.v)
		return SPAN_E_NOMEM;
	opt.expressions.v[0] = **argv;
	opt.expressions.n = 1;
	++*argv;
	--*argc;
	return 0;
}

static int compile(struct span_query **out, struct span_error *err)
{
	struct span_select sel = {
		.services = opt.services.v,
		.n_services = opt.services.n,
		.operations = opt.operations.v,
		.n_operations = opt.operations.n,
		.tags = opt.tags.v,
		.n_tags = opt.tags.n,
		.trace_ids = opt.trace_ids.v,
		.n_trace_ids = opt.trace_ids.n,
		.min_duration_ns = opt.min_duration,
		.since_ns = opt.since,
		.until_ns = opt.until,
		.not_tags = opt.not_tags.v,
		.n_not_tags = opt.not_tags.n,
		.has_tags = opt.has_tags.v,
		.n_has_tags = opt.has_tags.n,
		.kinds = opt.kinds.v,
		.n_kinds = opt.kinds.n,
		.statuses = opt.statuses.v,
		.n_statuses = opt.statuses.n,
		.matchers = opt.matchers.v,
		.n_matchers = opt.matchers.n,
		.error = opt.error,
		.root = opt.root,
		.orphans = opt.orphans,
		.metrics = cmd__metrics,
	};

	char *expression = NULL;
	int rc;

	if (!opt.max_duration)
		cmd_usage("--max-duration must be above 0");
	if (opt.max_duration != NOT_GIVEN)
		sel.max_duration_ns = opt.max_duration;
	rc = cmd__expr_matchers(&opt.matchers, err);
	if (!rc)
		rc = cmd__expr_join(&opt.expressions, &expression, err);
	sel.expression = expression;
	if (!rc)
		rc = span_query_compile(out, &sel, err);
	free(expression);
	return rc;
}

/* --around is --since and --until at once. */
static void set_around(void)
{
	struct span_error err = {0};

	if (opt.since || opt.until)
		cmd_usage("--around does not go together with --since and "
			  "--until");
	if (cmd_parse_around(opt.around, cmd_now_ns(), &opt.since, &opt.until,
			     &err) < 0)
		cmd_usage("--around: %s", err.msg);
}

int cmd__select_compile(struct span_query **out, struct span_error *err)
{
	if (opt.around)
		set_around();
	return compile(out, err);
}
