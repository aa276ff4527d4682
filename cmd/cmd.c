/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a command, from main() to its exit code.
 *
 * SIGPIPE is ignored, so that a broken pipe comes back as SPAN_E_PIPE through
 * the command's own cleanup; the process then ends by SIGPIPE all the same,
 * as its callers expect.
 */
#include "cmd_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

struct cmd__scope cmd__scope;
bool cmd_quiet;
int cmd_verbose;

/*
 * A file that a command opens must never become its stdin, stdout or stderr.
 * Those that the caller closed are opened the wrong way round, so that using
 * them fails instead of losing what was written.
 */
static void open_standard_files(void)
{
	static const int flags[] = {O_WRONLY, O_RDONLY, O_RDWR};

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", flags[fd]) < 0)
			_exit(CMD_IO);
}

/*
 * Arguments and names of files and spans are shown to a terminal: no control
 * character of them acts there.
 */
void cmd__say(const char *kind, const char *fmt, va_list ap)
{
	const char *name = cmd__scope.cmd ? cmd__scope.cmd->name : "spantools";
	struct span_buf line = {0};
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	span_buf_printf(&line, "%s%s: %s", cmd__progress_clear(), name, kind);
	span_text_terminal(&line, span_str(text));
	span_buf_putc(&line, '\n');
	if (!line.failed)
		(void)!write(STDERR_FILENO, line.p, line.len);
	span_buf_release(&line);
}

void cmd_warn(const char *fmt, ...)
{
	va_list ap;

	if (cmd_quiet)
		return;
	va_start(ap, fmt);
	cmd__say("warning: ", fmt, ap);
	va_end(ap);
}

void cmd_warn_lines(const struct span_buf *b)
{
	for (size_t i = 0; i < b->len;) {
		const char *line = b->p + i;
		const char *end = memchr(line, '\n', b->len - i);

		cmd_warn("%.*s", (int)(end - line), line);
		i += (size_t)(end - line) + 1;
	}
}

void cmd_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cmd__say("", fmt, ap);
	va_end(ap);
}

void cmd_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cmd__say("", fmt, ap);
	va_end(ap);
	cmd__usage_line(stderr);
	cmd__output_abandon();
	exit(CMD_USAGE);
}

int cmd_exit_code(int errc)
{
	switch (errc) {
	case SPAN_E_TRUNCATED:
	case SPAN_E_CORRUPT:
	case SPAN_E_LIMIT:
	case SPAN_E_FORMAT:
		return CMD_DATA;
	case SPAN_E_INVALID:
	case SPAN_E_AMBIGUOUS:
		return CMD_USAGE;
	case SPAN_E_PIPE:
		return CMD_SIGPIPE;
	case SPAN_E_BUSY:
		return CMD_BUSY;
	case SPAN_E_PEER:
		return CMD_PEER;
	default:
		return CMD_IO;
	}
}

static _Noreturn void die_of_sigpipe(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(SIGPIPE);
	_exit(CMD_SIGPIPE);
}

int cmd__flush_stdout(struct span_error *err)
{
	bool failed = fflush(stdout) < 0;
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	if (!failed && !ferror(stdout))
		return 0;
	/* What failed before this flush has left no errno: ask the pipe. */
	if ((failed && errno == EPIPE) ||
	    (poll(&p, 1, 0) == 1 && (p.revents & POLLERR)))
		return span_error_set(err, SPAN_E_PIPE,
				      "nobody reads the output");
	if (!failed)
		errno = 0;
	return span_error_set(err, SPAN_E_IO, "cannot write standard output");
}

/* Say what went wrong and return its exit code. */
static int report(int rc, const struct span_error *err)
{
	const char *text = err->msg[0] ? err->msg : "failed";

	if (rc == SPAN_E_PIPE)
		return CMD_SIGPIPE;
	if (rc == SPAN_E_NOMEM && !err->msg[0])
		text = "memory is out";
	if (err->sys)
		cmd_note("%s: %s", text, strerror(err->sys));
	else
		cmd_note("%s", text);
	return cmd_exit_code(rc);
}

void cmd__exit(int status)
{
	struct span_error err = {0};
	int rc = cmd__flush_stdout(&err);

	if (rc < 0 && status != CMD_SIGPIPE)
		status = report(rc, &err);
	cmd__output_abandon();
	if (status == CMD_SIGPIPE)
		die_of_sigpipe();
	exit(status);
}

static const struct cmd *find_verb(const struct cmd *c, const char *name)
{
	for (const struct cmd *v = c->verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	cmd_usage("unknown verb: '%s'", name);
}

int cmd_main(const struct cmd *c, int argc, char **argv)
{
	struct cmd__scope *s = &cmd__scope;
	struct span_error err = {0};
	const struct cmd *run = c;
	int rc, input;

	open_standard_files();
	signal(SIGPIPE, SIG_IGN);
	cmd__signals_bus(c->name);
	s->cmd = c;
	cmd__table_build(&s->table, c, NULL);
	argc -= argc > 0;
	argv++;
	if (c->verbs) {
		int used = cmd__parse(&s->table, argc, argv, true);

		if (used == argc)
			cmd_usage("which verb?");
		run = s->verb = find_verb(c, argv[used]);
		cmd__table_build(&s->table, c, run);
		argc -= used + 1;
		argv += used + 1;
	}
	argc = cmd__parse(&s->table, argc, argv, false);
	rc = run->run(argc, argv, &err);
	if (rc < 0)
		cmd__output_abandon();
	/* A damaged gzip file looks like an input that ended early. */
	if (rc >= 0 || rc == SPAN_E_TRUNCATED) {
		input = cmd__gzip_finish(&err);
		if (input < 0)
			rc = input;
	}
	cmd_progress_end();
	if (rc < 0)
		rc = report(rc, &err);
	cmd__exit(rc);
}
