/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure FILE COMMAND [ARG...] - run a command and note what it took
 *
 * Appends one line to FILE when the command has ended: its name, exit status
 * (128 + signal when it was killed), wall, user and system seconds, peak
 * anonymous memory and peak resident memory in KiB. SIGINT and SIGTERM are
 * passed on. Anonymous memory is sampled every 10 ms.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

static volatile pid_t child;

static void pass_on(int sig)
{
	if (child > 0)
		kill(child, sig);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long anonymous_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "RssAnon:", 8))
			kib = strtol(line + 8, NULL, 10);
	fclose(f);
	return kib;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int wait_for(pid_t pid, struct rusage *usage, long *peak)
{
	struct timespec pause = {0, 10000000};
	int status;
	pid_t got;

	for (;;) {
		long kib = anonymous_kib(pid);

		if (kib > *peak)
			*peak = kib;
		got = wait4(pid, &status, WNOHANG, usage);
		if (got == pid)
			break;
		if (got < 0 && errno != EINTR)
			exit(74);
		nanosleep(&pause, NULL);
	}
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = pass_on};
	struct rusage usage;
	double start = now();
	long peak = 0;
	FILE *out;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: measure FILE COMMAND [ARG...]\n");
		return 2;
	}
	child = fork();
	if (child < 0)
		return 74;
	if (!child) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	/* The pipe ends belong to the command alone. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	status = wait_for(child, &usage, &peak);
	out = fopen(argv[1], "a");
	if (!out)
		return 74;
	fprintf(out, "%s %d %.3f %.3f %.3f %ld %ld\n", argv[2], status,
		now() - start, seconds(usage.ru_utime), seconds(usage.ru_stime),
		peak, usage.ru_maxrss);
	fclose(out);
	return status;
}
