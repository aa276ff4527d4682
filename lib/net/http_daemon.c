/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/clock.h"

#include "base/banned.h"

#define ACCEPTS_PER_TURN 64
#define RUNS_PER_TURN 8
#define SWEEP_NS 1000000000u
#define STOP_NS 20000000u
/* libmicrohttpd wants to go on at once, but nothing does: so it is with a
 * handshake of TLS whose bytes do not come. */
#define REST_NS 5000000u
#define FIRST_TIMEOUT 1000000u /* seconds */

/* What stands between slashes may be decoded later, by itself. */
static size_t leave_escapes(void *cls, struct MHD_Connection *mhd, char *s)
{
	(void)cls;
	(void)mhd;
	return strlen(s);
}

static int start_daemon(struct span__http_daemon *d,
			const struct span__http_daemon_opts *o,
			struct span_error *err)
{
	const struct span__http_calls *c = &d->calls;
	struct MHD_OptionItem some[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0,
		 (void *)(uintptr_t)span__http_tls_choose},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
		 (void *)(uintptr_t)SPAN__HTTP_TLS_PRIORITY},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escapes, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
			 MHD_ALLOW_SUSPEND_RESUME;

	if (d->tls)
		flags |= MHD_USE_TLS;
	if (!o->keep_escapes)
		some[2].option = MHD_OPTION_END;
	d->mhd = MHD_start_daemon(
		flags, 0, NULL, NULL, c->handle, c->arg, MHD_OPTION_ARRAY,
		d->tls ? some : some + 2, MHD_OPTION_NOTIFY_COMPLETED,
		c->completed, c->arg, MHD_OPTION_NOTIFY_CONNECTION,
		c->connection, c->arg, MHD_OPTION_URI_LOG_CALLBACK, c->begin,
		c->arg, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)o->max_connections + 1,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->memory,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT, o->increment,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (!d->mhd)
		return span_error_set(err, SPAN_E_IO,
				      "cannot start an HTTP server");
	return 0;
}

/* NULL is libmicrohttpd, or what only wakes up; else a listener. */
static int watch(struct span__http_daemon *d, int fd, void *what,
		 struct span_error *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = what};

	if (epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return span_error_set(err, SPAN_E_IO,
				      "cannot watch a descriptor");
	return 0;
}

int span__http_daemon_watch(struct span__http_daemon *d, int fd,
			    struct span_error *err)
{
	return watch(d, fd, NULL, err);
}

int span__http_daemon_open(struct span__http_daemon *d,
			   const struct span__http_daemon_opts *o,
			   struct span_error *err)
{
	const union MHD_DaemonInfo *info;
	int rc = 0;

	*d = (struct span__http_daemon){.calls = o->calls};
	d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll_fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot make an epoll");
	if (o->cert)
		rc = span__http_tls_open(&d->tls, o->cert, o->key, err);
	if (rc >= 0)
		rc = start_daemon(d, o, err);
	if (rc < 0)
		return rc;
	info = MHD_get_daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	return watch(d, info->epoll_fd, NULL, err);
}

int span__http_daemon_listen(struct span__http_daemon *d, int fd, uint32_t what,
			     struct span_error *err)
{
	struct span__http_listener *l = &d->sockets[d->n_sockets];
	int rc;

	if (d->n_sockets == SPAN__HTTP_SOCKETS)
		return span_error_set(err, SPAN_E_LIMIT, "more than %u sockets",
				      SPAN__HTTP_SOCKETS);
	*l = (struct span__http_listener){.fd = fd, .what = what};
	rc = watch(d, fd, l, err);
	if (rc >= 0)
		d->n_sockets++;
	return rc;
}

/* ---- Connections ---- */

/* Sockets that are not watched wake nobody up, while nothing can be done. */
static void pause_sockets(struct span__http_daemon *d, bool pause)
{
	for (size_t i = 0; i < d->n_sockets; i++) {
		struct epoll_event e = {.events = pause ? 0 : EPOLLIN,
					.data.ptr = &d->sockets[i]};

		(void)epoll_ctl(d->epoll_fd, EPOLL_CTL_MOD, d->sockets[i].fd,
				&e);
	}
	d->paused = pause;
}

