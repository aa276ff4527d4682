/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command with one option of every kind, so that tests/cmd.bats can see
 * what the frame of all commands does. Built for make check only.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/banned.h"

static const char *const colours[] = {"red", "green", "blue", NULL};

static struct {
	bool flag, keep;
	int count, colour;
	const char *string, *optional;
	struct cmd_list list;
	uint64_t number, size, duration, time;
	double ratio;
	uint64_t fail;
} opt = {.keep = true, .ratio = 0.5};

static const struct cmd_option group_options[] = {
	{CMD_CHOICE, 'o', "colour", &opt.colour, "COLOUR", "how it looks",
	 colours},
	{CMD_DOUBLE, 0, "ratio", &opt.ratio, "P",
	 "a share between 0 and 1, with an explanation that is too long for "
	 "one line and has to go on in the next one",
	 NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option options[] = {
	{CMD_FLAG, 'f', "flag", &opt.flag, NULL, "set a flag", NULL},
	{CMD_NOFLAG, 0, "no-keep", &opt.keep, NULL, "do not keep it", NULL},
	{CMD_COUNT, 'c', "count", &opt.count, NULL, "count one more", NULL},
	{CMD_STRING, 's', "string", &opt.string, "TEXT", "take a text", NULL},
	{CMD_LIST, 'l', "list", &opt.list, "ITEM", "take one more", NULL},
	{CMD_INT, 'n', "number", &opt.number, "N", "take a number", NULL},
	{CMD_SIZE, 0, "size", &opt.size, "SIZE", "take a size", NULL},
	{CMD_DURATION, 0, "duration", &opt.duration, "TIME", "take a duration",
	 NULL},
	{CMD_TIME, 0, "since", &opt.time, "TIME", "take a time", NULL},
	{CMD_OPTIONAL, 'u', "udp", &opt.optional, "ADDRESS", "maybe an address",
	 NULL},
	{CMD_INT, 0, "fail", &opt.fail, "ERRC", "fail with this code", NULL},
	{CMD_GROUP, 0, NULL, (void *)group_options, NULL, "Looks", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/* Print every option and operand. */
static int show(int argc, char **argv, struct span_error *err)
{
	if (opt.fail)
		return span_error_set(err, -(int)opt.fail, "failed as told");
	printf("flag %d keep %d count %d colour %s ratio %g\n", opt.flag,
	       opt.keep, opt.count, colours[opt.colour], opt.ratio);
	printf("string %s optional %s\n", opt.string ? opt.string : "-",
	       opt.optional ? opt.optional : "-");
	printf("number %llu size %llu duration %llu since %llu\n",
	       (unsigned long long)opt.number, (unsigned long long)opt.size,
	       (unsigned long long)opt.duration, (unsigned long long)opt.time);
	for (size_t i = 0; i < opt.list.n; i++)
		printf("item %s\n", opt.list.v[i]);
	for (int i = 0; i < argc; i++)
		printf("operand %s\n", argv[i]);
	printf("quiet %d verbose %d\n", cmd_quiet, cmd_verbose);
	cmd_warn("a warning about %s", argc ? argv[0] : "nothing");
	return 0;
}

/* Copy the operands, or standard input, as cat(1) does. */
static int copy(int argc, char **argv, struct span_error *err)
{
	static char buffer[4096], *standard[] = {(char *)"-"};
	static uint64_t n_bytes;
	static const struct cmd_metric metrics[] = {
		{"probe_bytes_total", "", "bytes copied", &n_bytes, false},
		{"probe_open", "kind=\"file\"", "files open", &n_bytes, true},
		{"probe_open", "kind=\"pipe\"", "files open", &n_bytes, true},
		{NULL, NULL, NULL, NULL, false},
	};
	int in = -1, out, rc;

	rc = cmd_output_open(&out, true, err);
	if (!argc) {
		argc = 1;
		argv = standard;
	}
	for (int i = 0; rc >= 0 && i < argc; i++) {
		ssize_t n = 0;

		rc = cmd_input_open(&in, argv[i], err);
		if (rc >= 0)
			cmd_signals_drain(in);
		while (rc >= 0 && (n = read(in, buffer, sizeof(buffer))) > 0) {
			n_bytes += (uint64_t)n;
			rc = span_write_all(out, buffer, (size_t)n, err);
			cmd_metrics_write(metrics, false);
			cmd_progress(n_bytes, "bytes");
		}
		if (n < 0)
			rc = span_error_set(err, SPAN_E_IO, "cannot read");
		cmd_input_close(&in);
	}
	cmd_metrics_write(metrics, true);
	return rc < 0 ? rc : cmd_output_close(out, err);
}

/* Be a source: say that it runs, then wait for a signal. */
static int source(int argc, char **argv, struct span_error *err)
{
	(void)argc;
	(void)argv;
	(void)err;
	cmd_signals_source();
	cmd_sd_notify("READY=1");
	printf("%d descriptors\n", cmd_sd_listen_fds());
	fflush(stdout);
	while (!cmd_stopped)
		pause();
	puts("stopped");
	while (opt.flag)
		pause();
	return 0;
}

/* Map a file that is then cut, and read it. */
static int map(int argc, char **argv, struct span_error *err)
{
	int fd, out;
	volatile char *p;
	int rc = cmd_output_open(&out, false, err);

	if (rc < 0 || argc != 1)
		return rc;
	fd = open(argv[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return span_error_set(err, SPAN_E_IO, "cannot make the file");
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || ftruncate(fd, 0) < 0)
		return span_error_set(err, SPAN_E_IO, "cannot map the file");
	puts("not seen");
	return p[100];
}

static const struct cmd_option copy_options[] = {
	{CMD_FLAG, 'a', "all", &opt.flag, NULL, "copy everything", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd verbs[] = {
	{"show", "[WORD...]", "print what was parsed", NULL, show, NULL, NULL},
	{"copy", "[FILE...]", "copy files", copy_options, copy, NULL, NULL},
	{"source", "", "wait for a signal", NULL, source, NULL, NULL},
	{"map", "FILE", "read a mapped file that was cut", NULL, map, NULL,
	 NULL},
	{NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd cmd_probe = {
	"cmd-probe", "",   "show what the frame of commands does",
	options,     NULL, verbs,
	NULL,
};

int main(int argc, char **argv)
{
	return cmd_main(&cmd_probe, argc, argv);
}
