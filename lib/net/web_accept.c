/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each state of a connection has an end that bytes do not move: one that has
 * passed it is shut down, which libmicrohttpd sees as its end. And so has the
 * work for a client that closes its connection meanwhile.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/http_socket.h"
#include "net/web_state.h"

#include "base/banned.h"

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
	pthread_mutex_lock(&w->lock);
	span__web_peer_leave(&w->share, c->share);
	pthread_mutex_unlock(&w->lock);
	span__http_daemon_forget(&w->daemon, c->fd);
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
		*context =
			fd ? span__http_daemon_entry(&w->daemon, fd->connect_fd)
			   : NULL;
		return;
	}
	if (*context)
		span__web_conn_free(*context);
	*context = NULL;
}

/* PEER was let in. Takes FD in any case. */
static void add_connection(struct span__web_server *w, int fd,
			   const struct span__http_listener *l,
			   const struct span__address *peer)
{
	const struct span__peer from = span__peer_of(peer);
	struct span__web_conn *c = calloc(1, sizeof(*c));
	struct span__web_peer *share = NULL;

	if (c) {
		pthread_mutex_lock(&w->lock);
		share = span__web_peer_join(&w->share, &from);
		pthread_mutex_unlock(&w->lock);
	}
	if (!share) {
		free(c);
		span__admission_leave(w->admission, &from);
		close(fd);
		return;
	}
	*c = (struct span__web_conn){.web = w,
				     .fd = fd,
				     .loopback = l->what,
				     .from = from,
				     .share = share,
				     .is_first = true};
	/* Who only connects has not come to stay. */
	span__web_wait(c, SPAN__WEB_IDLE,
		       w->opts.idle_ns < 3 * w->opts.head_ns
			       ? w->opts.idle_ns
			       : 3 * w->opts.head_ns);
	span__address_text(peer, c->peer);
	w->n_open++;
	span__web_count(w, &w->counts.connections);
	if (!span__http_daemon_add(&w->daemon, fd, c, peer))
		span__web_conn_free(c);
}

static void refuse(struct span__web_server *w, int fd)
{
	span__web_count(w, &w->counts.refused);
	span__http_socket_refuse(fd, w->daemon.tls);
}

void span__web_tell_long(struct span__web_conn *c, struct MHD_Connection *mhd)
{
	span__http_socket_tell(c->fd, mhd,
			       "HTTP/1.1 414 URI Too Long\r\n"
			       "Content-Length: 0\r\n"
			       "Connection: close\r\n\r\n");
	span__web_count(c->web, &c->web->counts.too_large);
}

void span__web_enter(void *arg, int fd, const struct span__http_listener *l,
		     const struct span__address *peer)
{
	struct span__web_server *w = arg;
	const struct span__peer from = span__peer_of(peer);

	if (w->n_open < w->opts.max_connections &&
	    span__admission_enter(w->admission, &from))
		add_connection(w, fd, l, peer);
	else
		refuse(w, fd);
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
	span__web_work_drop(j);
	if (slow && !j->answered)
		j->refusal = SPAN__WEB_SLOW;
	else
		cut(c);
	span__web_resume(j);
}

/* He reads too slowly for the place that he has, which others want. */
static bool must_yield(const struct span__web_conn *c, uint64_t now)
{
	return c->wait == SPAN__WEB_SEND && c->job && now >= c->job->slow_ns &&
	       span__web_work_in_way(c->job);
}

/* WAITING: jobs that places are still to be found for. */
static void sweep_one(struct span__web_conn *c, uint64_t now, size_t *waiting)
{
	struct span__web_server *w = c->web;
	bool late;

	if (c->wait == SPAN__WEB_IDLE && !(w->daemon.tls && c->is_first) &&
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
	} else if (late || (w->daemon.stopping && c->wait == SPAN__WEB_IDLE &&
			    !span__http_socket_has_input(c->fd))) {
		cut(c);
	} else if (*waiting && must_yield(c, now)) {
		(*waiting)--;
		span__web_count(w, &w->counts.yielded);
		cut(c);
	}
}

void span__web_sweep(struct span__web_server *w)
{
	uint64_t now = span__monotonic_ns();

	size_t waiting;

	if (!span__http_daemon_is_due(&w->daemon, now))
		return;
	waiting = span__web_work_waiting(w);
	for (size_t i = 0; w->n_open && i < w->daemon.n_entries; i++) {
		struct span__web_conn *c = w->daemon.entries[i];

		if (c && !c->cut)
			sweep_one(c, now, &waiting);
	}
}
