/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait for a directory to change. The kernel tells where it can (not on every
 * file system); else, and in case that something was missed, a look is due
 * every now and then. Between two looks there is always some time, so that what
 * changes all the time costs little.
 */
#include "cmd.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/banned.h"

#define LEAST_MS 100
#define MOST_MS 1000
#define BLIND_MS 250

void cmd_watch_open(struct cmd_watch *w, const char *dir)
{
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd >= 0 &&
	    inotify_add_watch(w->fd, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) <
		    0)
		cmd_watch_close(w);
}

static int ms_until(uint64_t due_ns)
{
	uint64_t now = cmd_now_ns();
	uint64_t ms = due_ns > now ? (due_ns - now) / 1000000 + 1 : 0;

	return ms < MOST_MS ? (int)ms : MOST_MS;
}

static void drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		;
}

void cmd_watch_wait(struct cmd_watch *w, uint64_t due_ns)
{
	struct pollfd p = {.fd = w->fd, .events = POLLIN};
	int ms;

	if (poll(NULL, 0, LEAST_MS) < 0) /* a signal */
		return;
	ms = ms_until(due_ns);
	if (w->fd < 0 && ms > BLIND_MS)
		ms = BLIND_MS;
	if (poll(&p, w->fd >= 0, ms) > 0)
		drain(w->fd);
}

void cmd_watch_close(struct cmd_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