static void accept_some(struct span__http_daemon *d,
			const struct span__http_listener *l)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct span__address peer = {.len = sizeof(peer.sa)};
		int fd = accept4(l->fd, &peer.sa.any, &peer.len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			d->calls.enter(d->calls.arg, fd, l, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			pause_sockets(d, true);
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

void span__http_daemon_accept(struct span__http_daemon *d,
			      const struct epoll_event *events, int n)
{
	d->moved = n > 0;
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			accept_some(d, events[i].data.ptr);
}

static bool grow_table(struct span__http_daemon *d, int fd)
{
	size_t n = d->n_entries ? d->n_entries : 64;
	void **v;

	while (n <= (size_t)fd)
		n *= 2;
	if (n == d->n_entries)
		return true;
	v = realloc(d->entries, n * sizeof(*v));
	if (!v)
		return false;
	memset(v + d->n_entries, 0, (n - d->n_entries) * sizeof(*v));
	d->entries = v;
	d->n_entries = n;
	return true;
}

bool span__http_daemon_add(struct span__http_daemon *d, int fd, void *entry,
			   const struct span__address *peer)
{
	if (!grow_table(d, fd)) {
		close(fd);
		return false;
	}
	d->entries[fd] = entry;
	/* Closes FD when it cannot, and may have told of its end before. */
	if (MHD_add_connection(d->mhd, fd, &peer->sa.any, peer->len) ==
		    MHD_YES ||
	    !d->entries[fd])
		return true;
	d->entries[fd] = NULL;
	return false;
}

void *span__http_daemon_entry(const struct span__http_daemon *d, int fd)
{
	return fd >= 0 && (size_t)fd < d->n_entries ? d->entries[fd] : NULL;
}

void span__http_daemon_forget(struct span__http_daemon *d, int fd)
{
	if (span__http_daemon_entry(d, fd))
		d->entries[fd] = NULL;
}

/* ---- Turns ---- */

static uint64_t period_ns(const struct span__http_daemon *d)
{
	return d->stopping ? STOP_NS : SWEEP_NS;
}

bool span__http_daemon_is_due(struct span__http_daemon *d, uint64_t now_ns)
{
	if (now_ns - d->swept_ns < period_ns(d))
		return false;
	d->swept_ns = now_ns;
	if (d->paused)
		pause_sockets(d, false);
	return true;
}

uint64_t span__http_daemon_wait_ns(const struct span__http_daemon *d,
				   size_t n_open)
{
	uint64_t gone = span__monotonic_ns() - d->swept_ns;
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(d->mhd, &ms) == MHD_YES && !ms)
		return d->moved ? 0 : REST_NS;
	if (!n_open && !d->paused && !d->stopping)
		return UINT64_MAX;
	return gone < period_ns(d) ? period_ns(d) - gone : 0;
}

void span__http_daemon_run(struct span__http_daemon *d, const int *end)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;
	bool moved = d->moved;

	span__http_tls_use(d->tls);
	for (int i = 0; i < RUNS_PER_TURN && !ms && !(end && *end); i++) {
		d->moved = false;
		MHD_run(d->mhd);
		moved |= d->moved;
		if (!d->moved || MHD_get_timeout(d->mhd, &ms) != MHD_YES)
			break;
	}
	d->moved = moved;
	span__http_tls_use(NULL);
}

/*
 * Connections with a timeout of their own are looked at first in each turn.
 * This one has no meaning but that.
 */
void span__http_resume(struct MHD_Connection *mhd)
{
	MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT,
				  FIRST_TIMEOUT);
	MHD_resume_connection(mhd);
}

void span__http_resumed(struct MHD_Connection *mhd)
{
	MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
}

/* ---- The end ---- */

static void close_sockets(struct span__http_daemon *d)
{
	for (size_t i = 0; i < d->n_sockets; i++)
		close(d->sockets[i].fd);
	d->n_sockets = 0;
}

void span__http_daemon_stop(struct span__http_daemon *d)
{
	close_sockets(d);
	d->stopping = true;
	d->paused = false;
	d->swept_ns = 0;
}

void span__http_daemon_halt(struct span__http_daemon *d)
{
	if (d->mhd)
		MHD_stop_daemon(d->mhd);
	d->mhd = NULL;
}

void span__http_daemon_close(struct span__http_daemon *d)
{
	span__http_daemon_halt(d);
	close_sockets(d);
	span__http_tls_close(&d->tls);
	free(d->entries);
	d->entries = NULL;
	d->n_entries = 0;
	if (d->epoll_fd >= 0)
		close(d->epoll_fd);
	d->epoll_fd = -1;
}
