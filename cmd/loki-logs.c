/* SPDX-License-Identifier: Apache-2.0 */
#include "loki-logs.h"

#include <span/log.h>

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "loki-query.h"

#include "base/banned.h"

static struct {
	const char *grep, *fetch, *logs;
	bool logql;
} opt;

const struct cmd_option loki_logs_options[] = {
	{CMD_FLAG, 0, "logql", &opt.logql, NULL,
	 "print the query for the entries of the traces ID", NULL},
	{CMD_STRING, 0, "grep", &opt.grep, "LOGFILE",
	 "print the ids of traces that LOGFILE names", NULL},
	{CMD_STRING, 0, "logs", &opt.logs, "LOGFILE",
	 "print the lines of LOGFILE that name the traces ID", NULL},
	{CMD_STRING, 0, "fetch", &opt.fetch, "URL",
	 "ask the Loki at URL for the lines of the traces ID", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	int fd;
	uint8_t (*ids)[16];
	size_t n_ids;
	struct span_buf text;
	void *seen;  /* tree of ids, 16 bytes each */
	bool failed; /* memory is out */
	bool any;
} logs;

const char *loki_logs_wanted(void)
{
	const char *name = NULL;
	int n = opt.logql + (opt.grep != NULL) + (opt.logs != NULL) +
		(opt.fetch != NULL);

	if (n > 1)
		cmd_usage("one of --logql, --grep, --logs and --fetch at a "
			  "time");
	if (opt.logql)
		name = "--logql";
	if (opt.grep)
		name = "--grep";
	if (opt.logs)
		name = "--logs";
	return opt.fetch ? "--fetch" : name;
}

bool loki_logs_asks(void)
{
	return opt.fetch;
}

static int write_text(struct span_error *err)
{
	int rc = 0;

	if (logs.text.failed || logs.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (logs.text.len)
		rc = span_write_all(logs.fd, logs.text.p, logs.text.len, err);
	logs.text.len = 0;
	return rc;
}

/* ---- Ids of a log ---- */

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* Each id once, in the order in which they come. */
static void put_id(void *arg, const uint8_t id[16], struct span_str value)
{
	char text[SPAN_TRACE_ID_TEXT];
	uint8_t *copy;
	void *at;

	(void)arg;
	(void)value;
	if (tfind(id, &logs.seen, compare_ids))
		return;
	copy = malloc(16);
	if (copy)
		memcpy(copy, id, 16);
	at = copy ? tsearch(copy, &logs.seen, compare_ids) : NULL;
	logs.failed |= !at;
	span_buf_puts(&logs.text, span_trace_id_text(id, text));
	span_buf_putc(&logs.text, '\n');
	logs.any = true;
}

static int grep_line(void *arg, struct span_str line, struct span_error *err)
{
	(void)arg;
	span_log_ids(line, put_id, NULL);
	return logs.failed ? write_text(err) : 0;
}

/* ---- Lines of a trace ---- */

static void match_id(void *arg, const uint8_t id[16], struct span_str value)
{
	bool *matches = arg;

	(void)value;
	for (size_t i = 0; i < logs.n_ids; i++)
		*matches |= !memcmp(logs.ids[i], id, 16);
}

/* As it is, but a terminal gets no controls. */
static int logs_line(void *arg, struct span_str line, struct span_error *err)
{
	bool matches = false;

	(void)arg;
	(void)err;
	span_log_ids(line, match_id, &matches);
	if (!matches)
		return 0;
	if (cmd_output_is_terminal())
		span_text_terminal(&logs.text, line);
	else
		span_buf_str(&logs.text, line);
	span_buf_putc(&logs.text, '\n');
	logs.any = true;
	return 0;
}

static int fetch(struct span_error *err)
{
	int rc = loki_query_fetch(opt.fetch, (const uint8_t(*)[16])logs.ids,
				  logs.n_ids, &logs.text, err);

	logs.any = rc > 0;
	return rc;
}

static void put_queries(const char *parser)
{
	for (size_t i = 0; i < logs.n_ids; i++) {
		loki_query_put(&logs.text, logs.ids[i], parser);
		span_buf_putc(&logs.text, '\n');
	}
	logs.any = true;
}

/* ---- The whole ---- */

static int read_ids(int argc, char **argv, struct span_error *err)
{
	int rc = 0;

	if (opt.grep && argc)
		cmd_usage("--grep takes no ids: '%s'", argv[0]);
	if (!opt.grep && !argc)
		cmd_usage("of which trace? Its id is needed");
	logs.ids = calloc((size_t)argc + 1, sizeof(*logs.ids));
	if (!logs.ids)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (int i = 0; i < argc && !rc; i++)
		rc = span_log_trace_id(argv[i], logs.ids[logs.n_ids++], err);
	return rc;
}

int loki_logs_run(int fd, int argc, char **argv, const char *parser,
		  struct span_error *err)
{
	int rc = read_ids(argc, argv, err);

	logs.fd = fd;
	if (rc < 0)
		goto done;
	if (opt.grep)
		rc = cmd_input_lines(opt.grep, grep_line, write_text, NULL,
				     err);
	else if (opt.logs)
		rc = cmd_input_lines(opt.logs, logs_line, write_text, NULL,
				     err);
	else if (opt.fetch)
		rc = fetch(err);
	else
		put_queries(parser);
	if (rc >= 0)
		rc = write_text(err);
	if (rc >= 0)
		rc = logs.any ? CMD_OK : CMD_NONE;
done:
	free(logs.ids);
	tdestroy(logs.seen, free);
	span_buf_release(&logs.text);
	return rc;
}
