/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGINT and SIGTERM: the first one asks, the second one kills.
 *
 * timeout(1) signals its child and then the whole process group, so that the
 * child gets the same signal twice at once: a second one that comes within
 * SAME_NS of the first is taken for it.
 *
 * SIGBUS: what a failed read of a mapped file looks like. Nothing can go on
 * from there, but it is an error of the disk and not of the program.
 */
#include "cmd_private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

#define SAME_NS 200000000u

volatile int cmd_stopped;
static volatile sig_atomic_t is_source;
static volatile uint64_t first_ns; /* written with both signals blocked */
static char *volatile temporary;   /* a file to remove */
static char bus_text[160];	   /* what to say of SIGBUS */

static void die(int sig)
{
	if (temporary)
		unlink(temporary);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_signal(int sig)
{
	uint64_t now = cmd_monotonic_ns();

	if (first_ns && now - first_ns > SAME_NS) {
		die(sig);
		return;
	}
	if (!first_ns)
		first_ns = now;
	if (is_source)
		cmd_stopped = 1;
}

static void catch (int sig, void (*handler)(int), int flags)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, SIGINT);
	sigaddset(&act.sa_mask, SIGTERM);
	sigaddset(&act.sa_mask, SIGHUP);
	sigaction(sig, &act, NULL);
}

void cmd_signals_source(void)
{
	is_source = 1;
	catch (SIGINT, on_signal, 0);
	catch (SIGTERM, on_signal, 0);
}

void cmd_signals_drain(int fd)
{
	struct stat st;

	if (is_source || fstat(fd, &st) < 0 ||
	    !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return;
	catch (SIGINT, on_signal, SA_RESTART);
	catch (SIGTERM, on_signal, SA_RESTART);
}

void cmd__remove_on_signal(const char *path)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
	struct sigaction old;

	temporary = (char *)path;
	for (size_t i = 0; path && i < 3; i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler == SIG_DFL)
			catch (signals[i], die, 0);
}

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code <= 0 || info->si_code == BUS_ADRALN) {
		die(sig);
		return;
	}
	if (temporary)
		unlink(temporary);
	(void)!write(STDERR_FILENO, bus_text, strlen(bus_text));
	_exit(CMD_IO);
}

void cmd__signals_bus(const char *program)
{
	struct sigaction act = {
		.sa_sigaction = on_bus,
		.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER,
	};

	snprintf(bus_text, sizeof(bus_text),
		 "%s: I/O error while a mapped file was read\n", program);
	sigemptyset(&act.sa_mask);
	sigaction(SIGBUS, &act, NULL);
}
