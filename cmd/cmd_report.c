/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a running command tells others: a metrics file in Prometheus' text
 * format, a progress line, systemd.
 */
#include "cmd_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/banned.h"

#define METRICS_NS 1000000000u	/* how old the file may get */
#define PROGRESS_NS 1000000000u /* before the first line */
#define REFRESH_NS 200000000u	/* between two lines */

static const char *metrics_file;
static uint64_t metrics_ns;

const struct cmd_option cmd_metrics_options[] = {
	{CMD_STRING, 0, "metrics-file", &metrics_file, "FILE",
	 "keep the counts in FILE, in Prometheus' text format", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

bool cmd_metrics_wanted(void)
{
	return metrics_file;
}

void cmd_metrics_text(struct span_buf *b, const struct cmd_metric *m)
{
	const char *last = "";

	for (; m->name; m++) {
		if (strcmp(last, m->name))
			span_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n",
					m->name, m->help, m->name,
					m->gauge ? "gauge" : "counter");
		last = m->name;
		span_buf_puts(b, m->name);
		if (m->labels && *m->labels)
			span_buf_printf(b, "{%s}", m->labels);
		span_buf_printf(b, " %llu\n", (unsigned long long)*m->value);
	}
}

uint64_t cmd_drops(const struct cmd_drop *d)
{
	uint64_t sum = 0;

	for (; d->name; d++)
		sum += *d->n;
	return sum;
}

void cmd_drops_text(struct span_buf *b, const struct cmd_drop *d)
{
	const char *before = " (";

	span_text_count(b, cmd_drops(d));
	span_buf_puts(b, " dropped");
	for (; d->name; d++) {
		if (!*d->n)
			continue;
		span_buf_puts(b, before);
		span_text_count(b, *d->n);
		span_buf_printf(b, " %s", d->name);
		before = ", ";
	}
	if (*before == ',')
		span_buf_putc(b, ')');
}

static int write_metrics(const struct cmd_metric *m, struct span_error *err)
{
	/* A symbolic link stays one: its target is replaced. */
	char *real = realpath(metrics_file, NULL), *temp = NULL;
	const char *target = real ? real : metrics_file;
	struct span_buf b = {0};
	int fd = -1, rc;

	cmd_metrics_text(&b, m);
	rc = b.failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
		      : cmd__temp_open(&fd, &temp, target, O_NONBLOCK, err);
	if (rc < 0)
		goto done;
	rc = span_write_all(fd, b.p, b.len, err);
	if (close(fd) < 0 && !rc)
		rc = span_error_set(err, SPAN_E_IO, "cannot write");
	if (!rc && temp && rename(temp, target) < 0)
		rc = span_error_set(err, SPAN_E_IO, "cannot replace %s",
				    metrics_file);
	if (rc < 0 && temp)
		unlink(temp);
done:
	free(temp);
	free(real);
	span_buf_release(&b);
	return rc;
}

void cmd_metrics_write(const struct cmd_metric *m, bool now)
{
	static bool warned;
	struct span_error err = {0};
	uint64_t clock;

	if (!metrics_file)
		return;
	clock = cmd_monotonic_ns();
	if (!now && metrics_ns && clock - metrics_ns < METRICS_NS)
		return;
	metrics_ns = clock;
	if (write_metrics(m, &err) < 0 && !warned) {
		cmd_warn("--metrics-file: %s%s%s", err.msg, err.sys ? ": " : "",
			 err.sys ? strerror(err.sys) : "");
		warned = true;
	}
}

static struct {
	uint64_t start_ns, shown_ns;
	bool visible;
} progress;

/* "950", "1.2 k", "13.4 M" */
static void format_count(char *out, size_t len, double n)
{
	const char *units[] = {"", " k", " M", " G", " T"};
	size_t i = 0;

	for (; n >= 1000 && i < 4; i++)
		n /= 1000;
	snprintf(out, len, "%.*f%s", i && n < 100, n, units[i]);
}

void cmd_progress(uint64_t n, const char *unit)
{
	uint64_t now = cmd_monotonic_ns();
	char count[16], rate[16], line[160];
	int len;

	if (!progress.start_ns)
		progress.start_ns = now;
	if (now - progress.start_ns < PROGRESS_NS ||
	    now - progress.shown_ns < REFRESH_NS || cmd_quiet ||
	    !isatty(STDERR_FILENO))
		return;
	progress.shown_ns = now;
	progress.visible = true;
	format_count(count, sizeof(count), (double)n);
	format_count(rate, sizeof(rate),
		     (double)n * 1e9 / (double)(now - progress.start_ns));
	len = snprintf(line, sizeof(line), "\r%s: %s %s, %s/s\033[K",
		       cmd__scope.cmd->name, count, unit, rate);
	if (len > 0)
		(void)!write(STDERR_FILENO, line, (size_t)len);
}

const char *cmd__progress_clear(void)
{
	const char *text = progress.visible ? "\r\033[K" : "";

	progress.visible = false;
	return text;
}

void cmd_progress_end(void)
{
	const char *text = cmd__progress_clear();

	if (*text)
		(void)!write(STDERR_FILENO, text, strlen(text));
}

void cmd_sd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(addr.sun_path) ||
	    (*path != '/' && *path != '@'))
		return;
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

int cmd_sd_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t p, n;

	if (!pid || !fds || cmd_parse_int(pid, &p, NULL) < 0 ||
	    cmd_parse_int(fds, &n, NULL) < 0 || p != (uint64_t)getpid() ||
	    n > 1024)
		return 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (int fd = 3; fd < 3 + (int)n; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return (int)n;
}
