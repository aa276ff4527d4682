/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections are accepted here and handed to libmicrohttpd, so that one limit
 * holds for all sockets and the lack of descriptors is no busy loop.
 *
 * Each state of a connection has an end that bytes do not move: one that has
 * passed it is shut down, which libmicrohttpd sees as its end. And so has the
 * work for a client that closes its connection meanwhile.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/http_socket.h"
#include "net/web_state.h"

#include "base/banned.h"

#define ACCEPTS_PER_TURN 64

void span__web_wait(struct span__web_conn *c, enum span__web_wait wait,
		    uint64_t ns)
{
	c->wait = wait;
	c->since_ns = span__monotonic_ns();
	c->deadline_ns = c->since_ns + ns;
}

void span__web_conn_free(struct span__web_conn *c)
{
	struct span__web_server *w = c->web;

	span__admission_leave(w->admission, &c->from);
	w->conns[c->fd] = NULL;
	w->n_open--;
	free(c);
}

void span__web_on_connection(void *cls, struct MHD_Connection *mhd,
			     void **context,
			     enum MHD_ConnectionNotificationCode what)
{
	struct span__web_server *w = cls;
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		if (fd && (size_t)fd->connect_fd < w->n_conns)
			*context = w->conns[fd->connect_fd];
		return;
	}
	if (*context)
		span__web_conn_free(*context);
	*context = NULL;
}

/* Make room for an entry at FD. */
static bool grow_table(struct span__web_server *w, int fd)
{
	size_t n = w->n_conns ? w->n_conns : 64;
	struct span__web_conn **v;

	while (n <= (size_t)fd)
		n *= 2;
	if (n == w->n_conns)
		return true;
	v = realloc(w->conns, n * sizeof(*v));
	if (!v)
		return false;
	memset(v + w->n_conns, 0, (n - w->n_conns) * sizeof(*v));
	w->conns = v;
	w->n_conns = n;
	return true;
}

/* PEER was let in. Takes FD in any case. */
static void add_connection(struct span__web_server *w, int fd,
			   const struct span__web_socket *s,
			   const struct span__address *peer)
{
	const struct span__peer from = span__peer_of(peer);
	struct span__web_conn *c = NULL;

	if (grow_table(w, fd))
		c = calloc(1, sizeof(*c));
	if (!c) {
		span__admission_leave(w->admission, &from);
		close(fd);
		return;
	}
	*c = (struct span__web_conn){.web = w,
				     .fd = fd,
				     .loopback = s->loopback,
				     .from = from,
				     .is_first = true};
	/* Who only connects has not come to stay. */
	span__web_wait(c, SPAN__WEB_IDLE,
		       w->opts.idle_ns < 3 * w->opts.head_ns
			       ? w->opts.idle_ns
			       : 3 * w->opts.head_ns);
	span__address_text(peer, c->peer);
	w->conns[fd] = c;
	w->n_open++;
	span__web_count(w, &w->counts.connections);
	/* Closes FD when it cannot, and may have said so before. */
	if (MHD_add_connection(w->daemon, fd, &peer->sa.any, peer->len) !=
		    MHD_YES &&
	    w->conns[fd])
		span__web_conn_free(c);
}

static void refuse(struct span__web_server *w, int fd)
{
	span__web_count(w, &w->counts.refused);
	span__http_socket_refuse(fd, w->opts.cert);
}

void span__web_tell_long(struct span__web_conn *c, struct MHD_Connection *mhd)
{
	span__http_socket_tell(c->fd, mhd,
			       "HTTP/1.1 414 URI Too Long\r\n"
			       "Content-Length: 0\r\n"
			       "Connection: close\r\n\r\n");
	span__web_count(c->web, &c->web->counts.too_large);
}

/* Sockets that are not watched wake nobody up, while nothing can be done. */
static void pause_sockets(struct span__web_server *w, bool pause)
{
	for (size_t i = 0; i < w->n_sockets; i++) {
		struct epoll_event e = {.events = pause ? 0 : EPOLLIN,
					.data.ptr = &w->sockets[i]};

		(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, w->sockets[i].fd,
				&e);
	}
	w->paused = pause;
}

void span__web_accept(struct span__web_server *w,
		      const struct span__web_socket *s)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct span__address peer = {.len = sizeof(peer.sa)};
		int fd = accept4(s->fd, &peer.sa.any, &peer.len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct span__peer from;

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS)
				pause_sockets(w, true);
			if (errno == ECONNABORTED || errno == EINTR)
				continue;
			return;
		}
		from = span__peer_of(&peer);
		if (w->n_open < w->opts.max_connections &&
		    span__admission_enter(w->admission, &from))
			add_connection(w, fd, s, &peer);
		else
			refuse(w, fd);
	}
}

/*
 * Has the client gone? One that has only said that it sends nothing more looks
 * the same at first, so its answer may take a while.
 */
static bool is_gone(const struct span__web_conn *c, uint64_t now)
{
	struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

	if (poll(&p, 1, 0) <= 0)
		return false;
	return (p.revents & (POLLHUP | POLLERR)) ||
	       ((p.revents & POLLRDHUP) &&
		now - c->since_ns >= c->web->opts.half_ns);
}

static void cut(struct span__web_conn *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->cut = true;
}

/* The answer is not wanted any more, or is one that tells of its slowness. */
static void give_up(struct span__web_conn *c, bool slow)
{
	struct span__web_job *j = c->job;

	__atomic_store_n(&j->gone, true, __ATOMIC_RELAXED);
	if (slow && !j->answered)
		j->refusal = SPAN__WEB_SLOW;
	else
		cut(c);
	span__web_resume(j);
}

static void sweep_one(struct span__web_conn *c, uint64_t now)
{
	struct span__web_server *w = c->web;
	bool late;

	if (c->wait == SPAN__WEB_IDLE && !(w->opts.cert && c->is_first) &&
	    span__http_socket_has_begun(c->fd, c->is_first, c->since_ns, now))
		span__web_wait(c, SPAN__WEB_HEAD, w->opts.head_ns);
	late = now >= c->deadline_ns;
	if (late && c->wait != SPAN__WEB_IDLE)
		span__web_count(w, &w->counts.timeouts);
	if (c->wait == SPAN__WEB_WORK) {
		bool gone = !late && is_gone(c, now);

		if (gone)
			span__web_count(w, &w->counts.cancelled);
		if (late || gone)
			give_up(c, late);
	} else if (late || (w->stopping && c->wait == SPAN__WEB_IDLE &&
			    !span__http_socket_has_input(c->fd))) {
		cut(c);
	}
}

void span__web_sweep(struct span__web_server *w)
{
	uint64_t now = span__monotonic_ns();

	if (now - w->swept_ns <
	    (w->stopping ? SPAN__WEB_STOP_NS : SPAN__WEB_SWEEP_NS))
		return;
	w->swept_ns = now;
	if (w->paused)
		pause_sockets(w, false);
	for (size_t i = 0; w->n_open && i < w->n_conns; i++)
		if (w->conns[i] && !w->conns[i]->cut)
			sweep_one(w->conns[i], now);
}
